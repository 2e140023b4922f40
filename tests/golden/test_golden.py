"""Five steps of some recipes: what the terms come to does not change by accident.

python tests/golden/test_golden.py        writes traces.json anew: look at the change before you commit it
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

STEPS = 5
RECIPES = ("gan", "dcgan", "wgan_gp", "r3gan", "pix2pix", "cyclegan", "cut")
FILE = Path(__file__).parent / "traces.json"


def trace(name: str, place: Path) -> list[dict[str, float]]:
    from sparring.data import DataConfig, open_data
    from sparring.recipes import RECIPE_PAIRING
    from sparring.recipes.table import TINY_RECIPES
    from sparring.training.state import TrainState
    from tests.helpers.toy import cpu, two_domains

    draws = np.random.default_rng(0)
    images = draws.integers(0, 256, (64, 16, 16, 1), dtype=np.uint8)
    np.savez(place / "images.npz", images=images, labels=np.arange(64) % 3)
    experiment = TINY_RECIPES[name]()
    experiment = replace(experiment, training=experiment.training.resolve())
    data = open_data(DataConfig(source=str(place / "images.npz")))
    if name in RECIPE_PAIRING:
        data = two_domains(place, paired=RECIPE_PAIRING[name] == "paired")
    match = TrainState(experiment, data, cpu())
    return [{term: float(value) for term, value in match.train_step().items()} for _ in range(STEPS)]


@pytest.mark.parametrize("name", RECIPES)
def test_five_steps(name, tmp_path):
    expected = json.loads(FILE.read_text())[name]
    found = trace(name, tmp_path)
    assert [list(row) for row in found] == [list(row) for row in expected]
    for row, expected_row in zip(found, expected, strict=True):
        for (
            term,
            value,
        ) in expected_row.items():  # an accuracy counts, and one of its ties can fall either way
            rounding = {"abs": 0.01} if "accuracy" in term else {"rel": 1e-4, "abs": 1e-6}
            assert row[term] == pytest.approx(value, **rounding), term


def test_a_wrong_loss_is_noticed(tmp_path, monkeypatch):
    from sparring.parts.objectives import NonSaturating

    true = NonSaturating.generator
    monkeypatch.setattr(NonSaturating, "generator", lambda self, batch: true(self, batch) * 1.01)
    with pytest.raises(AssertionError):
        test_five_steps("dcgan", tmp_path)


if __name__ == "__main__":
    import os
    import tempfile

    import torch

    sys.path.insert(0, str(Path(__file__).parents[2]))
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SPARRING_CACHE"] = folder
        traces = {name: trace(name, Path(folder)) for name in RECIPES}
    FILE.write_text(json.dumps(traces, indent=1) + "\n")
