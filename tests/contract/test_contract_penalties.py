"""What every penalty and constraint promises, over the tables."""

import pytest
import torch

from sparring.core.config import from_json, to_json
from sparring.core.errors import ConfigError
from sparring.core.interfaces import Constraint, Penalty
from sparring.core.schedule import SCHEDULES, CosineSchedule, Schedule
from sparring.parts.augmentation import pack
from sparring.parts.penalties import CONSTRAINTS, PENALTIES
from tests.helpers.contract_batch import Discriminator, play_of_logits, tiny_play

ROLES = {Penalty: PENALTIES, Constraint: CONSTRAINTS, Schedule: SCHEDULES}
every_penalty = pytest.mark.parametrize("cls", PENALTIES.values(), ids=PENALTIES)


def weight_of(cls) -> str:
    return "gamma" if "gamma" in cls.__dataclass_fields__ else "weight"


def play_for(cls, rows=6, shape=(3, 6, 5), **options):
    return tiny_play(rows, shape, slope=cls.needs_input_grad, **options)


@every_penalty
@pytest.mark.parametrize("shape", [(3, 6, 5), (1, 7, 3), (2,)])
@pytest.mark.parametrize("joint", [False, True])
def test_one_float32_value_a_sample_and_none_negative(cls, shape, joint_batch):
    value = cls()(play_for(cls, 5, shape, joint_batch=joint_batch))
    assert (value.shape, value.dtype) == ((5,), torch.float32)
    assert (value >= 0).all()


@every_penalty
def test_gradients_reach_the_player(cls):
    play = play_for(cls)
    cls()(play).mean().backward()
    assert play.discriminator.body[1].weight.grad.any()
    assert all(parameter.grad is None for parameter in play.generator.parameters())


@every_penalty
def test_finite_at_extreme_logits(cls):
    logits = torch.tensor([-1e4, -50.0, 0.0, 50.0, 1e4])
    play = play_of_logits(logits, logits.flip(0), slope=cls.needs_input_grad, generating=False)
    play.player, play.memory = play.discriminator, Discriminator((1,)).body[:0]
    play.memory.register_parameter("scale", torch.nn.Parameter(torch.zeros(())))
    value = cls()(play)
    assert value.isfinite().all()
    value.mean().backward()
    assert play.discriminator.scale.grad.isfinite()


@every_penalty
def test_the_weight_is_in_it_and_every_is_not(cls):
    name = weight_of(cls)
    once = cls(**{name: 1.0})(play_for(cls))
    torch.testing.assert_close(cls(**{name: 3.0}, every=8)(play_for(cls)), 3 * once)
    half = CosineSchedule(start=1.0, end=0.0, duration=20)  # the tiny play is at image 10
    torch.testing.assert_close(cls(**{name: half})(play_for(cls)), once / 2)


@every_penalty
def test_the_same_play_gives_the_same_values(cls):
    assert torch.equal(cls()(play_for(cls)), cls()(play_for(cls)))


@every_penalty
def test_packed_plays(cls):
    value = cls()(play_for(cls, 6, (2,), view=lambda x, stream: pack(x, 1)))
    torch.testing.assert_close(value, cls()(play_for(cls, 6, (2,))))


@every_penalty
def test_the_real_samples_are_left_without_a_gradient(cls):
    play = play_for(cls)
    cls()(play).mean().backward()
    assert not play.x.requires_grad
    assert not play.x_fake.requires_grad


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
