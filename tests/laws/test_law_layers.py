"""Layers against closed forms: the convolutions' fast forms, spectral norm, Fourier features, maxout."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from sparring.parts.networks.layers import residual, sizes, strided_conv
from sparring.parts.networks.layers.fourier import FourierFeatures
from sparring.parts.networks.layers.maxout import Maxout
from sparring.parts.networks.layers.residual import DownBlock, UpBlock
from sparring.parts.networks.layers.spectral_norm import spectral_norm, spectral_norm_all

CHANNELS = [(1, 6), (3, 6), (9, 4), (130, 5)]
LAYOUTS = [torch.contiguous_format, torch.channels_last]


def halve_plain(x, weight, bias=None):
    return F.conv2d(x, weight, bias, 2, 1)


def double_plain(x, weight, bias=None):
    return F.conv_transpose2d(x, weight, bias, 2, 1)


def derivatives(function, x, weight, direction):
    """The value, both gradients, and the gradients of |d value / d x|^2: all that R1 asks for."""
    value = function(x, weight)
    to_x, to_weight = torch.autograd.grad((value * direction).sum(), (x, weight), create_graph=True)
    second = torch.autograd.grad(to_x.square().sum() + to_weight.pow(3).sum(), (x, weight))
    return value, to_x, to_weight, *second


def assert_same(ours, plain):
    for mine, theirs in zip(ours, plain, strict=True):
        scale = theirs.abs().max().clamp(min=1)
        assert (mine - theirs).abs().max() / scale < 1e-5


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("few", "many"), CHANNELS)
def test_halving_is_the_convolution_to_second_order(few, many, layout):
    torch.manual_seed(0)
    layer = strided_conv.DownsampleConv2d(few, many).to(memory_format=layout)
    x = torch.randn(3, few, 8, 12).to(memory_format=layout).requires_grad_()
    direction = torch.randn(3, many, 4, 6)
    ours = derivatives(lambda x, _: layer(x), x, layer.weight, direction)
    assert_same(ours, derivatives(halve_plain, x, layer.weight, direction))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("few", "many"), CHANNELS)
def test_doubling_is_the_transposed_convolution_to_second_order(few, many, layout):
    torch.manual_seed(0)
    layer = strided_conv.UpsampleConv2d(many, few).to(memory_format=layout)
    x = torch.randn(3, many, 4, 6).to(memory_format=layout).requires_grad_()
    direction = torch.randn(3, few, 8, 12)
    ours = derivatives(lambda x, _: layer(x), x, layer.weight, direction)
    assert_same(ours, derivatives(double_plain, x, layer.weight, direction))


@pytest.mark.parametrize("function", [strided_conv._Downsample, strided_conv._Upsample])
def test_derivatives_by_differences(function):
    torch.manual_seed(0)
    shapes = {
        strided_conv._Downsample: ((1, 2, 4, 4), (3, 2, 4, 4)),
        strided_conv._Upsample: ((1, 3, 2, 2), (3, 2, 4, 4)),
    }[function]
    arguments = [torch.randn(*shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
    assert torch.autograd.gradcheck(function.apply, arguments)
    assert torch.autograd.gradgradcheck(function.apply, arguments)


def test_gradient_of_the_image_alone_costs_no_weight_gradient(monkeypatch):
    calls = []
    correlate = strided_conv._correlate
    monkeypatch.setattr(strided_conv, "_correlate", lambda x, g: calls.append(1) or correlate(x, g))
    layer, x = strided_conv.DownsampleConv2d(2, 3), torch.randn(1, 2, 4, 4, requires_grad=True)
    (gradient,) = torch.autograd.grad(layer(x).square().sum(), x, create_graph=True)
    assert not calls
    gradient.square().sum().backward()
    assert calls
    assert layer.weight.grad.any()


def test_biases():
    torch.manual_seed(0)
    down, up = strided_conv.DownsampleConv2d(2, 3, bias=True), strided_conv.UpsampleConv2d(3, 2, bias=True)
    x = torch.randn(2, 2, 4, 4)
    torch.testing.assert_close(down(x), halve_plain(x, down.weight, down.bias))
    torch.testing.assert_close(up(down(x)), double_plain(down(x), up.weight, up.bias))


def test_latent_is_the_transposed_convolution_of_one_pixel():
    torch.manual_seed(0)
    layer, z = strided_conv.LatentConvTranspose2d(5, 6, 3, 4), torch.randn(2, 5)
    assert layer(z).is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(layer(z), F.conv_transpose2d(z[:, :, None, None], layer.weight))


def test_weight_gradient_as_product_in_bfloat16():
    torch.manual_seed(0)
    x = torch.randn(8, 128, 8, 8).bfloat16().to(memory_format=torch.channels_last)
    g = torch.randn(8, 16, 4, 4).bfloat16().to(memory_format=torch.channels_last)
    exact = torch.nn.grad.conv2d_weight(x.float(), (16, 128, 4, 4), g.float(), 2, 1)
    ours = strided_conv._correlate_by_product(x, g)
    assert ours.dtype == torch.bfloat16
    assert (ours.float() - exact).norm() / exact.norm() < 5e-3  # bfloat16 keeps 8 bits


@pytest.mark.parametrize("layer", [strided_conv.DownsampleConv2d(3, 4), strided_conv.UpsampleConv2d(3, 4)])
def test_autocast_and_layout_are_kept(layer):
    x = torch.randn(2, 3, 4, 6).to(memory_format=torch.channels_last).requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        y = layer.to(memory_format=torch.channels_last)(x)
    assert y.dtype == torch.bfloat16
    assert y.is_contiguous(memory_format=torch.channels_last)
    y.float().square().sum().backward()
    assert x.grad.dtype == layer.weight.grad.dtype == torch.float32


def test_grey_images_go_on_in_channels_last():
    x = torch.randn(2, 1, 4, 6)  # lies alike in both layouts
    assert strided_conv.DownsampleConv2d(1, 3)(x).is_contiguous(memory_format=torch.channels_last)


SPECTRAL = [
    (lambda: nn.Linear(7, 5), 0),
    (lambda: nn.Embedding(6, 4), 0),
    (lambda: nn.Conv2d(3, 5, 3), 0),
    (lambda: nn.ConvTranspose2d(3, 5, 3), 1),
    (lambda: strided_conv.DownsampleConv2d(3, 5), 0),
    (lambda: strided_conv.UpsampleConv2d(3, 5), 1),
]


def largest(weight, dim):
    matrix = weight.transpose(0, dim).reshape(weight.shape[dim], -1)
    return torch.linalg.matrix_norm(matrix, 2).item()


@pytest.mark.parametrize(("make", "dim"), SPECTRAL)
def test_spectral_norm_is_one(make, dim):
    torch.manual_seed(0)
    layer = spectral_norm(make())
    assert largest(layer.weight, dim) == pytest.approx(1, abs=0.05)  # from step 0
    for _ in range(300):
        layer.weight  # noqa: B018
    assert largest(layer.weight, dim) == pytest.approx(1, abs=1e-4)
    twice = layer.parametrizations["weight"].original.data.mul_(2)
    assert largest(layer.weight, dim) == pytest.approx(1, abs=1e-4)
    assert largest(twice, dim) != pytest.approx(1, abs=0.1)


def test_spectral_gradient_is_that_of_a_quotient():
    """With w = W / sigma and sigma = u^T W v, d<w, g>/dW = (g - <g, w> u v^T) / sigma (Miyato, Eq. 12)."""
    torch.manual_seed(0)
    layer = spectral_norm(nn.Linear(6, 4, bias=False)).eval()
    state, direction = layer.parametrizations["weight"], torch.randn(4, 6)
    (layer.weight * direction).sum().backward()
    u, v, raw = state[0].u, state[0].v, state.original
    sigma = u @ raw @ v
    expected = (direction - (direction * raw / sigma).sum() * torch.outer(u, v)) / sigma
    torch.testing.assert_close(raw.grad, expected)


def test_spectral_state_moves_in_training_only_and_is_saved():
    torch.manual_seed(0)
    network = spectral_norm_all(nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 1)))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert sum(name.endswith((".u", ".v")) for name in before) == 4
    network.eval()(torch.randn(3, 8))
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    network.train()(torch.randn(3, 8))
    assert not torch.equal(before["0.parametrizations.weight.0.v"], network[0].parametrizations.weight[0].v)


def test_spectral_two_passes_one_backward():
    network = spectral_norm(nn.Linear(4, 1))
    (network(torch.randn(2, 4)).sum() + network(torch.randn(2, 4)).sum()).backward()
    assert network.parametrizations.weight.original.grad.isfinite().all()


def test_spectral_norm_refuses_what_has_no_matrix():
    with pytest.raises(TypeError, match="BatchNorm2d"):
        spectral_norm(nn.BatchNorm2d(3))


@pytest.mark.parametrize("decaying", [False, True])
def test_fourier_frequencies_double(decaying):
    x = torch.tensor([[1.0, -2.0]])
    expected = [1.0, -2.0]
    for wave in (math.sin, math.cos):
        expected += [
            wave(2**k * value) / (2**k if decaying else 1) for k in range(3) for value in (1.0, -2.0)
        ]
    torch.testing.assert_close(FourierFeatures(3, decaying=decaying)(x), torch.tensor([expected]))


def test_maxout_is_the_largest_piece():
    layer = Maxout(1, 2, 3)
    layer.linear.weight.data = torch.tensor([[1.0], [0.0], [-1.0], [2.0], [0.0], [-3.0]])
    layer.linear.bias.data = torch.zeros(6)
    x = torch.tensor([[2.0], [-1.0]])  # unit 0: max(x, -x, 0); unit 1: max(0, 2x, -3x)
    torch.testing.assert_close(layer(x), torch.tensor([[2.0, 4.0], [1.0, 3.0]]))


def test_grids_and_widths():
    assert sizes.grid_sizes(32, 32) == [(32, 32), (16, 16), (8, 8), (4, 4)]
    assert sizes.grid_sizes(48, 80)[-1] == (3, 5)
    assert sizes.grid_sizes(16, 64)[-1] == (4, 16)  # the shorter side decides
    assert sizes.grid_sizes(7, 7) == [(7, 7), (4, 4)]
    assert sizes.grid_sizes(2, 2) == [(2, 2), (1, 1)]
    assert sizes.channel_widths(5, 64, 300) == [64, 128, 256, 300, 300]
    assert sizes.pad_to_even(torch.ones(1, 1, 3, 5)).shape == (1, 1, 4, 6)


def test_up_block_with_silent_branch_is_nearest_upsampling():
    block = UpBlock(2, 2, (7, 8))
    nn.init.zeros_(block.leave.weight)
    block.skip.weight.data = torch.eye(2)[:, :, None, None]
    x = torch.randn(1, 2, 4, 4)
    expected = x.repeat_interleave(2, 2).repeat_interleave(2, 3)[:, :, :7]
    torch.testing.assert_close(block(x), expected)


@pytest.mark.parametrize("grid", [(4, 6), (5, 6)])
def test_convolutions_with_resampling_are_what_they_stand_for(grid):
    torch.manual_seed(0)
    weight, bias = torch.randn(3, 2, 3, 3), torch.randn(3)
    x = torch.randn(2, 2, *grid)
    convolution = F.conv2d(x, weight, bias, padding=1)
    torch.testing.assert_close(
        residual.conv_down(x, weight, bias), F.avg_pool2d(convolution, 2, ceil_mode=True)
    )
    doubled = F.interpolate(x, scale_factor=2, mode="nearest")
    torch.testing.assert_close(residual.up_conv(x, weight, bias), F.conv2d(doubled, weight, bias, padding=1))


def test_down_block_with_silent_branch_is_the_mean_of_what_is_there():
    block = DownBlock(1, 1)
    nn.init.zeros_(block.leave.weight)
    block.skip.weight.data.fill_(1)
    x = torch.tensor([[[[1.0, 3.0, 5.0], [1.0, 3.0, 7.0], [2.0, 4.0, 9.0]]]])
    torch.testing.assert_close(block(x), torch.tensor([[[[2.0, 6.0], [3.0, 9.0]]]]))
