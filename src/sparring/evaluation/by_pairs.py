"""The metrics of translated pictures, each of which has its own truth or its own input: means over the pictures, block by block."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from sparring import metrics
from sparring.evaluation.bank import Side
from sparring.evaluation.job import Job, Measured

BLOCK = 64
BEST = 10 * np.log10(
    12 * 255**2
)  # dB of an error of 1/12 squared shades, which rounding to whole shades makes
KIND = "standard error over the pictures"

Formula = Callable[[np.ndarray, np.ndarray], Tensor]


def psnr(job: Job) -> Measured:
    """Mean over the pictures of each one's ratio in dB."""
    return _mean("psnr", _decibels, job.real, job.fake)


def ssim(job: Job) -> Measured:
    """Mean structural similarity."""
    return _mean("ssim", metrics.ssim, job.real, job.fake)


def mae(job: Job) -> Measured:
    """Mean absolute difference in shades."""
    return _mean("mae", metrics.l1, job.real, job.fake)


def perceptual(job: Job) -> Measured:
    """Mean squared distance of features of unit length; those of the Fréchet and kernel distances, computed once for all."""
    return _measured("perceptual", [metrics.feature_distance(job.real.features, job.fake.features)])


def drift(job: Job) -> Measured:
    """Mean content drift between input and output."""
    assert job.given is not None, "refused before"
    return _mean("drift", metrics.edge_drift, job.given, job.fake)


def cycle(job: Job) -> Measured:
    """Mean ratio in dB between the inputs and what comes back; in between, pictures have whole shades as when they are saved, so
    that nothing can be hidden in their fractions."""
    assert job.given is not None, "refused before"
    origin = job.sampled.origin if job.sampled is not None else None
    back = origin.back if origin is not None else None
    assert back is not None, "refused before"
    return _mean("cycle", lambda given, made: _decibels(given, back(made)), job.given, job.fake)


def _decibels(real: np.ndarray, fake: np.ndarray) -> Tensor:
    return metrics.psnr(real, fake).clamp_max(BEST)


def _mean(name: str, formula: Formula, first: Side, second: Side) -> Measured:
    return _measured(name, [formula(one, other) for one, other in _blocks(first, second)])


def _measured(name: str, parts: list[Tensor]) -> Measured:
    each = torch.cat(parts).double()
    error = each.std().item() / len(each) ** 0.5 if len(each) > 1 else None
    return Measured({name: each.mean().item()}, error, KIND)


def _blocks(first: Side, second: Side) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    assert len(first) == len(second)
    for at in range(0, len(first), BLOCK):
        first.watch.poll()
        stop = min(at + BLOCK, len(first))
        yield tuple(side.bank.samples(side.start + at, side.start + stop) for side in (first, second))  # type: ignore[misc]
