"""Names of protocols, their defaults, and the tables of metrics and extractors."""

import pkgutil
import subprocess
import sys

import pytest

from sparring import features, protocols
from sparring.core.errors import ConfigError
from sparring.evaluation.compute import METRICS
from sparring.protocols.catalogue import EXTRACTORS_INFO, METRICS_INFO
from sparring.protocols.defaults import (
    EvaluationContext,
    default_protocols,
    needs_paired_data,
    resolve_protocols,
)
from sparring.protocols.protocol import EvaluationProtocol, parse_metric_names
from sparring.protocols.until import default_protocol


@pytest.mark.parametrize(
    "name",
    [
        "fd10k-efficientnet_lite0-test",
        "kd1k-pca-train",
        "fdinf2500-inception-train",
        "modes2500-points-train",
    ],
)
def test_a_name_is_parsed_and_formatted_alike(name) -> None:
    assert str(EvaluationProtocol.parse(name)) == name


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("fid10k-pca-test", "fd"),
        ("fd10k-efficientnet_lite-test", "efficientnet_lite0"),
        ("fd10k-pca-tset", "test"),
        ("prdc", "prdc1k-pca-train"),
        ("parzen1k-pca-test", "pixels"),
        ("kd3-pca-test", "kd1k"),
    ],
)
def test_a_wrong_name_is_corrected(name, part) -> None:
    with pytest.raises(ConfigError) as error:
        EvaluationProtocol.parse(name)
    assert part in error.value.fix


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("fd,auth", ("fd", "auth")),
        (" fd , kd100 ,", ("fd", "kd100")),
        (["fd", "kd"], ("fd", "kd")),
        (["fd,kd", "auth"], ("fd", "kd", "auth")),
        (None, ()),
        ((), ()),
        ("", ()),
    ],
)
def test_names_are_split_at_commas(text, names) -> None:
    assert parse_metric_names(text) == names


def test_a_text_without_names_is_refused() -> None:
    with pytest.raises(ConfigError):
        parse_metric_names(" ,")


def test_the_tables_have_the_same_keys() -> None:
    assert set(METRICS) == set(METRICS_INFO), "compute.py and catalogue.py"
    assert set(features.EXTRACTORS) == set(EXTRACTORS_INFO), "features and catalogue.py"


@pytest.mark.parametrize("metric", METRICS_INFO)
def test_each_row_of_the_catalogue_is_consistent(metric) -> None:
    info = METRICS_INFO[metric]
    assert {*info.extractors, info.default_extractor} <= set(EXTRACTORS_INFO)
    assert not info.shown_values or info.headline in info.shown_values
    assert set(info.sentences) <= {"alike", "better", "worse", "better_on_train"}
    for sentence in info.sentences.values():
        assert sentence.count("{}") == 1
    if info.extractors != ("points",):
        name = default_protocol(metric, (3, 32, 32), (5_000, 1_000))
        assert str(EvaluationProtocol.parse(name)) == name


def test_only_published_networks_have_weights() -> None:
    for name, info in EXTRACTORS_INFO.items():
        assert info.has_weights or not info.needs_weights_file, name


def test_protocols_do_not_import_torch() -> None:
    names = [module.name for module in pkgutil.iter_modules(protocols.__path__, "sparring.protocols.")]
    assert len(names) == 5
    program = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]: importlib.import_module(name)\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program, *names], check=True, timeout=60)


def context(**changes) -> EvaluationContext:
    values = {
        "shape": (1, 28, 28),
        "num_classes": 10,
        "num_real": {"train": 9_000, "test": 1_000},
        "source": "x",
        "has_efficientnet": True,
    }
    return EvaluationContext(**{**values, **changes})


def test_short_names_are_completed() -> None:
    names = ["fd", "kd500", "auth", "swd-pixels-train", "fd1k"]
    assert [str(protocol) for protocol in resolve_protocols(names, context())] == [
        "fd1k-efficientnet_lite0-test",
        "kd500-efficientnet_lite0-test",
        "auth2k-pca-train",
        "swd2k-pixels-train",
    ], "the last name is that of the first protocol"


def test_a_split_without_samples_and_a_second_count_are_refused() -> None:
    with pytest.raises(ConfigError) as error:
        resolve_protocols(["fd-pca-test"], context(num_real={"train": 100}))
    assert "data.held_out" in error.value.fix
    with pytest.raises(ConfigError) as error:
        resolve_protocols(["fd500"], context(), n=100)
    assert "--n 100" in error.value.got


def test_default_protocols_depend_on_the_data_and_the_machine() -> None:
    def names(**changes) -> set[str]:
        return {str(protocol) for protocol in default_protocols(context(**changes))}

    assert {"fd1k-efficientnet_lite0-test", "cas1k-efficientnet_lite0-test"} <= names()
    assert "fd1k-pca-test" in names(has_efficientnet=False)
    assert not any(name.startswith(("cas", "pcfd")) for name in names(num_classes=0))
    many = {"train": 50_000, "test": 10_000}
    assert "fd1k-efficientnet_lite0-test" in names(num_real=many), "bounded time on a CPU"
    assert "fd10k-efficientnet_lite0-test" in names(num_real=many, has_accelerator=True)
    assert "fd10k-pca-test" in names(num_real=many, has_efficientnet=False)
    points = {"shape": (2,), "num_classes": 0, "num_real": {"train": 100_000}, "source": "ring"}
    assert {"modes10k-points-train", "swd10k-points-train"} <= names(**points)
    assert not any(name.startswith("modes") for name in names(**{**points, "source": "swissroll"}))


def test_paired_metrics_are_recognised_in_short_and_complete_names() -> None:
    for name in ("psnr", "psnr100", "psnr1k-pixels-test", "cycle-train"):
        assert needs_paired_data(("fd", name)), name
    for name in ("fd", "kd1k", "msssim100-pixels-test", "unknown"):
        assert not needs_paired_data((name,)), name
