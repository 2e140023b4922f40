"""Contracts of translators and patch discriminators, over both tables."""

import pytest
import torch

from sparring.core.config import from_json, to_json
from sparring.core.errors import ConfigError, SparringError
from sparring.parts.networks import (
    PATCH_DISCRIMINATORS,
    TRANSLATORS,
    PatchDiscriminatorNetwork,
    PatchGAN,
    ResNetTranslator,
    TranslatorNetwork,
    UNet,
)

SIZES = [(16, 16), (32, 32), (64, 64), (48, 80), (33, 47)]
SMALL = {"unet": {"width": 4, "max_width": 8}, "resnet": {"width": 4, "blocks": 2}}


def make(name, size=(16, 16), channels=(3, 2), **changes):
    torch.manual_seed(0)
    return TRANSLATORS[name](**(SMALL[name] | changes)).build((channels[0], *size), (channels[1], *size))


def test_tables_have_rows_and_small_settings():
    assert set(TRANSLATORS) == set(SMALL)
    assert set(PATCH_DISCRIMINATORS) == {"patchgan"}


@pytest.mark.parametrize("upsample", ["transposed", "nearest", "subpixel"])
@pytest.mark.parametrize("norm", ["instance", "batch", "none"])
@pytest.mark.parametrize("name", TRANSLATORS)
def test_every_setting_learns(name, norm, upsample):
    network = make(name, (24, 40), norm=norm, upsample=upsample)
    y = network(torch.randn(2, 3, 24, 40))
    assert y.shape == (2, 2, 24, 40)
    assert y.dtype == torch.float32
    assert y.abs().max() <= 1
    y.square().sum().backward()
    for parameter, value in network.named_parameters():
        assert value.grad is not None and value.grad.isfinite().all(), parameter  # noqa: PT018


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", TRANSLATORS)
def test_any_size_in_training_and_in_use(name, size):
    network = make(name, size)
    assert network(torch.randn(1, 3, *size)).shape == (1, 2, *size)
    network.eval()
    with torch.no_grad():
        for other in ((1, 1), (5, 90), (40, 24), (96, 64)):
            y = network(torch.randn(1, 3, *other))
            assert y.shape == (1, 2, *other)
            assert y.isfinite().all()


@pytest.mark.parametrize("name", TRANSLATORS)
def test_multiples_pass_without_padding_and_others_as_their_corner(name):
    """Padding at the end only: where the image is already a multiple, nothing is added."""
    network = make(name, (32, 32)).eval()
    x = torch.randn(1, 3, 32, 32)
    stages = network.encode(x, (0,))
    assert torch.equal(stages[0], x)
    assert network.encode(x[..., :29], (0,))[0].shape[3] % network.multiple == 0


@pytest.mark.parametrize("name", TRANSLATORS)
def test_features_are_those_on_the_way(name):
    network = make(name, (32, 32)).eval()
    deep = network.encode(torch.randn(2, 3, 32, 32), (3, 1))
    assert [features.shape[0] for features in deep] == [2, 2]
    assert deep[0].shape[2] < deep[1].shape[2]
    deep[0].sum().backward()
    assert any(parameter.grad is not None for parameter in network.parameters())


def test_dropout_is_noise_in_training_only():
    network, x = make("unet", (32, 32), dropout=0.5), torch.randn(1, 3, 32, 32)
    assert not torch.equal(network(x), network(x))
    network.eval()
    assert torch.equal(network(x), network(x))


@pytest.mark.parametrize("name", TRANSLATORS)
def test_each_image_is_translated_independently(name):
    network, x = make(name, (32, 32), norm="instance").eval(), torch.randn(3, 3, 32, 32)
    torch.testing.assert_close(network(x)[:1], network(x[:1]), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", TRANSLATORS)
def test_bfloat16_is_near(name):
    network, x = make(name, (32, 32)).eval(), torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        exact = network(x)
        network.to(memory_format=torch.channels_last)
        torch.testing.assert_close(network(x), exact, rtol=1e-3, atol=1e-4)
        with torch.autocast("cpu", torch.bfloat16):
            rough = network(x)
    assert (rough - exact).norm() < 0.1 * exact.norm()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("patch_size", [0, 1, 16, 70])
def test_one_logit_per_patch(patch_size, size):
    discriminator = PatchGAN(patch_size=patch_size, width=4, max_width=8).build(5, size)
    x = torch.randn(2, 5, *size)
    logits = discriminator(x)
    assert logits.shape == (2 * discriminator.num_patches(*size),)
    torch.testing.assert_close(
        logits[: discriminator.num_patches(*size)], discriminator(x[:1]), rtol=1e-3, atol=1e-5
    )
    logits.square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in discriminator.parameters())


def test_r1_reaches_the_weights_of_a_patch_discriminator():
    discriminator = PatchGAN(patch_size=16, width=4).build(3)
    x = torch.randn(2, 3, 32, 32, requires_grad=True)
    (gradient,) = torch.autograd.grad(discriminator(x).sum(), x, create_graph=True)
    gradient.square().sum().backward()
    weights = [parameter.grad for parameter in discriminator.parameters() if parameter.grad is not None]
    assert any(weight.any() for weight in weights)
    assert all(weight.isfinite().all() for weight in weights)


def test_spectral_patch_discriminators_have_weights_of_norm_one():
    discriminator = PatchGAN(patch_size=16, width=8, norm="none", spectral=True).build(3)
    for _ in range(30):
        discriminator(torch.randn(1, 3, 16, 16))
    for layer in (*discriminator.layers, discriminator.judge):
        assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1, abs=0.02)


def test_a_patch_discriminator_has_no_classifier():
    discriminator = PatchGAN(width=4).build(3)
    with pytest.raises(SparringError):
        discriminator.classify(torch.zeros(1, 8, 2, 2))


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (UNet, {"width": 0}),
        (UNet, {"depth": 1}),
        (UNet, {"dropout": 1.0}),
        (ResNetTranslator, {"blocks": -1}),
        (ResNetTranslator, {"downsamplings": 9}),
        (PatchGAN, {"width": 100, "max_width": 10}),
    ],
)
def test_settings_out_of_range_are_refused(kind, wrong):
    with pytest.raises(ConfigError):
        kind(**wrong)


def test_an_unsupported_patch_size_names_the_nearest():
    with pytest.raises(ConfigError, match="patch_size=70"):
        PatchGAN(patch_size=64)


@pytest.mark.parametrize(
    ("role", "table"), [(TranslatorNetwork, TRANSLATORS), (PatchDiscriminatorNetwork, PATCH_DISCRIMINATORS)]
)
def test_settings_survive_json(role, table):
    for tag, kind in table.items():
        document = to_json(kind(), {role: table})
        assert document["type"] == tag
        assert from_json(role, document, {role: table}) == kind()


@pytest.mark.parametrize("name", TRANSLATORS)
def test_same_seed_same_weights(name):
    first, second = make(name).state_dict(), make(name).state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)
