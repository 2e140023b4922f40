"""Closed forms of adaptive augmentation: what each transform does, how often, and how the controller moves."""

import math

import pytest
import torch
import torch.nn.functional as F

from sparring.core.errors import ConfigError
from sparring.core.interfaces import LogitScale
from sparring.core.rng import KeyedRandom
from sparring.core.schedule import LinearSchedule
from sparring.core.transparency import premultiply
from sparring.parts.augmentation import ADA
from sparring.parts.augmentation.colour_matrix import colour_matrices, recolour
from sparring.parts.augmentation.geometry import (
    in_float32,
    move_pixels,
    on_all_rows,
    on_selected_rows,
    rotation,
    warp,
)
from sparring.parts.augmentation.image_transforms import COLOUR, GEOMETRY, transform_images
from sparring.parts.objectives import LeastSquares, NonSaturating, Relativistic
from tests.helpers.law_batch import batch_of_logits

ALL = (*GEOMETRY, *COLOUR)
SHAPES = [(1, 9, 9), (2, 8, 6), (3, 8, 8), (3, 7, 12), (4, 6, 6), (6, 8, 8)]


def numbers(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def draws(total: int, seed: int = 0) -> KeyedRandom:
    return KeyedRandom(seed, (0, 0, 0), total)


def at(probability: float, **settings) -> ADA:
    return ADA(initial_probability=probability, max_probability=1.0, **settings)


def all_rows(x, rng, stream, probability, **settings):
    """`transform_images` as on an accelerator, without a branch."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sparring.parts.augmentation.image_transforms.on_selected_rows", on_all_rows)
        return transform_images(x, rng, stream, torch.tensor(probability), **settings)


@pytest.mark.parametrize("shape", SHAPES)
def test_identity_at_probability_0(shape):
    x = numbers(4, *shape)
    assert at(0.0, transforms=ALL)(x, draws(4), "real", 0) is x
    tiny = 1e-30  # the whole path, of which nothing is chosen
    shares = dict.fromkeys(ALL, 1.0)
    for apply in (all_rows, transform_images):
        probability = tiny if apply is all_rows else torch.tensor(tiny)
        assert torch.equal(apply(x, draws(4), "real", probability, shares=shares, strength=1.0), x)


@pytest.mark.parametrize("shape", SHAPES)
def test_each_image_is_transformed_at_probability_1(shape):
    x = numbers(64, *shape)
    out = at(1.0, transforms=ALL)(x, draws(64), "real", 0)
    assert (out != x).flatten(1).any(1).all()
    assert (out.shape, out.dtype) == (x.shape, x.dtype)


def test_each_image_is_left_with_its_probability():
    """At p, an image escapes n independent transforms with (1 - p)^n; colours with (1 - share p) each; a turn with 1 - p."""
    x = numbers(2_000, 1, 6, 6)
    cases = {
        ("scale",): 1 - 0.3,
        ("rotation",): 1 - 0.3,
        ("scale", "stretch"): (1 - 0.3) ** 2,
        ("brightness", "contrast"): (1 - 0.15) ** 2,
        ("flip",): 1 - 0.3 / 2,
        ("scale", "brightness"): (1 - 0.3) * (1 - 0.15),
    }
    for transforms, escape in cases.items():
        out = at(0.3, transforms=transforms, colour_share=0.5)(x, draws(2_000), "real", 0)
        left = (out == x).flatten(1).all(1).float().mean().item()
        assert left == pytest.approx(escape, abs=0.03), transforms


def test_real_and_fake_are_transformed_alike():
    """The moments of T(x) agree between the streams, and no image gets the same numbers in both."""
    x = numbers(1, 3, 8, 8).expand(6_000, -1, -1, -1)
    real, fake = (at(0.8, transforms=ALL)(x, draws(6_000), stream, 0) for stream in ("real", "fake"))
    assert not torch.equal(real, fake)
    for moment in (1, 2):
        a, b = real.pow(moment), fake.pow(moment)
        error = ((a.var(0) + b.var(0)) / 6_000).sqrt()
        assert ((a.mean(0) - b.mean(0)).abs() / error).max() < 4.5  # 192 values


@pytest.mark.parametrize("probability", [0.3, 1.0])
def test_selecting_rows_and_computing_all_are_the_same(probability):
    x, shares = numbers(24, 4, 8, 8), dict.fromkeys(ALL, 1.0)
    options = {"shares": shares, "strength": 1.0}
    some = transform_images(x, draws(24), "real", torch.tensor(probability), **options)
    torch.testing.assert_close(some, all_rows(x, draws(24), "real", probability, **options))


def test_a_process_augments_its_rows_as_the_whole_would():
    x = numbers(8, 3, 16, 16)
    part = at(0.7)(x[2:5], KeyedRandom(0, (0, 0, 0), 8, slice(2, 5)), "real", 0)
    torch.testing.assert_close(part, at(0.7)(x, draws(8), "real", 0)[2:5])


def test_leaving_a_transform_out_changes_no_other():
    x = numbers(32, 3, 8, 8)
    one = at(0.6, transforms=("scale",))(x, draws(32), "real", 0)
    both = at(0.6, transforms=("scale", "hue"))(x, draws(32), "real", 0)
    same = (both == one).flatten(1).all(1)
    assert 0.5 < same.float().mean() < 0.9  # all but those whose hue is turned, with 0.3


def moves(*rows) -> torch.Tensor:
    return torch.tensor(rows)


def test_moves_are_exact():
    x = numbers(6, 2, 5, 5)
    out = move_pixels(
        x, moves([0, 0, 0, 0], [0, 1, 0, 0], [1, 0, 0, 0], [2, 0, 0, 0], [3, 0, 0, 0], [0, 0, 1, -2])
    )
    assert torch.equal(out[0], x[0])
    assert torch.equal(out[1], x[1].flip(2))
    quarter, three = out[2], out[4]
    assert torch.equal(out[3], x[3].flip(1, 2))
    assert {torch.equal(quarter, torch.rot90(x[2], k, (1, 2))) for k in (1, 3)} == {True, False}
    assert torch.equal(quarter, torch.rot90(x[2], 1, (1, 2))) == torch.equal(
        three, torch.rot90(x[4], 3, (1, 2))
    )
    padded = F.pad(x[5:], (2, 2, 2, 2), mode="replicate")[
        0
    ]  # reflected at the border: one line is its repetition
    assert torch.equal(out[5, :, 1:, :3], x[5, :, :4, 2:])
    assert torch.equal(out[5, :, 0, :3], padded[:, 1, 4:7])
    assert torch.equal(out[5, :, :, 3], torch.cat([x[5, :, :1, 4], x[5, :, :4, 4]], 1))
    assert torch.equal(out[5, :, :, 4], torch.cat([x[5, :, :1, 3], x[5, :, :4, 3]], 1))


def test_moves_of_an_image_that_is_not_square():
    x = numbers(2, 3, 4, 6)
    out = move_pixels(x, moves([2, 1, 0, 0], [0, 1, 0, 3]))
    assert torch.equal(out[0], x[0].flip(1))
    assert torch.equal(out[1][:, :, 3:], x[1].flip(2)[:, :, :3])
    turned = at(1.0, transforms=("rotate90",))(x.repeat(20, 1, 1, 1), draws(40), "real", 0)
    half = x.flip(2, 3)
    for i in range(40):
        assert torch.equal(turned[i], x[i % 2]) or torch.equal(turned[i], half[i % 2])


def test_translation_reaches_an_eighth_and_no_further():
    x = torch.zeros(2000, 1, 16, 40)
    x[:, :, 8, 20] = 1
    moved = at(1.0, transforms=("translation",))(x, draws(2000), "real", 0)
    places = {(int(r), int(c)) for _, _, r, c in moved.nonzero()}
    assert places == {(8 + r, 20 + c) for r in range(-2, 3) for c in range(-5, 6)}


def test_warps_are_the_rotations_and_mirrorings_that_need_no_interpolation():
    x = numbers(4, 3, 7, 7)
    angles = torch.tensor([0.0, math.pi / 2, math.pi, -math.pi / 2])
    out = warp(x, rotation(angles))
    for image, turned, quarter in zip(x, out, (0, 1, 2, -1), strict=True):
        torch.testing.assert_close(turned, torch.rot90(image, quarter, (1, 2)), atol=1e-5, rtol=1e-5)
    wide = numbers(1, 1, 4, 10)
    mirror = torch.tensor([[[-1.0, 0.0], [0.0, 1.0]]])
    torch.testing.assert_close(warp(wide, mirror), wide.flip(3), atol=1e-5, rtol=1e-5)


def test_a_rotation_of_a_wide_image_keeps_shapes():
    """A disc stays a disc of the same area where the image is twice as wide as high."""
    y, x = torch.meshgrid(torch.arange(32.0) - 15.5, torch.arange(64.0) - 31.5, indexing="ij")
    near = x.square() + y.square() < 15**2
    disc = ((12 - (x.square() + y.square()).sqrt()) / 4).clamp(0, 1)[None, None]
    for angle in (0.4, 1.2, 2.0):
        turned = warp(disc, rotation(torch.tensor([angle])))
        assert ((turned - disc)[0, 0][near].abs() < 0.06).all()


def test_scale_and_stretch_have_their_deviations():
    """The size of a blob: its area grows by the scale squared; a stretch leaves the area."""
    y, x = torch.meshgrid(torch.arange(64.0) - 31.5, torch.arange(64.0) - 31.5, indexing="ij")
    blob = torch.exp(-(x.square() + y.square()) / 50)[None, None].expand(1500, -1, -1, -1)
    area = blob[0].sum()
    for name, deviation in (("scale", 2 * 0.2), ("stretch", 0.0)):
        out = at(1.0, transforms=(name,))(blob, draws(1500), "real", 0)
        logs = (out.sum((1, 2, 3)) / area).log2()
        assert logs.std().item() == pytest.approx(deviation, abs=0.02)
        assert logs.mean().item() == pytest.approx(0, abs=0.04)


def maps(channels: int, rows: int = 5, **changes) -> torch.Tensor:
    one = torch.ones(rows, dtype=torch.float64)
    settings = {"brightness": 0 * one, "contrast": one, "luma": one, "hue": 0 * one, "saturation": one}
    return colour_matrices(channels, **(settings | {name: one * value for name, value in changes.items()}))


@pytest.mark.parametrize("channels", [1, 3, 6])
def test_colour_maps_keep_grey_grey(channels):
    grey = numbers(5, 1, 4, 4).double().expand(-1, channels, -1, -1)
    wild = maps(channels, brightness=0.3, contrast=1.7, luma=-1, hue=2.0, saturation=0.2)
    torch.testing.assert_close(recolour(grey, wild), -1.7 * (grey + 0.3))
    calm = maps(channels, hue=2.0, saturation=0.2)
    torch.testing.assert_close(recolour(grey, calm), grey)
    x = numbers(5, channels, 4, 4).double()
    torch.testing.assert_close(recolour(x, maps(channels)), x)
    torch.testing.assert_close(recolour(x, calm).mean(1), x.mean(1))


def test_hue_turns_the_colours():
    """By a third of a turn the channels change places; any turn keeps the distance from grey."""
    x = numbers(5, 3, 4, 4).double()
    torch.testing.assert_close(recolour(x, maps(3, hue=2 * math.pi / 3)), x.roll(1, 1))
    turned = recolour(x, maps(3, hue=1.0))
    spread = lambda image: (image - image.mean(1, keepdim=True)).square().sum(1)  # noqa: E731
    torch.testing.assert_close(spread(turned), spread(x))
    torch.testing.assert_close(spread(recolour(x, maps(3, saturation=3.0))), 9 * spread(x))


def test_colour_strengths_have_their_deviations():
    x = torch.zeros(4_000, 3, 2, 2)
    bright = at(1.0, transforms=("brightness",), colour_share=1.0)(x, draws(4_000), "real", 0)[:, 0, 0, 0]
    assert (bright.mean().item(), bright.std().item()) == pytest.approx((0, 0.2), abs=0.01)
    grey = at(1.0, transforms=("contrast",), colour_share=1.0)(x + 1, draws(4_000), "real", 0)[
        :, 0, 0, 0
    ].log2()
    assert (grey.mean().item(), grey.std().item()) == pytest.approx((0, 0.5), abs=0.02)
    red = torch.tensor([1.0, -0.5, -0.5]).view(1, 3, 1, 1).expand(4_000, -1, 2, 2)
    colours = at(1.0, transforms=("saturation",), colour_share=1.0)(red, draws(4_000), "real", 0)[:, 0, 0, 0]
    assert (colours.log2().mean().item(), colours.log2().std().item()) == pytest.approx((0, 1), abs=0.05)


@pytest.mark.parametrize("channels", [2, 4])
def test_alpha_is_moved_but_not_coloured(channels):
    x = numbers(6, channels, 8, 8)
    out = at(1.0, transforms=COLOUR, colour_share=1.0)(x, draws(6), "real", 0)
    assert torch.equal(out[:, -1], x[:, -1])
    assert (out[:, :-1] != x[:, :-1]).flatten(1).any(1).all()
    moved = at(1.0, transforms=("scale", "rotation"))(x, draws(6), "real", 0)
    assert (moved[:, -1] != x[:, -1]).flatten(1).any(1).all()


def test_strength_scales_the_ranges():
    x = numbers(8, 3, 8, 8)
    names = tuple(name for name in ALL if name not in ("flip", "rotate90", "luma_flip"))
    still = at(1.0, transforms=names, strength=LinearSchedule(start=1.0, end=0.0, duration=100))
    torch.testing.assert_close(still(x, draws(8), "real", 100), x, atol=1e-5, rtol=1e-5)
    assert torch.equal(still(x, draws(8), "real", 0), at(1.0, transforms=names)(x, draws(8), "real", 0))


@pytest.mark.parametrize("apply", [on_selected_rows, on_all_rows])
def test_gradients_of_gradients(apply):
    """In float64, of the whole chain of transforms and a nonlinear function after it."""
    x = numbers(2, 3, 4, 3).double().requires_grad_()

    def transformed(images):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sparring.parts.augmentation.image_transforms.on_selected_rows", apply)
            return at(0.8, transforms=ALL, colour_share=1.0)(images, draws(2), "fake", 0).pow(3)

    assert torch.autograd.gradcheck(transformed, x, fast_mode=True)
    assert torch.autograd.gradgradcheck(transformed, x, fast_mode=True)


def test_warps_and_colours_are_computed_in_float32_under_autocast():
    x = numbers(6, 3, 8, 8)
    plain = at(1.0)(x, draws(6), "real", 0)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(at(1.0)(x, draws(6), "real", 0), plain)
        low = at(1.0)(x.bfloat16(), draws(6), "real", 0)
    assert low.dtype == torch.bfloat16
    torch.testing.assert_close(low.float(), plain, atol=0.05, rtol=0.05)
    seen = []
    in_float32(lambda images, _: (seen.append(images.dtype), images)[1])(x.bfloat16(), x)
    assert seen == [torch.float32]


def steps(state, real: float, fake: float, count: int, rows: int = 8) -> list[float]:
    """p after each of some steps with these logits."""
    found = []
    for _ in range(count):
        logits = torch.full((rows,), real), torch.full((rows,), fake)
        state.observe(batch_of_logits(*logits))
        state.update()
        found.append(float(state.p))
    return found


def test_the_controller_rises_and_falls_by_its_rate():
    state = ADA(adjust_images=320, interval=4).build_state(LogitScale(0.0))
    sure = steps(state, 2.0, -2.0, 12)
    assert sure == pytest.approx([0, 0, 0, 0.1, 0.1, 0.1, 0.1, 0.2, 0.2, 0.2, 0.2, 0.3])
    assert steps(state, 2.0, -2.0, 400)[-1] == pytest.approx(0.8)
    lost = steps(state, -2.0, -2.0, 8)
    assert lost == pytest.approx([0.8, 0.8, 0.8, 0.7, 0.7, 0.7, 0.7, 0.6])
    assert steps(state, -2.0, -2.0, 400)[-1] == 0.0


def test_the_controller_never_leaves_its_range():
    state = ADA(adjust_images=50, interval=1, initial_probability=0.2, max_probability=0.5).build_state(
        LogitScale(0.0)
    )
    signs = torch.randn(300, generator=torch.Generator().manual_seed(0)).sign().tolist()
    found = [steps(state, sign, -1.0, 1)[0] for sign in signs]
    assert (min(found), max(found)) == (0.0, 0.5)


def test_the_target_is_the_mean_sign():
    """With 80 % of the real samples on the right side r is 0.6."""
    logits = torch.tensor([1.0] * 85 + [-1.0] * 15)
    for target, rises in ((0.6, True), (0.75, False)):
        state = ADA(interval=1, initial_probability=0.4, target=target).build_state(LogitScale(0.0))
        logs = state.observe(batch_of_logits(logits, -logits))
        assert float(logs["ada_r"]) == pytest.approx(0.7)
        state.update()
        assert (float(state.p) > 0.4) == rises


@pytest.mark.parametrize(
    ("objective", "real", "fake", "r"),
    [
        (NonSaturating(), 0.4, 0.3, 1.0),
        (LeastSquares(), 0.4, 0.3, -1.0),  # undecided at 0.5
        (Relativistic(), -7.0, -8.0, 1.0),  # only the difference counts
    ],
)
def test_signs_count_from_where_the_objective_is_undecided(objective, real, fake, r):
    state = ADA(interval=1).build_state(objective.logit_scale)
    logs = state.observe(batch_of_logits(torch.full((4,), real), torch.full((4,), fake)))
    assert float(logs["ada_r"]) == r


def test_micro_batches_count_as_one_batch():
    whole, parts = (ADA(interval=1, adjust_images=100).build_state(LogitScale(0.0)) for _ in range(2))
    logits = torch.tensor([1.0, 1, 1, 1, 1, 1, 1, 1, -1, -1])
    whole.observe(batch_of_logits(logits, logits))
    for part in (logits[:3], logits[3:]):
        parts.observe(batch_of_logits(part, part))
    for state in (whole, parts):
        state.update()
    assert float(whole.p) == float(parts.p)


def test_settings_out_of_range():
    bad = [
        lambda: ADA(transforms=("flip", "flip")),
        lambda: ADA(initial_probability=0.9),
        lambda: ADA(max_probability=1.1),
        lambda: ADA(initial_probability=-0.1),
        lambda: ADA(target=1.0),
        lambda: ADA(colour_share=2.0),
        lambda: ADA(strength=1.5),
        lambda: ADA(adjust_images=0),
        lambda: ADA(interval=0),
        lambda: ADA()(numbers(4, 2), draws(4), "real", 0),
    ]
    for make in bad:
        with pytest.raises(ConfigError):
            make()


def test_transparent_pixels_stay_without_colour():
    torch.manual_seed(0)
    x = premultiply(torch.cat([2 * torch.rand(64, 3, 6, 6) - 1, torch.full((64, 1, 6, 6), -1.0)], 1))
    x[:, 3, :, :3] = 1.0
    colours = ("brightness", "contrast", "saturation")
    y = ADA(transforms=colours, initial_probability=1.0, max_probability=1.0, colour_share=1.0)(
        x, KeyedRandom(0, (0,), 64), "real", 0
    )
    assert (y != x).flatten(1).any(1).all()
    assert not y[:, :3, :, 3:].any()
    torch.testing.assert_close(y[:, 3], x[:, 3])
