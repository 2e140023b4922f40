"""CycleGAN's translator: two halvings, residual blocks, two doublings."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sparring.errors import ConfigError
from sparring.shapes import Image
from sparring.translators import norm, upsampling
from sparring.translators.convolution import Conv
from sparring.translators.edges import fit, initialise, reflect
from sparring.translators.ends import EndConv
from sparring.translators.norm import Norm
from sparring.translators.upsampling import Upsample

LARGE = 256  # the shorter side from which 9 blocks are taken, as in the paper


@dataclass(frozen=True, kw_only=True)
class ResnetTranslator:
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
        downs: halvings.
        norm: of all stages but the last.
        upsample: the layer that doubles a grid: `transposed` is the paper's, `nearest` and `subpixel` leave no checkerboard.

    Shape: (b, c, h, w) to (b, c', h, w) in [-1, 1]; sizes that are no multiples of `multiple` are padded, and cropped back.
    """

    width: int = 64
    blocks: int = 0
    downs: int = 2
    norm: Norm = "instance"
    upsample: Upsample = "transposed"

    def __post_init__(self) -> None:
        if self.width < 1 or not 0 <= self.blocks <= 64 or not 0 <= self.downs <= 6:
            raise ConfigError(
                f"width {self.width}, blocks {self.blocks}, downs {self.downs}",
                "a width of 1 or more, 1 to 64 blocks (or 0 for what fits the size), 0 to 6 downs",
                "mend them; width=64, blocks=0, downs=2 are the paper's",
            )

    def build(self, shape_in: tuple[int, ...], shape_out: tuple[int, ...]) -> nn.Module:
        """The network for pictures of these shapes (c, h, w); it accepts other sizes too."""
        return Network(self, shape_in, shape_out)


class Network(nn.Module):
    """See `ResnetTranslator`. Its layers, for `encode`: 0 the picture, 1 behind the 7x7, then one a halving, then one a block."""

    def __init__(
        self, config: ResnetTranslator, shape_in: tuple[int, ...], shape_out: tuple[int, ...]
    ) -> None:
        super().__init__()
        self.multiple = 2**config.downs
        count = config.blocks or (9 if min(shape_in[1:]) >= LARGE else 6)
        counts = [config.width * 2**stage for stage in range(config.downs + 1)]
        self.channels = (shape_in[0], *counts, *[counts[-1]] * count)  # by layer
        bias = config.norm == "none"
        self.encoder = nn.ModuleList(
            [Stage(config.norm, EndConv(shape_in[0], config.width, 7, bias=bias), config.width, 3)]
        )
        for i, o in zip(counts, counts[1:], strict=False):
            self.encoder.append(Stage(config.norm, Conv(i, o, 3, 2, 1, bias=bias), o))
        self.encoder.extend(Block(config.norm, counts[-1]) for _ in range(count))
        self.decoder = nn.ModuleList()
        for i, o in zip(counts[:0:-1], counts[-2::-1], strict=True):
            layer = upsampling.make(config.upsample, i, o, kernel=3, bias=bias)
            self.decoder.append(Stage(config.norm, layer, o))
        self.last = EndConv(config.width, shape_out[0], 7)
        initialise(self)

    def forward(self, x: Image) -> Image:
        height, width = x.shape[2:]
        h = fit(x, self.multiple)
        for stage in (*self.encoder, *self.decoder):
            h = stage(h)
        return torch.tanh(self.last(reflect(h, 3)).float())[:, :, :height, :width]

    def encode(self, x: Image, layers: tuple[int, ...]) -> list[Tensor]:
        """Features of these layers: 0 the padded picture, 1 behind the 7x7, then one a halving, then one a block.

        CUT's are (0, 2, 3, 4, 8) with two halvings: pixels, both halvings, the first and the fifth block. `channels` has how
        many each has.
        """
        h = fit(x, self.multiple)
        found = [h]
        for stage in self.encoder[: max(layers)]:
            h = stage(h)
            found.append(h)
        return [found[layer] for layer in layers]


class Stage(nn.Module):
    """A convolution of mirrored edges, normalisation, ReLU."""

    def __init__(self, kind: Norm, conv: nn.Module, channels: int, mirrored: int = 0) -> None:
        super().__init__()
        self.mirrored, self.conv = mirrored, conv
        self.norm = norm.make(kind, channels)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.norm(self.conv(reflect(x, self.mirrored) if self.mirrored else x)))


class Block(nn.Module):
    """x + norm(conv(relu(norm(conv(x))))), with mirrored edges."""

    def __init__(self, kind: Norm, channels: int) -> None:
        super().__init__()
        bias = kind == "none"
        self.first = Stage(kind, Conv(channels, channels, 3, bias=bias), channels, 1)
        self.second = Conv(channels, channels, 3, bias=bias)
        self.norm = norm.make(kind, channels)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.norm(self.second(reflect(self.first(x), 1)))
