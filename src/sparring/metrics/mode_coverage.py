"""Mode coverage of mixtures with known means, and of classes that a classifier recognises."""

import math

import numpy as np
import torch
from torch import Tensor

from sparring.core.errors import DataError
from sparring.metrics.checks import ArrayLike, as_tensor, check_features

HIGH_QUALITY_STDS, SPREAD_STDS = 3.0, 5.0  # distances in standard deviations
BLOCK = 10_000


def mode_coverage(points: ArrayLike, means: ArrayLike, std: float) -> dict[str, float]:
    """How many modes of a mixture of isotropic Gaussians the samples cover, and how evenly.

    A sample is of high quality if its nearest mean is less than 3 standard deviations away; a mode is covered if it is
    the nearest one of such a sample. With p_k the share of mode k among the samples of high quality,

        reverse KL = log K - H(p) = sum_k p_k log(K p_k)

    Of a perfect sampler of a mixture in the plane, 1 - exp(-4.5) = 98.9 % of the samples are of high quality: a larger
    share means that the modes are too narrow. `spread` (our addition) measures this: the root mean square distance from
    the nearest mean, of the samples within 5 standard deviations of it, divided by sqrt(d) std.

    >>> found = mode_coverage(np.array([[0.0, 0], [0, 0.1], [4, 0], [9, 9]]), np.array([[0.0, 0], [4, 0], [8, 0]]), 0.1)
    >>> found["modes"], found["high_quality"], round(found["reverse_kl"], 4)
    (2.0, 0.75, 0.4621)

    Arguments:
        points: generated samples (n, d) in the units of the data; usually 2,500.
        means: of the modes (K, d).
        std: standard deviation of each mode in each coordinate.

    Returns:
        modes; high_quality, the share of all samples; reverse_kl in nats (log K without samples of high quality); floor,
        the expected reverse KL of a perfect sampler, (K - 1) / 2N with N samples of high quality; expected_modes, its
        expected number of modes; spread, if a sample is near a mean.

    Raises:
        DataError: points or means that can't be used.

    References: Srivastava et al. 2017, "VEEGAN", arXiv 1705.07761, section 5.1 (modes and high-quality samples).
    """
    centres, samples = check_features(means, points, need=1, what="mode coverage")
    if not 0 < std < math.inf:
        raise DataError(f"a standard deviation of {std}", "a positive number", "give that of the mixture")
    nearest, squares = _nearest_centre(samples, centres)
    reach = squares.sqrt() / std
    good = nearest[reach < HIGH_QUALITY_STDS]
    found = _histogram_statistics(torch.bincount(good, minlength=len(centres)), None)
    found["high_quality"] = len(good) / len(samples)
    near = squares[reach < SPREAD_STDS]
    if len(near):
        found["spread"] = math.sqrt(near.mean().item() / samples.shape[1]) / std
    return found


def _nearest_centre(samples: Tensor, centres: Tensor) -> tuple[Tensor, Tensor]:
    """Index of the nearest centre and the squared distance from it, (n,) each, without cancellation."""
    found = [
        torch.cdist(block, centres, compute_mode="donot_use_mm_for_euclid_dist").min(1)
        for block in samples.split(BLOCK)
    ]
    return torch.cat([each.indices for each in found]), torch.cat([each.values for each in found]).square()


def class_coverage(predicted: ArrayLike, classes: int, shares: ArrayLike | None = None) -> dict[str, float]:
    """How many classes a classifier finds among generated samples, and KL(generated || real).

        reverse KL = sum_k p_k log(p_k / q_k),   p the histogram of the predictions, q uniform or the given shares

    >>> found = class_coverage(np.array([0, 0, 1, 1]), 4)
    >>> found["modes"], round(found["reverse_kl"], 4), found["floor"]
    (2.0, 0.6931, 0.375)

    Arguments:
        predicted: the class of each generated sample (n,), integers from 0 to `classes` - 1.
        classes: K.
        shares: of each class in the real data (K,), positive, scaled to sum 1. None: uniform.

    Returns:
        modes, the number of classes that occur; expected_modes, that of a perfect sampler of as many samples; reverse_kl
        in nats; floor, the expected reverse KL of a perfect sampler, (K - 1) / 2N for N >> K.
    """
    if classes < 2:
        raise DataError(f"{classes} classes", "2 or more", "pass the number of classes of the data")
    counts = torch.bincount(check_class_indices(predicted, classes), minlength=classes)
    return _histogram_statistics(counts, None if shares is None else _class_probabilities(shares, classes))


def stacked_modes(predicted: ArrayLike, per_channel: int = 10) -> Tensor:
    """Stacked MNIST: the mode of an image is the tuple of the classes of its channels, as one integer; int64 (n,).

    >>> stacked_modes(np.array([[0, 0, 7], [9, 9, 9]])).tolist()
    [7, 999]

    Arguments:
        predicted: the class of each channel (n, channels), as the argmax of a digit classifier.
        per_channel: classes of one channel; there are per_channel^channels modes (1,000 for three digits).
    """
    digits = as_tensor(predicted, "predicted")
    if digits.ndim != 2 or digits.shape[1] == 0:
        raise DataError(
            f"predicted classes of shape {tuple(digits.shape)}", "samples x channels", "one class a channel"
        )
    columns = [check_class_indices(column, per_channel) for column in digits.unbind(1)]
    number = torch.zeros_like(columns[0])
    for column in columns:
        number = number * per_channel + column
    return number


def check_class_indices(labels: ArrayLike, classes: int | None = None, name: str = "predicted") -> Tensor:
    """Labels as int64 (n,), n >= 1, from 0 to `classes` - 1 (None: without upper limit).

    Raises:
        DataError: they are something else.
    """
    numbers = as_tensor(labels, name)
    if numbers.ndim != 1 or len(numbers) == 0:
        raise DataError(
            f"{name} classes of shape {tuple(numbers.shape)}", "one class a sample", "pass integers (n,)"
        )
    wrong = (numbers != numbers.round()) | (numbers < 0) | ~numbers.isfinite()
    if classes is not None:
        wrong |= numbers >= classes
    if wrong.any():
        row = int(wrong.nonzero()[0])
        upper = f"to {classes - 1}" if classes is not None else "up"
        raise DataError(
            f"{name} class {numbers[row].item():g} (sample {row})",
            f"integers from 0 {upper}",
            "take the argmax of the classifier's logits",
        )
    return numbers.long()


def _class_probabilities(shares: ArrayLike, classes: int) -> Tensor:
    frequencies = as_tensor(shares, "shares").double()
    if frequencies.shape != (classes,) or not bool(((frequencies > 0) & frequencies.isfinite()).all()):
        raise DataError(
            f"shares {np.asarray(frequencies).tolist()}",
            f"{classes} positive numbers",
            "remove the classes that do not occur in the real data",
        )
    return frequencies / frequencies.sum()


def _histogram_statistics(counts: Tensor, shares: Tensor | None) -> dict[str, float]:
    """Number of modes, reverse KL against the shares (None: uniform), and their expectations for a perfect sampler."""
    total, kinds = int(counts.sum()), len(counts)
    q = torch.full((kinds,), 1 / kinds, dtype=torch.float64) if shares is None else shares
    p = counts.double() / max(1, total)
    present = p > 0
    kl = (p[present] * (p[present] / q[present]).log()).sum().item() if total else math.log(kinds)
    return {
        "modes": float(present.sum()),
        "expected_modes": (1 - (1 - q) ** total).sum().item(),
        "reverse_kl": max(0.0, kl),
        "floor": (kinds - 1) / (2 * total) if total else math.log(kinds),
    }
