"""Bessel functions against mpmath; distributions on the sphere against their moments, distribution functions and gradients."""

import math

import mpmath
import numpy as np
import pytest
import torch

from sparring.core.errors import ConfigError
from sparring.parts.posteriors import power_spherical, von_mises_fisher
from sparring.parts.posteriors.bessel import bessel_ratio, evaluate_bessel, log_bessel_i
from sparring.parts.posteriors.implicit_reparameterization import quadrature_panels, sample_cosines
from sparring.parts.posteriors.normal import kl_normal_to_standard, kl_normals, normal_log_density
from sparring.parts.posteriors.power_spherical import (
    power_spherical_entropy,
    power_spherical_kl_to_uniform,
    power_spherical_log_density,
    power_spherical_sample,
)
from sparring.parts.posteriors.sphere import householder_reflect, log_surface_area
from sparring.parts.posteriors.von_mises_fisher import vmf_kl_to_uniform, vmf_log_density, vmf_sample

DIMENSIONS = [2, 3, 6, 11, 16, 17, 18, 41, 257, 1024]
KAPPAS = [1e-3, 0.03, 0.7, 3.0, 10.0, 40.0, 300.0, 1e4, 1e5]
SHAPES = {"vmf": von_mises_fisher.vmf_cosine_density, "power": power_spherical.power_spherical_cosine_density}
every_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


def double(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def exact(dimension, kappa):
    """log I_v, I_(v+1) / I_v, its gradient and the KL in 60 digits."""
    with mpmath.workdps(60):
        v, kappa = mpmath.mpf(dimension) / 2 - 1, mpmath.mpf(kappa)
        first, second = (mpmath.besseli(v + k, kappa, maxterms=10**7) for k in (0, 1))
        ratio, log_i = second / first, mpmath.log(first)
        kl = kappa * ratio - log_i - mpmath.loggamma(v + 1) - v * mpmath.log(2 / kappa)
        return log_i, ratio, 1 - ratio**2 - (dimension - 1) / kappa * ratio, kl


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_bessel_functions_are_those_of_mpmath(dimension):
    kappa = double(*KAPPAS).requires_grad_()
    order, references = dimension / 2 - 1, [exact(dimension, value) for value in KAPPAS]
    log_i, ratio, derivative_of_ratio, kl = (
        double(*map(float, column)) for column in zip(*references, strict=True)
    )
    torch.testing.assert_close(log_bessel_i(order, kappa), log_i, rtol=1e-8, atol=1e-9)
    for ours, reference, expected_gradient in (
        (bessel_ratio(order, kappa), ratio, derivative_of_ratio),
        (vmf_kl_to_uniform(kappa, dimension), kl, kappa.detach() * derivative_of_ratio),
    ):
        torch.testing.assert_close(ours, reference, rtol=1e-8, atol=0.0)
        (gradient,) = torch.autograd.grad(ours.sum(), kappa)
        torch.testing.assert_close(gradient, expected_gradient, rtol=1e-7, atol=0.0)


def test_the_kl_vanishes_with_kappa_and_is_finite_far_out():
    kappa = double(0.0, 1e-12, 1e-6, 1e12, 1e100).requires_grad_()
    kl = vmf_kl_to_uniform(kappa, 11)
    kl.sum().backward()
    torch.testing.assert_close(kl[:3], kappa.detach()[:3] ** 2 / 22, rtol=1e-9, atol=0.0)
    assert kl.isfinite().all()
    assert kappa.grad.isfinite().all()
    assert evaluate_bessel(0.0, kappa.detach()[:1]).derivative == 0.5
    with pytest.raises(ConfigError):
        vmf_kl_to_uniform(kappa, 1)


def uniforms(count):
    return ((torch.arange(count, dtype=torch.float64) + 0.5) / count).unsqueeze(0)


@pytest.mark.parametrize("dimension", [2, 3, 6, 11, 41, 257])
@pytest.mark.parametrize("kappa", [0.1, 5.0, 200.0, 1e4])
def test_the_mean_cosine_is_the_bessel_ratio_and_so_is_its_gradient(dimension, kappa):
    """Over evenly spaced uniform numbers the mean is an integral: it errs by little more than 1 / count."""
    kappa = double(kappa).requires_grad_()
    w, sine = sample_cosines(kappa, uniforms(20_000), dimension, von_mises_fisher.vmf_cosine_density)
    values = evaluate_bessel(dimension / 2 - 1, kappa.detach())
    second = 1 - (dimension - 1) / kappa.detach() * values.ratio  # E w^2
    torch.testing.assert_close((1 - w.mean(1)), 1 - values.ratio, rtol=5e-5, atol=1e-12)
    torch.testing.assert_close((sine**2).mean(1), 1 - second, rtol=5e-5, atol=1e-12)
    torch.testing.assert_close(w**2 + sine**2, torch.ones_like(w), rtol=1e-12, atol=0.0)
    (of_w,) = torch.autograd.grad(w.mean(), kappa, retain_graph=True)
    (of_square,) = torch.autograd.grad((w**2).mean(), kappa)
    torch.testing.assert_close(of_w, values.derivative, rtol=2e-3, atol=0.0)
    kappa = kappa.detach()
    second_derivative = (dimension - 1) * (values.ratio / kappa**2 - values.derivative / kappa)
    torch.testing.assert_close(of_square, second_derivative, rtol=2e-3, atol=1e-9)


@every_shape
@pytest.mark.parametrize("dimension", [2, 3, 11, 129])
@pytest.mark.parametrize("kappa", [0.5, 20.0, 3000.0])
def test_each_draw_moves_as_it_does_when_drawn_anew(shape, dimension, kappa):
    """The gradient is that of the inverse distribution function: against a difference quotient, sample by sample."""
    uniform, step = double(1e-3, 0.05, 0.3, 0.5, 0.8, 0.99, 0.9999).unsqueeze(0), 1e-4 * kappa
    kappa = double(kappa).requires_grad_()
    w, sine = sample_cosines(kappa, uniform, dimension, shape)
    for number, values in enumerate((w, sine)):
        analytic = [torch.autograd.grad(value, kappa, retain_graph=True)[0] for value in values[0]]
        above, below = (
            sample_cosines(kappa.detach() + way, uniform, dimension, shape)[number] for way in (step, -step)
        )
        numeric = ((above - below) / (2 * step))[0]
        torch.testing.assert_close(
            torch.cat(analytic), numeric, rtol=1e-3, atol=1e-3 * float(numeric.abs().max())
        )


@pytest.mark.parametrize("kappa", [0.01, 1.0, 30.0, 1e4])
def test_on_the_ball_the_distribution_function_is_exponential(kappa):
    """m = 3: F(w) = (exp(kappa (w - 1)) - exp(-2 kappa)) / (1 - exp(-2 kappa))."""
    uniform = uniforms(999)
    w, _ = sample_cosines(double(kappa), uniform, 3, von_mises_fisher.vmf_cosine_density)
    found = (torch.exp(kappa * (w - 1)) - math.exp(-2 * kappa)) / -math.expm1(-2 * kappa)
    torch.testing.assert_close(found, uniform, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("kappa", [0.3, 4.0, 100.0])
def test_power_spherical_on_the_ball(kappa):
    """m = 3: (1 + w) / 2 is Beta(1 + kappa, 1): F(w) = ((1 + w) / 2)^(1 + kappa)."""
    uniform = uniforms(999)
    w, _ = sample_cosines(double(kappa), uniform, 3, power_spherical.power_spherical_cosine_density)
    torch.testing.assert_close(((1 + w) / 2) ** (1 + kappa), uniform, rtol=1e-5, atol=1e-7)


def integral(dimension, function):
    """Of a function of w over the sphere: by the angle, with Gauss-Legendre quadrature in pieces."""
    nodes, weights = np.polynomial.legendre.leggauss(40)
    pieces = np.linspace(0, math.pi, 41)
    angle = torch.tensor((pieces[:-1, None] + (nodes + 1) / 2 * math.pi / 40).ravel())
    area = math.exp(log_surface_area(dimension - 1)) if dimension > 2 else 2.0
    weight = torch.tensor(np.tile(weights * math.pi / 80, 40)) * area * angle.sin() ** (dimension - 2)
    return float((function(angle.cos(), angle.sin()) * weight).sum())


@pytest.mark.parametrize("dimension", [2, 3, 11])
@pytest.mark.parametrize("kappa", [0.2, 8.0, 90.0])
def test_densities_integrate_to_one_and_give_the_kl(dimension, kappa):
    mean = torch.eye(dimension, dtype=torch.float64)[:1]
    for log_density, kl in (
        (vmf_log_density, vmf_kl_to_uniform),
        (power_spherical_log_density, power_spherical_kl_to_uniform),
    ):

        def log_q(w, sine, log_density=log_density):
            z = torch.nn.functional.pad(torch.stack([w, sine], 1), (0, dimension - 2))
            return log_density(z.unsqueeze(1), mean, double(kappa)).squeeze(1)

        def ratio(w, sine, log_q=log_q):
            value = log_q(w, sine)
            return value.exp() * (value + log_surface_area(dimension))

        assert integral(dimension, lambda w, sine, log_q=log_q: log_q(w, sine).exp()) == pytest.approx(
            1, rel=1e-7
        )
        assert integral(dimension, ratio) == pytest.approx(float(kl(double(kappa), dimension)), rel=1e-5)


def test_power_spherical_at_zero_is_uniform():
    assert power_spherical_entropy(double(0.0), 7).item() == pytest.approx(log_surface_area(7), rel=1e-12)


@every_shape
def test_any_dimension_and_concentration_can_be_drawn(shape):
    for dimension in (2, 5, 1024, 4097):
        kappa = double(0.0, 1e-9, 1.0, 1e5, 1e12).requires_grad_()
        w, sine = sample_cosines(kappa, double(1e-14, 0.5, 1 - 1e-14).expand(5, 3), dimension, shape)
        (w + sine).sum().backward()
        assert w.isfinite().all()
        assert (w.diff(dim=1) >= 0).all()
        assert (w.abs() <= 1 + 1e-15).all()
        assert kappa.grad.isfinite().all()
    assert (
        quadrature_panels(2, torch.device("cpu")).tau.shape
        == quadrature_panels(4097, torch.device("cpu")).tau.shape
    )


def units(*shape, seed=0):
    noise = torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return torch.nn.functional.normalize(noise, dim=-1)


def test_the_reflection_is_orthogonal_and_brings_the_first_axis_to_the_mean():
    axis = torch.eye(5, dtype=torch.float64)
    near = torch.nn.functional.normalize(axis[:1] + 1e-9 * axis[1:2], dim=1)
    mean = torch.cat([units(20, 5), axis, -axis, near, -near])
    images = householder_reflect(axis.unsqueeze(1).expand(-1, len(mean), -1), mean)  # (5, b, 5): of each axis
    torch.testing.assert_close(images[0], mean, rtol=0, atol=1e-14)
    products = torch.einsum("ibk,jbk->bij", images, images)
    torch.testing.assert_close(products, axis.expand_as(products), rtol=0, atol=1e-14)


@pytest.mark.parametrize("sampler", [vmf_sample, power_spherical_sample])
@pytest.mark.parametrize("dimension", [2, 3, 11])
def test_draws_have_length_one_and_the_right_mean_and_gradient(sampler, dimension):
    """d E[<c, z>] / d mean = E[w] c for vMF and any direction c: the reflection's own gradient included."""
    rng, count = torch.Generator().manual_seed(dimension), 20_000
    mean, c = units(1, dimension, seed=4).requires_grad_(), units(dimension, seed=5)
    kappa, noise = double(6.0), torch.randn(1, count, dimension - 1, generator=rng, dtype=torch.float64)
    z = sampler(torch.nn.functional.normalize(mean, dim=1), kappa, uniforms(count), noise)
    torch.testing.assert_close(z.norm(dim=-1), torch.ones(count, 1).double(), rtol=0, atol=1e-12)
    w = (z * mean).sum(-1).mean().detach()
    torch.testing.assert_close(z.mean(0), w * mean, rtol=0, atol=4 / math.sqrt(count))
    (gradient,) = torch.autograd.grad((z @ c).mean(), mean)
    tangent = c - (c @ mean[0]) * mean[0]
    torch.testing.assert_close(gradient[0], (w * tangent).detach(), rtol=0, atol=4 / math.sqrt(count))


def test_normals():
    mean, log_std = torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    other, other_log_std = torch.zeros(2, 4, 3, dtype=torch.float64)
    torch.testing.assert_close(
        kl_normals(mean, log_std, other, other_log_std), kl_normal_to_standard(mean, log_std)
    )
    assert kl_normals(mean, log_std, mean, log_std).abs().max() == 0
    reference = torch.distributions.Normal(mean, log_std.exp())
    expected = torch.distributions.kl_divergence(reference, torch.distributions.Normal(other, 1.0)).sum(-1)
    torch.testing.assert_close(kl_normal_to_standard(mean, log_std), expected)
    torch.testing.assert_close(
        normal_log_density(other + 0.3, mean, log_std), reference.log_prob(other + 0.3).sum(-1)
    )
