"""Laws of the clock and of keyed randomness."""

import math

import pytest
import torch

from sparring.core.errors import ConfigError
from sparring.core.rng import KeyedRandom, derive_seed, make_generator, sample_latents
from sparring.core.schedule import SCHEDULES, CosineSchedule, GeometricSchedule, LinearSchedule, value_at


@pytest.mark.parametrize("kind", SCHEDULES.values())
def test_schedules_hold_their_ends(kind):
    schedule = kind(start=4.0, end=0.25, duration=1000, delay=500)
    assert [value_at(schedule, images) for images in (0, 500)] == [4.0, 4.0]
    assert [value_at(schedule, images) for images in (1500, 10**12)] == pytest.approx([0.25, 0.25], rel=1e-12)


@pytest.mark.parametrize("kind", SCHEDULES.values())
def test_schedules_fall_without_a_rise(kind):
    schedule = kind(start=4.0, end=0.25, duration=1000)
    values = [value_at(schedule, images) for images in range(0, 1001, 50)]
    assert all(later < earlier for earlier, later in zip(values, values[1:], strict=False))


def test_schedules_at_the_middle():
    ends = {"start": 4.0, "end": 0.25, "duration": 1000}
    assert value_at(LinearSchedule(**ends), 500) == pytest.approx(2.125)
    assert value_at(CosineSchedule(**ends), 500) == pytest.approx(2.125)
    assert value_at(GeometricSchedule(**ends), 500) == pytest.approx(1.0)
    assert value_at(CosineSchedule(**ends), 250) == pytest.approx(4 - 3.75 * (1 - math.sqrt(0.5)) / 2)


def test_geometric_has_a_constant_factor():
    schedule = GeometricSchedule(start=4.0, end=0.25, duration=1000)
    factors = [value_at(schedule, i + 10) / value_at(schedule, i) for i in range(0, 1000, 10)]
    assert factors == pytest.approx([(1 / 16) ** 0.01] * 100)


def test_a_number_is_constant():
    assert [value_at(3.0, 0), value_at(0.5, 10**9)] == [3.0, 0.5]


def test_schedules_out_of_range():
    bad = [
        lambda: LinearSchedule(start=0.0, end=1.0, duration=0),
        lambda: CosineSchedule(start=0.0, end=1.0, duration=1, delay=-1),
        lambda: GeometricSchedule(start=0.0, end=1.0, duration=1),
    ]
    for make in bad:
        with pytest.raises(ConfigError):
            make()


KINDS = {
    "normal": lambda draws, stream: draws.normal(stream, 3, 2),
    "uniform": lambda draws, stream: draws.uniform(stream, 3, 2),
    "integers": lambda draws, stream: draws.integers(stream, 1000, 3, 2),
}


@pytest.mark.parametrize("draw", KINDS.values(), ids=KINDS)
def test_slices_of_rows_equal_the_whole(draw):
    """Two processes, or four micro-batches, draw together what one would draw alone."""
    whole = draw(KeyedRandom(1, (7, 0, 0), 8), "s")
    for cuts in ((0, 4, 8), (0, 1, 3, 6, 8)):
        parts = [
            draw(KeyedRandom(1, (7, 0, 0), 8, slice(a, b)), "s") for a, b in zip(cuts, cuts[1:], strict=False)
        ]
        assert torch.equal(torch.cat(parts), whole)


@pytest.mark.parametrize("draw", KINDS.values(), ids=KINDS)
def test_a_name_is_a_draw(draw):
    """Seed, position and stream each change the draw, and nothing else does."""
    whole = draw(KeyedRandom(1, (7, 0, 0), 8), "s")
    assert torch.equal(whole, draw(KeyedRandom(1, (7, 0, 0), 8), "s"))
    for seed, position, stream in (
        (2, (7, 0, 0), "s"),
        (1, (8, 0, 0), "s"),
        (1, (7, 1, 0), "s"),
        (1, (7, 0, 0), "t"),
    ):
        assert not torch.equal(whole, draw(KeyedRandom(seed, position, 8), stream))


@pytest.mark.parametrize("draw", KINDS.values(), ids=KINDS)
def test_draws_neither_read_nor_move_the_global_state(draw):
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first = draw(KeyedRandom(1, (7, 0, 0), 8), "s")
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(1)
    assert torch.equal(draw(KeyedRandom(1, (7, 0, 0), 8), "s"), first)


def test_the_order_of_draws_does_not_matter():
    one, other = KeyedRandom(1, (7, 0, 0), 8), KeyedRandom(1, (7, 0, 0), 8)
    a, b = one.normal("a", 2), one.uniform("b", 2)
    assert torch.equal(other.uniform("b", 2), b)
    assert torch.equal(other.normal("a", 2), a)


def test_draws_are_placed_on_their_device_only_after_they_are_made():
    """On another device the numbers are the CPU's: `meta` stands in for it, which holds none."""
    draws = KeyedRandom(1, (7, 0, 0), 8, slice(2, 5), device="meta")
    assert (draws.normal("s", 2).shape, draws.normal("s", 2).device.type) == ((3, 2), "meta")


def test_draws_have_their_distributions():
    draws = KeyedRandom(1, (0,), 4000)
    normal, uniform, integers = draws.normal("n", 10), draws.uniform("u", 10), draws.integers("i", 4, 10)
    assert (normal.mean().item(), normal.std().item()) == pytest.approx((0, 1), abs=0.02)
    assert uniform.min() >= 0
    assert uniform.max() < 1
    assert uniform.var().item() == pytest.approx(1 / 12, rel=0.02)
    assert (integers.flatten().bincount() / 40000).tolist() == pytest.approx([0.25] * 4, abs=0.01)


def test_latents_are_named_by_their_index():
    whole = sample_latents(5, range(10), 4)
    assert torch.equal(whole[3:7], sample_latents(5, range(3, 7), 4))
    assert not torch.equal(whole[0], whole[1])
    assert not torch.equal(whole, sample_latents(6, range(10), 4))
    assert sample_latents(5, range(0), 4).shape == (0, 4)


def test_keys_are_fixed_for_ever():
    """A changed key would change every run that resumes: these are constants of the format."""
    assert derive_seed(0, "latent") != derive_seed(0, "latent", 0) != derive_seed(0, "latent", 0, 0)
    assert derive_seed(1, "a", 23) != derive_seed(1, "a", 2, 3)
    assert 0 <= derive_seed(0, "latent", 1) < 2**63
    assert make_generator(0, "latent", 1).initial_seed() == derive_seed(0, "latent", 1)
    assert derive_seed(0, "latent", 7) == 6232411701554933286
