"""Closed forms of the metrics on samples: modes, Parzen windows, class accuracy, path length, structure, slices."""

import math

import numpy as np
import pytest
import torch

from sparring.core.errors import ConfigError, DataError
from sparring.data.readers.points import mixture_modes
from sparring.metrics import (
    class_coverage,
    classification_accuracy_score,
    mode_coverage,
    ms_ssim,
    ms_ssim_diversity,
    parzen_log_likelihood,
    perceptual_path_length,
    psnr,
    sliced_wasserstein_distance,
    ssim,
    stacked_modes,
)
from sparring.metrics.classification_accuracy import fit_logistic_regression
from sparring.metrics.parzen import log_density
from sparring.metrics.path_length import slerp
from sparring.metrics.ssim import num_scales


def numbers(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def mixture(count: int, seed: int = 0, num_modes: int = 25, narrow: float = 1.0) -> np.ndarray:
    """Samples of the first `kept` modes of the grid."""
    means, std = mixture_modes("grid")
    which = torch.randint(num_modes, (count,), generator=torch.Generator().manual_seed(seed + 1_000))
    return means[which] + narrow * std * numbers(count, 2, seed=seed).numpy()


def squared(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return (a - b).square().sum(1)


# modes


def test_a_perfect_sampler_of_a_mixture():
    """All modes, 98.9 % of high quality, spread as the truth, and reverse KL (K - 1) / 2N on average."""
    found = [mode_coverage(mixture(2_500, seed), *mixture_modes("grid")) for seed in range(40)]
    mean = {name: np.mean([each[name] for each in found]) for name in found[0]}
    assert mean["modes"] == 25
    assert mean["high_quality"] == pytest.approx(1 - math.exp(-4.5), abs=0.001)
    assert mean["spread"] == pytest.approx(1, abs=0.01)
    assert mean["reverse_kl"] == pytest.approx(24 / (2 * 2_500 * 0.98889), rel=0.2)
    assert mean["floor"] == pytest.approx(24 / (2 * 2_500 * 0.98889), rel=0.01)


def test_modes_that_are_lost():
    """Reverse KL of an even sampler of 5 of 25 modes: log 5."""
    found = mode_coverage(mixture(20_000, num_modes=5), *mixture_modes("grid"))
    assert found["modes"] == 5
    assert found["reverse_kl"] == pytest.approx(math.log(5), abs=0.002)


def test_narrow_modes_look_better_but_for_their_spread():
    found = mode_coverage(mixture(2_500, narrow=0.1), *mixture_modes("grid"))
    assert found["high_quality"] == 1
    assert found["spread"] == pytest.approx(0.1, rel=0.05)


def test_three_standard_deviations_are_the_reach():
    means = np.array([[0.0, 0.0], [100.0, 0.0]])
    points = np.array([[2.999, 0], [3.001, 0], [100, -2.999], [100, 3.001]])
    found = mode_coverage(points, means, 1.0)
    assert (found["modes"], found["high_quality"]) == (2, 0.5)
    assert mode_coverage(points[[1, 3]], means, 1.0)["reverse_kl"] == math.log(2)


def test_floor_of_classes():
    """Stacked digits: 26,000 samples even over 1,000 modes find them all, with KL 0.0192 on average, not 0."""
    modes = torch.randint(10, (26_000, 3), generator=torch.Generator().manual_seed(0))
    found = class_coverage(stacked_modes(modes), 1_000)
    assert found["modes"] == 1_000 == round(found["expected_modes"])
    assert found["floor"] == 999 / 52_000
    assert found["reverse_kl"] == pytest.approx(found["floor"], rel=0.15)


def test_classes_against_given_shares():
    """KL(p || q) = sum p log(p / q); 0 only where the histogram is that of the real data."""
    predicted, shares = np.repeat([0, 1, 2], [6, 3, 1]), np.array([0.6, 0.3, 0.1])
    assert class_coverage(predicted, 3, shares)["reverse_kl"] == pytest.approx(0, abs=1e-12)
    expected = 0.6 * math.log(1.8) + 0.3 * math.log(0.9) + 0.1 * math.log(0.3)
    assert class_coverage(predicted, 3)["reverse_kl"] == pytest.approx(expected)
    assert class_coverage(np.zeros(3), 4)["expected_modes"] == pytest.approx(4 * (1 - 0.75**3))


# Parzen windows


def test_density_is_a_density():
    """It sums to 1 over the line, and is that of the mean of Gaussians."""
    centres = torch.tensor([[-1.0], [2.0], [2.5]], dtype=torch.float64)
    line = torch.linspace(-9, 9, 6_001, dtype=torch.float64)[:, None]
    density = log_density(line, centres, [0.3, 1.0]).exp()
    assert density.sum(1) * 18 / 6_000 == pytest.approx(1, abs=1e-9)
    by_hand = (-(line - centres.T).square() / 2).exp().mean(1) / math.sqrt(2 * math.pi)
    torch.testing.assert_close(density[1], by_hand)


def test_parzen_of_a_gaussian():
    """Kernels at samples of N(0, I) make about N(0, (1 + sigma^2) I): test samples get -d/2 (log 2 pi e)."""
    found = parzen_log_likelihood(
        numbers(1_000, 2), numbers(4_000, 2, seed=1), validation=numbers(500, 2, seed=2)
    )
    assert found["log_likelihood"] == pytest.approx(
        -math.log(2 * math.pi * math.e), abs=4 * found["standard_error"]
    )
    assert found["standard_error"] == pytest.approx(
        math.sqrt(1 / 1_000), rel=0.15
    )  # |x|^2 / 2 has variance 1
    assert 0.1 < found["bandwidth"] < 0.6


def test_bandwidth_never_looks_at_the_test():
    """A validation set that is wider makes sigma wider, for the same test set and at its cost."""
    test, fake = numbers(300, 3), numbers(300, 3, seed=1)
    honest = parzen_log_likelihood(test, fake, validation=numbers(300, 3, seed=2))
    misled = parzen_log_likelihood(test, fake, validation=3 * numbers(300, 3, seed=2))
    assert misled["bandwidth"] > 2 * honest["bandwidth"]
    assert misled["log_likelihood"] < honest["log_likelihood"]


def test_blocks_change_nothing(monkeypatch):
    whole = log_density(numbers(50, 4), numbers(30, 4, seed=1), [0.5])
    monkeypatch.setattr("sparring.metrics.parzen.BLOCK_VALUES", 100)
    torch.testing.assert_close(log_density(numbers(50, 4), numbers(30, 4, seed=1), [0.5]), whole)


def test_copies_of_the_validation_set_are_refused():
    """Their likelihood grows without end as sigma falls."""
    samples = numbers(50, 3)
    with pytest.raises(DataError, match="copies of the validation"):
        parzen_log_likelihood(numbers(50, 3, seed=1), samples, validation=samples)


# classification accuracy score


def labelled(count: int, seed: int, gap: float = 2.0) -> tuple[torch.Tensor, torch.Tensor]:
    """Two classes of unit Gaussians, `gap` apart: the best accuracy is Phi(gap / 2)."""
    y = torch.arange(count) % 2
    x = numbers(count, 5, seed=seed)
    x[:, 0] += gap * y
    return x, y


def test_accuracy_of_two_gaussians():
    """Phi(1) = 84.1 % for those who learn from perfect samples; half for those who learn from shuffled labels."""
    x, y = labelled(8_000, 0)
    fake, taught = labelled(2_000, 1)
    found = classification_accuracy_score(x, y, fake, taught)
    assert found.accuracy == pytest.approx(0.8413, abs=4 * found.standard_error)
    assert found.per_class[0] == pytest.approx(found.per_class[1], abs=0.04)
    shuffled = taught[torch.randperm(2_000, generator=torch.Generator().manual_seed(0))]
    assert classification_accuracy_score(x, y, fake, shuffled).accuracy < 0.75
    assert classification_accuracy_score(x, y, fake, 1 - taught).accuracy == pytest.approx(
        1 - 0.8413, abs=0.02
    )


def test_a_class_that_is_not_generated_is_never_found():
    y = torch.arange(300) % 3
    x = numbers(300, 4) * 0.1 + 5 * y[:, None] * numbers(1, 4, seed=3)
    num_modes = y != 1
    found = classification_accuracy_score(x, y, x[num_modes], y[num_modes])
    assert found.per_class[1] == 0
    assert found.per_class[0] == found.per_class[2] == 1


def test_logistic_regression_is_at_its_minimum():
    """The gradient is zero: decay W = -X^T (softmax - onehot)."""
    x, y = numbers(60, 4), torch.arange(60) % 3
    w, b = fit_logistic_regression(x, y, 2.0)
    error = (x @ w + b).softmax(1) - torch.nn.functional.one_hot(y)
    torch.testing.assert_close(x.T @ error, -2.0 * w, atol=1e-3, rtol=0)
    torch.testing.assert_close(error.sum(0), torch.zeros(3, dtype=torch.float64), atol=1e-3, rtol=0)


# perceptual path length


def test_path_length_of_a_linear_generator():
    """G(z) = W z on straight paths: E |W (b - a)|^2 = 2 |W|_F^2; twice as steep is four times as long."""
    w = numbers(64, 32).float()
    found = [
        perceptual_path_length(
            lambda z, k=k: k * z @ w, squared, 64, pairs=4_000, epsilon=1e-2, path="linear"
        )
        for k in (1, 2)
    ]
    assert found[0]["untrimmed"] == pytest.approx(2 * w.square().sum().item(), rel=0.02)
    assert found[0]["path_length"] == pytest.approx(found[0]["untrimmed"], rel=0.02)
    assert found[1]["path_length"] == pytest.approx(4 * found[0]["path_length"], rel=1e-3)


def test_path_length_on_the_sphere():
    """|p'(t)|^2 of a spherical path is angle^2 |a|^2 for ends of one length; about (pi / 2)^2 d in high dimension."""
    found = perceptual_path_length(lambda z: z, squared, 512, pairs=500, epsilon=1e-2)
    assert found["path_length"] == pytest.approx((math.pi / 2) ** 2 * 512, rel=0.02)
    a, b = (torch.nn.functional.normalize(numbers(9, 5, seed=seed)) for seed in (0, 1))
    for t in (0.0, 0.3, 1.0):
        torch.testing.assert_close(
            slerp(a, b, torch.full((9, 1), t)).norm(dim=1), torch.ones(9, dtype=a.dtype)
        )
    torch.testing.assert_close(slerp(a, b, torch.ones(9, 1)), b)


def test_a_jump_is_trimmed():
    """A generator with a rare cliff: the mean of all is ruled by it, the trimmed one is not."""
    cliff = perceptual_path_length(
        lambda z: torch.cat([z, 1e4 * (z[:, :1] > 0)], 1),
        squared,
        16,
        pairs=2_000,
        epsilon=1e-3,
        path="linear",
    )
    assert cliff["untrimmed"] > 10 * cliff["path_length"]
    assert cliff["path_length"] == pytest.approx(32, rel=0.1)


def test_paths_are_keyed():
    found = [
        perceptual_path_length(lambda z: z, squared, 8, pairs=100, seed=seed)["path_length"]
        for seed in (0, 0, 1)
    ]
    assert found[0] == found[1] != found[2]


# structural similarity


def random_images(count: int, side: int = 48, channels: int = 1, seed: int = 0) -> np.ndarray:
    """Smooth random images, uint8."""
    coarse = torch.rand(count, channels, 6, 6, generator=torch.Generator().manual_seed(seed))
    smooth = torch.nn.functional.interpolate(coarse, side, mode="bilinear")
    return (smooth * 255).byte().permute(0, 2, 3, 1).numpy()


def test_equal_images():
    x = random_images(3, channels=3)
    assert torch.isinf(psnr(x, x)).all()
    torch.testing.assert_close(ssim(x, x), torch.ones(3, dtype=torch.float64))
    torch.testing.assert_close(ms_ssim(x, x), torch.ones(3, dtype=torch.float64))


@pytest.mark.parametrize("measure", [ssim, ms_ssim])
def test_flat_images_differ_in_luminance_alone(measure):
    """Of flat images a, b structure is 1, so SSIM = (2ab + C1) / (a^2 + b^2 + C1), at the last scale's power for MS-SSIM."""
    a, b, c1 = 100.0, 160.0, (0.01 * 255) ** 2
    value = measure(torch.full((1, 48, 48, 1), a), torch.full((1, 48, 48, 1), b)).item()
    luminance = (2 * a * b + c1) / (a**2 + b**2 + c1)
    power = 0.3001 / (0.0448 + 0.2856 + 0.3001) if measure is ms_ssim else 1.0
    assert value == pytest.approx(luminance**power, rel=1e-9)


def test_a_negative_has_a_low_similarity():
    """255 - x has the covariance -variance: SSIM falls below 0, MS-SSIM stops at 0."""
    x = random_images(4, seed=2)
    assert (ssim(x, 255 - x) < 0).all()
    assert (ms_ssim(x, 255 - x) == 0).all()


def test_ssim_by_hand():
    """One window of 11 x 11: weighted moments, written out."""
    x, y = (
        255 * torch.rand(11, 11, generator=torch.Generator().manual_seed(seed)).double() for seed in (0, 1)
    )
    line = torch.exp(-((torch.arange(11.0, dtype=torch.float64) - 5) ** 2) / 4.5)
    weight = torch.outer(line, line) / line.sum() ** 2
    mx, my = (weight * x).sum(), (weight * y).sum()
    vx, vy, vxy = (
        (weight * (x - mx) ** 2).sum(),
        (weight * (y - my) ** 2).sum(),
        (weight * (x - mx) * (y - my)).sum(),
    )
    c1, c2 = 2.55**2, 7.65**2
    expected = (2 * mx * my + c1) * (2 * vxy + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))
    assert ssim(x[None, :, :, None], y[None, :, :, None]).item() == pytest.approx(expected.item())


def test_images_may_be_read_only():
    """As those of a memory-mapped set are."""
    x = random_images(2)
    x.flags.writeable = False
    assert ms_ssim_diversity(x, pairs=2)[0] < 1


def test_psnr_of_a_known_error():
    assert psnr(np.zeros((2, 5, 7, 3)), np.full((2, 5, 7, 3), 2.55)).tolist() == pytest.approx([40, 40])
    assert psnr(np.zeros((1, 5, 7, 3)), np.ones((1, 5, 7, 3)), 1.0).item() == 0


def test_scales_leave_room_for_the_window():
    for side in range(11, 400):
        count = num_scales(side, 1_000)
        assert side // 2 ** (count - 1) >= 11
        assert count == 5 or side // 2**count < 11


def test_diversity_of_repeated_images():
    """One image again and again scores 1; a set that repeats is above one that does not; noise is below all."""
    varied, noise = random_images(40), (numbers(40, 48, 48, 1) * 40 + 128).clamp(0, 255)
    repeated = varied[np.arange(40) % 3]
    scores = [ms_ssim_diversity(each, pairs=200) for each in (varied[[0] * 5], repeated, varied, noise)]
    assert scores[0] == (pytest.approx(1), pytest.approx(0, abs=1e-9))
    values = [mean for mean, _ in scores]
    assert values == sorted(values, reverse=True)
    assert scores[1][0] - scores[2][0] > 4 * (scores[1][1] + scores[2][1])


# sliced Wasserstein


def test_sliced_of_a_shift():
    """A shift by v: each line sees (theta . v)^2, whose mean is |v|^2 / d."""
    x, v = numbers(200, 4), torch.tensor([3.0, 0.0, -1.0, 2.0], dtype=torch.float64)
    mean, error = sliced_wasserstein_distance(x, x + v, projections=20_000)
    assert error < 0.05
    assert mean == pytest.approx(14 / 4, abs=4 * error)


def test_sliced_of_a_scale():
    """k x against x: (k - 1)^2 E (theta . x)^2 = (k - 1)^2 E|x|^2 / d."""
    x = numbers(500, 6)
    mean, error = sliced_wasserstein_distance(x, 3 * x, projections=4_000)
    assert mean == pytest.approx(4 * x.square().sum(1).mean().item() / 6, abs=4 * error)


def test_sliced_of_unequal_counts():
    """Each sample twice or thrice is the same distribution; and one line is solved by hand."""
    x = numbers(30, 3)
    assert sliced_wasserstein_distance(x.repeat(2, 1), x.repeat(3, 1))[0] == pytest.approx(0, abs=1e-12)
    mean, _ = sliced_wasserstein_distance(np.array([[0.0], [1.0]]), np.array([[0.0], [1.0], [2.0]]))
    assert mean == pytest.approx(
        (0 * 2 + 1 * 1 + 0 * 1 + 1 * 2) / 6
    )  # (0,0) (0,1) (1,1) (1,2) for 2, 1, 1, 2 sixths


def test_sliced_flattens_images():
    x = random_images(20, side=8, channels=3)
    y = random_images(30, side=8, channels=3, seed=1)
    flat = sliced_wasserstein_distance(x.reshape(20, -1), y.reshape(30, -1))
    assert sliced_wasserstein_distance(x, y) == flat
    assert flat[0] > 0


# what can't be measured is refused, with the need


NAN = torch.full((4, 2), math.nan)
GOOD = torch.arange(8.0).reshape(4, 2)
SMALL, FLAT = np.zeros((2, 8, 8, 1), np.uint8), np.zeros((2, 16, 16, 1), np.uint8)


@pytest.mark.parametrize(
    ("call", "need"),
    [
        (lambda: mode_coverage(torch.empty(0, 2), GOOD, 1.0), "1 or more"),
        (lambda: mode_coverage(NAN, GOOD, 1.0), "finite"),
        (lambda: mode_coverage(GOOD[:, :1], GOOD, 1.0), "same number"),
        (lambda: mode_coverage(GOOD, GOOD, 0.0), "positive"),
        (lambda: class_coverage(np.array([0, 3]), 3), "from 0 to 2"),
        (lambda: class_coverage(np.array([0.5]), 3), "integers"),
        (lambda: class_coverage(np.array([], int), 3), "one class a sample"),
        (lambda: class_coverage(np.array([0]), 1), "2 or more"),
        (lambda: class_coverage(np.array([0]), 2, np.array([1.0, 0.0])), "2 positive numbers"),
        (lambda: stacked_modes(np.array([0, 1])), "samples x channels"),
        (lambda: parzen_log_likelihood(GOOD[:1], GOOD, validation=GOOD), "2 or more"),
        (lambda: parzen_log_likelihood(GOOD, GOOD, validation=NAN), "finite"),
        (lambda: parzen_log_likelihood(GOOD, GOOD, validation=GOOD, bandwidths=(-1.0,)), "positive"),
        (lambda: classification_accuracy_score(GOOD, np.zeros(4), GOOD, np.zeros(4)), "two classes"),
        (lambda: classification_accuracy_score(GOOD, np.zeros(3), GOOD, np.zeros(4)), "one label"),
        (lambda: perceptual_path_length(lambda z: z, squared, 1), "2 or more"),
        (lambda: perceptual_path_length(lambda z: z, squared, 4, pairs=1), "2 or more"),
        (lambda: perceptual_path_length(lambda z: z * math.nan, squared, 4, pairs=2), "finite"),
        (lambda: perceptual_path_length(lambda z: z, lambda a, b: a - b, 4, pairs=2), "one a pair"),
        (lambda: ssim(SMALL, SMALL), "11 or more"),
        (lambda: ms_ssim(FLAT, FLAT[:1]), "same number"),
        (lambda: psnr(FLAT, FLAT[:, :8]), "same number and size"),
        (lambda: psnr(FLAT * math.nan, FLAT), "0 to 255"),
        (lambda: psnr(FLAT - 1.0, FLAT), "0 to 255"),
        (lambda: ssim(FLAT[..., 0], FLAT), "channels"),
        (lambda: ms_ssim_diversity(FLAT[:1]), "2 or more"),
        (lambda: sliced_wasserstein_distance(GOOD, GOOD[:1]), "2 or more"),
        (lambda: sliced_wasserstein_distance(GOOD, GOOD[:, :1]), "same number"),
        (lambda: sliced_wasserstein_distance(NAN, GOOD), "finite"),
    ],
)
def test_too_few_samples_are_refused_with_the_minimum(call, need):
    with pytest.raises(DataError, match=need) as refused:
        call()
    assert refused.value.fix


def test_settings_are_checked():
    with pytest.raises(ConfigError):
        sliced_wasserstein_distance(GOOD, GOOD, projections=1)
    with pytest.raises(ConfigError):
        perceptual_path_length(lambda z: z, squared, 4, path="curly")
    with pytest.raises(ConfigError):
        classification_accuracy_score(GOOD, np.zeros(4), GOOD, np.zeros(4), weight_decay=0.0)
