"""What the metrics say of a perfect sampler, and whether planted failures are caught by those, and only those, that promise it."""

import io
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image, ImageFilter

from sparring.data import DataConfig, open_data
from sparring.metrics import (
    Moments,
    authenticity,
    frechet_distance,
    frechet_from_moments,
    frechet_infinity,
    kernel_distance,
    precision_recall_density_coverage,
    sliced_wasserstein_distance,
)


def normal(n: int, d: int, seed: int, shift: float = 0.0) -> torch.Tensor:
    """Samples of N(shift e_1, I)."""
    x = torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    x[:, 0] += shift
    return x


def mean_and_error(values: list[float]) -> tuple[float, float]:
    return float(np.mean(values)), float(np.std(values, ddof=1) / math.sqrt(len(values)))


# closed forms


def test_a_shift():
    """A copy moved by v is |v|^2 away, for Fréchet; |v|^2 / d along random lines."""
    x, v = normal(300, 6, 0), torch.tensor([1.0, -2.0, 0.0, 0.5, 0.0, 3.0], dtype=torch.float64)
    assert frechet_distance(x, x + v) == pytest.approx(14.25, rel=1e-9)
    assert sliced_wasserstein_distance(x, x + v, projections=20_000)[0] == pytest.approx(14.25 / 6, rel=0.03)


def test_bias_of_small_counts():
    """Perfect samples: E FD = (d^2 + 5 d) / 2n to first order (d^2 / 2n of the covariances, 5 d / 2n with the means)."""
    d, n = 16, 400
    mean, error = mean_and_error(
        [frechet_distance(normal(n, d, 2 * i), normal(n, d, 2 * i + 1)) for i in range(40)]
    )
    assert mean == pytest.approx((d**2 + 5 * d) / (2 * n), rel=0.1, abs=4 * error)
    more, _ = mean_and_error(
        [frechet_distance(normal(4 * n, d, i), normal(4 * n, d, i + 99)) for i in range(10)]
    )
    assert mean / more == pytest.approx(4, rel=0.15)


def test_extrapolation_removes_the_bias():
    """Perfect samples against the true moments: FD of 2,000 is far from 0 by its errors, its extrapolation is not."""
    true = Moments.from_features(torch.cat([normal(50_000, 16, 0), -normal(50_000, 16, 0)]))
    found = [normal(2_000, 16, seed) for seed in range(1, 9)]
    plain, error = mean_and_error([frechet_from_moments(true, Moments.from_features(fake)) for fake in found])
    assert plain > 10 * error
    rest, error = mean_and_error([frechet_infinity(true, fake)[0] for fake in found])
    assert abs(rest) < 4 * error
    assert abs(rest) < 0.2 * plain


def cubic(shift: float, d: int) -> float:
    """The squared kernel distance of N(0, I) and N(v, I), k(x, y) = (x . y / d + 1)^3, by the moments of x . y."""
    square = shift**2
    first = [square / d, (square**2 + 2 * square + d) / d**2]
    third = (square**3 + 3 * square * (2 * square + d) + 6 * square) / d**3
    both = 1 + 3 * first[0] + 3 * first[1] + third
    return (1 + 3 / d) + both - 2 * (1 + 3 * (d + square) / d**2)


@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_kernel_distance_is_unbiased(shift):
    """At 60 samples as at any number; the biased estimate is off by more than 6 of its errors."""
    d, n = 8, 60
    found = [
        kernel_distance(normal(n, d, 2 * i), normal(n, d, 2 * i + 1, shift), subsets=2, size=n)[0]
        for i in range(300)
    ]
    mean, error = mean_and_error(found)
    assert mean == pytest.approx(cubic(shift, d), abs=4 * error)
    wrong, error = mean_and_error(
        [biased(normal(n, d, 2 * i), normal(n, d, 2 * i + 1, shift)) for i in range(300)]
    )
    assert abs(wrong - cubic(shift, d)) > 6 * error


def biased(real: torch.Tensor, fake: torch.Tensor) -> float:
    """Sabotage twin: each sample is compared with itself as well."""
    sides = [(real, real, 1), (fake, fake, 1), (real, fake, -2)]
    return sum(sign * ((a @ b.T / a.shape[1] + 1) ** 3).mean().item() for a, b, sign in sides)


def test_floor_of_coverage_and_density():
    """For any one distribution: density 1, and coverage 1 - prod (n - 1 - j) / (n + m - 1 - j), j < k; 1 - 2^-k if n = m."""
    n, m, k = 300, 200, 3
    found = [
        precision_recall_density_coverage(normal(n, 4, 2 * i), normal(m, 4, 2 * i + 1), k) for i in range(30)
    ]
    density, error = mean_and_error([each["density"] for each in found])
    assert density == pytest.approx(1, abs=4 * error)
    coverage, error = mean_and_error([each["coverage"] for each in found])
    expected = 1 - math.prod((n - 1 - j) / (n + m - 1 - j) for j in range(k))
    assert coverage == pytest.approx(expected, abs=4 * error)
    assert error < 0.01


@pytest.mark.prove
def test_a_thousand_dimensions():
    """The row that the authors of density and coverage publish: N(0, I_1000), 10,000 against 10,000, k = 5."""
    found = precision_recall_density_coverage(normal(10_000, 1_000, 0), normal(10_000, 1_000, 1))
    published = {"precision": 0.4772, "recall": 0.4705, "density": 1.0555, "coverage": 0.9735}
    for name, value in published.items():
        assert found[name] == pytest.approx(value, abs=0.04), name


def test_identical_sets():
    x = normal(400, 5, 0)
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-9)
    assert sliced_wasserstein_distance(x, x)[0] == 0
    found = precision_recall_density_coverage(x, x)
    assert (found["precision"], found["recall"], found["coverage"]) == (1, 1, 1)
    assert authenticity(x, x) == 0


# a copier


def copier(share: float, count: int = 600) -> tuple[torch.Tensor, torch.Tensor]:
    """Training samples, and fakes of which this share are training samples with a jitter."""
    train, fake = normal(count, 16, 0), normal(count, 16, 1)
    copies = int(share * count)
    fake[:copies] = train[:copies] + 0.01 * normal(copies, 16, 2)
    return train, fake


def test_copies_lower_authenticity():
    """It falls in proportion to the share that is copied, and nothing else complains: the distances even fall."""
    scores = [authenticity(*copier(share)) for share in (0.0, 0.1, 0.25, 0.5, 1.0)]
    assert scores == sorted(scores, reverse=True)
    honest = scores[0]
    for share, score in zip((0.1, 0.25, 0.5, 1.0), scores[1:], strict=True):
        assert score == pytest.approx((1 - share) * honest, abs=0.04)
    assert frechet_distance(*copier(1.0)) < 0.01 * frechet_distance(*copier(0.0))
    for name, score in precision_recall_density_coverage(*copier(1.0)).items():
        assert score > 0.95, name


def test_authenticity_of_new_samples_does_not_fall_with_their_number():
    """Sabotage twin: what is caught are copies of the training set; copies of other samples are as good as new."""
    train, other = normal(600, 16, 0), normal(600, 16, 1)
    copied = other + 0.01 * normal(600, 16, 2)
    assert authenticity(train, copied) == pytest.approx(authenticity(train, other), abs=0.05)


# a sampler that drops modes


def classes(count: int, num_classes: int, seed: int, noise: float = 1.0) -> torch.Tensor:
    """Ten Gaussians far apart in 8 dimensions; samples of the first `kept`."""
    centres = 12 * normal(10, 8, 77)
    which = torch.arange(count) % num_classes
    return centres[which] + noise * normal(count, 8, seed)


def test_lost_modes_lower_recall_and_coverage_alone():
    """Half of the modes: recall and coverage halve, precision and density stay."""
    real = classes(1_000, 10, 0)
    whole = precision_recall_density_coverage(real, classes(1_000, 10, 1))
    half = precision_recall_density_coverage(real, classes(1_000, 5, 1))
    assert half["recall"] == pytest.approx(whole["recall"] / 2, abs=0.08)
    assert half["coverage"] == pytest.approx(whole["coverage"] / 2, abs=0.08)
    assert half["precision"] == pytest.approx(whole["precision"], abs=0.05)
    assert half["density"] > 0.9 * whole["density"]


def test_noise_lowers_precision_and_density():
    """Sabotage twin: all modes, too wide. Precision and density fall by far more than half; recall does not."""
    real = classes(1_000, 10, 0)
    whole = precision_recall_density_coverage(real, classes(1_000, 10, 1))
    wide = precision_recall_density_coverage(real, classes(1_000, 10, 1, noise=2.5))
    assert wide["precision"] < 0.5 * whole["precision"]
    assert wide["density"] < 0.5 * whole["density"]
    assert wide["recall"] > 0.9 * whole["recall"]


# damaged images


COUNT = 500


@pytest.fixture(scope="module")
def animals() -> np.ndarray:
    """Built-in images (2 COUNT, 56, 56), enlarged so that there is something to lose."""
    samples = open_data(DataConfig(source="animals")).samples
    order = torch.randperm(len(samples), generator=torch.Generator().manual_seed(0))[: 2 * COUNT].numpy()
    return np.stack(
        [_resized(np.asarray(samples[row])[..., 0], 56, Image.Resampling.BICUBIC) for row in order]
    )


def _resized(image: np.ndarray, side: int, how: Image.Resampling) -> np.ndarray:
    return np.asarray(Image.fromarray(image).resize((side, side), how))


def features(images: np.ndarray) -> torch.Tensor:
    """Pixels averaged over 8 x 8 blocks, and so are the squared gradients and the squared curvatures (n, 147)."""
    x = torch.from_numpy(np.array(images)).double()[:, None] / 255
    across, down = F.pad(x.diff(dim=3), (0, 1)), F.pad(x.diff(dim=2), (0, 0, 0, 1))
    curved = F.pad(x.diff(n=2, dim=3), (1, 1)).square() + F.pad(x.diff(n=2, dim=2), (0, 0, 1, 1)).square()
    return F.avg_pool2d(torch.cat([x, across.square() + down.square(), curved], 1), 8).flatten(1)


def blurred(image: np.ndarray, strength: float) -> np.ndarray:
    return np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(strength)))


def noisy(image: np.ndarray, strength: float) -> np.ndarray:
    noise = torch.randn(image.shape, generator=torch.Generator().manual_seed(int(image.sum()))).numpy()
    return np.clip(np.round(image + strength * noise), 0, 255).astype(np.uint8)


def jpeg(image: np.ndarray, strength: float) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=int(100 - strength))
    return np.asarray(Image.open(file))


def shrunk(image: np.ndarray, strength: float) -> np.ndarray:
    """Down by dropping pixels, without antialiasing, and up again the same way."""
    small = _resized(image, int(56 / strength), Image.Resampling.NEAREST)
    return _resized(small, 56, Image.Resampling.NEAREST)


DAMAGES = {
    blurred: (0.6, 1.0, 1.6, 2.5),
    noisy: (8, 16, 32, 64),
    jpeg: (70, 85, 92, 96),
    shrunk: (1.5, 2, 3, 4),
}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_stronger_damage_has_a_larger_distance(damage, animals):
    """More damage, larger distance, from the floor of undamaged images on; for Fréchet and for the kernel distance."""
    real, other = features(animals[:COUNT]), animals[COUNT:]
    damaged = [other] + [np.stack([damage(each, strength) for each in other]) for strength in DAMAGES[damage]]
    rows = [features(images) for images in damaged]
    frechet = [frechet_distance(real, row) for row in rows]
    kernel = [kernel_distance(real, row, subsets=2, size=COUNT)[0] for row in rows]
    for distances in (frechet, kernel):
        assert distances == sorted(distances)
        assert len(set(distances)) == len(distances)


def test_without_damage_the_distance_is_that_of_real_samples(animals):
    """Sabotage twin: another order of the same images is no damage, and of no distance."""
    row = features(animals[:COUNT])
    assert frechet_distance(row, row.flip(0)) == pytest.approx(0, abs=1e-6)
