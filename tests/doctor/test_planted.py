"""Failures planted into real training (bench/doctor.py on a small scale, with other seeds): found in time, no alarm before."""

import pytest

from sparring import doctor
from sparring.training import diagnostics
from tests.helpers.toy import request, train, write_data


@pytest.mark.parametrize(
    ("kind", "steps", "expected"), [("diverging", 200, "divergence"), ("two", 430, "missing_modes")]
)
def test_a_planted_failure_is_found_in_time(bench, kind: str, steps: int, expected: str) -> None:
    result = bench.trial(kind, 100, steps, None)
    assert expected in result["alarms"]
    assert result["right"], result
    if kind == "two":
        assert min(result["alarms"].values()) > bench.FORCED_AT * 64


@pytest.mark.parametrize(("learns", "expected"), [(True, ["discriminator_overfits"]), (False, [])])
def test_a_discriminator_that_memorises_noise_is_found(
    tmp_path, monkeypatch, learns: bool, expected: list[str]
) -> None:
    """Images of noise: nothing can be learned but the images themselves."""
    monkeypatch.setattr(diagnostics, "EVERY_IMAGES", 200)
    monkeypatch.setattr(diagnostics, "EVERY_STEPS", 1)
    quick = ["game.discriminator={type: mlp, hidden: [64]}", "game.penalties=[]", "data.flip=false"]
    quick += ["data.held_out=20", f"optimizers.discriminator.lr={2e-3 if learns else 1e-12}"]
    options = request(write_data(tmp_path), steps=250, save=250, report=50, more=tuple(quick))
    train(options, tmp_path / "run")
    findings = doctor.examine(tmp_path / "run").findings
    assert [one.name for one in findings if one.name == "discriminator_overfits"] == expected
