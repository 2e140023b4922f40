"""PatchGAN discriminator: one logit for each overlapping patch of an image."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sparring.core.errors import ConfigError, SparringError
from sparring.core.shapes import FeatureMap, Image, Labels
from sparring.parts.networks.layers import instance_norm
from sparring.parts.networks.layers.conv import FastConv2d, make_downsample_conv
from sparring.parts.networks.layers.instance_norm import Norm
from sparring.parts.networks.layers.sizes import channel_widths, check_widths, pad_to_even
from sparring.parts.networks.layers.spectral_norm import spectral_norm_all
from sparring.parts.networks.layers.weight_init import init_normal_weights

WHOLE_IMAGE_HALVINGS = (
    5  # of a discriminator of whole images of unknown size: a receptive field of 286 pixels
)


def receptive_field(halvings: int) -> int:
    """Side of the receptive field of one logit: n 4x4 convolutions of stride 2, then two of stride 1.

    >>> [receptive_field(halvings) for halvings in range(6)]
    [7, 16, 34, 70, 142, 286]
    """
    side = 7
    for _ in range(halvings):
        side = 2 * side + 2
    return side


PATCH_SIZES = (1, *map(receptive_field, range(WHOLE_IMAGE_HALVINGS + 1)))


@dataclass(frozen=True, kw_only=True)
class PatchGAN:
    """pix2pix's discriminator: a convolutional network with one logit per patch; patches overlap.

    patch_size 70: C64-C128-C256-C512 and one logit, 4x4 convolutions, the last two of stride 1, norm in all but the first, leaky
    ReLU of 0.2. Other sizes have fewer or more halvings; 1 is C64-C128 of 1x1 convolutions. 0 is the whole image: as many
    halvings as its receptive field needs, then the mean of the last features, and one logit per image.

    Deviations: instance normalisation (CycleGAN) instead of batch normalisation (pix2pix, at batch 1 the same), so real and
        generated images may pass in one batch; where a grid is a single row, it is padded so that it stays one.

    References:
        Isola, Zhu, Zhou & Efros 2017, arXiv 1611.07004, sec. 3.2.2 and appendix 6.1.2; Li & Wand 2016, arXiv 1604.04382;
        Miyato et al. 2018, arXiv 1802.05957 (spectral normalisation).

    Arguments:
        patch_size: side of a patch in pixels: 1, 7, 16, 34, 70, 142 or 286; 0 is the whole image.
        width: channels of the first stage. max_width: channels at the most.
        norm: of all stages but the first.
        spectral: normalise all weights spectrally; goes with norm `none`.

    Shape: (b, c, h, w) to logits (b h' w',): the logits of an image are consecutive, row by row.
    """

    patch_size: int = 70
    width: int = 64
    max_width: int = 512
    norm: Norm = "instance"
    spectral: bool = False

    def __post_init__(self) -> None:
        if self.patch_size not in (0, *PATCH_SIZES):
            close = min(PATCH_SIZES, key=lambda side: abs(side - self.patch_size))
            raise ConfigError(
                f"patch_size {self.patch_size}",
                f"one of {', '.join(map(str, PATCH_SIZES))}, or 0 for the whole image",
                f"set game.discriminator.patch_size={close}",
            )
        check_widths(self.width, self.max_width)

    def build(self, channels: int, size: tuple[int, int] | None = None) -> nn.Module:
        """The discriminator of images with this many channels; `size` (h, w) of the image is used for patch_size 0."""
        return PatchDiscriminator(self, channels, size)


class PatchDiscriminator(nn.Module):
    """See `PatchGAN`."""

    def __init__(self, config: PatchGAN, channels: int, size: tuple[int, int] | None) -> None:
        super().__init__()
        self.whole, self.pixel, self.spectral = (
            config.patch_size == 0,
            config.patch_size == 1,
            config.spectral,
        )
        self.num_halvings = _num_halvings(config.patch_size, size)
        counts = channel_widths(2 if self.pixel else self.num_halvings + 1, config.width, config.max_width)
        bias = config.norm == "none"
        self.layers, self.norms = nn.ModuleList(), nn.ModuleList()
        for stage, (i, o) in enumerate(zip([channels, *counts[:-1]], counts, strict=True)):
            self.layers.append(self._layer(stage, i, o, bias or not stage))
            self.norms.append(instance_norm.make_norm(config.norm, o) if stage else nn.Identity())
        self.judge = nn.Conv2d(counts[-1], 1, 1 if self.pixel or self.whole else 4)
        init_normal_weights(self)
        if config.spectral:
            spectral_norm_all(self)

    def _layer(self, stage: int, inputs: int, outputs: int, bias: bool) -> nn.Module:
        if self.pixel:
            return nn.Conv2d(inputs, outputs, 1, bias=bias)
        if stage < self.num_halvings:
            return make_downsample_conv(inputs, outputs, bias)
        return FastConv2d(inputs, outputs, 4, bias=bias)

    def features(self, x: Image) -> Tensor:
        """Input of the last layer (b, f, h', w')."""
        for stage, (layer, normalise) in enumerate(zip(self.layers, self.norms, strict=True)):
            if not self.pixel:
                x = pad_to_even(x) if stage < self.num_halvings else _zero_pad(x)
            x = F.leaky_relu(normalise(layer(x)), 0.2)
        return x.mean((2, 3), keepdim=True) if self.whole else x

    def joint_features(self, *parts: Image) -> list[Tensor]:
        """`features` of several batches, which pass through the network as one."""
        return list(self.features(torch.cat(parts)).split([len(part) for part in parts]))

    def head(self, features: FeatureMap, y: Labels | None = None) -> Tensor:
        """One logit per patch (b h' w',)."""
        if not (self.pixel or self.whole):
            features = _zero_pad(features)
        return self.judge(features).flatten()

    def forward(self, x: Image, y: Labels | None = None) -> Tensor:
        return self.head(self.features(x), y)

    def classify(self, features: FeatureMap) -> Tensor:
        """Raises SparringError: a patch discriminator has no classifier."""
        raise SparringError(
            "class logits of a patch discriminator",
            "a discriminator with an auxiliary head",
            "use another game",
        )

    def num_patches(self, height: int, width: int) -> int:
        """Number of logits of an image of this size."""
        if self.whole:
            return 1
        if self.pixel:
            return height * width
        return _patches_along(height, self.num_halvings) * _patches_along(width, self.num_halvings)


def _num_halvings(patch_size: int, size: tuple[int, int] | None) -> int:
    if patch_size == 0:
        fields = [receptive_field(halvings) for halvings in range(WHOLE_IMAGE_HALVINGS + 1)]
        enough = [n for n, field in enumerate(fields) if size is not None and field >= max(size)]
        return min(enough, default=WHOLE_IMAGE_HALVINGS)
    return max(0, PATCH_SIZES.index(patch_size) - 1)


def _patches_along(side: int, halvings: int) -> int:
    for _ in range(halvings):
        side = -(-side // 2)
    return max(1, side - 2)


def _zero_pad(x: Tensor) -> Tensor:
    """One row and column of zeros on each side, and one more at the end where the 4x4 kernel would not fit."""
    height, width = x.shape[2:]
    return F.pad(x, (1, 1 + (width == 1), 1, 1 + (height == 1)))
