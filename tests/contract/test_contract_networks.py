"""What every network promises, over both tables."""

import pytest
import torch

from sparring.core.config import from_json, to_json
from sparring.core.errors import ConfigError
from sparring.core.shapes import SampleSpec
from sparring.parts.networks import DISCRIMINATORS, GENERATORS, DiscriminatorNetwork, GeneratorNetwork

SHAPES = [(1, 28, 28), (3, 32, 32), (3, 48, 80), (4, 33, 47), (1, 16, 16), (2,)]
SMALL = {  # settings that make a network quick; others are tested with their defaults
    "mlp": {"hidden": (12, 8)},
    "dcgan": {"width": 4, "max_width": 8},
    "resnet": {"width": 4, "max_width": 8},
    "r3gan": {"width": 4, "max_width": 8, "group_size": 4, "blocks": 1},
}
CASES = [(name, shape) for name in GENERATORS for shape in SHAPES if len(shape) == 3 or name == "mlp"]
BATCH = 3


def make(table, name, shape, classes=0, **changes):
    torch.manual_seed(0)
    latent = {"latent": 6} if table is GENERATORS else {}
    return table[name](**SMALL.get(name, {}), **latent, **changes).build(
        SampleSpec(shape=shape, num_classes=classes)
    )


def wake(network):
    """Weights that start from 0 would hide what lies before them."""
    with torch.no_grad():
        for parameter in network.parameters():
            if not parameter.any():
                parameter.normal_(0, 0.1)
    return network


def assert_gradients(network):
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


def test_tables_have_rows_and_small_settings():
    assert set(SMALL) <= set(GENERATORS) == set(DISCRIMINATORS)


@pytest.mark.parametrize("classes", [0, 3])
@pytest.mark.parametrize(("name", "shape"), CASES)
def test_generator(name, shape, classes):
    network = wake(make(GENERATORS, name, shape, classes))
    z, y = torch.randn(BATCH, 6), torch.tensor([0, 1, 2]) if classes else None
    x = network(z, y)
    assert x.shape == (BATCH, *shape)
    if len(shape) == 3 and name != "r3gan":
        assert x.abs().max() <= 1
    x.square().sum().backward()
    assert_gradients(network)
    network.eval()
    assert torch.equal(network(z, y), network(z, y))


@pytest.mark.parametrize("name", GENERATORS)
def test_labels_are_used_if_and_only_if_there_are_classes(name):
    z, ones, twos = torch.randn(BATCH, 6), torch.ones(BATCH).long(), torch.full((BATCH,), 2)
    network = make(GENERATORS, name, (1, 8, 8), 3).eval()
    assert not torch.equal(network(z, ones), network(z, twos))
    network = make(GENERATORS, name, (1, 8, 8), 0).eval()
    assert torch.equal(network(z, ones), network(z, None))


@pytest.mark.parametrize(("name", "shape"), CASES)
def test_discriminator(name, shape):
    body = wake(make(DISCRIMINATORS, name, shape))
    x = torch.randn(BATCH, *shape)
    features = body(x)
    assert features.shape == (BATCH, body.num_features)
    assert isinstance(body.spectral, bool)
    features.square().sum().backward()
    assert_gradients(body)
    body.eval()
    assert torch.equal(body(x), body(x))


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_stages_come_in_order_from_the_image(name):
    """Forward passes call the modules of `stages_from_image()` in this order, each once; no parameter is in two stages."""
    body = make(DISCRIMINATORS, name, (1, 32, 32))
    modules = [module for stage in body.stages_from_image() for module in stage]
    called = []
    for module in modules:
        module.register_forward_hook(lambda module, inputs, output: called.append(module))
    body(torch.randn(BATCH, 1, 32, 32))
    assert len(body.stages_from_image()) > 1
    assert [id(module) for module in called] == [id(module) for module in modules]
    parameters = [id(parameter) for module in modules for parameter in module.parameters()]
    assert len(set(parameters)) == len(parameters)
    assert all([p for module in stage for p in module.parameters()] for stage in body.stages_from_image())


@pytest.mark.parametrize(("name", "shape"), CASES)
def test_r1_reaches_the_weights(name, shape):
    body = wake(make(DISCRIMINATORS, name, shape))
    x = torch.randn(BATCH, *shape, requires_grad=True)
    (gradient,) = torch.autograd.grad(body(x).float().pow(2).sum(), x, create_graph=True)
    gradient.square().sum().backward()
    weights = [parameter for parameter in body.parameters() if parameter.grad is not None]
    assert weights
    assert all(weight.grad.isfinite().all() for weight in weights)
    assert any(weight.grad.any() for weight in weights)


@pytest.mark.parametrize("table", [GENERATORS, DISCRIMINATORS])
@pytest.mark.parametrize("name", GENERATORS)
def test_same_seed_same_weights_and_state_returns(table, name):
    first, second = make(table, name, (3, 16, 12)), make(table, name, (3, 16, 12))
    state = first.state_dict()
    assert all(torch.equal(state[key], value) for key, value in second.state_dict().items())
    argument = torch.randn(BATCH, 6) if table is GENERATORS else torch.randn(BATCH, 3, 16, 12)
    with torch.no_grad():
        for parameter in second.parameters():
            parameter.add_(1)
    second.load_state_dict(state)
    assert torch.equal(first.eval()(argument), second.eval()(argument))


@pytest.mark.parametrize("name", GENERATORS)
def test_bfloat16_channels_last_is_near(name):
    generator, body = (make(table, name, (3, 16, 16)) for table in (GENERATORS, DISCRIMINATORS))
    z = torch.randn(8, 6)
    x = generator.eval()(z)
    exact = body.eval()(x)
    generator, body = (network.to(memory_format=torch.channels_last) for network in (generator, body))
    torch.testing.assert_close(generator(z), x, rtol=1e-4, atol=1e-5)
    with torch.autocast("cpu", torch.bfloat16):
        rough = body(generator(z)).float()
    assert (rough - exact).norm() / exact.norm() < 0.05


@pytest.mark.parametrize("name", ["dcgan", "resnet", "r3gan"])
def test_images_stay_channels_last(name):
    generator = make(GENERATORS, name, (3, 16, 16)).to(memory_format=torch.channels_last)
    assert generator(torch.randn(2, 6)).is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("table", [GENERATORS, DISCRIMINATORS])
@pytest.mark.parametrize("name", GENERATORS)
def test_settings_survive_json(table, name):
    role = GeneratorNetwork if table is GENERATORS else DiscriminatorNetwork
    config = table[name](**SMALL.get(name, {}))
    document = to_json(config, {role: table})
    assert document["type"] == name
    assert from_json(role, document, {role: table}) == config


@pytest.mark.parametrize("table", [GENERATORS, DISCRIMINATORS])
@pytest.mark.parametrize("name", ["dcgan", "resnet", "r3gan"])
def test_points_are_refused_with_advice(table, name):
    with pytest.raises(ConfigError, match="mlp"):
        make(table, name, (2,))


DCGAN_OPTIONS = {
    GENERATORS["dcgan"]: {"upsampling": "nearest", "full_size_width": 4},
    DISCRIMINATORS["dcgan"]: {"downsampling": "mean", "norm": "none", "init": "he"},
}


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 33, 47)])
@pytest.mark.parametrize("classes", [0, 3])
def test_options_of_dcgan_keep_the_contract(shape, classes):
    torch.manual_seed(0)
    spec = SampleSpec(shape=shape, num_classes=classes)
    generator, discriminator = (
        wake(cls(**SMALL["dcgan"], **options).build(spec)) for cls, options in DCGAN_OPTIONS.items()
    )
    y = torch.tensor([0, 1, 2]) if classes else None
    x = generator(torch.randn(BATCH, 100), y)
    assert x.shape == (BATCH, *shape)
    features = discriminator(x)
    assert features.shape == (BATCH, discriminator.num_features)
    features.square().sum().backward()
    assert_gradients(generator)
    assert_gradients(discriminator)


@pytest.mark.parametrize("upsampling", ["transposed", "nearest"])
def test_only_nearest_up_sampling_keeps_flat_areas_flat(upsampling):
    torch.manual_seed(0)
    generator = GENERATORS["dcgan"](width=4, norm="none", upsampling=upsampling).build(
        SampleSpec(shape=(1, 64, 64))
    )
    x = torch.ones(1, 32, 4, 4)
    for doubling in generator.doublings:
        x = doubling(x)
    inner = x[0, 0, 24:40, 24:40]
    checkerboard = (inner[::2, ::2] - inner[1::2, 1::2]).abs().mean() / inner.abs().mean()
    assert (checkerboard < 1e-5) == (upsampling == "nearest")
