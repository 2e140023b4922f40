"""Laws of translators: what a patch sees, what a norm leaves, and that the fast forms are the plain ones."""

from contextlib import nullcontext

import pytest
import torch
import torch.nn.functional as F

from sparring.parts.networks import PatchGAN, ResNetTranslator
from sparring.parts.networks.layers.conv import FastConv2d, FastConvTranspose2d, cast_weights_once
from sparring.parts.networks.layers.end_conv import conv_from_few, conv_to_few
from sparring.parts.networks.layers.instance_norm import InstanceNorm, fixed_statistics, instance_normalise
from sparring.parts.networks.layers.upsample import NearestConv2d
from sparring.parts.networks.patchgan import PATCH_SIZES


def receptive_field(discriminator, side):
    """Height and width of what the middle logit of a image depends on."""
    x = torch.randn(1, 2, side, side, requires_grad=True)
    grid = round(discriminator.num_patches(side, side) ** 0.5)
    (gradient,) = torch.autograd.grad(discriminator(x)[grid // 2 * (grid + 1)], x)
    touched = gradient[0].abs().sum(0) > 0
    return [int(touched.any(dim).sum()) for dim in (1, 0)]


@pytest.mark.parametrize("patch_size", [side for side in PATCH_SIZES if side <= 70])
def test_the_receptive_field_of_a_logit_has_the_patch_size(patch_size):
    torch.manual_seed(0)
    discriminator = PatchGAN(patch_size=patch_size, width=4, norm="none").build(2)
    assert receptive_field(discriminator, 2 * patch_size + 30) == [patch_size, patch_size]


def test_patch_size_0_is_the_whole_image():
    torch.manual_seed(0)
    discriminator = PatchGAN(patch_size=0, width=4, norm="none").build(2, (48, 48))
    x = torch.randn(1, 2, 48, 48, requires_grad=True)
    (gradient,) = torch.autograd.grad(discriminator(x).sum(), x)
    assert discriminator(x).shape == (1,)
    assert (gradient.abs().sum(1) > 0).all()


def test_the_paper_has_thirty_patches_a_side():
    assert PatchGAN().build(6).num_patches(256, 256) == 30 * 30


@pytest.mark.parametrize(
    ("inputs", "outputs", "kernel", "stride", "padding", "side", "batch"),
    [
        (64, 64, 4, 2, 1, 4, 2),  # all three as products
        (64, 80, 4, 1, 1, 8, 30),  # the weight's gradient in several parts
        (64, 64, 2, 2, 0, 2, 3),
        (8, 16, 3, 1, 0, 9, 2),  # the plain operators
    ],
)
def test_convolutions_are_the_plain_ones(inputs, outputs, kernel, stride, padding, side, batch):
    torch.manual_seed(0)
    conv = FastConv2d(inputs, outputs, kernel, stride, padding)
    x = torch.randn(batch, inputs, side, side, requires_grad=True)
    same(conv(x), F.conv2d(x, conv.weight, conv.bias, stride, padding), [x, conv.weight, conv.bias])


@pytest.mark.parametrize(("kernel", "padding", "rest"), [(4, 1, 0), (3, 1, 1), (2, 0, 0)])
def test_transposed_convolutions_are_the_plain_ones(kernel, padding, rest):
    torch.manual_seed(0)
    conv = FastConvTranspose2d(64, 72, kernel, 2, padding, output_padding=rest)
    x = torch.randn(2, 64, 3, 5, requires_grad=True)
    plain = F.conv_transpose2d(x, conv.weight, conv.bias, 2, padding, rest)
    same(conv(x), plain, [x, conv.weight, conv.bias])


def same(ours, plain, arguments):
    torch.testing.assert_close(ours, plain, rtol=1e-4, atol=1e-4)
    cotangent = torch.randn_like(plain)
    pairs = zip(
        torch.autograd.grad(ours, arguments, cotangent),
        torch.autograd.grad(plain, arguments, cotangent),
        strict=True,
    )
    for left, right in pairs:
        torch.testing.assert_close(left, right, rtol=1e-4, atol=1e-3)


def test_gradients_of_gradients_are_right():
    """What R1 needs, through the products and the normalisation, against finite differences."""
    torch.manual_seed(0)
    conv, doubling = FastConv2d(64, 64, 2, 2).double(), FastConvTranspose2d(64, 64, 2, 2).double()
    x = torch.randn(1, 64, 2, 2, dtype=torch.float64)

    def input_gradients(scale):
        y = (x * scale).requires_grad_()
        value = instance_normalise(doubling(conv(y))).pow(3).sum() + y.pow(3).sum()
        (gradient,) = torch.autograd.grad(value, y, create_graph=True)
        return gradient.square().sum()

    scale = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    (found,) = torch.autograd.grad(input_gradients(scale), scale)
    near = (input_gradients(scale.detach() + 1e-5) - input_gradients(scale.detach() - 1e-5)) / 2e-5
    torch.testing.assert_close(found, near, rtol=1e-5, atol=0)


@pytest.mark.parametrize(("form", "inputs", "outputs"), [(conv_to_few, 9, 3), (conv_from_few, 3, 9)])
def test_ends_are_plain_convolutions(form, inputs, outputs):
    torch.manual_seed(0)
    x = torch.randn(2, inputs, 11, 13, requires_grad=True)
    weight, bias = torch.randn(outputs, inputs, 7, 7, requires_grad=True), torch.randn(outputs)
    same(form(x, weight, bias), F.conv2d(x, weight, bias), [x, weight])


def test_nearest_is_doubling_and_a_convolution():
    torch.manual_seed(0)
    layer = NearestConv2d(3, 12)
    torch.nn.init.normal_(layer.weight)
    x = torch.randn(1, 3, 5, 6)
    plain = F.conv2d(F.interpolate(x, scale_factor=2, mode="nearest"), layer.weight, layer.bias, padding=1)
    torch.testing.assert_close(layer(x), plain, rtol=1e-4, atol=1e-4)


def _by_the_book(x):
    """Not `F.instance_norm`: in torch 2.13 its gradients are wrong where those that come in are of one channels-last image."""
    centred = x - x.mean((2, 3), keepdim=True)
    return centred / (centred.square().mean((2, 3), keepdim=True) + 1e-5).sqrt()


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("count", [1, 2, 6])  # one by one, and all at once
def test_instance_norm_and_its_gradients(count, layout):
    torch.manual_seed(0)
    x = torch.randn(count, 3, 4, 5).contiguous(memory_format=layout).requires_grad_()
    ours, plain = instance_normalise(x), _by_the_book(x)
    same(ours, plain, [x])
    direction = torch.randn_like(x)
    twice = [
        torch.autograd.grad(
            (torch.autograd.grad(f(x).pow(3).sum(), x, create_graph=True)[0] * direction).sum(), x
        )[0]
        for f in (instance_normalise, _by_the_book)
    ]
    torch.testing.assert_close(*twice, rtol=1e-3, atol=1e-4)


def test_weights_cast_once_give_the_same_images_and_gradients():
    torch.manual_seed(0)
    network = ResNetTranslator(width=8, blocks=1).build((3, 16, 16), (3, 16, 16))
    x, found = torch.randn(2, 3, 16, 16), []
    with torch.autocast("cpu", torch.bfloat16):
        for context in (nullcontext(), cast_weights_once(network)):
            with context:
                twice = network(network(x))
            found.append((twice.detach(), torch.autograd.grad(twice.square().sum(), [*network.parameters()])))
    assert torch.equal(found[0][0], found[1][0])
    for one, other in zip(*(input_gradients for _, input_gradients in found), strict=True):
        assert (one - other).norm() <= 0.01 * one.norm()  # summed in bfloat16
    assert all(
        layer.cast is None
        for layer in network.modules()
        if isinstance(layer, FastConv2d | FastConvTranspose2d)
    )


def test_a_single_value_is_not_changed():
    x = torch.full((1, 2, 1, 1), 3.0)
    assert torch.equal(InstanceNorm(2)(x), x)


def test_fixed_statistics_make_tiles_agree():
    """The inner half of a tile equals that of the whole image; without them it does not."""
    torch.manual_seed(0)
    network = ResNetTranslator(width=4, blocks=1, downsamplings=1).build((3, 64, 64), (3, 64, 64))
    for parameter in network.parameters():
        parameter.data.mul_(10)  # so that it does something
    whole = torch.randn(1, 3, 64, 64) * torch.linspace(0.1, 2, 64)
    inner = slice(20, 28)
    with torch.no_grad():
        expected = network(whole)[..., inner, inner]
        with fixed_statistics(network, whole):
            agreed = network(whole[..., :48, :48])[..., inner, inner]
        alone = network(whole[..., :48, :48])[..., inner, inner]
    torch.testing.assert_close(agreed, expected, rtol=1e-3, atol=1e-4)
    assert (alone - expected).abs().max() > 0.05
