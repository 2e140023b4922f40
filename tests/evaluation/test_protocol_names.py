"""A protocol's name fixes everything, and a wrong one is told the nearest right one."""

import pytest

from sparring import features
from sparring.core.errors import ConfigError
from sparring.core.shapes import SampleSpec
from sparring.evaluation.compute import METRICS
from sparring.protocols.catalogue import METRICS_INFO
from sparring.protocols.defaults import EvaluationContext, default_protocols, resolve_protocols
from sparring.protocols.protocol import EXTRACTORS, EvaluationProtocol


@pytest.mark.parametrize(
    "name",
    [
        "fd10k-efficientnet_lite0-test",
        "kd1k-pca-train",
        "fdinf2500-inception-train",
        "modes2500-points-train",
    ],
)
def test_a_name_is_read_and_written_alike(name) -> None:
    assert str(EvaluationProtocol.parse(name)) == name


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("fid10k-pca-test", "fd"),
        ("fd10k-efficientnet_lite-test", "efficientnet_lite0"),
        ("fd10k-pca-tset", "test"),
        ("prdc", "prdc1k-pca-train"),
        ("parzen1k-pca-test", "pixels"),
        ("kd3-pca-test", "at least 10"),
    ],
)
def test_a_wrong_name_is_told_the_right_one(name, told) -> None:
    with pytest.raises(ConfigError, match=told):
        EvaluationProtocol.parse(name)


def test_the_tables_agree() -> None:
    assert set(METRICS) == set(METRICS_INFO)
    assert set(features.EXTRACTORS) <= set(EXTRACTORS)


def facts(**changes) -> EvaluationContext:
    known = {
        "spec": SampleSpec(shape=(1, 28, 28), num_classes=10),
        "counts": {"train": 9_000, "test": 1_000},
        "made": None,
        "source": "x",
        "network": True,
    }
    return EvaluationContext(**{**known, **changes})


def test_short_names_are_completed() -> None:
    assert [str(one) for one in resolve_protocols(["fd", "kd500", "auth", "swd-pixels-train"], facts())] == [
        "fd1k-efficientnet_lite0-test",
        "kd500-efficientnet_lite0-test",
        "auth2k-pca-train",
        "swd2k-pixels-train",
    ]
    with pytest.raises(ConfigError, match="held out"):
        resolve_protocols(["fd-pca-test"], facts(counts={"train": 100}))
    with pytest.raises(ConfigError, match="the count once"):
        resolve_protocols(["fd500"], facts(), n=100)


def test_the_usual_protocols_depend_on_what_is_there() -> None:
    def names(**changes) -> set[str]:
        return {str(one) for one in default_protocols(facts(**changes))}

    assert {"fd1k-efficientnet_lite0-test", "cas1k-efficientnet_lite0-test"} <= names()
    assert "fd1k-pca-test" in names(network=False)
    assert not any(name.startswith(("cas", "pcfd")) for name in names(spec=SampleSpec(shape=(1, 28, 28))))
    many = {"train": 50_000, "test": 10_000}
    assert "fd1k-efficientnet_lite0-test" in names(counts=many), "bounded time on a CPU"
    assert "fd10k-efficientnet_lite0-test" in names(counts=many, has_accelerator=True)
    assert "fd10k-pca-test" in names(counts=many, network=False)
    points = {"spec": SampleSpec(shape=(2,)), "counts": {"train": 100_000}, "source": "ring"}
    assert {"modes10k-points-train", "swd10k-points-train"} <= names(**points)
