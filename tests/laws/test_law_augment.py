"""Closed forms of the augmentations: what moves, by how much, and what stays."""

import pytest
import torch
import torch.nn.functional as F

from sparring.core.errors import ConfigError
from sparring.core.rng import KeyedRandom
from sparring.core.schedule import LinearSchedule
from sparring.parts.augmentation import DiffAugment, InstanceNoise, pack
from sparring.parts.augmentation.diffaugment import colour, cutout, shift, translation


def numbers(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def draws(total: int, seed: int = 0) -> KeyedRandom:
    return KeyedRandom(seed, (0, 0, 0), total)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 6])
def test_zero_strength_is_the_identity(channels):
    x = numbers(3, channels, 9, 7)
    assert torch.equal(DiffAugment(strength=0.0)(x, draws(3), "real", 0), x)
    assert torch.equal(DiffAugment(policy=())(x, draws(3), "real", 0), x)
    assert not torch.equal(DiffAugment()(x, draws(3), "real", 0), x)


def test_strength_is_annealed():
    x, fading = numbers(3, 3, 8, 8), DiffAugment(strength=LinearSchedule(start=1.0, end=0.0, duration=100))
    assert torch.equal(fading(x, draws(3), "real", 0), DiffAugment()(x, draws(3), "real", 0))
    assert torch.equal(fading(x, draws(3), "real", 100), x)


def test_shift_moves_exactly():
    x = numbers(5, 3, 6, 9)
    down, right = torch.tensor([0, 2, -3, 6, 1]), torch.tensor([0, -4, 1, 0, 8])
    moved = shift(x, down, right)
    for i, (d, r) in enumerate(zip(down.tolist(), right.tolist(), strict=True)):
        padded = F.pad(x[i], (9, 9, 6, 6))
        assert torch.equal(moved[i], padded[:, 6 - d : 12 - d, 9 - r : 18 - r])


def test_translation_reaches_an_eighth_and_no_further():
    """A bright pixel in the middle of 16 x 40 lands within 2 rows and 5 columns, on each of them."""
    x = torch.zeros(1000, 1, 16, 40)
    x[:, :, 8, 20] = 1
    moved = translation(x, draws(1000).uniform("t", 3), 1.0)
    places = {(int(r), int(c)) for _, _, r, c in moved.nonzero()}
    assert places == {(8 + r, 20 + c) for r in range(-2, 3) for c in range(-5, 6)}


def test_cutout_removes_half_the_sides():
    whole = cutout(torch.ones(500, 1, 8, 12), torch.full((500, 3), 0.5), 1.0)
    assert (whole == 0).sum((1, 2, 3)).tolist() == [4 * 6] * 500
    holes = cutout(torch.ones(500, 1, 8, 12), draws(500).uniform("c", 3), 1.0) == 0
    assert holes.any(0).all()
    cut = holes.sum((1, 2, 3))
    assert cut.max() == 24
    assert cut.min() == 2 * 3  # the centre in a corner


def test_colour_ranges():
    """Numbers of 1/2 change nothing; at the ends brightness moves by 1/2, and means obey their formulas."""
    x = numbers(2, 3, 4, 4)
    assert torch.equal(colour(x, torch.full((2, 3), 0.5), 1.0), x)
    torch.testing.assert_close(
        colour(x, torch.tensor([[0.0, 0.5, 0.5], [1.0, 0.5, 0.5]]), 1.0),
        x + torch.tensor([-0.5, 0.5]).view(2, 1, 1, 1),
    )
    grey = colour(x, torch.tensor([[0.5, 0.0, 0.5]] * 2), 1.0)
    torch.testing.assert_close(grey, x.mean(1, keepdim=True).expand_as(x))
    flat = colour(x, torch.tensor([[0.5, 0.5, 0.0]] * 2), 1.0)
    mean = x.mean((1, 2, 3), keepdim=True)
    torch.testing.assert_close(flat, (x + mean) / 2)


@pytest.mark.parametrize("channels", [2, 4])
def test_alpha_is_moved_but_not_coloured(channels):
    x = numbers(2, channels, 8, 8)
    out = DiffAugment(policy=("colour",))(x, draws(2), "real", 0)
    assert torch.equal(out[:, -1], x[:, -1])
    assert not torch.equal(out[:, :-1], x[:, :-1])
    assert not torch.equal(translation(x, torch.zeros(2, 3), 1.0)[:, -1], x[:, -1])


def test_gradients_are_those_of_a_linear_map():
    """The transform is affine in x for fixed draws: <T(x + v) - T(x), u> = <v, T'^T u>."""
    x, v, u = (numbers(3, 3, 9, 7, seed=seed) for seed in range(3))

    def transform(samples):
        return DiffAugment()(samples, draws(3), "fake", 0)

    x.requires_grad_()
    (back,) = torch.autograd.grad((transform(x) * u).sum(), x)
    torch.testing.assert_close(
        (back * v).sum(), ((transform(x + v) - transform(x)) * u).sum(), rtol=1e-4, atol=1e-4
    )


def test_gradients_of_gradients_flow():
    x = numbers(3, 3, 9, 7).requires_grad_()
    (gradient,) = torch.autograd.grad(
        DiffAugment()(x, draws(3), "real", 0).pow(3).sum(), x, create_graph=True
    )
    (again,) = torch.autograd.grad(gradient.square().sum(), x)
    assert again.isfinite().all()
    assert again.abs().max() > 0


def test_real_and_fake_draw_apart_and_each_again_the_same():
    x = numbers(8, 3, 16, 16)
    for augment in (DiffAugment(), InstanceNoise()):
        real = augment(x, draws(8), "real", 0)
        assert torch.equal(real, augment(x, draws(8), "real", 0))
        assert not torch.equal(real, augment(x, draws(8), "fake", 0))


def test_a_process_augments_its_rows_as_the_whole_would():
    x = numbers(8, 3, 16, 16)
    for augment in (DiffAugment(), InstanceNoise()):
        part = augment(x[2:5], KeyedRandom(0, (0, 0, 0), 8, slice(2, 5)), "real", 0)
        torch.testing.assert_close(part, augment(x, draws(8), "real", 0)[2:5])


def test_instance_noise_has_its_deviation():
    noise = InstanceNoise(sigma=LinearSchedule(start=0.4, end=0.0, duration=100))
    x = torch.zeros(16, 3, 32, 32)
    for images, sigma in ((0, 0.4), (50, 0.2)):
        assert noise(x, draws(16), "real", images).std().item() == pytest.approx(sigma, rel=0.02)
    assert noise(x, draws(16), "real", 100) is x


def test_packing_keeps_every_sample_in_order():
    x = numbers(6, 3, 4, 5)
    packs = pack(x, 2)
    assert packs.shape == (3, 6, 4, 5)
    for i in range(6):
        assert torch.equal(packs[i // 2, 3 * (i % 2) : 3 * (i % 2) + 3], x[i])
    assert pack(numbers(6, 2), 3).shape == (2, 6)
    assert torch.equal(pack(x, 1), x)


def test_packing_a_batch_that_packs_do_not_divide():
    with pytest.raises(ConfigError, match="packs of 4"):
        pack(numbers(6, 2), 4)


def test_settings_out_of_range():
    bad = [
        lambda: DiffAugment(policy=("colour", "colour")),
        lambda: DiffAugment(strength=1.5),
        lambda: InstanceNoise(sigma=-0.1),
        lambda: DiffAugment()(numbers(4, 2), draws(4), "real", 0),
    ]
    for make in bad:
        with pytest.raises(ConfigError):
            make()
