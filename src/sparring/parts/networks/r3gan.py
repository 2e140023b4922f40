"""R3GAN's generator and discriminator: residual networks without normalisation, for images of any size."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sparring.core.errors import ConfigError
from sparring.core.shapes import Features, Image, Labels, Latent, SampleSpec
from sparring.parts.networks.layers import sizes
from sparring.parts.networks.layers.label_embedding import LabelEmbedding

NEGATIVE_SLOPE = 0.2  # of the leaky ReLU
INIT_GAIN = math.sqrt(2 / (1 + NEGATIVE_SLOPE**2))


@dataclass(frozen=True, kw_only=True)
class R3GANGenerator:
    """R3GAN's generator: a learned basis near 4x4, weighted by a linear map of z; stages of residual blocks,
    each but the first on a bilinear enlargement; a 1x1 convolution to colours, without tanh.

    A residual block is an inverted bottleneck with biases before activations only, and with Fixup's
    initialisation:

        x + W3 a(W2 * a(W1 x)),  W1: 1x1, width -> expansion width;  W2: 3x3, grouped;  W3: 1x1 back, from 0
        W1, W2 ~ N(0, 2 / ((1 + negative_slope^2) fan_in) L^(-1/2)),  L the number of blocks,  a: leaky ReLU of 0.2

    The paper's networks have `width=768, max_width=768` (32x32) or `width=96, max_width=768` (256x256),
    `blocks=2`, `expansion=2`, `group_size=16`; the defaults are for a small machine. A CPU reaches half of its speed
    in grouped convolutions at best: there, fewer channels with `group_size=0` do more in the same time.

    Deviation: PyTorch's bilinear resizing, straight to the grid of `layers/sizes.py`, for a fixed filter.

    References:
        Huang, Gokaslan, Kuleshov & Tompkin 2025, "The GAN is dead; long live the GAN! A modern baseline GAN",
        arXiv 2501.05441, sec. 4 (config E) and appendix.
        Zhang, Dauphin & Ma 2019, "Fixup initialization", arXiv 1901.09321 (L^(-1/(2m - 2)) with m = 3).

    Arguments:
        latent: dimension of z.
        width: channels of the stage at the image's size; doubled at each stage inwards.
        max_width: channels at the most.
        blocks: residual blocks a stage.
        expansion: width of the bottleneck over the stage's.
        group_size: channels of each group of the 3x3 convolution; 0 for one group of all.
        embedding: size of the label's embedding, concatenated to z, where the data has labels.

    Shape: (b, z) to (b, c, h, w), not bounded.
    """

    latent: int = 64
    width: int = 64
    max_width: int = 256
    blocks: int = 2
    expansion: int = 2
    group_size: int = 16
    embedding: int = 64

    def __post_init__(self) -> None:
        _check_config(self)
        if self.latent < 1 or self.embedding < 1:
            raise ConfigError(f"latent {self.latent}, embedding {self.embedding}", "1 or more", "enlarge it")

    def build(self, spec: SampleSpec) -> nn.Module:
        return Generator(self, spec)


@dataclass(frozen=True, kw_only=True)
class R3GANDiscriminator:
    """R3GAN's discriminator, the generator's mirror: a 1x1 convolution from colours, stages of residual
    blocks, each but the last before a bilinear reduction; a convolution of each channel with a kernel of its
    own as large as the grid.

    The linear layer on it is the head. Blocks, initialisation and deviation as for `R3GANGenerator`.

    References:
        Huang, Gokaslan, Kuleshov & Tompkin 2025, arXiv 2501.05441, sec. 4 (config E) and appendix.

    Arguments:
        width: channels of the stage at the image's size; doubled at each stage inwards.
        max_width: channels at the most.
        blocks: residual blocks a stage.
        expansion: width of the bottleneck over the stage's.
        group_size: channels of each group of the 3x3 convolution; 0 for one group of all.

    Shape: (b, c, h, w) to features (b, channels of the last stage).
    """

    width: int = 64
    max_width: int = 256
    blocks: int = 2
    expansion: int = 2
    group_size: int = 16

    def __post_init__(self) -> None:
        _check_config(self)

    def build(self, spec: SampleSpec) -> nn.Module:
        return DiscriminatorBody(self, spec)


class Generator(nn.Module):
    """See `R3GANGenerator`."""

    def __init__(self, config: R3GANGenerator, spec: SampleSpec) -> None:
        super().__init__()
        channels, height, width = sizes.image_shape(spec, "r3gan")
        self.labels = LabelEmbedding(spec.num_classes, config.embedding)
        self.grids = sizes.grid_sizes(height, width)[::-1]
        widths = sizes.channel_widths(len(self.grids), config.width, config.max_width)[::-1]
        self.modulation = nn.Linear(config.latent + self.labels.embedding_size, widths[0], bias=False)
        nn.init.normal_(self.modulation.weight, 0.0, self.modulation.in_features**-0.5)
        self.basis = nn.Parameter(torch.randn(widths[0], *self.grids[0]))
        self.stages = nn.ModuleList([_make_stage(config, count, len(widths)) for count in widths])
        self.widen = nn.ModuleList([_change_width(i, o) for i, o in zip(widths, widths[1:], strict=False)])
        self.colours = _conv(widths[-1], channels, 1)

    def forward(self, z: Latent, y: Labels | None = None) -> Image:
        weights = self.modulation(self.labels(z, y))
        x = (weights[:, None, None] * self.basis.permute(1, 2, 0)).permute(
            0, 3, 1, 2
        )  # lies as channels_last
        x = self.stages[0](x)
        for grid, widen, stage in zip(self.grids[1:], self.widen, self.stages[1:], strict=True):
            x = stage(_resize(widen(x), grid))
        return self.colours(x)


class DiscriminatorBody(nn.Module):
    """See `R3GANDiscriminator`."""

    def __init__(self, config: R3GANDiscriminator, spec: SampleSpec) -> None:
        super().__init__()
        channels, height, width = sizes.image_shape(spec, "r3gan")
        self.grids = sizes.grid_sizes(height, width)
        widths = sizes.channel_widths(len(self.grids), config.width, config.max_width)
        self.num_features, self.spectral = widths[-1], False
        self.colours = _conv(channels, widths[0], 1)
        self.stages = nn.ModuleList([_make_stage(config, count, len(widths)) for count in widths])
        self.widen = nn.ModuleList([_change_width(i, o) for i, o in zip(widths, widths[1:], strict=False)])
        side = self.grids[-1][0] * self.grids[-1][1]
        self.basis = nn.Parameter(torch.randn(widths[-1], *self.grids[-1]) / math.sqrt(side))

    def stages_from_image(self) -> list[tuple[nn.Module, ...]]:
        """The modules of each stage, in order from the image to the features."""
        return list(zip([self.colours, *self.widen], self.stages, strict=True))

    def forward(self, x: Image) -> Features:
        x = self.stages[0](self.colours(x))
        for grid, widen, stage in zip(self.grids[1:], self.widen, self.stages[1:], strict=True):
            x = stage(widen(_resize(x, grid)))
        return (x * self.basis).sum((2, 3))


class R3GANBlock(nn.Module):
    """The residual block of `R3GANGenerator`.

    Arguments:
        width: channels in and out.
        expansion, group: see there.
        depth: number of blocks in the network, L.
    """

    def __init__(self, width: int, expansion: int, group_size: int, depth: int) -> None:
        super().__init__()
        middle, gain = width * expansion, INIT_GAIN * depth**-0.25
        self.enter = _conv(width, middle, 1, gain=gain, bias=True)
        self.mix = _conv(
            middle, middle, 3, gain=gain, bias=True, groups=middle // group_size if group_size else 1
        )
        self.leave = _conv(middle, width, 1, gain=0.0)

    def forward(self, x: Tensor) -> Tensor:
        h = F.leaky_relu_(self.enter(x), NEGATIVE_SLOPE)
        return x + self.leave(F.leaky_relu_(self.mix(h), NEGATIVE_SLOPE))


def _make_stage(config: R3GANGenerator | R3GANDiscriminator, width: int, stages: int) -> nn.Module:
    depth = stages * config.blocks
    return nn.Sequential(
        *[R3GANBlock(width, config.expansion, config.group_size, depth) for _ in range(config.blocks)]
    )


def _change_width(inputs: int, outputs: int) -> nn.Module:
    return nn.Identity() if inputs == outputs else _conv(inputs, outputs, 1)


def _conv(
    inputs: int, outputs: int, size: int, *, gain: float = 1.0, bias: bool = False, groups: int = 1
) -> nn.Conv2d:
    conv = nn.Conv2d(inputs, outputs, size, padding=size // 2, bias=bias, groups=groups)
    nn.init.normal_(conv.weight, 0.0, gain / math.sqrt(inputs // groups * size**2))
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
    return conv


def _resize(x: Tensor, grid: sizes.Grid) -> Tensor:
    return F.interpolate(x, size=grid, mode="bilinear", align_corners=False)


def _check_config(config: R3GANGenerator | R3GANDiscriminator) -> None:
    sizes.check_widths(config.width, config.max_width)
    if config.blocks < 1 or config.expansion < 1 or config.group_size < 0:
        got = f"blocks {config.blocks}, expansion {config.expansion}, group_size {config.group_size}"
        raise ConfigError(got, "blocks and expansion 1 or more, group_size 0 or more", "fix the numbers")
    if config.group_size and any(
        width * config.expansion % config.group_size for width in (config.width, config.max_width)
    ):
        got = f"group_size {config.group_size}, bottlenecks of {config.width * config.expansion} channels and more"
        raise ConfigError(got, "a group_size that divides them", "set it to 16, or to 0 for one group")
