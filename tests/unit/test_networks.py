"""Networks against their papers: widths, counts, ranges of settings."""

import pytest
import torch
from torch import nn

from sparring.core.errors import ConfigError
from sparring.core.shapes import SampleSpec
from sparring.parts.networks import (
    DCGANDiscriminator,
    DCGANGenerator,
    MLPDiscriminator,
    MLPGenerator,
    R3GANDiscriminator,
    R3GANGenerator,
    ResNetDiscriminator,
    ResNetGenerator,
)
from sparring.parts.networks.layers.maxout import Maxout

GREY32 = SampleSpec(shape=(1, 32, 32))
POINTS = SampleSpec(shape=(2,))


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


def test_dcgan_generator_has_the_examples_parameters():
    # z 100 -> 256 x 4x4 -> 128 -> 64 -> 1, all kernels 4x4 without bias, BN scale and shift a hidden channel:
    # 16 (100*256 + 256*128 + 128*64 + 64*1) + 2 (256 + 128 + 64) = 16 * 66624 + 896
    assert count(DCGANGenerator().build(GREY32)) == 1_066_880


def test_dcgan_discriminator_has_the_examples_parameters():
    # 16 (1*64 + 64*128 + 128*256) + 2 (128 + 256) = 16 * 41024 + 768; the example's last layer is the head
    body = DCGANDiscriminator().build(GREY32)
    assert count(body) == 657_152
    assert body.num_features == 256 * 4 * 4


def example_generator():
    return nn.Sequential(
        *(nn.ConvTranspose2d(100, 256, 4, 1, 0, bias=False), nn.BatchNorm2d(256), nn.ReLU()),
        *(nn.ConvTranspose2d(256, 128, 4, 2, 1, bias=False), nn.BatchNorm2d(128), nn.ReLU()),
        *(nn.ConvTranspose2d(128, 64, 4, 2, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()),
        *(nn.ConvTranspose2d(64, 1, 4, 2, 1, bias=False), nn.Tanh()),
    )


def test_dcgan_generator_is_the_example():
    torch.manual_seed(0)
    ours, plain, z = DCGANGenerator().build(GREY32), example_generator(), torch.randn(4, 100)
    sources = [ours.start.weight, *[layer.weight for layer in ours.doublings]]
    targets = [layer for layer in plain if isinstance(layer, nn.ConvTranspose2d)]
    norms = [layer for layer in plain if isinstance(layer, nn.BatchNorm2d)]
    with torch.no_grad():
        for weight, layer in zip(sources, targets, strict=True):
            layer.weight.copy_(weight)
        for norm, layer in zip(ours.norms, norms, strict=True):
            layer.weight.copy_(norm.weight)
    torch.testing.assert_close(ours(z), plain(z[:, :, None, None]), rtol=1e-4, atol=1e-5)


def test_dcgan_initialisation():
    torch.manual_seed(0)
    network = DCGANGenerator().build(GREY32)
    weight, norm = network.doublings[0].weight, network.norms[0]
    assert weight.std().item() == pytest.approx(0.02, rel=0.02)
    assert norm.weight.mean().item() == pytest.approx(1, abs=0.01)
    assert norm.weight.std().item() == pytest.approx(0.02, rel=0.25)
    assert not norm.bias.any()


@pytest.mark.parametrize("norm", ["none", "instance"])
def test_dcgan_other_norms(norm):
    generator, body = (
        DCGANGenerator(width=4, norm=norm),
        DCGANDiscriminator(width=4, norm=norm, spectral=True),
    )
    x = generator.build(GREY32)(torch.randn(2, 100))
    assert body.build(GREY32)(x).isfinite().all()
    biased = [
        name for name, _ in body.build(GREY32).named_parameters() if "halvings" in name and "bias" in name
    ]
    assert len(biased) == (3 if norm == "none" else 0)


def test_pacgan_networks_are_expressible():
    generator = MLPGenerator(latent=2, hidden=(400,) * 4, norm="batch", init_std=0.02).build(POINTS)
    # without bias 2*400 + 3*400*400, BN 2*400 four times, out 400*2 + 2
    assert count(generator) == 800 + 480_000 + 3_200 + 802
    body = MLPDiscriminator(hidden=(200,) * 3, activation="maxout", pieces=5, init_std=0.02).build(
        POINTS.stack_channels(2)
    )
    # 5 pieces: (4+1)*1000 + 2 * (200+1)*1000
    assert count(body) == 5_000 + 402_000
    first = next(module for module in body.modules() if isinstance(module, Maxout))
    assert first.linear.weight.std().item() == pytest.approx(0.02, rel=0.1)
    assert not first.linear.bias.any()


@pytest.mark.parametrize(
    ("shape", "output", "bounded"), [((2,), None, 0), ((1, 4, 4), None, 1), ((2,), "tanh", 1)]
)
def test_mlp_output_by_sample(shape, output, bounded):
    network = MLPGenerator(latent=2, output=output).build(SampleSpec(shape=shape))
    assert (network(1e4 * torch.randn(64, 2)).abs().max() <= 1) == bool(bounded)


def test_mlp_dropout_in_training_only():
    body = MLPDiscriminator(hidden=(64,), dropout=0.5, input_dropout=0.2, fourier=2).build(POINTS)
    x = torch.randn(4, 2)
    assert not torch.equal(body(x), body(x))
    assert torch.equal(body.eval()(x), body(x))


def test_mlp_spectral_bounds_the_gradient():
    torch.manual_seed(0)
    body = MLPDiscriminator(hidden=(32, 1), activation="relu", spectral=True).build(POINTS).eval()
    x = torch.randn(256, 2, requires_grad=True)
    (gradient,) = torch.autograd.grad(body(x).sum(), x)
    assert gradient.norm(dim=1).max() < 1.05  # each layer's norm is 1, and so is ReLU's gradient


def test_resnet_is_the_papers_for_cifar10():
    # dense 129*4096; 3 blocks of 2 (9*256*256 + 256) + (256*256 + 256) + BN 4*256;
    # BN 512; 3x3 to 3 channels 9*256*3 + 3
    generator = ResNetGenerator().build(SampleSpec(shape=(3, 32, 32)))
    block = 2 * (9 * 256**2 + 256) + 256**2 + 256 + 4 * 256
    assert count(generator) == 129 * 4096 + 3 * block + 512 + 6915
    body = ResNetDiscriminator().build(SampleSpec(shape=(3, 32, 32)))
    assert [block.down for block in body.blocks] == [True, True, False, False]
    # convolutions 3->128, 7 times 128->128, skips 3->128, 128->128; none in the flat blocks
    assert count(body) == (9 * 3 + 7 * 9 * 128 + 3 + 128 + 10) * 128


def test_resnet_is_the_papers_for_stl10():
    generator = ResNetGenerator(width=64, max_width=512, start_size=6).build(SampleSpec(shape=(3, 48, 48)))
    assert generator.dense.out_features == 6 * 6 * 512
    assert [block.leave.out_channels for block in generator.blocks] == [256, 128, 64]
    body = ResNetDiscriminator(width=64, max_width=512, end_size=4, flat_blocks=1).build(
        SampleSpec(shape=(3, 48, 48))
    )
    assert [block.leave.out_channels for block in body.blocks] == [64, 128, 256, 512, 512]


def test_r3gan_starts_as_its_skips():
    """The branches' last layers are 0, so that the blocks do nothing at the start."""
    torch.manual_seed(0)
    body = R3GANDiscriminator(width=8, max_width=16, blocks=2, group_size=4).build(GREY32)
    x = torch.randn(2, 8, 32, 32)
    torch.testing.assert_close(body.stages[0](x), x)


def test_r3gan_initialisation_shrinks_with_depth():
    torch.manual_seed(0)
    body = R3GANDiscriminator(width=64, max_width=64, blocks=2, group_size=0).build(GREY32)
    # 4 stages of 2 blocks: L = 8; gain^2 = 2 / 1.04; fan-in 64 and 128 * 9
    expected = (2 / 1.04) ** 0.5 * 8**-0.25
    block = body.stages[0][0]
    assert block.enter.weight.std().item() * 8 == pytest.approx(expected, rel=0.03)
    assert block.mix.weight.std().item() * (128 * 9) ** 0.5 == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize(
    ("side", "width", "generator", "discriminator"),
    [(32, 768, 20.73, 20.68), (256, 96, 23.06, 23.01)],  # Stacked-MNIST and FFHQ-256
)
def test_r3gan_has_the_papers_millions_of_parameters(side, width, generator, discriminator):
    spec = SampleSpec(shape=(3, side, side))
    with torch.device("meta"):
        ours = [part(width=width, max_width=768).build(spec) for part in (R3GANGenerator, R3GANDiscriminator)]
    assert [round(count(part) / 1e6, 2) for part in ours] == [generator, discriminator]


def test_r3gan_groups():
    block = R3GANGenerator(width=64, group_size=16).build(GREY32).stages[-1][0]
    assert block.mix.groups == 2 * 64 // 16


WRONG = [
    lambda: MLPGenerator(hidden=()),
    lambda: MLPGenerator(latent=0),
    lambda: MLPGenerator(init_std=0.0),
    lambda: MLPGenerator(batch_momentum=0.0),
    lambda: MLPDiscriminator(dropout=1.0),
    lambda: MLPDiscriminator(pieces=0),
    lambda: DCGANGenerator(width=0),
    lambda: DCGANDiscriminator(width=64, max_width=32),
    lambda: ResNetGenerator(start_size=0),
    lambda: ResNetDiscriminator(flat_blocks=-1),
    lambda: R3GANGenerator(group_size=48),
    lambda: R3GANDiscriminator(blocks=0),
]


@pytest.mark.parametrize("make", WRONG)
def test_settings_out_of_range_are_refused(make):
    with pytest.raises(ConfigError, match="expected"):
        make()
