"""Each detector reports its own problem, and none reports anything about a healthy run."""

from dataclasses import replace

import pytest

from sparring.core import config
from sparring.core.shapes import SampleSpec
from sparring.doctor import DETECTORS, History, diagnose
from sparring.doctor.diagnosis import format_diagnosis
from sparring.experiment import Experiment
from sparring.recipes.table import TINY_RECIPES
from tests.helpers.histories import FAULTY, LOST, REPORT, TOTAL, history, metric, translated

WIDTH = 100


def names(run: History) -> list[str]:
    return [finding.name for finding in diagnose(run).findings]


def test_a_healthy_run_has_no_findings_at_any_time() -> None:
    run = history(
        evaluations=[metric(images, 40.0 - images / 2_000) for images in range(8_000, 60_000, 8_000)]
    )
    for images in range(0, 60_001, REPORT):
        assert names(run.up_to(images)) == [], images
    assert diagnose(run).verdict == "well"
    assert diagnose(run.up_to(2 * REPORT)).verdict == "early"


def test_there_is_a_faulty_history_for_each_detector() -> None:
    assert set(FAULTY) == set(DETECTORS)


@pytest.mark.parametrize("name", DETECTORS)
def test_each_detector_reports_its_own_problem(name: str) -> None:
    finding = DETECTORS[name](FAULTY[name])
    assert finding is not None
    assert finding.name == name
    assert name in names(FAULTY[name])
    lines = format_diagnosis(diagnose(FAULTY[name]), WIDTH)
    assert finding.title.split()[-1] in "\n".join(lines)
    assert all(len(line) <= WIDTH for line in lines if "--set" not in line and "sparring" not in line)


@pytest.mark.parametrize("name", ["collapse", "missing_modes", "discriminator_overfits", "divergence"])
def test_a_finding_has_a_beginning_and_the_last_good_checkpoint(name: str) -> None:
    finding = DETECTORS[name](FAULTY[name])
    assert finding is not None
    assert finding.since == 41_000
    assert finding.checkpoint == 32_000
    assert finding.severity == "bad"


def test_a_problem_that_has_passed_is_no_alarm() -> None:
    collapsed = {"diag/diversity": lambda images: 0.02 if images < 57_000 else 0.95}
    assert names(history(collapsed)) == []
    exploded = history({"generator/adversarial": lambda images: 300.0 if images < 50_000 else 1.4})
    assert [finding.severity for finding in diagnose(exploded).findings] == ["note"]


def test_one_odd_measurement_is_no_finding() -> None:
    last = {"diag/diversity": 0.01, "diag/modes": 1, "diag/auc_train_vs_held_out": 0.99}
    assert names(history(last, since=60_000)) == []


def test_low_diversity_is_reported_only_after_the_first_steps() -> None:
    run = history({"diag/diversity": 0.05}, since=0)
    assert names(run.up_to(4_000)) == []
    assert "collapse" in names(run.up_to(12_000))


def test_wasserstein_losses_may_be_large_but_not_grow() -> None:
    large = {"generator/adversarial": lambda images: 300.0 + images % 7_000, "diag/logit_fake": -250.0}
    assert names(history(large, since=0, recipe="wgan_gp")) == []
    grown = history({"generator/adversarial": lambda images: 9_000.0 + images}, recipe="wgan_gp")
    assert names(grown) == ["divergence"]


def test_relativistic_logits_have_no_zero() -> None:
    """Their accuracies mean nothing: whether the discriminator wins shows in the AUC."""
    accuracies = {"discriminator/accuracy_fake": 0.05, "discriminator/accuracy_real": 1.0}
    assert names(history(accuracies, recipe="r3gan")) == []
    lost = {**LOST, "discriminator/accuracy_fake": 0.0, "diag/auc_real_vs_fake": 1.0}
    assert "discriminator_wins" in names(history(lost, recipe="r3gan"))


def test_a_discriminator_that_errs_has_not_won() -> None:
    assert "discriminator_wins" in names(history(LOST))
    assert "discriminator_wins" not in names(history({**LOST, "discriminator/accuracy_fake": 0.9}))


def test_the_learning_rate_may_reach_0_at_the_end_but_not_before() -> None:
    decay = {"type": "linear", "start": 1e-3, "end": 0.0, "delay": 0, "duration": TOTAL}
    for duration, expected in ((TOTAL, []), (TOTAL // 2, ["stalled_training"])):
        run = history()
        for player in run.experiment["optimizers"].values():
            player["lr"] = {**decay, "duration": duration}
        assert names(run) == expected


@pytest.mark.parametrize(
    "recipe",
    [name for name, tiny in TINY_RECIPES.items() if tiny().to_json()["game"]["type"] == "adversarial"],
)
def test_all_advice_can_be_taken(recipe: str) -> None:
    """Each setting that is advised exists in that run, and the resulting game can be built."""
    tried: set[tuple[str, ...]] = set()
    for faulty in FAULTY.values():
        run = history(
            recipe=recipe,
            rows=faulty.rows,
            events=faulty.events,
            evaluations=faulty.evaluations,
            num_train=faulty.num_train,
        )
        diagnosis = diagnose(run)
        offers = [
            *(advice for finding in diagnosis.findings for advice in finding.advice),
            *diagnosis.limitations,
        ]
        for settings in {advice.settings for advice in offers if advice.settings} - tried:
            document = config.apply_overrides(dict(run.experiment), settings)
            game = Experiment.from_json(document).game
            game.build(SampleSpec(shape=(1, 16, 16), num_classes=3 if document["game"]["conditional"] else 0))
            tried.add(settings)
    assert len(tried) >= 5


@pytest.mark.parametrize("recipe", ["pix2pix", "cyclegan"])
def test_all_advice_for_translators_can_be_taken(recipe: str) -> None:
    accuracy = {"pix2pix": "discriminator/accuracy", "cyclegan": "discriminators/accuracy_b"}[recipe]
    tried = set()
    for changes in (
        {"diag/input_change": 0.01},
        {accuracy: 1.0},
        {"translator/l1": 0.5},
        {"diag/diversity": 0.01},
    ):
        run = translated(changes, recipe)
        findings = diagnose(run).findings
        assert findings
        for finding in findings:
            for settings in {advice.settings for advice in finding.advice if advice.settings}:
                Experiment.from_json(config.apply_overrides(dict(run.experiment), settings))
                tried.add(settings)
    assert len(tried) >= 4


def test_the_command_follows_the_first_advice() -> None:
    diagnosis = diagnose(FAULTY["collapse"])
    first = diagnosis.findings[0].advice[0].settings[0]
    assert f"--set {first}" in diagnosis.command.replace("'", "")
    assert str(diagnosis.history.run / "run.json") in diagnosis.command
    assert diagnose(history()).command == ""


@pytest.mark.parametrize(
    "odd",
    [None, "", "x", [], {}, True, float("nan"), float("inf"), -1, 10**400],
    ids=lambda odd: str(odd)[:6],
)
def test_damaged_records_raise_no_error(odd: object) -> None:
    """In place of any value, any detail of an event and any part of an evaluation."""
    for faulty in FAULTY.values():
        rows = faulty.rows[::6]
        for name in {name for row in rows for name in row} - {"images"}:
            broken = [{**row, name: odd} for row in rows[-4:]]
            diagnose(replace(faulty, rows=[*rows[:-4], *broken])).to_json()
        for kind in ("events", "evaluations"):
            lines = getattr(faulty, kind)
            for name in {name for line in lines for name in line} | {"floor", "interval", "provenance"}:
                broken = [{**line, name: odd} for line in lines]
                diagnose(replace(faulty, **{kind: broken})).to_json()
                nested = [{**line, name: {"values": odd, "images": odd, "low": odd}} for line in lines]
                diagnose(replace(faulty, **{kind: nested})).to_json()


def test_the_limitations_name_what_was_not_recorded() -> None:
    rows = [
        {name: value for name, value in row.items() if not name.startswith("diag/")} for row in history().rows
    ]
    diagnosis = diagnose(history(rows=rows))
    assert diagnosis.verdict == "well"
    assert "no diagnostics" in diagnosis.limitations[0].message
    assert diagnose(history(rows=[])).limitations[0].message == "nothing was recorded yet"
    assert diagnose(history(rows=[], checkpoints=())).verdict == "early"


def test_samples_are_held_out_only_where_there_are_enough() -> None:
    no_held_out = {"diag/auc_train_vs_held_out": None}
    settings = {
        count: diagnose(history(no_held_out, since=0, num_train=count)).limitations[0].settings
        for count in (100, 5_000)
    }
    assert settings == {100: (), 5_000: ("data.held_out=500",)}


@pytest.mark.parametrize("recipe", ["pix2pix", "cyclegan"])
def test_translators_are_described_in_terms_of_images(recipe: str) -> None:
    """Not of samples from latents, which they do not have."""
    diagnosis = diagnose(translated(recipe=recipe))
    assert diagnosis.findings == ()
    text = " ".join([diagnosis.summary, *(one.message for one in diagnosis.limitations)])
    assert "18.0 dB" in text
    assert "inputs by 80%" in text
    assert not [word for word in ("overfit", "latent") if word in text]
    rows = [{"images": 8_000, "step": 500, "translator/l1": 0.3}]
    early = diagnose(replace(translated(recipe=recipe), rows=rows))
    assert any("whether inputs are copied" in one.message for one in early.limitations)
