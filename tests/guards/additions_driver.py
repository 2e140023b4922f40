"""Uses the toys of test_guard_additions.py, in a copy of the source that has them; prints what failed, by step, as JSON.

Run by that test: python additions_driver.py FOLDER, with the copy on PYTHONPATH.
"""

import json
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(sys.argv[1])
DATA, RUN, MODEL_RUN = FOLDER / "data.npz", FOLDER / "run", FOLDER / "model-run"
METRIC = "toymetric16-toy_features-train"
BATCH, STEPS = 8, 2
OUTCOMES: dict[str, str] = {}


def step(name: str) -> Callable[[Callable[[], None]], None]:
    """Runs the decorated function at once, and notes its traceback under this name."""

    def run(function: Callable[[], None]) -> None:
        start = time.monotonic()
        try:
            function()
            OUTCOMES[name] = ""
        except BaseException:  # SystemExit of the command line as well
            OUTCOMES[name] = traceback.format_exc()
        print(f"{name}: {time.monotonic() - start:.1f} s", file=sys.stderr, flush=True)

    return run


def command(*arguments: object) -> None:
    from sparring import cli

    code = cli.run([str(argument) for argument in arguments])
    assert not code, f"exit code {code}: {arguments}"


def write_config(path: Path, experiment: Any) -> Path:
    """The settings of an experiment as a file for `train --config`."""
    document = experiment.to_json()
    path.write_text(json.dumps({part: document[part] for part in ("game", "optimizers")}))
    return path


def train(config: Path, run: Path, recipe: str, *settings: str) -> None:
    given = ["train", DATA, "--recipe", recipe, "--config", config, "--out", run, "--images", BATCH * STEPS]
    given += ["--batch", BATCH, "--quiet", "--device", "cpu", "--precision", "fp32", "--threads", 1]
    command(
        *given,
        *(word for setting in (f"training.report_every={BATCH}", *settings) for word in ("--set", setting)),
    )


@step("import")
def _() -> None:
    FOLDER.mkdir()
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (48, 16, 16, 1), dtype=np.uint8)
    np.savez(DATA, images=images, labels=np.arange(48) % 3)
    import torch

    torch.set_num_threads(1)
    from sparring.experiment import Experiment

    assert Experiment


@step("training")
def _() -> None:
    """One game of all toys."""
    from sparring.games.toy_game import ToyGameConfig
    from sparring.parts.augmentation.toy_noise import ToyNoise
    from sparring.parts.conditioning.toy_head import ToyHead
    from sparring.parts.networks.toy_net import ToyNetDiscriminator, ToyNetGenerator
    from sparring.parts.objectives.toy_loss import ToyLoss
    from sparring.parts.penalties.toy_penalty import ToyPenalty

    from sparring.recipes.table import TINY_RECIPES

    tiny = TINY_RECIPES["dcgan"]()
    game = ToyGameConfig(
        generator=ToyNetGenerator(latent=4, width=4),
        discriminator=ToyNetDiscriminator(width=4),
        objective=ToyLoss(),
        penalties=(ToyPenalty(),),
        head=ToyHead(),
        conditional=True,
        augmentations=(ToyNoise(),),
    )
    config = write_config(FOLDER / "config.json", replace(tiny, game=game))
    train(config, RUN, "toy_recipe", f"training.metric={METRIC}")
    assert json.loads((RUN / "run.json").read_text())["experiment"]["game"]["objective"]["type"] == "toy_loss"


@step("resume")
def _() -> None:
    assert (RUN / "run.json").exists()
    command("train", "--out", RUN, "--quiet")


@step("evaluation")
def _() -> None:
    command("evaluate", RUN, "--metrics", METRIC, "--json", FOLDER / "evaluation.json", "--quiet")
    text = (FOLDER / "evaluation.json").read_text()
    assert "toymetric" in text
    assert "toy_features" in text
    records = [json.loads(line) for line in (RUN / "evaluations.jsonl").read_text().splitlines()]
    assert records, "the run was not evaluated while it trained"


@step("sampling")
def _() -> None:
    command("sample", RUN, "--n", 4, "--out", FOLDER / "samples.png", "--quiet")


@step("report")
def _() -> None:
    command("report", RUN)
    assert "toy_penalty" in (RUN / "report.html").read_text()


@step("doctor")
def _() -> None:
    from sparring.doctor import examine

    assert examine(RUN) is not None


@step("doctor of the loss")
def _() -> None:
    """A record in which the discriminator has won: the doctor says so, from the facts on the loss."""
    from sparring.doctor import examine

    path = RUN / "metrics.jsonl"
    kept = path.read_text()
    row = json.loads(kept.splitlines()[-1])
    lost = {key: 1.0 for key in row if "accuracy" in key}
    lost |= {"discriminator/adversarial": 0.0, "generator/adversarial": 50.0}
    rows = [row | lost | {"images": BATCH * (n + 1), "step": n + 1} for n in range(700)]
    try:
        path.write_text("".join(json.dumps(one) + "\n" for one in rows))
        names = [finding.name for finding in examine(RUN).findings]
    finally:
        path.write_text(kept)
    assert "discriminator_wins" in names, names


@step("export")
def _() -> None:
    command("export", RUN, "--to", "safetensors", "--out", FOLDER / "card", "--license", "mit", "--quiet")
    assert (FOLDER / "card" / "README.md").read_text()


@step("playground")
def _() -> None:
    """A game on points with the toy's loss and penalty: it begins, trains and is drawn."""
    from sparring.data import DataConfig, open_data
    from sparring.serve.playground.config import PlaygroundConfig
    from sparring.serve.playground.game import Playground
    from tests.helpers import toy

    names = {field.name for field in fields(PlaygroundConfig)}
    weight: Any = {"penalty_weight": 0.1} if "penalty_weight" in names else {"weight": 0.1}
    playground = Playground(toy.cpu())
    config = PlaygroundConfig(objective="toy_loss", penalty="toy_penalty", **weight)
    frame = playground.begin(config, open_data(DataConfig(source="ring"))) | playground.step(2)
    assert frame["field"]
    losses = frame.get("losses", frame.get("terms"))
    assert any("toy_penalty" in name for name in losses), losses


@step("playground page")
def _() -> None:
    """The page offers both."""
    from sparring.serve.playground import config

    assert "toy_loss" in [row["name"] for row in config.list_objectives()]
    assert "toy_penalty" in [row["name"] for row in config.list_penalties()]


@step("recipe")
def _() -> None:
    from sparring.recipes.facts import TINY_IMAGES
    from sparring.recipes.table import RECIPES, TINY_RECIPES

    assert RECIPES["toy_recipe"](TINY_IMAGES).recipe == "toy_recipe"
    assert TINY_RECIPES["toy_recipe"]()
    command("recipes")


@step("model")
def _() -> None:
    """A run that leaves a model of a new kind behind."""
    from sparring.games.toy_classifier import ToyClassifierConfig

    from sparring.recipes.table import TINY_RECIPES

    tiny = TINY_RECIPES["logistic"]()
    config = write_config(FOLDER / "model.json", replace(tiny, game=ToyClassifierConfig()))
    train(config, MODEL_RUN, "logistic")
    assert (MODEL_RUN / "samples.png").exists(), "no preview"
    command("classify", MODEL_RUN, DATA, "--quiet")


@step("model export")
def _() -> None:
    from sparring.doctor import examine

    command(
        "export",
        MODEL_RUN,
        "--to",
        "safetensors",
        "--out",
        FOLDER / "model-card",
        "--license",
        "mit",
        "--quiet",
    )
    assert (FOLDER / "model-card" / "README.md").read_text()
    assert examine(MODEL_RUN) is not None


@step("export target")
def _() -> None:
    command("export", MODEL_RUN, "--to", "toy_target", "--out", FOLDER / "toy", "--quiet")
    assert (FOLDER / "toy" / "README.md").exists()


@step("command")
def _() -> None:
    command("toy", RUN)


print(json.dumps(OUTCOMES))
