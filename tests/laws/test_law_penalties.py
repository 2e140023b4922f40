"""Closed forms of the penalties: gradients of critics whose gradient is known."""

import pytest
import torch
from torch import nn

from sparring.core.adversarial_batch import PlayerHistory
from sparring.core.errors import ConfigError
from sparring.core.schedule import LinearSchedule
from sparring.parts.augmentation import pack
from sparring.parts.penalties import DRAGAN, R1, R2, GradientPenalty, HistoricalAveraging, WeightClip
from sparring.parts.penalties.dragan import perturb_real
from sparring.parts.penalties.gradient_penalty import interpolate_real_fake
from tests.helpers.law_batch import Critic, batch_of, linear

W = torch.tensor([[[1.0, -2.0], [0.5, 3.0]]])  # |w|^2 = 14.25


def numbers(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def batch_with(critic: nn.Module, **options):
    return batch_of(
        numbers(4, 1, 2, 2), numbers(4, 1, 2, 2, seed=1), critic, needs_input_grad=True, **options
    )


@pytest.mark.parametrize("penalty", [R1, R2])
def test_r1_r2_of_a_linear_critic(penalty):
    value = penalty(gamma=3.0)(batch_with(linear(W)))
    torch.testing.assert_close(value, torch.full((4,), 3.0 / 2 * 14.25))


def test_r1_is_of_real_and_r2_of_generated_samples():
    """D(x) = |x|^2 / 2 has gradient x: R1 is of the real samples, R2 of the generated."""
    batch = batch_with(Critic(lambda f: f.square().sum(1) / 2))
    torch.testing.assert_close(R1(gamma=2.0)(batch), batch.x.flatten(1).square().sum(1))
    torch.testing.assert_close(R2(gamma=2.0)(batch), batch.x_fake.flatten(1).square().sum(1))


def test_r1_gradient_of_the_weights():
    """d/dw gamma/2 |w|^2 = gamma w."""
    w = W.clone().requires_grad_()
    R1(gamma=3.0)(batch_with(linear(w))).mean().backward()
    torch.testing.assert_close(w.grad, 3 * W)


def test_weight_follows_its_schedule():
    gamma = LinearSchedule(start=4.0, end=0.0, duration=100)
    assert R1(gamma=gamma)(batch_with(linear(W), images=50))[0].item() == pytest.approx(14.25)
    assert R1(gamma=gamma)(batch_with(linear(W), images=100))[0].item() == 0


def test_every_is_left_to_the_game():
    batch = batch_with(linear(W))
    torch.testing.assert_close(R1(every=16)(batch), R1()(batch))


@pytest.mark.parametrize("penalty", [GradientPenalty, DRAGAN])
@pytest.mark.parametrize("scale", [0.1, 1.0, 2.0])
def test_gradient_penalties_of_a_linear_critic(penalty, scale):
    """weight (|w| - 1)^2, wherever it is evaluated."""
    w, norm = scale * W, scale * 14.25**0.5
    for seed in range(3):
        value = penalty(weight=5.0)(batch_with(linear(w), seed=seed))
        torch.testing.assert_close(value, torch.full((4,), 5 * (norm - 1) ** 2))
        one_sided = penalty(weight=5.0, one_sided=True)(batch_with(linear(w), seed=seed))
        torch.testing.assert_close(one_sided, torch.full((4,), 5 * max(0.0, norm - 1) ** 2))


@pytest.mark.parametrize("penalty", [GradientPenalty, DRAGAN])
def test_gradient_penalties_pull_the_norm_to_one(penalty):
    """d/dw weight (|w| - 1)^2 = 2 weight (|w| - 1) w / |w|, and it is finite where the gradient is zero."""
    w, norm = W.clone().requires_grad_(), 14.25**0.5
    penalty(weight=5.0)(batch_with(linear(w))).mean().backward()
    torch.testing.assert_close(w.grad, 10 * (norm - 1) * W / norm)
    flat = torch.zeros_like(W, requires_grad=True)
    penalty()(batch_with(linear(flat))).mean().backward()
    assert flat.grad.isfinite().all()


def test_interpolates_lie_on_the_segments():
    batch = batch_with(linear(W))
    mixed = interpolate_real_fake(batch)
    share = (mixed - batch.x_fake) / (batch.x - batch.x_fake)
    torch.testing.assert_close(share, share[:, :, :1, :1].expand_as(share), rtol=1e-3, atol=1e-4)
    assert share.min() >= -1e-4
    assert share.max() <= 1 + 1e-4
    assert share[:, 0, 0, 0].std() > 0.01


def test_perturbations_are_half_a_deviation_wide():
    x = 3 * numbers(64, 1, 8, 8)
    moved = perturb_real(batch_of(x, x, linear(W)), 0.5) - x
    assert moved.min() >= 0
    assert moved.max() <= 0.5 * x.std()
    assert moved.mean().item() == pytest.approx(0.25 * x.std().item(), rel=0.05)


@pytest.mark.parametrize("penalty", [R1(), R2(), GradientPenalty(), DRAGAN()])
def test_packs_have_one_gradient(penalty):
    """Two samples a pack: (b / 2,) values of the gradient with respect to both."""
    w = torch.cat([W, W])
    batch = batch_with(linear(w), augment=lambda samples, stream: pack(samples, 2))
    alone = penalty(batch)
    assert alone.shape == (2,)
    torch.testing.assert_close(
        alone, penalty(batch_of(numbers(2, 2, 2, 2), numbers(2, 2, 2, 2), linear(w), needs_input_grad=True))
    )


def test_historical_averaging_is_the_squared_distance_to_the_past():
    now, past = nn.Linear(2, 1), nn.Linear(2, 1)
    with torch.no_grad():
        for parameter, value in zip(
            [*now.parameters(), *past.parameters()], (3.0, 1.0, 1.0, -1.0), strict=True
        ):
            parameter.fill_(value)
    value = HistoricalAveraging(weight=0.5)(
        batch_of(torch.zeros(3, 2), torch.zeros(3, 2), history=PlayerHistory(now, past))
    )
    torch.testing.assert_close(value, torch.full((3,), 0.5 * (4 + 4 + 4)))
    value.mean().backward()
    torch.testing.assert_close(now.weight.grad, torch.full((1, 2), 2.0))
    assert past.weight.grad is None
    with pytest.raises(ConfigError):
        HistoricalAveraging()(batch_of(torch.zeros(3, 2), torch.zeros(3, 2), history=PlayerHistory(now)))


def test_historical_averaging_damps_a_cycle():
    """On min_a max_b ab gradient steps spiral out; pulled to their running mean they converge."""

    def radius(weight: float) -> float:
        a, b, mean_a, mean_b = 1.0, 1.0, 1.0, 1.0
        for t in range(1, 400):
            pull_a, pull_b = (_pull(weight, now, mean) for now, mean in ((a, mean_a), (b, mean_b)))
            a, b = a - 0.05 * (b + pull_a), b + 0.05 * (a - pull_b)
            mean_a, mean_b = mean_a + (a - mean_a) / (t + 1), mean_b + (b - mean_b) / (t + 1)
        return (a * a + b * b) ** 0.5

    assert radius(0.0) > 2**0.5
    assert radius(1.0) < 1


def _pull(weight: float, now: float, mean: float) -> float:
    player, average = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    nn.init.constant_(player.weight, now)
    nn.init.constant_(average.weight, mean)
    HistoricalAveraging(weight=weight)(
        batch_of(torch.zeros(1, 1), torch.zeros(1, 1), history=PlayerHistory(player, average))
    ).mean().backward()
    return player.weight.grad.item()


def test_weight_clip_clips_all_and_only_what_is_outside():
    net = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 1))
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([[-1.0, 0.004, 0.5]] * 3))
    WeightClip(limit=0.01).apply(net)
    torch.testing.assert_close(net[0].weight.data, torch.tensor([[-0.01, 0.004, 0.01]] * 3))
    assert all(parameter.abs().max() <= 0.01 and parameter.requires_grad for parameter in net.parameters())


def test_settings_out_of_range():
    falling = LinearSchedule(start=1.0, end=-1.0, duration=10)
    bad = [
        lambda: R1(gamma=-1.0),
        lambda: R2(gamma=falling),
        lambda: GradientPenalty(every=0),
        lambda: DRAGAN(noise_scale=-0.5),
        lambda: HistoricalAveraging(weight=float("nan")),
        lambda: WeightClip(limit=-1.0),
    ]
    for make in bad:
        with pytest.raises(ConfigError):
            make()
