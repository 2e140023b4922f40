"""Likelihoods: probabilities sum to one, densities integrate to one, and the numbers are those worked out by hand."""

import math

import pytest
import torch

from sparring.core.errors import ConfigError, DataError
from sparring.core.rng import KeyedRandom
from sparring.core.shapes import SampleSpec
from sparring.parts.likelihoods import Bernoulli, DiscretisedLogistic, Gaussian

ONE = SampleSpec(shape=(1, 1, 1))


def column(values):
    return torch.as_tensor(values, dtype=torch.float64).reshape(-1, 1, 1, 1)


@pytest.mark.parametrize("location", [-3.0, -1.0, -0.4, 0.003, 1.0, 40.0])
@pytest.mark.parametrize("scale", [0.0011, 0.01, 0.3, 5.0])
def test_the_256_levels_sum_to_one(location, scale):
    module = DiscretisedLogistic(scale=scale).build(ONE)
    levels = column(torch.arange(256) / 127.5 - 1).float()
    masses = module(levels, torch.full_like(levels, location)).detach().double().exp()
    assert float(masses.sum()) == pytest.approx(1, abs=2e-5)


def test_a_level_far_from_the_location_has_a_finite_log_probability_with_a_gradient():
    module = DiscretisedLogistic(scale=0.002).build(ONE)
    location = torch.full((1, 1, 1, 1), -1.0, requires_grad=True)
    mass = module(torch.full((1, 1, 1, 1), 0.9), location)
    mass.sum().backward()
    assert mass.item() == pytest.approx(-(1.9 / 0.002), rel=0.01)
    assert float(location.grad) == pytest.approx(1 / 0.002, rel=0.01)


def test_bernoulli_by_hand():
    module = Bernoulli(binarise="none").build(SampleSpec(shape=(1, 1, 2)))
    x, logits = torch.tensor([[[[1.0, -1.0]]]]), torch.tensor([[[[0.7, -1.3]]]])
    p = [1 / (1 + math.exp(-0.7)), 1 / (1 + math.exp(1.3))]
    assert module(x, logits).item() == pytest.approx(math.log(p[0]) + math.log(1 - p[1]), abs=1e-6)
    assert module.mean(logits).flatten().tolist() == pytest.approx([2 * p[0] - 1, 2 * p[1] - 1])


def test_dynamic_binarisation_has_the_probability_of_the_grey_level_and_differs_each_time():
    module, x = Bernoulli().build(ONE), torch.full((20_000, 1, 1, 1), -0.5)  # a quarter of the way to white
    first, second = (module.prepare_data(x, KeyedRandom(0, (step,), len(x))) for step in (0, 1))
    assert set(first.unique().tolist()) == {-1.0, 1.0}
    assert float((first > 0).float().mean()) == pytest.approx(0.25, abs=0.01)
    assert not torch.equal(first, second)
    edges = torch.tensor([-1.0, 1.0]).repeat(500).reshape(-1, 1, 1, 1)
    assert torch.equal(module.prepare_data(edges, KeyedRandom(0, (0,), 1000)), edges)


def test_grey_data_is_refused_without_binarisation():
    module, draws = Bernoulli(binarise="none").build(ONE), KeyedRandom(0, (0,), 1)
    assert float(module.prepare_data(column([-1.0]), draws)) == -1
    with pytest.raises(DataError, match="not a likelihood"):
        module.prepare_data(column([0.2]), draws)


@pytest.mark.parametrize("likelihood", [Bernoulli(), DiscretisedLogistic()])
def test_points_have_no_levels(likelihood):
    with pytest.raises(ConfigError):
        likelihood.build(SampleSpec(shape=(2,)))


@pytest.mark.parametrize("scale", [0.02, 1.0])
def test_a_gaussian_integrates_to_one(scale):
    module = Gaussian(scale=scale).build(SampleSpec(shape=(1,)))
    x = torch.linspace(-8 * scale, 8 * scale, 4001, dtype=torch.float64)[:, None]
    density = module(x, torch.full_like(x, 0.3 * scale)).detach().exp()
    assert float(torch.trapezoid(density, x[:, 0])) == pytest.approx(1, abs=1e-4)


def test_the_learned_deviation_settles_on_that_of_the_residuals():
    module, x = (
        Gaussian().build(ONE),
        0.1 * torch.randn(4000, 1, 1, 1, generator=torch.Generator().manual_seed(0)),
    )
    optimizer = torch.optim.Adam(module.parameters(), lr=0.005)
    for _ in range(300):
        optimizer.zero_grad()
        (-module(x, torch.zeros_like(x)).mean()).backward()
        optimizer.step()
    assert module.mean_and_scale(x)[1].item() == pytest.approx(float(x.std()), rel=0.01)


def test_constant_data_does_not_drive_the_density_to_infinity():
    module, x = Gaussian().build(ONE), torch.ones(4, 1, 1, 1)
    with torch.no_grad():
        module.raw_scale.fill_(-1e4)
    assert module(x, x)[0].item() == pytest.approx(-math.log(1e-3) - math.log(2 * math.pi) / 2, rel=1e-4)
