"""Closed forms of the objectives: optima, signs, values at equilibrium, the Dirac-GAN's eigenvalues."""

import cmath
import math

import pytest
import torch
import torch.nn.functional as F

from sparring.core.errors import ConfigError, DataError
from sparring.parts.objectives import (
    OBJECTIVES,
    FeatureMatching,
    Hinge,
    LeastSquares,
    Minimax,
    NonSaturating,
    Relativistic,
    Wasserstein,
    auxiliary_fake_loss,
    auxiliary_real_loss,
)
from sparring.parts.penalties import R1, R2
from tests.helpers.law_batch import Critic, batch_of, batch_of_logits, leaf


def best_logit(objective, p: float, q: float) -> float:
    """The logit that minimises p L_real(t) + q L_fake(t), by Newton steps from 0."""
    t = torch.zeros(1, requires_grad=True)
    for _ in range(60):
        none = torch.zeros(1)
        loss = p * objective.discriminator(batch_of_logits(t, none)) + q * objective.discriminator(
            batch_of_logits(none, t)
        )
        (first_derivative,) = torch.autograd.grad(loss, t, create_graph=True)
        (second_derivative,) = torch.autograd.grad(first_derivative, t)
        t = (t - first_derivative / second_derivative).detach().requires_grad_()
    return t.item()


def gradients(objective, real: float, fake: float) -> tuple[float, float, float]:
    """dL_D/d real, dL_D/d fake, dL_G/d fake."""
    r, f = leaf(real), leaf(fake)
    d_real, d_fake = torch.autograd.grad(objective.discriminator(batch_of_logits(r, f)).sum(), (r, f))
    (g_fake,) = torch.autograd.grad(objective.generator(batch_of_logits(r, f)).sum(), f)
    return d_real.item(), d_fake.item(), g_fake.item()


@pytest.mark.parametrize("name", [name for name in OBJECTIVES if name != "feature_matching"])
def test_discriminator_raises_real_lowers_fake_and_generator_raises_fake(name):
    d_real, d_fake, g_fake = gradients(OBJECTIVES[name](), 0.3, 0.2)
    assert d_real < 0 < d_fake
    assert g_fake < 0


@pytest.mark.parametrize(("p", "q"), [(0.5, 0.5), (0.9, 0.1), (0.2, 0.7)])
def test_optimal_discriminator_is_the_density_ratio(p, q):
    want = math.log(p / q)
    for objective in (Minimax(), NonSaturating()):
        assert best_logit(objective, p, q) == pytest.approx(want, abs=1e-5)


@pytest.mark.parametrize(("p", "q"), [(0.5, 0.5), (0.9, 0.1), (0.2, 0.7)])
def test_optimal_least_squares_is_the_weighted_target(p, q):
    objective = LeastSquares(a=-1.0, b=2.0)
    assert best_logit(objective, p, q) == pytest.approx((2 * p - q) / (p + q), abs=1e-5)


def test_smoothing_moves_the_optimum():
    """D* = (1 - s) p / (p + q): without generated mass the logit is that of 1 - s."""
    for objective in (Minimax(smoothing=0.1), NonSaturating(smoothing=0.1)):
        assert best_logit(objective, 1.0, 0.0) == pytest.approx(math.log(0.9 / 0.1), abs=1e-5)
        assert torch.sigmoid(torch.tensor(best_logit(objective, 0.6, 0.4))).item() == pytest.approx(
            0.54, abs=1e-5
        )


def test_values_at_equilibrium():
    even = batch_of_logits(torch.zeros(3), torch.zeros(3))
    two_log_2 = torch.full((3,), 2 * math.log(2))
    torch.testing.assert_close(Minimax().discriminator(even), two_log_2)
    torch.testing.assert_close(Minimax().generator(even), torch.full((3,), -math.log(2)))
    torch.testing.assert_close(NonSaturating().generator(even), torch.full((3,), math.log(2)))
    torch.testing.assert_close(Relativistic().discriminator(even), torch.full((3,), math.log(2)))
    torch.testing.assert_close(Relativistic().generator(even), torch.full((3,), math.log(2)))
    torch.testing.assert_close(Hinge().discriminator(even), torch.full((3,), 2.0))
    torch.testing.assert_close(LeastSquares().discriminator(even), torch.full((3,), 0.5))


def test_cross_entropy_equals_torch():
    real, fake = torch.randn(2, 8, generator=torch.Generator().manual_seed(0)) * 3
    for smoothing in (0.0, 0.1):
        want = F.binary_cross_entropy_with_logits(
            real, torch.full_like(real, 1 - smoothing), reduction="none"
        )
        want = want + F.binary_cross_entropy_with_logits(fake, torch.zeros_like(fake), reduction="none")
        torch.testing.assert_close(
            NonSaturating(smoothing=smoothing).discriminator(batch_of_logits(real, fake)), want
        )


def test_minimax_saturates_where_nonsaturating_does_not():
    lost = gradients(Minimax(), 20.0, -20.0)[2], gradients(NonSaturating(), 20.0, -20.0)[2]
    assert abs(lost[0]) < 1e-8
    assert lost[1] == pytest.approx(-1, abs=1e-6)


def test_minimax_is_zero_sum():
    _, d_fake, g_fake = gradients(Minimax(), 0.4, -1.3)
    assert d_fake == pytest.approx(-g_fake)


def test_hinge_is_flat_outside_its_margin():
    assert gradients(Hinge(), 1.5, -1.5) == (0.0, 0.0, -1.0)
    assert gradients(Hinge(), 0.5, -0.5) == (-1.0, 1.0, -1.0)


def test_wasserstein_is_the_gap():
    real, fake = torch.tensor([1.0, 2.0]), torch.tensor([5.0, -1.0])
    assert Wasserstein().discriminator(batch_of_logits(real, fake)).tolist() == [4.0, -3.0]


def test_relativistic_swaps_players_and_ignores_shifts():
    real, fake = torch.randn(2, 16, generator=torch.Generator().manual_seed(1))
    there, back, shifted = (
        batch_of_logits(real, fake),
        batch_of_logits(fake, real),
        batch_of_logits(real + 5, fake + 5),
    )
    torch.testing.assert_close(Relativistic().discriminator(there), Relativistic().generator(back))
    torch.testing.assert_close(Relativistic().discriminator(there), Relativistic().discriminator(shifted))
    gap = Relativistic().generator(there) - Relativistic().discriminator(there)
    torch.testing.assert_close(gap, real - fake)


def test_feature_matching_is_the_squared_gap_of_means():
    x = torch.randn(6, 3, generator=torch.Generator().manual_seed(2))
    objective, offset = FeatureMatching(), torch.tensor([1.0, 2.0, -2.0])
    torch.testing.assert_close(
        objective.generator(batch_of(x, x.flip(0))), torch.zeros(6), atol=1e-12, rtol=0
    )
    torch.testing.assert_close(objective.generator(batch_of(x, x + offset)), torch.full((6,), 9.0))


def test_feature_matching_descends_to_the_real_mean():
    x, fake = torch.zeros(2, 2), torch.full((2, 2), 3.0, requires_grad=True)
    FeatureMatching().generator(batch_of(x, fake)).mean().backward()
    torch.testing.assert_close(fake.grad, torch.full((2, 2), 3.0))


def test_auxiliary_terms_are_cross_entropy():
    y = torch.tensor([0, 2])
    batch = batch_of(torch.zeros(2, 3), torch.tensor([[9.0, 0.0, 0.0], [9.0, 0.0, 0.0]]), Critic(), y=y)
    torch.testing.assert_close(auxiliary_real_loss(batch), torch.full((2,), math.log(3)))
    normaliser = math.log(math.exp(9) + 2)
    torch.testing.assert_close(auxiliary_fake_loss(batch), torch.tensor([normaliser - 9, normaliser]))
    with pytest.raises(DataError):
        auxiliary_real_loss(batch_of(torch.zeros(2, 3), torch.zeros(2, 3)))


def test_settings_out_of_range():
    for bad in (
        lambda: Minimax(smoothing=0.5),
        lambda: NonSaturating(smoothing=-0.1),
        lambda: LeastSquares(a=1.0),
    ):
        with pytest.raises(ConfigError):
            bad()


def dirac_eigenvalues(objective, penalties) -> list[complex]:
    """Of the Jacobian of gradient descent at the equilibrium: data at 0, G(z) = theta, D(x) = psi x."""
    theta, psi = leaf(0.0), leaf(0.0)
    critic = Critic(lambda f: f[:, 0] * psi)
    batch = batch_of(torch.zeros(1, 1), theta[None] + 0, critic, needs_input_grad=True)
    loss_d = objective.discriminator(batch).mean() + sum(penalty(batch).mean() for penalty in penalties)
    (d_psi,) = torch.autograd.grad(loss_d, psi, create_graph=True)
    (d_theta,) = torch.autograd.grad(objective.generator(batch).mean(), theta, create_graph=True)
    rows = [
        torch.autograd.grad(-d, (theta, psi), retain_graph=True, materialize_grads=True)
        for d in (d_theta, d_psi)
    ]
    jacobian = torch.tensor([[value.item() for value in row] for row in rows], dtype=torch.float64)
    return sorted((complex(e) for e in torch.linalg.eigvals(jacobian)), key=lambda e: (e.real, e.imag))


def predicted(damping: float, rate: float) -> list[complex]:
    """-damping / 2 +- sqrt(damping^2 / 4 - f'(0)^2): Mescheder et al. 2018, sec. 4."""
    root = cmath.sqrt(damping**2 / 4 - rate**2)
    return sorted((-damping / 2 + sign * root for sign in (1, -1)), key=lambda e: (e.real, e.imag))


RATES = [
    ("nonsaturating", 0.5),
    ("minimax", 0.5),
    ("relativistic", 0.5),
    ("wasserstein", 1.0),
    ("hinge", 1.0),
]


@pytest.mark.parametrize(("name", "rate"), RATES)
@pytest.mark.parametrize("gamma", [0.0, 0.25, 3.0])
def test_dirac_gan(name, rate, gamma):
    """Jacobian [[0, f'], [-f', -gamma]]: unregularised it orbits; R1 or R2 damps it, both do twice."""
    objective = OBJECTIVES[name]()
    for penalties, count in (
        ((), 0),
        ((R1(gamma=gamma),), 1),
        ((R2(gamma=gamma),), 1),
        ((R1(gamma=gamma), R2(gamma=gamma)), 2),
    ):
        found = dirac_eigenvalues(objective, penalties)
        assert found == pytest.approx(predicted(gamma * count, rate), abs=1e-6)
        if gamma * count:
            assert max(e.real for e in found) < 0
        else:
            assert [e.real for e in found] == [0, 0]
            assert all(abs(e.imag) > 0.4 for e in found)
