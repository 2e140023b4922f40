"""DCGAN's generator and discriminator: strided 4x4 convolutions, for images of any size."""

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import nn

from sparring.core.errors import ConfigError
from sparring.core.shapes import Features, Image, Labels, Latent, SampleSpec
from sparring.parts.networks.layers import sizes
from sparring.parts.networks.layers.end_conv import EndConv
from sparring.parts.networks.layers.label_embedding import LabelEmbedding
from sparring.parts.networks.layers.spectral_norm import spectral_norm_all
from sparring.parts.networks.layers.strided_conv import (
    DownsampleConv2d,
    LatentConvTranspose2d,
    UpsampleConv2d,
)
from sparring.parts.networks.layers.upsample import ConvMeanPool2d, NearestConv2d
from sparring.parts.networks.layers.weight_init import init_he_weights, init_normal_weights

Norm = Literal["batch", "instance", "none"]


@dataclass(frozen=True, kw_only=True)
class DCGANGenerator:
    """DCGAN's generator: z to a grid near 4x4, then doublings with batch normalisation and ReLU, then tanh.

    Widths are doubled at each stage from the image inwards. At 32x32: z -> 256 x 4x4 -> 128 x 8x8 -> 64 x
    16x16 -> c x 32x32; at 64x64 one stage of 512 more, as in the paper's figure 1 with half its width. Other
    sizes: see `layers/sizes.py`. Weights start from N(0, 0.02), the normalisations' scales from N(1, 0.02).

    Deviation: 4x4 kernels (the paper's are 5x5), as in most later uses, because 4 is a multiple of the
        stride.

    References:
        Radford, Metz & Chintala 2016, "Unsupervised representation learning with deep convolutional
        generative adversarial networks", arXiv 1511.06434, sec. 3 and 4.

    Arguments:
        latent: dimension of z.
        width: channels of the last hidden stage.
        max_width: channels at the most.
        norm: of the hidden stages.
        embedding: size of the label's embedding, concatenated to z, where the data has labels.
        output: `linear` leaves the tanh out, for a decoder.
        upsampling: `transposed` is the paper's; `nearest` doubles by nearest neighbours before a 3x3 convolution, at the same
            cost and without a checkerboard.
        full_size_width: channels of one more stage at the image's own size, before a 3x3 convolution to its colours; 0 for none, as
            in the paper, where the last doubling makes the image.

    Shape: (b, z) to (b, c, h, w), in [-1, 1] behind the tanh.
    """

    latent: int = 100
    width: int = 64
    max_width: int = 512
    norm: Norm = "batch"
    embedding: int = 64
    output: Literal["tanh", "linear"] = "tanh"
    upsampling: Literal["transposed", "nearest"] = "transposed"
    full_size_width: int = 0

    def __post_init__(self) -> None:
        sizes.check_widths(self.width, self.max_width)
        if self.latent < 1 or self.embedding < 1:
            raise ConfigError(f"latent {self.latent}, embedding {self.embedding}", "1 or more", "raise it")

    def build(self, spec: SampleSpec) -> nn.Module:
        return Generator(self, spec)

    def as_decoder(self, latent: int) -> "DCGANGenerator":
        """The same settings for codes of this size, without the tanh."""
        return replace(self, latent=latent, output="linear")


@dataclass(frozen=True, kw_only=True)
class DCGANDiscriminator:
    """DCGAN's discriminator: halvings with batch normalisation (but the first) and leaky ReLU of 0.2.

    At 32x32: c -> 64 x 16x16 -> 128 x 8x8 -> 256 x 4x4, whose 4096 numbers are the features, in the order (h,
        w, c). Sizes, widths, initialisation and deviation as for `DCGANGenerator`.

    References:
        Radford, Metz & Chintala 2016, arXiv 1511.06434, sec. 3 and 4.
        Miyato et al. 2018, arXiv 1802.05957 (spectral normalisation).

    Arguments:
        width: channels of the first stage.
        max_width: channels at the most.
        norm: of all stages but the first; without it the convolutions have biases.
        spectral: normalise all weights spectrally; goes with norm `none`.
        downsampling: `strided` is the paper's; `mean` is a 3x3 convolution and the mean of each 2x2 block, at the same cost.
        init: `normal` is the paper's; `he` suits norm `none` without spectral normalisation (He et al. 2015, arXiv 1502.01852).

    Shape: (b, c, h, w) to features (b, d).
    """

    width: int = 64
    max_width: int = 512
    norm: Norm = "batch"
    spectral: bool = False
    downsampling: Literal["strided", "mean"] = "strided"
    init: Literal["normal", "he"] = "normal"

    def __post_init__(self) -> None:
        sizes.check_widths(self.width, self.max_width)

    def build(self, spec: SampleSpec) -> nn.Module:
        return DiscriminatorBody(self, spec)


class Generator(nn.Module):
    """See `DCGANGenerator`."""

    def __init__(self, config: DCGANGenerator, spec: SampleSpec) -> None:
        super().__init__()
        channels, height, width = sizes.image_shape(spec, "dcgan")
        self.labels, self.output = LabelEmbedding(spec.num_classes, config.embedding), config.output
        self.grids = sizes.grid_sizes(height, width)[::-1]
        widths = sizes.channel_widths(len(self.grids) - 1, config.width, config.max_width)[::-1]
        self.start = LatentConvTranspose2d(
            config.latent + self.labels.embedding_size, widths[0], *self.grids[0]
        )
        bias = config.norm == "none"
        last = config.full_size_width
        self.colours = EndConv(last, channels, 3) if last else None
        pairs = zip(widths, [*widths[1:], last or channels], strict=True)
        doubling = UpsampleConv2d if config.upsampling == "transposed" else NearestConv2d
        self.doublings = nn.ModuleList([doubling(i, o, bias) for i, o in pairs])
        stages = [*widths, last] if last else widths
        self.norms = nn.ModuleList([_make_norm(config.norm, count) for count in stages])
        init_normal_weights(self)

    def forward(self, z: Latent, y: Labels | None = None) -> Image:
        x = self.start(self.labels(z, y))
        for grid, norm, doubling in zip(self.grids[1:], self.norms, self.doublings, strict=False):
            x = sizes.crop(doubling(norm(x).relu_()), grid)
        if self.colours is not None:
            x = self.colours(nn.functional.pad(self.norms[-1](x).relu_(), (1, 1, 1, 1)))
        return torch.tanh(x) if self.output == "tanh" else x


class DiscriminatorBody(nn.Module):
    """See `DCGANDiscriminator`."""

    def __init__(self, config: DCGANDiscriminator, spec: SampleSpec) -> None:
        super().__init__()
        channels, height, width = sizes.image_shape(spec, "dcgan")
        grids = sizes.grid_sizes(height, width)
        widths = sizes.channel_widths(len(grids) - 1, config.width, config.max_width)
        self.num_features, self.spectral = widths[-1] * grids[-1][0] * grids[-1][1], config.spectral
        bias = config.norm == "none"
        pairs = zip([channels, *widths[:-1]], widths, strict=True)
        halving = DownsampleConv2d if config.downsampling == "strided" else ConvMeanPool2d
        self.halvings = nn.ModuleList([halving(i, o, bias) for i, o in pairs])
        norms = [_make_norm(config.norm, count) for count in widths[1:]]
        self.norms = nn.ModuleList([nn.Identity(), *norms])
        if config.init == "he":
            init_he_weights(self, 0.2)
        else:
            init_normal_weights(self)
        if config.spectral:
            spectral_norm_all(self)

    def stages_from_image(self) -> list[tuple[nn.Module, ...]]:
        """The modules of each stage, in order from the image to the features."""
        return list(zip(self.halvings, self.norms, strict=True))

    def forward(self, x: Image) -> Features:
        for halving, norm in zip(self.halvings, self.norms, strict=True):
            x = nn.functional.leaky_relu_(norm(halving(sizes.pad_to_even(x))), 0.2)
        return sizes.flatten_channels_last(x)


def _make_norm(kind: Norm, channels: int) -> nn.Module:
    if kind == "none":
        return nn.Identity()
    return nn.BatchNorm2d(channels) if kind == "batch" else nn.InstanceNorm2d(channels, affine=True)
