"""What every augmentation promises, over the table."""

import pytest
import torch

from sparring.core.config import from_json, to_json
from sparring.core.errors import ConfigError
from sparring.core.interfaces import Augmentation, AugmentationState, LogitScale
from sparring.core.rng import KeyedRandom
from sparring.core.schedule import SCHEDULES, LinearSchedule, Schedule
from sparring.parts.augmentation import AUGMENTATIONS
from tests.helpers.contract_batch import tiny_batch


def at_work(cls):
    """An augmentation with its default settings, but at full strength where it starts with none."""
    adaptive = "initial_probability" in cls.__dataclass_fields__
    return cls(initial_probability=1.0, max_probability=1.0) if adaptive else cls()


every_augmentation = pytest.mark.parametrize(
    "augment", [at_work(cls) for cls in AUGMENTATIONS.values()], ids=AUGMENTATIONS
)
ROLES = {Augmentation: AUGMENTATIONS, Schedule: SCHEDULES}


def random_images(rows: int = 4, *shape: int) -> torch.Tensor:
    return torch.rand(rows, *shape, generator=torch.Generator().manual_seed(0)) * 2 - 1


@every_augmentation
@pytest.mark.parametrize("shape", [(1, 7, 5), (3, 16, 16), (4, 9, 20), (3, 1, 1), (2, 2, 3)])
def test_shape_and_type_are_kept_and_something_changes(augment, shape):
    x = random_images(6, *shape)
    out = augment(x, KeyedRandom(0, (0,), 6), "real", 0)
    assert (out.shape, out.dtype) == (x.shape, x.dtype)
    assert out.isfinite().all()
    assert not torch.equal(out, x)


@every_augmentation
def test_gradients_flow(augment):
    x = random_images(6, 3, 8, 12).requires_grad_()
    augment(x, KeyedRandom(0, (0,), 6), "fake", 0).square().sum().backward()
    assert x.grad.isfinite().all()
    assert (x.grad != 0).float().mean() > 0.5


@every_augmentation
def test_the_draws_are_all_the_randomness(augment):
    x = random_images(6, 3, 8, 12)
    before = torch.get_rng_state()
    first = augment(x, KeyedRandom(0, (0,), 6), "real", 0)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first, augment(x, KeyedRandom(0, (0,), 6), "real", 0))
    for other in (KeyedRandom(1, (0,), 6), KeyedRandom(0, (1,), 6)):
        assert not torch.equal(first, augment(x, other, "real", 0))
    assert not torch.equal(first, augment(x, KeyedRandom(0, (0,), 6), "fake", 0))


@every_augmentation
def test_the_input_is_left_alone(augment):
    x = random_images(6, 3, 8, 12)
    num_equal = x.clone()
    augment(x, KeyedRandom(0, (0,), 6), "real", 0)
    assert torch.equal(x, num_equal)


@every_augmentation
def test_each_sample_gets_numbers_of_its_own(augment):
    x = random_images(1, 3, 16, 16).expand(6, -1, -1, -1)
    out = augment(x, KeyedRandom(0, (0,), 6), "real", 0)
    assert all(not torch.equal(out[i], out[j]) for i in range(6) for j in range(i))


@every_augmentation
def test_json_round_trip(augment):
    fading = LinearSchedule(start=0.5, end=0.0, duration=100)
    name = "strength" if "strength" in type(augment).__dataclass_fields__ else "sigma"
    for config in (augment, type(augment)(**{name: fading})):
        document = to_json(config, ROLES)
        assert AUGMENTATIONS[document["type"]] is type(augment)
        assert from_json(Augmentation, document, ROLES) == config


@every_augmentation
def test_a_state_starts_as_the_augmentation_and_adapts_without_a_seed(augment):
    """A state gives the same transforms at its start, and its buffers survive; others have none."""
    state = augment.build_state(LogitScale())
    if state is None:
        return
    assert isinstance(state, AugmentationState)
    x, rng = random_images(6, 3, 8, 12), KeyedRandom(0, (0,), 6)
    assert torch.equal(state(x, rng, "real", 0), augment(x, rng, "real", 0))
    before = {name: value.clone() for name, value in state.state_dict().items()}
    logs = state.observe(tiny_batch(6))
    assert all(value.shape == () and not value.requires_grad for value in logs.values())
    state.update()
    assert any(not torch.equal(value, before[name]) for name, value in state.state_dict().items())
    other = augment.build_state(LogitScale())
    other.load_state_dict(state.state_dict())
    for one in (state, other):
        one.observe(tiny_batch(6, seed=1))
        one.update()
    assert all(torch.equal(a, b) for a, b in zip(state.buffers(), other.buffers(), strict=True))


def test_some_augmentation_adapts():
    """Otherwise the test above tests nothing."""
    assert any(cls().build_state(LogitScale()) for cls in AUGMENTATIONS.values())


def test_an_unknown_transform_is_refused():
    with pytest.raises(ConfigError, match="blur"):
        from_json(Augmentation, {"type": "diffaugment", "policy": ["colour", "blur"]}, ROLES)
