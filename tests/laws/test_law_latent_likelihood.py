"""Importance sampling of log p(x) against factor analysis, whose likelihood is known: x ~ N(b, W W^T + s^2)."""

import math

import pytest
import torch

from sparring.core.errors import DataError
from sparring.core.shapes import SampleSpec
from sparring.metrics import latent_log_likelihood
from sparring.parts.likelihoods import Gaussian
from sparring.parts.posteriors.normal import NormalDistribution

SCALE, CODES, VALUES = 0.7, 3, 6


class Factors:
    """The model with an approximate posterior: right mean, independent dimensions a little too wide."""

    def __init__(self, loadings=0.8):
        draws = torch.Generator().manual_seed(0)
        self.w = loadings * torch.randn(VALUES, CODES, generator=draws)
        self.b = torch.randn(VALUES, generator=draws)
        self.likelihood = Gaussian(deviation="fixed", scale=SCALE).build(SampleSpec(shape=(VALUES,)))
        noise = torch.randn(80, CODES, generator=draws) @ self.w.T
        self.x = self.b + noise + SCALE * torch.randn(80, VALUES, generator=draws)

    def encode(self, x, y):
        precision = torch.eye(CODES) + self.w.T @ self.w / SCALE**2
        mean = torch.linalg.solve(precision, ((x - self.b) @ self.w / SCALE**2).T).T
        std = 1.3 * torch.linalg.inv(precision).diagonal().sqrt()
        return NormalDistribution(mean, std.expand_as(mean))

    def explain(self, x, z, y):
        decoded = (z @ self.w.T + self.b).flatten(0, 1)
        return self.likelihood(x.expand(len(z), *x.shape).flatten(0, 1), decoded).view(z.shape[:2])

    def truth(self):
        covariance = self.w @ self.w.T + SCALE**2 * torch.eye(VALUES)
        return torch.distributions.MultivariateNormal(self.b, covariance).log_prob(self.x)

    def measured(self, samples, seed=0):
        return latent_log_likelihood(self.encode, self.explain, self.x, samples=samples, seed=seed)


def test_meets_the_closed_form():
    model = Factors()
    found, truth = model.measured(4000), model.truth()
    assert found.log_likelihood == pytest.approx(float(truth.mean()), abs=1e-2)
    assert found.standard_error == pytest.approx(float(truth.std()) / len(truth) ** 0.5, rel=0.02)
    assert (found.count, found.samples, found.codes) == (80, 4000, CODES)


def test_the_bound_rises_towards_it():
    model, truth = Factors(), float(Factors().truth().mean())
    one, ten, many = (model.measured(samples).log_likelihood for samples in (1, 10, 1000))
    assert one < ten < many < truth + 5e-3


def test_the_bound_is_its_two_parts_and_lies_below():
    model = Factors()
    found = model.measured(2000)
    assert found.elbo == pytest.approx(found.re - found.kl, abs=1e-12)
    posterior = model.encode(model.x, None)
    gap = float(posterior.kl().mean()) + math.log(1)
    assert found.kl == pytest.approx(gap, abs=1e-5)
    assert found.elbo < found.log_likelihood - 0.01


def test_codes_that_say_nothing_are_not_active():
    model = Factors()
    assert model.measured(2).active_units == CODES
    model.w[:, 1] = 0
    assert model.measured(2).active_units == CODES - 1


def test_the_draws_are_keyed():
    model = Factors()
    assert model.measured(7) == model.measured(7)
    assert model.measured(7) != model.measured(7, seed=1)


def test_nothing_to_measure_is_refused():
    model = Factors()
    model.x = model.x[:1]
    with pytest.raises(DataError):
        model.measured(10)
