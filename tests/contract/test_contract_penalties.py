"""Contracts of penalties and constraints, over the tables."""

import pytest
import torch

from sparring.core.config import from_json, to_json
from sparring.core.errors import ConfigError
from sparring.core.interfaces import Constraint, Penalty
from sparring.core.schedule import SCHEDULES, CosineSchedule, Schedule
from sparring.parts.augmentation import pack
from sparring.parts.penalties import CONSTRAINTS, PENALTIES
from tests.helpers.contract_batch import Discriminator, batch_of_logits, tiny_batch

ROLES = {Penalty: PENALTIES, Constraint: CONSTRAINTS, Schedule: SCHEDULES}
every_penalty = pytest.mark.parametrize("cls", PENALTIES.values(), ids=PENALTIES)


def weight_of(cls) -> str:
    return "gamma" if "gamma" in cls.__dataclass_fields__ else "weight"


def batch_for(cls, rows=6, shape=(3, 6, 5), **options):
    return tiny_batch(rows, shape, needs_input_grad=cls.needs_input_grad, **options)


@every_penalty
@pytest.mark.parametrize("shape", [(3, 6, 5), (1, 7, 3), (2,)])
@pytest.mark.parametrize("joint_batch", [False, True])
def test_one_float32_value_a_sample_and_none_negative(cls, shape, joint_batch):
    value = cls()(batch_for(cls, 5, shape, joint_batch=joint_batch))
    assert (value.shape, value.dtype) == ((5,), torch.float32)
    assert (value >= 0).all()


@every_penalty
def test_gradients_reach_the_player(cls):
    batch = batch_for(cls)
    cls()(batch).mean().backward()
    assert batch.discriminator.body[1].weight.grad.any()


@every_penalty
def test_finite_at_extreme_logits(cls):
    logits = torch.tensor([-1e4, -50.0, 0.0, 50.0, 1e4])
    batch = batch_of_logits(logits, logits.flip(0), needs_input_grad=cls.needs_input_grad)
    value = cls()(batch)
    assert value.isfinite().all()
    value.mean().backward()
    assert batch.discriminator.scale.grad.isfinite()


@every_penalty
def test_the_weight_is_in_it_and_every_is_not(cls):
    name = weight_of(cls)
    once = cls(**{name: 1.0})(batch_for(cls))
    torch.testing.assert_close(cls(**{name: 3.0}, every=8)(batch_for(cls)), 3 * once)
    half = CosineSchedule(start=1.0, end=0.0, duration=20)  # the tiny batch is at image 10
    torch.testing.assert_close(cls(**{name: half})(batch_for(cls)), once / 2)


@every_penalty
def test_the_same_batch_gives_the_same_values(cls):
    assert torch.equal(cls()(batch_for(cls)), cls()(batch_for(cls)))


@every_penalty
def test_packed_batches(cls):
    value = cls()(batch_for(cls, 6, (2,), augment=lambda x, stream: pack(x, 1)))
    torch.testing.assert_close(value, cls()(batch_for(cls, 6, (2,))))


@every_penalty
def test_the_real_samples_are_left_without_a_gradient(cls):
    batch = batch_for(cls)
    cls()(batch).mean().backward()
    assert not batch.x.requires_grad
    assert not batch.x_fake.requires_grad


@every_penalty
def test_json_round_trip(cls):
    for penalty in (
        cls(),
        cls(every=16, **{weight_of(cls): CosineSchedule(start=3.0, end=0.1, duration=100)}),
    ):
        document = to_json(penalty, ROLES)
        assert PENALTIES[document["type"]] is cls
        assert from_json(Penalty, document, ROLES) == penalty
    with pytest.raises(ConfigError):
        from_json(Penalty, {**to_json(cls(), ROLES), "every": 0}, ROLES)


@pytest.mark.parametrize("cls", CONSTRAINTS.values(), ids=CONSTRAINTS)
def test_constraints(cls):
    constraint, player = cls(), Discriminator()
    before = [parameter.clone() for parameter in player.parameters()]
    constraint.apply(player)
    after = [parameter.clone() for parameter in player.parameters()]
    assert any(not torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert all(parameter.requires_grad and parameter.grad_fn is None for parameter in player.parameters())
    constraint.apply(player)
    assert all(torch.equal(a, b) for a, b in zip(after, player.parameters(), strict=True))
    assert from_json(Constraint, to_json(constraint, ROLES), ROLES) == constraint
