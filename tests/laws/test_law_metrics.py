"""Closed forms of the metrics, what each may not be given, and which argument is which."""

import math

import numpy as np
import pytest
import torch

from sparring.core.errors import ConfigError, DataError
from sparring.metrics import (
    Moments,
    authenticity,
    class_frechet_distance,
    data_copying,
    frechet_distance,
    frechet_from_moments,
    frechet_infinity,
    inception_score,
    kernel_distance,
    nearest_real,
    precision_recall_density_coverage,
)
from sparring.metrics import frechet as frechet_file
from sparring.metrics import kernel_mmd as kernel_file
from sparring.metrics import pairwise as tiles_file
from sparring.metrics.frechet_infinity import fit_intercept, subset_sizes
from sparring.metrics.kernel_mmd import mmd_squared
from sparring.metrics.precision_recall import knn_radii


def normal(n: int, d: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def uniform(n: int, d: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


PAIRS = {
    "frechet": frechet_distance,
    "infinity": frechet_infinity,
    "kernel": lambda real, fake: kernel_distance(real, fake, subsets=4, size=20),
    "prdc": precision_recall_density_coverage,
    "authenticity": authenticity,
    "nearest": nearest_real,
    "classes": lambda real, fake: class_frechet_distance(
        real, torch.zeros(len(real)), fake, torch.zeros(len(fake))
    ),
}


# Fréchet distance


@pytest.mark.parametrize(("n", "d"), [(200, 5), (20, 50), (600, 300)])
def test_frechet_of_a_shifted_set_is_the_squared_shift(n, d):
    x, shift = normal(n, d) * torch.linspace(0.1, 3, d), normal(1, d, seed=1)
    assert frechet_distance(x, x + shift) == pytest.approx(shift.square().sum().item(), rel=1e-9)


@pytest.mark.parametrize(("n", "d"), [(300, 8), (20, 50)])
def test_frechet_of_a_scaled_set(n, d):
    """Tr(S + c^2 S - 2 c S) = (1 - c)^2 Tr S for centred sets; and the distance itself grows with the square of the scale."""
    x = normal(n, d)
    x = x - x.mean(0)
    trace = x.square().sum().item() / (n - 1)
    assert frechet_distance(x, 3 * x) == pytest.approx(4 * trace, rel=1e-9)
    y = normal(n, d, seed=1) + 1
    assert frechet_distance(7 * x, 7 * y) == pytest.approx(49 * frechet_distance(x, y), rel=1e-9)


def test_frechet_of_independent_features_is_the_sum_over_features():
    """Diagonal covariances: sum of (m - m')^2 + (s - s')^2, here made exact by a design of signs."""
    signs = torch.tensor([[1.0, 1], [1, -1], [-1, 1], [-1, -1]], dtype=torch.float64) * math.sqrt(3 / 4)
    s, t, shift = torch.tensor([1.0, 5.0]), torch.tensor([4.0, 3.0]), torch.tensor([0.5, -2.0])
    assert frechet_distance(signs * s, signs * t + shift) == pytest.approx(9 + 4 + 0.25 + 4, rel=1e-12)


@pytest.mark.parametrize(("n", "d"), [(900, 6), (40, 200), (400, 290)])
def test_frechet_of_a_set_and_itself_is_nothing(n, d):
    x = normal(n, d) + 10
    assert 0 <= frechet_distance(x, x.clone()) <= 1e-9 * d


def test_frechet_agrees_with_the_eigenvalues_of_the_product():
    x, y = normal(3000, 40) @ normal(40, 40, seed=2), normal(2000, 40, seed=1) @ normal(40, 40, seed=3) + 0.3
    a, b = np.cov(x.numpy(), rowvar=False), np.cov(y.numpy(), rowvar=False)
    overlap = np.sqrt(np.linalg.eigvals(a @ b).astype(complex)).real.sum()
    shift = ((x.mean(0) - y.mean(0)) ** 2).sum().item()
    assert frechet_distance(x, y) == pytest.approx(shift + np.trace(a) + np.trace(b) - 2 * overlap, rel=1e-9)


def test_frechet_ways_agree():
    """Few samples by their own table, many by Cholesky, lost rank by the eigenvectors; the quick norm and the exact one."""
    x, y = normal(60, 40), normal(90, 40, seed=1) * 2
    flat = [torch.cat([z, z[:, :5], torch.ones(len(z), 1)], 1) for z in (x, y)]  # rank 40 of 46
    mixed = normal(46, 46, seed=5)
    turned, _ = torch.linalg.qr(mixed)
    assert frechet_distance(flat[0], flat[1]) == pytest.approx(
        frechet_distance(flat[0] @ turned, flat[1] @ turned), rel=1e-6
    )
    few, many = normal(30, 40), Moments.from_features(y)
    stripped = Moments(mean=few.mean(0), covariance=few.T.cov(), count=30)
    assert frechet_from_moments(stripped, many) == pytest.approx(
        frechet_from_moments(Moments.from_features(few), many), rel=1e-6
    )


@pytest.mark.parametrize("low", [1e-3, 1e-12])
@pytest.mark.parametrize("small", [0, 512])
def test_nuclear_norm_is_the_sum_of_singular_values(monkeypatch, low, small):
    monkeypatch.setattr(frechet_file, "SVD_MAX_SIZE", small)
    left, right = torch.linalg.qr(normal(60, 40))[0], torch.linalg.qr(normal(50, 40, seed=1))[0]
    values = torch.logspace(math.log10(low), 0, 40, dtype=torch.float64)
    assert frechet_file.nuclear_norm((left * values) @ right.T) == pytest.approx(
        values.sum().item(), rel=1e-8
    )


def test_frechet_bias_of_few_samples():
    """Equal distributions, n a side: (d^2 + d) / 2n from the covariances and 2d / n from the means, to first order."""
    n, d = 4000, 64
    values = [frechet_distance(normal(n, d, seed=2 * i), normal(n, d, seed=2 * i + 1)) for i in range(4)]
    assert np.mean(values) == pytest.approx(((d * d + d) / 2 + 2 * d) / n, rel=0.02)


def test_moments_are_measured_in_blocks(monkeypatch):
    x = (normal(50, 7) + 100).float()
    whole = Moments.from_features(x)
    monkeypatch.setattr(frechet_file, "BLOCK_ROWS", 8)
    parts = Moments.from_features(x.numpy())
    torch.testing.assert_close(whole.covariance, x.double().T.cov(), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(parts.covariance, whole.covariance, rtol=1e-12, atol=1e-12)
    assert parts.count == 50
    assert parts.centred is None


# Fréchet distance at infinity


def test_intercept_is_that_of_the_line():
    x = 1 / torch.tensor(subset_sizes(2000), dtype=torch.float64)
    noise = normal(1, 15)[0] * 1e-3
    value, error = fit_intercept(x, 5 + 300 * x + noise)
    slope, flat = np.polyfit(x.numpy(), (5 + 300 * x + noise).numpy(), 1, cov=True)
    assert (value, error) == pytest.approx((slope[1], flat[1, 1] ** 0.5), rel=1e-9)
    assert value == pytest.approx(5, abs=4 * error)


def test_infinity_takes_the_bias_of_the_fakes_away():
    """Against exact moments of N(0, I) the distance of n fakes is all bias; at infinity nothing is left."""
    d = 32
    true = Moments(mean=torch.zeros(d).double(), covariance=torch.eye(d).double(), count=10**9)
    fake = normal(3000, d)
    value, error = frechet_infinity(true, fake)
    biased = frechet_from_moments(true, Moments.from_features(fake))
    assert biased > 0.08
    assert abs(value) < 0.1 * biased
    assert 0 < error < 0.1 * biased
    assert frechet_infinity(true, fake) == (value, error)
    assert frechet_infinity(true, fake, seed=1) != (value, error)


# kernel distance


def test_kernel_distance_by_its_definition():
    real, fake, k = normal(6, 3), normal(5, 3, seed=1), lambda a, b: (torch.dot(a, b).item() / 3 + 1) ** 3
    reals = np.mean([k(a, b) for i, a in enumerate(real) for j, b in enumerate(real) if i != j])
    fakes = np.mean([k(a, b) for i, a in enumerate(fake) for j, b in enumerate(fake) if i != j])
    crossed = np.mean([k(a, b) for a in real for b in fake])
    assert mmd_squared(real, fake) == pytest.approx(reals + fakes - 2 * crossed, rel=1e-12)
    everything = (torch.arange(6), torch.arange(5))
    assert kernel_distance(real, fake, subsets_chosen=[everything] * 2) == pytest.approx(
        (mmd_squared(real, fake), 0)
    )


def test_kernel_distance_out_of_all_pairs_or_by_subsets(monkeypatch):
    """Few large subsets of few samples share the kernel of all pairs; a few small ones don't; both are the mean over subsets."""
    real, fake = normal(70, 6), normal(50, 6, seed=1) + 0.2
    draw = torch.Generator().manual_seed(0)
    for subsets, size in ((40, 30), (3, 10)):
        chosen = [tuple(torch.randperm(n, generator=draw)[:size] for n in (70, 50)) for _ in range(subsets)]
        values = [mmd_squared(real[r], fake[f]) for r, f in chosen]
        expected = np.mean(values), np.std(values, ddof=1) / subsets**0.5
        assert kernel_distance(real, fake, subsets_chosen=chosen) == pytest.approx(expected, rel=1e-9)
        for file in (tiles_file, kernel_file):
            monkeypatch.setattr(file, "TILE_SIZE", 16)
        assert kernel_distance(real, fake, subsets_chosen=chosen) == pytest.approx(expected, rel=1e-9)


def test_kernel_distance_is_unbiased():
    """Equal distributions give 0 on average, from both sides; a shift gives its own value at any count."""
    values = [mmd_squared(normal(10, 4, seed=2 * i), normal(10, 4, seed=2 * i + 1)) for i in range(2000)]
    error = np.std(values) / 2000**0.5
    assert abs(np.mean(values)) < 4 * error
    assert min(values) < 0 < max(values)


def test_kernel_distance_of_the_same_samples_falls_below_zero():
    """The same subset on both sides: crossing counts the diagonal, so the estimate is not above 0."""
    x = normal(30, 4)
    mean, error = kernel_distance(x, x, subsets=5, size=30)
    assert mean < 0
    assert error < 1e-12
    shifted, _ = kernel_distance(x, x + 2, subsets=5, size=20)
    assert shifted > 1


# precision, recall, density, coverage


def brute(real, fake, k):
    """The definitions, by distances that are subtracted, pair by pair."""
    real, fake = real.numpy(), fake.numpy()
    apart = np.linalg.norm(real[:, None] - fake[None], axis=2)
    r, f = (np.sort(np.linalg.norm(x[:, None] - x[None], axis=2), axis=1)[:, k] for x in (real, fake))
    balls = apart < r[:, None]
    return {
        "precision": balls.any(0).mean(),
        "recall": (apart < f[None]).any(1).mean(),
        "density": (1 / k) * balls.sum(0).mean(),
        "coverage": (apart.min(1) < r).mean(),
    }


@pytest.mark.parametrize("k", [1, 5])
@pytest.mark.parametrize(("n", "m", "d"), [(90, 70, 3), (64, 130, 20)])
def test_prdc_is_the_definition_in_any_tiles(monkeypatch, n, m, d, k):
    real, fake = normal(n, d), normal(m, d, seed=1) * 0.9 + 0.1
    expected = brute(real, fake, k)
    assert precision_recall_density_coverage(real, fake, k) == expected
    monkeypatch.setattr(tiles_file, "TILE_SIZE", 32)
    assert precision_recall_density_coverage(real, fake, k) == expected


def test_prdc_keeps_ties_out_of_the_balls():
    """Whole numbers tie exactly; copies of real samples tie but for rounding: of the k-th neighbours none is inside."""
    draw = torch.Generator().manual_seed(0)
    real, fake = (torch.randint(4, (n, 5), generator=draw).double() for n in (150, 120))
    assert precision_recall_density_coverage(real, fake, 3) == brute(real, fake, 3)
    x = normal(700, 10) + 3
    shuffled = x[torch.randperm(700, generator=draw)]
    assert precision_recall_density_coverage(x, shuffled, 4)["density"] == 1


def test_coverage_of_equal_distributions():
    """A real sample is covered unless its k nearest of 2n are all real: 1 - 2^-k; density is 1."""
    for k in (1, 3):
        runs = [
            precision_recall_density_coverage(uniform(1500, 2, seed=i), uniform(1500, 2, seed=i + 50), k)
            for i in range(4)
        ]
        assert np.mean([run["coverage"] for run in runs]) == pytest.approx(1 - 2**-k, abs=0.02)
        assert np.mean([run["density"] for run in runs]) == pytest.approx(1, abs=0.05)


def test_prdc_knows_real_from_fake():
    """One of two real clusters is generated: precise, but half is not recalled; and the other way round."""
    one, other = normal(100, 4), normal(100, 4, seed=1) + 50
    both, fresh = torch.cat([one, other]), normal(100, 4, seed=2)
    lost = precision_recall_density_coverage(both, fresh)
    spilled = precision_recall_density_coverage(fresh, both)
    assert lost["precision"] > 0.8
    assert lost["recall"] <= 0.5
    assert lost["coverage"] <= 0.5
    assert spilled["precision"] <= 0.5
    assert spilled["recall"] > 0.8
    assert spilled["coverage"] > 0.8
    assert (lost["precision"], lost["recall"]) == (spilled["recall"], spilled["precision"])


def test_radii_do_not_count_the_sample_itself():
    assert knn_radii(torch.tensor([[0.0], [1], [3], [7]]).double(), 1).sqrt().tolist() == [1, 1, 2, 4]


# authenticity


@pytest.mark.parametrize(("d", "mutual"), [(1, 2 / 3), (2, 0.6215)])
def test_authenticity_of_fresh_samples(d, mutual):
    """g is no near-copy unless g and its nearest real t are each other's nearest, which has a known probability:
    2/3 on a line, 6 pi / (8 pi + 3 sqrt 3) in the plane (Pickard 1982)."""
    values = [authenticity(uniform(2500, d, seed=i), uniform(2500, d, seed=i + 9)) for i in range(3)]
    assert np.mean(values) == pytest.approx(1 - mutual, abs=0.02)


def test_authenticity_of_copies_and_of_strangers():
    x = normal(300, 8) + 5
    assert authenticity(x, x[:50]) == 0
    assert authenticity(torch.cat([x, x]), x[:50]) == 0  # a copy of one that is there twice is a copy
    assert authenticity(x, x + 1e-6 * normal(300, 8, seed=1)) == 0
    assert authenticity(x, torch.cat([x[:75], x[:25] + 100])) == 0.25
    assert authenticity(x + 100 * torch.arange(300)[:, None], x[:9] - 1000) == 1


def test_nearest_finds_copies_at_no_distance(monkeypatch):
    monkeypatch.setattr(tiles_file, "TILE_SIZE", 16)
    x = normal(60, 5) + 1000
    fake = torch.cat([x[40:50], normal(5, 5, seed=1) + 1000])
    found = nearest_real(x, fake, 3)
    assert found.indices[:10, 0].tolist() == list(range(40, 50))
    assert found.distances[:10, 0].tolist() == [0.0] * 10
    apart = torch.cdist(fake, x, compute_mode="donot_use_mm_for_euclid_dist").topk(3, largest=False)
    torch.testing.assert_close(found.distances, apart.values)
    assert torch.equal(found.indices, apart.indices)


# data copying


def test_data_copying_of_fresh_samples_is_a_standard_normal():
    """No ties, equal distributions: mean 0 and spread about 1 (training samples shared by both sides cost nothing here)."""
    values = [data_copying(*(normal(200, 3, seed=3 * i + j) for j in range(3))) for i in range(60)]
    assert abs(np.mean(values)) < 4 / 60**0.5
    assert 0.7 < np.std(values) < 1.5


def test_data_copying_tells_copies_from_strangers():
    training, held_out = normal(400, 3), normal(300, 3, seed=1)
    assert data_copying(training, held_out, training[:100] + 0.01) < -10
    assert data_copying(training, held_out, normal(100, 3, seed=2) * 3) > 5


def test_data_copying_averages_over_cells():
    """Two far clusters, two cells: the mean of what each cluster says, weighted by its held-out samples."""
    away = torch.tensor([100.0, 0.0]).double()
    here = [normal(n, 2, seed=i) for i, n in enumerate((200, 300, 50))]
    there = [normal(n, 2, seed=i + 9) * 5 + away for i, n in enumerate((200, 100, 60))]
    there[2] = there[0][:60] + 0.01
    whole = [torch.cat(both) for both in zip(here, there, strict=True)]
    expected = (3 * data_copying(*here) + data_copying(*there)) / 4
    assert data_copying(*whole, cells=2) == pytest.approx(expected, rel=1e-9)
    assert data_copying(*there) < -5


def test_data_copying_needs_enough_in_a_cell():
    x = normal(30, 2)
    with pytest.raises(DataError, match="needs 20"):
        data_copying(x, x, x[:19])
    with pytest.raises(DataError, match="no cell of 30"):
        data_copying(x, x, x, cells=30)


# Inception score


def test_inception_score_is_between_one_and_the_number_of_classes():
    sure = 200 * torch.eye(7).repeat(20, 1)
    assert inception_score(sure, splits=4) == pytest.approx((7, 0))
    assert inception_score(normal(1, 7).expand(40, 7), splits=4) == pytest.approx((1, 0))
    assert 1 < inception_score(normal(500, 7))[0] < 7


def test_inception_score_of_half_sure_samples():
    """p(y|x) = (1 - e, e) or (e, 1 - e), half each: exp(log 2 - H(e))."""
    e = 0.1
    rows = torch.tensor([[1 - e, e], [e, 1 - e]], dtype=torch.float64).repeat(10, 1)
    entropy = -(e * math.log(e) + (1 - e) * math.log(1 - e))
    mean, spread = inception_score(rows, splits=5, probabilities=True)
    assert (mean, spread) == pytest.approx((2 / math.exp(entropy), 0))
    assert inception_score(rows.log() + 3, splits=5)[0] == pytest.approx(mean)


def test_inception_score_splits_in_order():
    """Two halves, of 2 and of 4 classes: scores 2 and 4."""
    rows = torch.cat([torch.eye(4)[:2].repeat(4, 1), torch.eye(4).repeat(2, 1)])
    assert inception_score(rows, splits=2, probabilities=True) == pytest.approx((3, 1))


def test_inception_score_asks_what_it_was_given():
    with pytest.raises(DataError, match="probabilities=True"):
        inception_score(torch.full((20, 4), 0.25))
    with pytest.raises(DataError, match="not probabilities"):
        inception_score(normal(20, 4), probabilities=True)


# class by class


def test_class_distance_notices_swapped_labels():
    x, y = normal(80, 4), (torch.arange(80) >= 40).long()
    x = x + 10 * y[:, None]
    fine, swapped = class_frechet_distance(x, y, x + 1, y), class_frechet_distance(x, y, x + 1, 1 - y)
    assert fine.distances == pytest.approx({0: 4, 1: 4})
    assert fine.mean == pytest.approx(4)
    assert swapped.mean > 100
    assert frechet_distance(x, x + 1) == pytest.approx(4)


def test_class_distance_names_what_it_leaves_out():
    x, y = normal(9, 4), torch.tensor([0, 0, 0, 1, 1, 1, 2, 3, 3])
    found = class_frechet_distance(x, y, x, y.numpy(), min_samples=3)
    assert (set(found.distances), found.skipped_classes) == ({0, 1}, (2, 3))
    with pytest.raises(DataError, match="no class has 5"):
        class_frechet_distance(x, y, x, y, min_samples=5)
    with pytest.raises(DataError, match="labels"):
        class_frechet_distance(x, y[:-1], x, y)


# what can't be measured


@pytest.mark.parametrize("metric", PAIRS)
def test_unusable_features_are_named(metric):
    measure, fine = PAIRS[metric], normal(30, 4)
    broken = fine.clone()
    broken[7, 2] = float("nan")
    with pytest.raises(DataError, match=r"fake features hold nan \(sample 7, feature 2\)"):
        measure(fine, broken)
    broken[7, 2] = float("-inf")
    with pytest.raises(DataError, match="real features hold -inf"):
        measure(broken, fine)
    for none in (fine[:0], fine[:, :0], fine[0]):
        with pytest.raises(DataError):
            measure(none, fine)
        with pytest.raises(DataError):
            measure(fine, none)
    with pytest.raises(DataError, match="features"):
        measure(fine, normal(30, 5))
    with pytest.raises(DataError, match="real numbers"):
        measure(fine, fine + 1j)


@pytest.mark.parametrize("metric", ["frechet", "infinity", "kernel", "prdc", "authenticity"])
def test_large_features_give_a_number_or_are_refused(metric):
    found = PAIRS[metric](1e19 * normal(30, 4), 1e19 * normal(30, 4, seed=1))
    values = found.values() if isinstance(found, dict) else found if isinstance(found, tuple) else [found]
    assert all(math.isfinite(value) for value in values)
    with pytest.raises(DataError, match="up to 1e"):
        PAIRS[metric](1e60 * normal(30, 4), 1e60 * normal(30, 4, seed=1))


@pytest.mark.parametrize("metric", ["frechet", "infinity", "kernel", "prdc"])
def test_too_few_samples_are_counted(metric):
    with pytest.raises(DataError, match=r"1 sample \(fake\); .* needs \d+"):
        PAIRS[metric](normal(30, 4), normal(1, 4))
    with pytest.raises(DataError, match=r"1 sample \(real\)|1 sample"):
        PAIRS[metric](normal(1, 4), normal(30, 4))


def test_more_neighbours_than_samples():
    assert precision_recall_density_coverage(normal(6, 2), normal(6, 2), k=5)["precision"] >= 0
    with pytest.raises(DataError, match="k = 6 needs 7"):
        precision_recall_density_coverage(normal(6, 2), normal(9, 2), k=6)
    with pytest.raises(ConfigError, match="k = 0"):
        precision_recall_density_coverage(normal(6, 2), normal(9, 2), k=0)


@pytest.mark.parametrize("metric", ["frechet", "kernel", "prdc", "authenticity", "infinity"])
def test_arrays_and_other_numbers_give_the_same(metric):
    """Whole numbers are the same in any type; arrays that torch can't share are copied; gradients are left out."""
    draw = torch.Generator().manual_seed(0)
    real, fake = (torch.randint(30, (40, 3), generator=draw) for _ in range(2))
    frozen = fake.numpy().astype(np.float32)
    frozen.setflags(write=False)
    expected = PAIRS[metric](real, fake)
    assert PAIRS[metric](real.numpy().astype(np.uint8), frozen) == pytest.approx(expected, rel=1e-12)
    assert PAIRS[metric](real.float().requires_grad_(), fake.half()) == pytest.approx(expected, rel=1e-12)
