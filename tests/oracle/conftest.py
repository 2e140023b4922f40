"""Other people's packages, and the features that both sides are given: random ones and real ones."""

import importlib
import importlib.util
import sys
import warnings

import pytest
import torch

from sparring.core.runtime import Runtime
from sparring.data import DataConfig, open_data
from sparring.features import load

PACKAGES = ("torch_fidelity", "torchmetrics", "cleanfid", "pytorch_fid", "prdc", "efficientnet_lite_pytorch")
COUNT = 240  # of animals on each side
WORST: dict[str, float] = {}  # disagreement so far, by what was compared


def _import_torchvision() -> None:
    """It may be built for another torch, and then lacks its compiled operators: the names of two of them are enough to import it.

    None of what is compared here calls them.
    """
    try:
        importlib.import_module("torchvision")
    except RuntimeError:
        for name in [name for name in sys.modules if name.startswith("torchvision")]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "DEF")
        for operator in ("nms", "qnms"):
            library.define(operator + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        importlib.import_module("torchvision")
        sys.modules[__name__].KEPT = library  # its names go when it does


if importlib.util.find_spec("torchvision"):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _import_torchvision()
        for package in PACKAGES:
            importlib.import_module(package)


@pytest.fixture(scope="session")
def agree():
    """Holds two values (numbers or tensors) to a relative difference, and keeps the largest for the table at the end.

    Relative to the largest of their values, so that a feature that happens to be 0 asks for nothing more than the others.
    """

    def held(what: str, ours, theirs, within: float) -> None:
        ours, theirs = (torch.as_tensor(value, dtype=torch.float64) for value in (ours, theirs))
        assert ours.shape == theirs.shape
        gap = ((ours - theirs).abs().max() / theirs.abs().max()).item()
        WORST[what] = max(WORST.get(what, 0.0), gap)
        assert gap <= within, f"{what}: {gap:.1e}"

    return held


def pytest_terminal_summary(terminalreporter):
    if WORST:
        terminalreporter.section("largest relative difference from other packages")
        for what, gap in WORST.items():
            terminalreporter.write_line(f"{gap:8.1e}  {what}")


def normal(n: int, d: int, seed: int) -> torch.Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture(scope="session")
def animals():
    """Real and, in the place of fakes, other real ones with some noise on them: uint8 (n, 28, 28, 1)."""
    samples = open_data(DataConfig(source="animals")).samples
    real, other = (torch.from_numpy(samples[start::20][:COUNT].copy()) for start in (0, 7))
    noise = torch.randint(-30, 31, other.shape, generator=torch.Generator().manual_seed(0))
    return real.numpy(), (other + noise).clamp(0, 255).byte().numpy()


@pytest.fixture(scope="session")
def extracted(animals):
    """EfficientNet-Lite0's features and logits of both sides."""
    lite = load("efficientnet_lite0", runtime=Runtime(torch.device("cpu")))
    return tuple(lite(images) for images in animals)


@pytest.fixture(scope="session")
def pairs(animals, extracted):
    """Features of both sides in float64, by name; the counts differ, so that no argument can be taken for the other.

    "lite, 160" has more samples than features, as published scores should have; "lite, 640" and "pixels" have not.
    """
    lite = [side.features.double() for side in extracted]
    pixels = [torch.from_numpy(side).flatten(1).double() / 255 for side in animals]
    mixing = normal(96, 96, 3)
    found = {
        "random": (normal(900, 96, 1) @ mixing, 1.1 * normal(700, 96, 2) @ mixing + 0.2),
        "lite, 160": tuple(side[:, ::8] for side in lite),
        "lite, 640": tuple(side[:, ::2] for side in lite),
        "pixels": tuple(pixels),
    }
    return {name: (real, fake[:-20]) for name, (real, fake) in found.items()}
