"""ResNet translator of CycleGAN: two down-samplings, residual blocks, two up-samplings."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sparring.core.errors import ConfigError
from sparring.core.shapes import Image, OutputImage
from sparring.parts.networks.layers import instance_norm, upsample
from sparring.parts.networks.layers.conv import FastConv2d
from sparring.parts.networks.layers.end_conv import EndConv
from sparring.parts.networks.layers.instance_norm import Norm
from sparring.parts.networks.layers.padding import pad_to_multiple, reflect_pad
from sparring.parts.networks.layers.upsample import Upsample
from sparring.parts.networks.layers.weight_init import init_normal_weights

LARGE_IMAGE = 256  # the shorter side from which 9 blocks are taken, as in the paper


@dataclass(frozen=True, kw_only=True)
class ResNetTranslator:
    """Johnson's network for feed-forward style transfer, as CycleGAN has it: c7s1-64, d128, d256, R256 x n, u128, u64, c7s1-c.

    c7s1-k is a 7x7 convolution, norm and ReLU; d a 3x3 of stride 2; u its transpose; R two 3x3 convolutions beside
    the identity. Edges are reflected at the 7x7 layers and in the blocks.

    References:
        Zhu, Park, Isola & Efros 2017, "Unpaired image-to-image translation using cycle-consistent adversarial networks", arXiv
        1703.10593, sec. 4 and appendix 7.2; Johnson, Alahi & Fei-Fei 2016, arXiv 1603.08155; Park, Efros, Zhang & Zhu 2020, arXiv
        2007.15651, sec. 3 (features of the encoder half).

    Arguments:
        width: channels of the first stage.
        blocks: residual blocks; 0 takes 6, or 9 from 256 pixels a side, as in the paper.
        downsamplings: number of times that height and width are halved, and doubled again; the papers' 2.
        norm: of all stages but the last.
        upsample: the layer that doubles a grid: `transposed` is the paper's, `nearest` and `subpixel` leave no checkerboard.

    Shape: (b, c, h, w) to (b, c', h, w) in [-1, 1]; sizes that are no multiples of `multiple` are padded, and cropped back.
    """

    width: int = 64
    blocks: int = 0
    downsamplings: int = 2
    norm: Norm = "instance"
    upsample: Upsample = "transposed"

    def __post_init__(self) -> None:
        if self.width < 1 or not 0 <= self.blocks <= 64 or not 0 <= self.downsamplings <= 6:
            raise ConfigError(
                f"width {self.width}, blocks {self.blocks}, downsamplings {self.downsamplings}",
                "a width of 1 or more, 1 to 64 blocks (or 0 for what fits the size), 0 to 6 downsamplings",
                "fix them; width=64, blocks=0, downsamplings=2 are the paper's",
            )

    def build(self, shape_in: tuple[int, ...], shape_out: tuple[int, ...]) -> nn.Module:
        """The network for images of these shapes (c, h, w); it accepts other sizes too."""
        return ResNetTranslatorNetwork(self, shape_in, shape_out)


class ResNetTranslatorNetwork(nn.Module):
    """See `ResNetTranslator`. Its layers, for `encode`: 0 the image, 1 behind the 7x7, then one a halving, then one a block."""

    def __init__(
        self, config: ResNetTranslator, shape_in: tuple[int, ...], shape_out: tuple[int, ...]
    ) -> None:
        super().__init__()
        self.multiple = 2**config.downsamplings
        count = config.blocks or (9 if min(shape_in[1:]) >= LARGE_IMAGE else 6)
        counts = [config.width * 2**stage for stage in range(config.downsamplings + 1)]
        self.channels = (shape_in[0], *counts, *[counts[-1]] * count)  # by layer
        bias = config.norm == "none"
        self.encoder = nn.ModuleList(
            [ConvNormReLU(config.norm, EndConv(shape_in[0], config.width, 7, bias=bias), config.width, 3)]
        )
        for i, o in zip(counts, counts[1:], strict=False):
            self.encoder.append(ConvNormReLU(config.norm, FastConv2d(i, o, 3, 2, 1, bias=bias), o))
        self.encoder.extend(ResidualBlock(config.norm, counts[-1]) for _ in range(count))
        self.decoder = nn.ModuleList()
        for i, o in zip(counts[:0:-1], counts[-2::-1], strict=True):
            layer = upsample.make_upsample(config.upsample, i, o, kernel=3, bias=bias)
            self.decoder.append(ConvNormReLU(config.norm, layer, o))
        self.last = EndConv(config.width, shape_out[0], 7)
        init_normal_weights(self)

    def forward(self, x: Image) -> OutputImage:
        height, width = x.shape[2:]
        h = pad_to_multiple(x, self.multiple)
        for stage in (*self.encoder, *self.decoder):
            h = stage(h)
        return torch.tanh(self.last(reflect_pad(h, 3)).float())[:, :, :height, :width]

    def encode(self, x: Image, layers: tuple[int, ...]) -> list[Tensor]:
        """Features of these layers: 0 the padded image, 1 behind the 7x7, then one a halving, then one a block.

        CUT's are (0, 2, 3, 4, 8) with two halvings: pixels, both halvings, the first and the fifth block. `channels` has how
        many each has.
        """
        h = pad_to_multiple(x, self.multiple)
        features = [h]
        for stage in self.encoder[: max(layers)]:
            h = stage(h)
            features.append(h)
        return [features[layer] for layer in layers]


class ConvNormReLU(nn.Module):
    """A convolution of mirrored edges, normalisation, ReLU."""

    def __init__(self, kind: Norm, conv: nn.Module, channels: int, reflect_padding: int = 0) -> None:
        super().__init__()
        self.reflect_padding, self.conv = reflect_padding, conv
        self.norm = instance_norm.make_norm(kind, channels)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(
            self.norm(self.conv(reflect_pad(x, self.reflect_padding) if self.reflect_padding else x))
        )


class ResidualBlock(nn.Module):
    """x + norm(conv(relu(norm(conv(x))))), with mirrored edges."""

    def __init__(self, kind: Norm, channels: int) -> None:
        super().__init__()
        bias = kind == "none"
        self.first = ConvNormReLU(kind, FastConv2d(channels, channels, 3, bias=bias), channels, 1)
        self.second = FastConv2d(channels, channels, 3, bias=bias)
        self.norm = instance_norm.make_norm(kind, channels)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.norm(self.second(reflect_pad(self.first(x), 1)))
