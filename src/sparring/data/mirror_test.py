"""Whether the mirror images of a dataset are distributed like its images: a test on the data, for `data.flip`.

A classifier is trained to tell images from their mirror images on one half of the images and is tested on the other half, and
the other way round. A face may look to either side, so an error near one half allows mirroring; a mirrored letter does not
exist.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from sparring.core import rng
from sparring.data.dataset import Dataset

Verdict = Literal["symmetric", "overlapping", "asymmetric", "uncertain"]
MAX_IMAGES, MIN_IMAGES = 2_000, 200
MIN_OVERLAP_IMAGES = 1_500  # with fewer, the nearest images are too far away to tell anime faces from words
MIN_CLASS_IMAGES = 20  # images of a class, on average, from which its own asymmetry can be learned
SYMMETRIC_BELOW = (
    0.58  # upper end of the interval: text of 64 words in 13 fonts has 0.59 at 300 images and 0.69 at 2,000
)
OVERLAP_BELOW = 0.9  # the same, where the mirror images resemble other images of the set
MAX_FARTHER = 0.08  # share of images: 0.05 of anime faces, 0.1 to 0.6 of letters, digits, words and clothes
FARTHER_BY = 1.2  # ratio of distances
Z = 1.96  # of an interval of 95 %
SIDE, NEIGHBOUR_SIDE, POOLED = 32, 16, 4  # pixels
FILTERS, KERNEL, STRIDE = (
    32,
    6,
    2,
)  # pairs of filters; the stride and the padding of 2 make a grid that is its own mirror image
RIDGE, THRESHOLD, BLOCK = 0.3, 0.3, 250
MIN_ODD = 1e-3  # an odd part below this fraction of the features is rounding


@dataclass(frozen=True, kw_only=True)
class MirrorTest:
    """Whether images may be mirrored in training, and the measurements behind the verdict.

    Arguments:
        verdict: `symmetric`: images can't be told from their mirror images. `overlapping`: they can, but nearly every mirror image
            resembles other images of the set (faces that mostly look to one side). `asymmetric`: mirror images are unlike the
            images. `uncertain`: too few images to tell.
        accuracy: share of held-out images that the classifier tells from their mirror images; 0.5 is chance. With labels the larger
            of two shares, without and with knowledge of the label.
        low, high: of its interval of 95 %.
        farther: share of the images whose mirror image is farther from its nearest other image (of the same class) by a fifth than
            the image itself, less the share of which the opposite is true. None where it was not needed.
        count: number of images that were tested.
    """

    verdict: Verdict
    accuracy: float
    low: float
    high: float
    farther: float | None
    count: int

    @property
    def allows_flips(self) -> bool:
        """Whether mirrored images are as good as the others for training."""
        return self.verdict in ("symmetric", "overlapping")

    def reason(self) -> str:
        """The verdict and its number as a sentence."""
        share = f"{self.accuracy:.0%} of {self.count:,} held-out images are told from their mirror images"
        share += f" ({self.low:.0%} to {self.high:.0%}; 50% is chance)"
        conclusion = {
            "symmetric": "they may be mirrored",
            "overlapping": "but nearly all mirror images resemble other images, so they may be mirrored",
            "asymmetric": "they are not to be mirrored",
            "uncertain": "too uncertain to mirror them",
        }
        return f"{share}: {conclusion[self.verdict]}"

    def to_json(self) -> dict[str, Any]:
        """The verdict and the measurements as JSON."""
        return {"allows_flips": self.allows_flips, **asdict(self)}


def run_mirror_test(dataset: Dataset) -> MirrorTest | None:
    """Test whether mirror images are distributed like the images. Deterministic; at most about a second.

    The features phi(x) are rectified convolutions of the image at 32x32 with 32 patches of the data and their mirror images,
    averaged on 4x4 cells. On their odd part d(x) = phi(x) - phi(mirror x) two linear classifiers without offset are fitted by ridge
    regression: one for all images, w = (D'D + a)^-1 D'1, and with labels one for each class, as letters b and d are each other's
    mirror image.

    References:
        Coates, Lee & Ng 2011, "An analysis of single-layer networks in unsupervised feature learning", AISTATS (features);
        Lopez-Paz & Oquab 2017, "Revisiting classifier two-sample tests", arXiv 1610.06545; Wilson 1927,
        doi:10.1080/01621459.1927.10502953 (interval).

    Returns None for points, for two domains and for fewer than 200 images, which are too few to test.
    """
    if not dataset.spec.is_image or dataset.domain_b is not None or len(dataset) < MIN_IMAGES:
        return None
    draws = rng.make_generator(0, "mirror test")
    rows = torch.randperm(len(dataset), generator=draws)[:MAX_IMAGES].sort().values.numpy()
    images = torch.cat(
        [_shrink(dataset.samples[part]) for part in np.array_split(rows, -(-len(rows) // BLOCK))]
    )
    labels = _testable_labels(dataset, rows)
    accuracy = _held_out_accuracy(_odd_features(images, _filters(images, draws)), labels, draws)
    low, high = _wilson_interval(accuracy, len(rows))
    farther = None
    if high >= SYMMETRIC_BELOW and high < OVERLAP_BELOW and len(rows) >= MIN_OVERLAP_IMAGES:
        farther = _share_farther(images, labels)
    return MirrorTest(
        verdict=_verdict(low, high, farther),
        accuracy=round(accuracy, 4),
        low=round(low, 4),
        high=round(high, 4),
        farther=None if farther is None else round(farther, 4),
        count=len(rows),
    )


def _verdict(low: float, high: float, farther: float | None) -> Verdict:
    if high < SYMMETRIC_BELOW:
        return "symmetric"
    if farther is not None and farther < MAX_FARTHER:
        return "overlapping"
    return "asymmetric" if low > SYMMETRIC_BELOW else "uncertain"


def _testable_labels(dataset: Dataset, rows: np.ndarray) -> Tensor | None:
    """The labels of these images; None where there are none, or too few images for each."""
    if dataset.labels is None or len(rows) < MIN_CLASS_IMAGES * len(dataset.classes):
        return None
    return torch.from_numpy(dataset.labels[rows].astype(np.int64))


def _shrink(samples: np.ndarray) -> Tensor:
    """uint8 images (n, h, w, c) as float32 (n, 1 or 3, 32, 32) with mean 0 each; transparency is composited on grey."""
    x = torch.from_numpy(np.array(samples)).permute(0, 3, 1, 2).float() / 255 - 0.5
    if x.shape[1] == 4:
        x = x[:, :3] * (x[:, 3:] + 0.5)
    height, width = x.shape[2:]
    x = F.adaptive_avg_pool2d(x, (min(height, SIDE), min(width, SIDE)))
    if x.shape[2:] != (SIDE, SIDE):
        x = F.interpolate(x, (SIDE, SIDE), mode="bilinear", align_corners=False)
    return x - x.mean((1, 2, 3), keepdim=True)


def _filters(images: Tensor, draws: torch.Generator) -> Tensor:
    """Patches of the images (2 FILTERS, c, 6, 6) of mean 0 and norm 1, the second half mirrors the first: of four times as many
    the half with the higher contrast, and of these a random half.
    """
    count, room = 4 * FILTERS, SIDE - KERNEL + 1
    numbers = torch.randint(len(images), (count,), generator=draws).tolist()
    corners = torch.randint(room, (count, 2), generator=draws).tolist()
    patches = torch.stack(
        [
            images[number, :, top : top + KERNEL, left : left + KERNEL]
            for number, (top, left) in zip(numbers, corners, strict=True)
        ]
    )
    patches = patches - patches.mean((1, 2, 3), keepdim=True)
    norms = patches.flatten(1).norm(dim=1)
    high = norms.argsort(descending=True, stable=True)[: count // 2]
    chosen = high[torch.randperm(len(high), generator=draws)[:FILTERS]]
    patches = patches[chosen] / norms[chosen].clamp_min(1e-3)[:, None, None, None]
    return torch.cat([patches, patches.flip(3)])


def _odd_features(images: Tensor, filters: Tensor) -> Tensor:
    """d(x) (n, d) with norm 1, or 0 for an image that is its own mirror image. One half of it: the other is its negative."""
    parts = []
    for block in images.split(BLOCK):
        padded = F.pad(block, ((KERNEL - STRIDE) // 2,) * 4)
        response = F.relu(F.conv2d(padded, filters, stride=STRIDE) - THRESHOLD)
        features = F.adaptive_avg_pool2d(response, POOLED)
        first, second = features.chunk(2, 1)  # of a mirrored image these are exchanged and mirrored
        odd = (first - second.flip(3)).flatten(1)
        norm, whole = odd.norm(dim=1, keepdim=True), features.flatten(1).norm(dim=1, keepdim=True)
        parts.append(torch.where(norm > MIN_ODD * whole, odd / norm.clamp_min(1e-12), 0.0))
    return torch.cat(parts)


def _held_out_accuracy(odd: Tensor, labels: Tensor | None, draws: torch.Generator) -> float:
    """The share of images with a positive score, of the classifier of which it is larger; a score of 0 counts half."""
    odd = (odd / odd.square().mean(0).sqrt().clamp_min(1e-6)).double()
    order = torch.randperm(len(odd), generator=draws)
    halves = order[: len(odd) // 2], order[len(odd) // 2 :]
    scores = torch.zeros(len(odd), 1 if labels is None else 2, dtype=torch.float64)
    classes = 1 if labels is None else int(labels.max()) + 1
    for train, test in (halves, halves[::-1]):
        d = odd[train]
        gram = d.T @ d
        gram.diagonal().add_(RIDGE * gram.diagonal().mean() + 1e-9)
        sums = [d.sum(0, keepdim=True)]
        if labels is not None:
            sums.append(torch.zeros(classes, d.shape[1], dtype=d.dtype).index_add_(0, labels[train], d))
        weights = torch.linalg.solve(gram, torch.cat(sums).T).T
        scores[test, 0] = odd[test] @ weights[0]
        if labels is not None:
            scores[test, 1] = (odd[test] * weights[1 + labels[test]]).sum(1)
    return float(((scores > 0).double() + 0.5 * (scores == 0).double()).mean(0).max())


def _share_farther(images: Tensor, labels: Tensor | None) -> float:
    """See `MirrorTest.farther`; distances are of pixels at 16x16."""
    small = F.avg_pool2d(images, SIDE // NEIGHBOUR_SIDE)
    own, mirrored = small.flatten(1), small.flip(3).flatten(1)
    others = ~torch.eye(len(own), dtype=torch.bool)
    if labels is not None:
        others &= labels[:, None] == labels[None]
    nearest = [
        torch.cdist(x, own).masked_fill_(~others, math.inf).min(1).values + 1e-3 for x in (own, mirrored)
    ]
    ratio = nearest[1] / nearest[0]  # not a number for the only image of a class, and then neither is true
    return float((ratio > FARTHER_BY).float().mean() - (ratio < 1 / FARTHER_BY).float().mean())


def _wilson_interval(share: float, count: int) -> tuple[float, float]:
    """Wilson's interval of 95 % of a share."""
    centre = (share + Z**2 / (2 * count)) / (1 + Z**2 / count)
    half = Z / (1 + Z**2 / count) * math.sqrt(share * (1 - share) / count + Z**2 / (4 * count**2))
    return centre - half, centre + half
