"""U-Net translator of pix2pix: an encoder and a decoder with skip connections at every resolution."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sparring.core.errors import ConfigError
from sparring.core.shapes import Image, OutputImage
from sparring.parts.networks.layers import instance_norm, upsample
from sparring.parts.networks.layers.conv import FastConv2d, FastConvTranspose2d, make_downsample_conv
from sparring.parts.networks.layers.instance_norm import Norm
from sparring.parts.networks.layers.padding import pad_to_multiple
from sparring.parts.networks.layers.sizes import channel_widths, check_widths
from sparring.parts.networks.layers.upsample import Upsample
from sparring.parts.networks.layers.weight_init import init_normal_weights

MAX_PADDED_AREA = 1.35  # limit of the padded area over the image's area
DROPOUT_STAGES = 3  # stages of the decoder with dropout


@dataclass(frozen=True, kw_only=True)
class UNet:
    """The U-Net of pix2pix: an encoder and a decoder with skip connections at every resolution.

        e_1 = C64(x), e_i = norm(C(lrelu(e_i-1))),  d_i = drop(norm(up(relu([d_i+1, e_i])))),  y = tanh(up(relu([d_1, e_1])))

    with 4x4 convolutions of stride 2, widths doubling from 64 to 512. At 256x256 with depth 8 these are the paper's C64-C128-
    C256-C512-C512-C512-C512-C512 and CD512-CD512-CD512-C512-C256-C128-C64. The innermost grid has no normalisation: of a
    single value nothing would be left. Dropout is the noise z, in training; in use there is none.

    Deviations: a smaller image has fewer stages, so that the decoder's dropout ends sooner; where the innermost grid is 1x1,
        its two layers have the 2x2 kernels that alone touch the image there (the same function); 1x1 grids pass any
        instance normalisation untouched; no dropout in use (the paper keeps it), so that the same image is answered alike.

    References:
        Isola, Zhu, Zhou & Efros 2017, "Image-to-image translation with conditional adversarial networks",
        arXiv 1611.07004, sec. 3.2 and appendix 6.1; Ronneberger, Fischer & Brox 2015, arXiv 1505.04597.

    Arguments:
        width: channels of the first stage. max_width: channels at the most.
        depth: halvings; 0 takes as many as fit the size without padding it by more than a third.
        norm: of all stages but the outermost and the innermost.
        dropout: share of channels' values dropped in the first three stages of the decoder.
        upsample: the layer that doubles a grid: `transposed` is the paper's, `nearest` and `subpixel` leave no checkerboard.

    Shape: (b, c, h, w) to (b, c', h, w) in [-1, 1]; sizes that are no multiples of `multiple` are padded, and cropped back.
    """

    width: int = 64
    max_width: int = 512
    depth: int = 0
    norm: Norm = "instance"
    dropout: float = 0.5
    upsample: Upsample = "transposed"

    def __post_init__(self) -> None:
        check_widths(self.width, self.max_width)
        if self.depth < 0 or self.depth == 1 or self.depth > 12:
            raise ConfigError(f"depth {self.depth}", "2 to 12, or 0 for what fits the size", "set depth=0")
        if not 0 <= self.dropout < 1:
            raise ConfigError(f"dropout {self.dropout}", "0 or more, below 1", "set dropout=0.5")

    def build(self, shape_in: tuple[int, ...], shape_out: tuple[int, ...]) -> nn.Module:
        """The network for images of these shapes (c, h, w); it accepts other sizes too."""
        return UNetNetwork(self, shape_in, shape_out)


def fitting_depth(height: int, width: int) -> int:
    """The most halvings, 2 to 8, for which padding to a multiple of 2^depth adds a third of the area at the most.

    >>> fitting_depth(256, 256), fitting_depth(64, 64), fitting_depth(48, 80), fitting_depth(33, 47)
    (8, 6, 4, 3)
    """

    def fits(depth: int) -> bool:
        multiple = 2**depth
        area = math.ceil(height / multiple) * math.ceil(width / multiple) * multiple**2
        return area <= MAX_PADDED_AREA * height * width

    return max((depth for depth in range(2, 9) if fits(depth)), default=2)


class UNetNetwork(nn.Module):
    """See `UNet`."""

    def __init__(self, config: UNet, shape_in: tuple[int, ...], shape_out: tuple[int, ...]) -> None:
        super().__init__()
        depth = config.depth or fitting_depth(*shape_in[1:])
        self.multiple = 2**depth
        sides = tuple(math.ceil(side / self.multiple) for side in shape_in[1:])
        counts = channel_widths(depth, config.width, config.max_width)
        bias = config.norm == "none"
        self.halvings = nn.ModuleList()
        self.norms = nn.ModuleList()
        for stage, (inputs, outputs) in enumerate(zip([shape_in[0], *counts[:-1]], counts, strict=True)):
            ends = stage in (0, depth - 1)
            point = stage == depth - 1 and sides == (1, 1)
            layer = (
                FastConv2d(inputs, outputs, 2, 2)
                if point
                else make_downsample_conv(inputs, outputs, bias or ends)
            )
            self.halvings.append(layer)
            self.norms.append(nn.Identity() if ends else instance_norm.make_norm(config.norm, outputs))
        self.doublings = nn.ModuleList()  # from the innermost outwards
        self.tails = nn.ModuleList()
        dropped = min(DROPOUT_STAGES, max(1, depth - 2))
        for stage in range(depth - 1, -1, -1):
            inputs = counts[stage] * (1 if stage == depth - 1 else 2)
            outputs = counts[stage - 1] if stage else shape_out[0]
            point = stage == depth - 1 and sides == (1, 1) and config.upsample == "transposed"
            self.doublings.append(
                FastConvTranspose2d(inputs, outputs, 2, 2, bias=bias)
                if point
                else upsample.make_upsample(
                    config.upsample, inputs, outputs, kernel=4, bias=bias or not stage
                )
            )
            drop = config.dropout if stage >= depth - dropped else 0.0
            if stage:
                tail = [
                    instance_norm.make_norm(config.norm, outputs),
                    nn.Dropout(drop) if drop else nn.Identity(),
                ]
                self.tails.append(nn.Sequential(*tail))
        init_normal_weights(self)

    def forward(self, x: Image) -> OutputImage:
        height, width = x.shape[2:]
        skips: list[Tensor] = []
        h = pad_to_multiple(x, self.multiple)
        for conv, layer in zip(self.halvings, self.norms, strict=True):
            h = layer(conv(F.leaky_relu(h, 0.2) if skips else h))
            skips.append(h)
        h = F.relu(skips.pop())
        for doubling, tail in zip(self.doublings, self.tails, strict=False):
            h = F.relu(torch.cat([tail(doubling(h)), skips.pop()], 1))
        return torch.tanh(self.doublings[-1](h).float())[:, :, :height, :width]

    def encode(self, x: Image, layers: tuple[int, ...]) -> list[Tensor]:
        """Features of the encoder: layer 0 is the padded image, layer i the i-th stage's result."""
        h = pad_to_multiple(x, self.multiple)
        features = [h]
        for conv, layer in list(zip(self.halvings, self.norms, strict=True))[: max(layers)]:
            h = layer(conv(F.leaky_relu(h, 0.2) if len(features) > 1 else h))
            features.append(h)
        return [features[layer] for layer in layers]
