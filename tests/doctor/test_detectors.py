"""Each detector sees what it is for, and nothing in a healthy record."""

from dataclasses import replace

import pytest

from sparring.core import config
from sparring.core.shapes import SampleSpec
from sparring.doctor import DETECTORS, diagnose
from sparring.doctor.diagnosis import format_diagnosis
from sparring.experiment import Experiment
from sparring.recipes.table import TINY_RECIPES
from tests.helpers.histories import ILL, LOST, REPORT, TOTAL, history, metric, translated


def names(found) -> list[str]:
    return [finding.name for finding in diagnose(found).findings]


def test_a_healthy_record_gives_no_finding_at_any_time() -> None:
    whole = history(
        evaluations=[metric(images, 40.0 - images / 2_000) for images in range(8_000, 60_000, 8_000)]
    )
    for images in range(0, 60_001, REPORT):
        assert names(whole.up_to(images)) == [], images
    assert diagnose(whole).worst == "well"
    assert diagnose(whole.up_to(2 * REPORT)).worst == "early"


def test_there_is_an_ill_record_for_each_detector() -> None:
    assert set(ILL) == set(DETECTORS)


@pytest.mark.parametrize("name", DETECTORS)
def test_each_detector_sees_what_it_is_for(name: str) -> None:
    found = DETECTORS[name](ILL[name])
    assert found is not None
    assert found.name == name
    assert name in names(ILL[name])
    told = "\n".join(format_diagnosis(diagnose(ILL[name])))
    assert found.title.split()[-1] in told
    assert (
        max(map(len, [line for line in told.splitlines() if "--set" not in line and "sparring" not in line]))
        <= 100
    )


@pytest.mark.parametrize("name", ["collapse", "modes_missing", "memorisation", "diverged"])
def test_it_tells_since_when_and_the_last_good_checkpoint(name: str) -> None:
    found = DETECTORS[name](ILL[name])
    assert found is not None
    assert found.since == 41_000
    assert found.checkpoint == 32_000
    assert found.severity == "bad"


def test_what_has_passed_is_no_alarm() -> None:
    collapsed = {"diag/diversity": lambda images: 0.02 if images < 57_000 else 0.95}
    assert names(history(collapsed)) == []
    loud = history({"generator/adversarial": lambda images: 300.0 if images < 50_000 else 1.4})
    assert [finding.severity for finding in diagnose(loud).findings] == ["note"]


def test_one_odd_measurement_is_no_finding() -> None:
    last = {"diag/diversity": 0.01, "diag/modes": 1, "diag/auc_train_vs_held_out": 0.99}
    assert names(history(last, since=60_000)) == []


def test_a_generator_gets_time_to_become_varied() -> None:
    young = history({"diag/diversity": 0.05}, since=0)
    assert names(young.up_to(4_000)) == []
    assert "collapse" in names(young.up_to(12_000))


def test_losses_without_a_scale_may_be_large() -> None:
    wild = {"generator/adversarial": lambda images: 300.0 + images % 7_000, "diag/logit_fake": -250.0}
    assert names(history(wild, since=0, recipe="wgan_gp")) == []
    grown = history({"generator/adversarial": lambda images: 9_000.0 + images}, recipe="wgan_gp")
    assert names(grown) == ["diverged"]


def test_a_relativistic_judgement_has_no_zero() -> None:
    """Its accuracies at 0 mean nothing: whether it wins is seen by the order of the judgements."""
    assert (
        names(
            history({"discriminator/accuracy_fake": 0.05, "discriminator/accuracy_real": 1.0}, recipe="r3gan")
        )
        == []
    )
    lost = {**LOST, "discriminator/accuracy_fake": 0.0, "diag/auc_real_vs_fake": 1.0}
    assert "discriminator_wins" in names(history(lost, recipe="r3gan"))


def test_the_learning_rate_may_fall_to_0_at_the_end_but_not_before() -> None:
    falling = {"type": "linear", "start": 1e-3, "end": 0.0, "delay": 0, "duration": TOTAL}
    for over, expected in ((TOTAL, []), (TOTAL // 2, ["standstill"])):
        run = history()
        for player in run.experiment["optimizers"].values():
            player["lr"] = {**falling, "duration": over}
        assert names(run) == expected


@pytest.mark.parametrize(
    "recipe",
    [name for name, tiny in TINY_RECIPES.items() if tiny().to_json()["game"]["type"] == "adversarial"],
)
def test_all_advice_can_be_taken(recipe: str) -> None:
    """Each option that is advised exists in that run's settings, and the game that comes of it can be built."""
    seen: set[tuple[str, ...]] = set()
    for ill in ILL.values():
        run = history(
            recipe=recipe, rows=ill.rows, events=ill.events, evaluations=ill.evaluations, count=ill.count
        )
        found = diagnose(run)
        offers = [*(one for finding in found.findings for one in finding.advice), *found.limitations]
        for settings in {advice.settings for advice in offers if advice.settings} - seen:
            document = config.apply_overrides(dict(run.experiment), settings)
            game = Experiment.from_json(document).game
            game.build(SampleSpec(shape=(1, 16, 16), num_classes=3 if document["game"]["conditional"] else 0))
            seen.add(settings)
    assert len(seen) >= 5


@pytest.mark.parametrize(
    "odd",
    [None, "", "x", [], {}, True, float("nan"), float("inf"), -1, 10**400],
    ids=lambda odd: str(odd)[:6],
)
def test_a_damaged_record_is_no_reason_to_fall(odd: object) -> None:
    """Whatever stands in the place of a value, an event's detail, or a part of an evaluation."""
    for ill in ILL.values():
        rows = ill.rows[::6]
        for name in {name for row in rows for name in row} - {"images"}:
            broken = [{**row, name: odd} for row in rows[-4:]]
            diagnose(replace(ill, rows=[*rows[:-4], *broken])).to_json()
        for kind in ("events", "evaluations"):
            lines = getattr(ill, kind)
            for name in {name for line in lines for name in line} | {"floor", "interval", "compared"}:
                broken = [{**line, name: odd} for line in lines]
                diagnose(replace(ill, **{kind: broken})).to_json()
                nested = [{**line, name: {"values": odd, "images": odd, "low": odd}} for line in lines]
                diagnose(replace(ill, **{kind: nested})).to_json()


def test_without_vital_signs_it_says_what_it_can_not_see() -> None:
    rows = [{name: value for name, value in row.items() if "vitals" not in name} for row in history().rows]
    found = diagnose(history(rows=rows))
    assert found.worst == "well"
    assert "no vital signs" in found.limitations[0].message
    assert diagnose(history(rows=[])).limitations[0].message == "nothing was recorded yet"
    assert diagnose(history(rows=[], checkpoints=())).worst == "early"


@pytest.mark.parametrize("recipe", ["pix2pix", "cyclegan"])
def test_a_translator_is_not_asked_for_what_only_generators_have(recipe: str) -> None:
    diagnosis = diagnose(translated(recipe=recipe))
    assert names(translated(recipe=recipe)) == []
    told = " ".join([diagnosis.verdict, *(one.message for one in diagnosis.limitations)])
    assert "dB from their truth" in told
    assert "leave their inputs" in told
    assert not [word for word in ("memoris", "latent", "older Sparring") if word in told]
    early = diagnose(
        replace(translated(recipe=recipe), rows=[{"images": 8_000, "step": 500, "translator/l1": 0.3}])
    )
    assert any("whether inputs are copied" in one.message for one in early.limitations)


@pytest.mark.parametrize("recipe", ["pix2pix", "cyclegan"])
def test_what_a_translator_is_advised_can_be_taken(recipe: str) -> None:
    seen = set()
    for changes in (
        {"diag/input_change": 0.01},
        {"discriminator/accuracy": 1.0},
        {"translator/l1": 0.5},
        {"diag/diversity": 0.01},
    ):
        run = translated(changes, recipe)
        for finding in diagnose(run).findings:
            for settings in {one.settings for one in finding.advice if one.settings}:
                Experiment.from_json(config.apply_overrides(dict(run.experiment), settings))
                seen.add(settings)
    assert len(seen) >= 4
