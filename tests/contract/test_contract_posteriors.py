"""What every posterior promises, over the table."""

import math

import pytest
import torch

from sparring.core.config import from_json, to_json
from sparring.core.errors import ConfigError, SparringError
from sparring.core.rng import KeyedRandom
from sparring.parts.posteriors import POSTERIORS, Posterior
from sparring.parts.posteriors.sphere import MAX_DIMENSION

ROLES = {Posterior: POSTERIORS}
SPHERES = {"von_mises_fisher", "power_spherical"}
every_posterior = pytest.mark.parametrize("cls", POSTERIORS.values(), ids=POSTERIORS)
every_spherical = pytest.mark.parametrize(
    "cls", [POSTERIORS[tag] for tag in sorted(SPHERES)], ids=sorted(SPHERES)
)
every_density = pytest.mark.parametrize(
    "cls", [cls for tag, cls in POSTERIORS.items() if tag != "deterministic"], ids=lambda cls: cls.__name__
)


def outputs(posterior, rows=6, scale=1.0):
    rng = torch.Generator().manual_seed(3)
    return (scale * torch.randn(rows, posterior.num_parameters, generator=rng)).requires_grad_()


@every_posterior
@pytest.mark.parametrize("latent", [1, 2, 10, 41])
@pytest.mark.parametrize("count", [1, 5])
def test_shapes_types_and_gradients(cls, latent, count):
    posterior = cls(latent=latent)
    raw = outputs(posterior)
    q = posterior.distribution(raw)
    z = q.sample(KeyedRandom(0, (7,), 6), "z", count)
    assert (z.shape, z.dtype) == ((count, 6, posterior.code_size), torch.float32)
    assert q.mean.shape == (6, posterior.code_size)
    assert (q.kl().shape, q.kl().dtype) == ((6,), torch.float32)
    assert q.prior_log_prob(z).shape == (count, 6)
    assert q.prior_log_prob(z[0]).shape == (6,)
    ((z * torch.arange(1, posterior.code_size + 1)).sum() + q.kl().sum()).backward()
    assert raw.grad.isfinite().all()
    assert raw.grad.any(0).all()


@every_density
def test_the_kl_is_the_mean_of_the_densities_difference(cls):
    posterior, count = cls(latent=4), 4_000
    q = posterior.distribution(outputs(posterior, scale=2.0))
    z = q.sample(KeyedRandom(0, (7,), 6), "z", count)
    excess = q.log_prob(z) - q.prior_log_prob(z)
    assert excess.shape == (count, 6)
    torch.testing.assert_close(q.log_prob(z[0]), q.log_prob(z)[0])
    assert ((excess.mean(0) - q.kl()).abs() < 5 * excess.std(0) / math.sqrt(count)).all()
    assert (q.kl() > 0).all()


@every_posterior
@pytest.mark.parametrize("scale", [0.0, 1e-30, 50.0, 1e6])
def test_finite_whatever_the_encoder_says(cls, scale):
    posterior = cls(latent=3)
    raw = outputs(posterior, scale=scale)
    q = posterior.distribution(raw)
    z = q.sample(KeyedRandom(0, (1,), 6), "z", 3)
    assert z.isfinite().all()
    assert q.kl().isfinite().all()
    (z.sum() + q.kl().sum()).backward()
    assert raw.grad.isfinite().all()


@every_posterior
def test_draws_are_keyed_and_the_same_for_any_number_of_processes(cls):
    posterior = cls(latent=3)
    raw = outputs(posterior)
    whole = posterior.distribution(raw).sample(KeyedRandom(0, (7,), 6), "z", 2)
    halves = [
        posterior.distribution(raw[rows]).sample(KeyedRandom(0, (7,), 6, rows), "z", 2)
        for rows in (slice(0, 2), slice(2, 6))
    ]
    torch.testing.assert_close(torch.cat(halves, dim=1), whole, rtol=1e-6, atol=1e-6)
    if cls is not POSTERIORS["deterministic"]:
        other = posterior.distribution(raw).sample(KeyedRandom(0, (8,), 6), "z", 2)
        assert not torch.equal(other, whole)
        assert not torch.equal(whole[0], whole[1])


@every_spherical
def test_codes_lie_on_the_sphere(cls):
    posterior = cls(latent=2)
    q = posterior.distribution(outputs(posterior))
    z = q.sample(KeyedRandom(0, (7,), 6), "z", 50)
    prior = posterior.prior(
        torch.cat([torch.randn(9, 3, generator=torch.Generator().manual_seed(0)), torch.zeros(1, 3)])
    )
    for codes in (z, q.mean, prior):
        torch.testing.assert_close(codes.norm(dim=-1), torch.ones(codes.shape[:-1]))
    torch.testing.assert_close(q.prior_log_prob(z[0]), torch.full((6,), -math.log(4 * math.pi)))


def test_a_deterministic_code_has_no_density():
    posterior = POSTERIORS["deterministic"](latent=2)
    q = posterior.distribution(outputs(posterior))
    assert q.kl().abs().sum() == 0
    with pytest.raises(SparringError):
        q.log_prob(q.mean)


@every_posterior
def test_settings(cls):
    posterior = cls(latent=7)
    document = to_json(posterior, ROLES)
    assert POSTERIORS[document["type"]] is cls
    assert from_json(Posterior, document, ROLES) == posterior
    assert isinstance(posterior, Posterior)
    for latent in (0, -1, 10**9):
        with pytest.raises(ConfigError):
            cls(latent=latent)


@every_spherical
def test_the_largest_sphere(cls):
    posterior = cls(latent=MAX_DIMENSION)
    q = posterior.distribution(outputs(posterior))
    assert q.sample(KeyedRandom(0, (7,), 6), "z").isfinite().all()
    assert (q.kl() > 0).all()
