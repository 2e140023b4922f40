"""Contracts of the objectives, over the table."""

import pytest
import torch

from sparring.core.config import from_json, to_json
from sparring.core.errors import ConfigError
from sparring.core.interfaces import Objective
from sparring.parts.objectives import OBJECTIVES, auxiliary_fake_loss, auxiliary_real_loss
from tests.helpers.contract_batch import batch_of_logits, tiny_batch, tiny_generator

EXTREME = torch.tensor([-1e4, -50.0, -1.0, 0.0, 1.0, 50.0, 1e4])
every_objective = pytest.mark.parametrize("objective", [cls() for cls in OBJECTIVES.values()], ids=OBJECTIVES)


@every_objective
@pytest.mark.parametrize("shape", [(3, 6, 5), (1, 7, 3), (2,)])
def test_one_float32_value_a_sample(objective, shape):
    for term in (objective.discriminator, objective.generator):
        value = term(tiny_batch(5, shape))
        assert (value.shape, value.dtype) == ((5,), torch.float32)


@every_objective
@pytest.mark.parametrize("term", ["discriminator", "generator"])
def test_finite_with_finite_gradients_at_extreme_logits(objective, term):
    real, fake = (part.flatten().requires_grad_() for part in torch.meshgrid(EXTREME, EXTREME, indexing="ij"))
    value = getattr(objective, term)(batch_of_logits(real, fake))
    assert value.isfinite().all()
    for gradient in torch.autograd.grad(value.sum(), (real, fake), allow_unused=True):
        assert gradient is None or gradient.isfinite().all()


@every_objective
def test_gradients_reach_the_logits(objective):
    real, fake = torch.full((3,), 0.3, requires_grad=True), torch.full((3,), -0.2, requires_grad=True)
    batch = batch_of_logits(real, fake)
    for gradient in torch.autograd.grad(
        objective.discriminator(batch).sum(), (real, fake), retain_graph=True
    ):
        assert (gradient != 0).all()
    (gradient,) = torch.autograd.grad(objective.generator(batch).sum(), fake)
    assert (gradient != 0).all()


@every_objective
def test_gradients_reach_every_parameter_of_the_players(objective):
    generator = tiny_generator()
    batch = tiny_batch(generator=generator)
    objective.generator(batch).mean().backward()
    missing = [name for name, p in generator.named_parameters() if p.grad is None or not p.grad.any()]
    assert missing == []
    batch = tiny_batch()
    objective.discriminator(batch).mean().backward()
    names = [
        name for name, p in batch.discriminator.named_parameters() if "classes" not in name and p.grad is None
    ]
    assert names == []


@every_objective
def test_the_same_batch_gives_the_same_values(objective):
    for term in (objective.discriminator, objective.generator):
        assert torch.equal(term(tiny_batch()), term(tiny_batch()))


@every_objective
def test_json_round_trip(objective):
    roles = {Objective: OBJECTIVES}
    document = to_json(objective, roles)
    assert OBJECTIVES[document["type"]] is type(objective)
    assert from_json(Objective, document, roles) == objective
    assert from_json(Objective, document["type"], roles) == objective


def test_settings_survive_the_round_trip():
    roles = {Objective: OBJECTIVES}
    objective = OBJECTIVES["nonsaturating"](smoothing=0.1)
    assert from_json(Objective, to_json(objective, roles), roles) == objective
    with pytest.raises(ConfigError, match="smoothing"):
        from_json(Objective, {"type": "nonsaturating", "smoothing": 0.7}, roles)


@pytest.mark.parametrize("term", [auxiliary_real_loss, auxiliary_fake_loss])
def test_auxiliary_terms(term):
    generator = tiny_generator()
    batch = tiny_batch(5, generator=generator)
    value = term(batch)
    assert (value.shape, value.dtype) == ((5,), torch.float32)
    value.mean().backward()
    assert batch.discriminator.classes.weight.grad.any()
    assert (generator.body.weight.grad is not None) == (term is auxiliary_fake_loss)
