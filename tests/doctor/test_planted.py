"""Failures planted into real training: bench/doctor.py in small, with other seeds. Before the failure there is no alarm."""

import pytest

from sparring import doctor
from sparring.training import diagnostics
from tests.helpers.toy import play, request, write_data


@pytest.mark.parametrize(
    ("kind", "steps", "wanted"), [("diverging", 200, "diverged"), ("two", 430, "modes_missing")]
)
def test_a_planted_failure_is_found_in_time(bench, kind: str, steps: int, wanted: str) -> None:
    told = bench.trial(kind, 100, steps, None)
    assert wanted in told["alarms"]
    assert told["right"], told
    if kind == "two":
        assert min(told["alarms"].values()) > bench.FORCED_AT * 64


@pytest.mark.parametrize(("learns", "expected"), [(True, ["memorisation"]), (False, [])])
def test_a_discriminator_that_learns_noise_by_heart_is_seen(
    tmp_path, monkeypatch, learns: bool, expected: list[str]
) -> None:
    """Images of noise: there is nothing to learn but the images themselves."""
    monkeypatch.setattr(diagnostics, "EVERY_IMAGES", 200)
    monkeypatch.setattr(diagnostics, "EVERY_STEPS", 1)
    quick = ["game.discriminator={type: mlp, hidden: [64]}", "game.penalties=[]", "data.flip=false"]
    quick += ["data.held_out=20", f"optimizers.discriminator.lr={2e-3 if learns else 1e-12}"]
    asked = request(write_data(tmp_path), steps=250, save=250, report=50, more=tuple(quick))
    play(asked, tmp_path / "run")
    found = doctor.examine(tmp_path / "run").findings
    assert [one.name for one in found if one.name == "memorisation"] == expected
