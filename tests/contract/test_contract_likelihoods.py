"""What every likelihood must do, over the table."""

import pytest
import torch

from sparring.keyed import Draws
from sparring.likelihoods import LIKELIHOODS
from sparring.shapes import Spec

SPECS = [Spec(shape=(1, 5, 7)), Spec(shape=(3, 6, 5))]
VARIANTS = [(tag, {}) for tag in LIKELIHOODS] + [
    ("gaussian", {"deviation": "pixel"}),
    ("discretised_logistic", {"deviation": "pixel"}),
]


def ready(tag, settings, spec, factor=1.0):
    config = LIKELIHOODS[tag](**settings)
    draws = Draws(0, (0,), 4)
    x = torch.rand(4, *spec.shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
    decoded = factor * torch.randn(4, *config.decoded(spec).shape, generator=torch.Generator().manual_seed(1))
    module = config.build(spec)
    return module, module.given(x, draws), decoded.requires_grad_()


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize(("tag", "settings"), VARIANTS)
def test_one_number_a_sample_with_a_slope_to_all_that_is_learned(tag, settings, spec):
    module, x, decoded = ready(tag, settings, spec)
    likely = module(x, decoded)
    assert likely.shape == (4,)
    assert module.mean(decoded).shape == x.shape
    assert module.drawn(decoded, Draws(0, (1,), 4)).shape == x.shape
    likely.sum().backward()
    assert (decoded.grad != 0).all()
    assert all(parameter.grad is not None for parameter in module.parameters())


@pytest.mark.parametrize(("tag", "settings"), VARIANTS)
def test_finite_for_a_decoder_that_is_far_off(tag, settings):
    module, x, decoded = ready(tag, settings, SPECS[0], factor=50.0)
    likely = module(x, decoded)
    likely.sum().backward()
    assert likely.isfinite().all()
    assert decoded.grad.isfinite().all()


@pytest.mark.parametrize(("tag", "settings"), VARIANTS)
def test_what_is_drawn_is_likelier_than_its_opposite(tag, settings):
    module, _, decoded = ready(tag, settings, SPECS[0], factor=3.0)
    x = module.drawn(decoded.detach(), Draws(0, (1,), 4))
    assert torch.equal(x, module.drawn(decoded.detach(), Draws(0, (1,), 4)))
    assert (module(x, decoded) > module(-x, decoded)).all()


@pytest.mark.parametrize("tag", LIKELIHOODS)
def test_settings_are_frozen(tag):
    config = LIKELIHOODS[tag]()
    with pytest.raises(AttributeError):
        config.scale = 2.0
