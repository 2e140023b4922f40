"""What every likelihood must do, over the table."""

import pytest
import torch

from sparring.core.rng import KeyedRandom
from sparring.core.shapes import SampleSpec
from sparring.parts.likelihoods import LIKELIHOODS

SPECS = [SampleSpec(shape=(1, 5, 7)), SampleSpec(shape=(3, 6, 5))]
VARIANTS = [(tag, {}) for tag in LIKELIHOODS] + [
    ("gaussian", {"deviation": "pixel"}),
    ("discretised_logistic", {"deviation": "pixel"}),
]


def ready(tag, settings, spec, factor=1.0):
    config = LIKELIHOODS[tag](**settings)
    draws = KeyedRandom(0, (0,), 4)
    x = torch.rand(4, *spec.shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
    decoded = factor * torch.randn(
        4, *config.decoder_output(spec).shape, generator=torch.Generator().manual_seed(1)
    )
    module = config.build(spec)
    return module, module.prepare_data(x, draws), decoded.requires_grad_()


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize(("tag", "settings"), VARIANTS)
def test_one_value_per_sample_with_a_gradient_for_every_parameter(tag, settings, spec):
    module, x, decoded = ready(tag, settings, spec)
    likely = module(x, decoded)
    assert likely.shape == (4,)
    assert module.mean(decoded).shape == x.shape
    assert module.sample_data(decoded, KeyedRandom(0, (1,), 4)).shape == x.shape
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
    x = module.sample_data(decoded.detach(), KeyedRandom(0, (1,), 4))
    assert torch.equal(x, module.sample_data(decoded.detach(), KeyedRandom(0, (1,), 4)))
    assert (module(x, decoded) > module(-x, decoded)).all()


@pytest.mark.parametrize("tag", LIKELIHOODS)
def test_settings_are_frozen(tag):
    config = LIKELIHOODS[tag]()
    with pytest.raises(AttributeError):
        config.scale = 2.0
