"""Mode coverage of mixtures with known means, and of classes that a classifier recognises."""

import math

import numpy as np
import torch
from torch import Tensor

from sparring.core.errors import DataError
from sparring.metrics.checks import ArrayLike, as_tensor, check_features

HIGH_QUALITY_STDS, SPREAD_STDS = 3.0, 5.0  # standard deviations: of high quality; counted for the spread
BLOCK = 10_000


def mode_coverage(points: ArrayLike, means: ArrayLike, std: float) -> dict[str, float]:
    """How many modes of a mixture of round Gaussians the samples find, and how evenly.

    A sample is of high quality if its nearest mean is less than 3 standard deviations away; a mode is found if one
    such sample is nearest to it. With p_k the share of mode k among those of high quality,

        reverse KL = log K - H(p) = sum_k p_k log(K p_k)

    A perfect sampler of a mixture in the plane has 1 - exp(-4.5) = 98.9 % of high quality: more says that the modes
    are drawn too narrow, not that the sampler is better. `spread` tells: the root mean square distance from the
    nearest mean, over the samples within 5 standard deviations of it, over sqrt(d) std (our addition).

    >>> found = mode_coverage(np.array([[0.0, 0], [0, 0.1], [4, 0], [9, 9]]), np.array([[0.0, 0], [4, 0], [8, 0]]), 0.1)
    >>> found["modes"], found["high_quality"], round(found["reverse_kl"], 4)
    (2.0, 0.75, 0.4621)

    Arguments:
        points: generated samples (n, d), in the data's own units. The protocol takes 2,500.
        means: of the modes (K, d).
        std: standard deviation of each mode in each coordinate.

    Returns:
        modes; high_quality (share of all samples); reverse_kl in nats (log K if none is of high quality) and floor,
        what a perfect sampler gets, (K - 1) / 2N with N the samples of high quality; spread, where a sample is near.
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
    """Number of the nearest centre and the squared distance from it, (n,) each, without cancellation."""
    found = [
        torch.cdist(block, centres, compute_mode="donot_use_mm_for_euclid_dist").min(1)
        for block in samples.split(BLOCK)
    ]
    return torch.cat([each.indices for each in found]), torch.cat([each.values for each in found]).square()


def class_coverage(predicted: ArrayLike, classes: int, shares: ArrayLike | None = None) -> dict[str, float]:
    """How many classes the generated samples fall into, by a classifier, and KL(samples || real).

        reverse KL = sum_k p_k log(p_k / q_k),   p the histogram of the predictions, q uniform or the given shares

    >>> found = class_coverage(np.array([0, 0, 1, 1]), 4)
    >>> found["modes"], round(found["reverse_kl"], 4), found["floor"]
    (2.0, 0.6931, 0.375)

    Arguments:
        predicted: the class of each generated sample (n,), integers from 0 to `classes` - 1.
        classes: K.
        shares: of each class in the real data (K,), positive; scaled to sum 1. None: all the same.

    Returns:
        modes, the number of classes seen; expected_modes, what a perfect sampler of as many samples finds on average;
        reverse_kl in nats; floor, what a perfect sampler gets on average, (K - 1) / 2N (for N >> K).
    """
    if classes < 2:
        raise DataError(f"{classes} classes", "2 or more", "mode coverage needs classes to tell apart")
    counts = torch.bincount(check_class_indices(predicted, classes), minlength=classes)
    return _histogram_statistics(counts, None if shares is None else _class_probabilities(shares, classes))


def stacked_modes(predicted: ArrayLike, per_channel: int = 10) -> Tensor:
    """Stacked digits: the mode of a image is the tuple of its channels' classes, as one number, int64 (n,).

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
    """Labels as int64 (n,), at least one, all from 0 to `classes` - 1 (None: any that are not negative)."""
    numbers = as_tensor(labels, name)
    if numbers.ndim != 1 or len(numbers) == 0:
        raise DataError(
            f"{name} classes of shape {tuple(numbers.shape)}", "one class a sample", "give integers (n,)"
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
    given = as_tensor(shares, "shares").double()
    if given.shape != (classes,) or not bool(((given > 0) & given.isfinite()).all()):
        raise DataError(
            f"shares {np.asarray(given).tolist()}",
            f"{classes} positive numbers",
            "leave out the classes that the real data do not have",
        )
    return given / given.sum()


def _histogram_statistics(counts: Tensor, shares: Tensor | None) -> dict[str, float]:
    """Modes found, reverse KL against the shares (None: uniform), and what a perfect sampler of this count gets."""
    total, kinds = int(counts.sum()), len(counts)
    q = torch.full((kinds,), 1 / kinds, dtype=torch.float64) if shares is None else shares
    p = counts.double() / max(1, total)
    seen = p > 0
    kl = (p[seen] * (p[seen] / q[seen]).log()).sum().item() if total else math.log(kinds)
    return {
        "modes": float(seen.sum()),
        "expected_modes": (1 - (1 - q) ** total).sum().item(),
        "reverse_kl": max(0.0, kl),
        "floor": (kinds - 1) / (2 * total) if total else math.log(kinds),
    }
