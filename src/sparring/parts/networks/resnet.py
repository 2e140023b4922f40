"""SNGAN's residual generator and discriminator, for images of any size."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from sparring.core.errors import ConfigError
from sparring.core.shapes import Features, Image, Labels, Latent, SampleSpec
from sparring.parts.networks.layers import sizes
from sparring.parts.networks.layers.label_embedding import LabelEmbedding
from sparring.parts.networks.layers.residual import DownBlock, UpBlock
from sparring.parts.networks.layers.spectral_norm import spectral_norm_all


@dataclass(frozen=True, kw_only=True)
class ResNetGenerator:
    """Residual generator: z to a grid near 4x4, residual blocks that double it, BN, ReLU, 3x3, tanh.

    At 32x32, with the defaults, the paper's network for CIFAR-10: 256 x 4x4, three blocks of 256. Its networks for
    STL-10 (48x48) and ImageNet (128x128) have `width=64`, `max_width` 512 and 1024, `start_size` 6 and 4. Other sizes:
    see `layers/sizes.py`.

    References:
        Miyato, Kataoka, Koyama & Yoshida 2018, "Spectral normalization for generative adversarial networks",
        arXiv 1802.05957, appendix B.4.

    Arguments:
        latent: dimension of z.
        width: channels of the last block; doubled at each block from the image inwards.
        max_width: channels at the most.
        start_size: side of the first grid.
        embedding: size of the label's embedding, concatenated to z, where the data has labels.

    Shape: (b, z) to (b, c, h, w) in [-1, 1].
    """

    latent: int = 128
    width: int = 256
    max_width: int = 256
    start_size: int = 4
    embedding: int = 64

    def __post_init__(self) -> None:
        sizes.check_widths(self.width, self.max_width)
        if min(self.latent, self.embedding, self.start_size) < 1:
            got = f"latent {self.latent}, embedding {self.embedding}, start_size {self.start_size}"
            raise ConfigError(got, "all 1 or more", "raise them")

    def build(self, spec: SampleSpec) -> nn.Module:
        return Generator(self, spec)


@dataclass(frozen=True, kw_only=True)
class ResNetDiscriminator:
    """Residual discriminator with spectral normalisation: blocks that halve, blocks that don't, ReLU, sum
    over the grid.

    With the defaults the paper's network for CIFAR-10: two blocks of 128 that halve to 8x8, two that don't. Those
    for STL-10 and ImageNet have `width=64`, `max_width` 512 and 1024, `end_size=4`, `flat_blocks=1`.

    References:
        Miyato, Kataoka, Koyama & Yoshida 2018, arXiv 1802.05957, Eq. 7, Algorithm 1 and appendix B.4.

    Arguments:
        width: channels of the first block; doubled at each halving.
        max_width: channels at the most.
        end_size: side of the last grid.
        flat_blocks: blocks on the last grid that don't halve.
        spectral: normalise all weights spectrally.

    Shape: (b, c, h, w) to features (b, channels of the last block).
    """

    width: int = 128
    max_width: int = 128
    end_size: int = 8
    flat_blocks: int = 2
    spectral: bool = True

    def __post_init__(self) -> None:
        sizes.check_widths(self.width, self.max_width)
        if self.end_size < 1 or self.flat_blocks < 0:
            got = f"end_size {self.end_size}, flat_blocks {self.flat_blocks}"
            raise ConfigError(
                got, "end_size 1 or more, flat_blocks 0 or more", "8 and 2 are the paper's for CIFAR-10"
            )

    def build(self, spec: SampleSpec) -> nn.Module:
        return DiscriminatorBody(self, spec)


class Generator(nn.Module):
    """See `ResNetGenerator`."""

    def __init__(self, config: ResNetGenerator, spec: SampleSpec) -> None:
        super().__init__()
        channels, height, width = sizes.image_shape(spec, "resnet")
        self.labels = LabelEmbedding(spec.num_classes, config.embedding)
        grids = sizes.grid_sizes(height, width, config.start_size)[::-1]
        widths = sizes.channel_widths(len(grids), config.width, config.max_width)[::-1]
        self.grid = grids[0]
        self.dense = nn.Linear(
            config.latent + self.labels.embedding_size, widths[0] * grids[0][0] * grids[0][1]
        )
        stages = zip(widths, widths[1:], grids[1:], strict=False)
        self.blocks = nn.ModuleList([UpBlock(i, o, grid) for i, o, grid in stages])
        self.norm = nn.BatchNorm2d(widths[-1])
        self.last = nn.Conv2d(widths[-1], channels, 3, padding=1)
        _initialise(self.dense, self.last)

    def forward(self, z: Latent, y: Labels | None = None) -> Image:
        start = self.dense(self.labels(z, y)).unflatten(
            1, (*self.grid, -1)
        )  # (h, w, c), as channels_last lies
        x = start.permute(0, 3, 1, 2)
        for block in self.blocks:
            x = block(x)
        return torch.tanh(self.last(F.relu_(self.norm(x))))


class DiscriminatorBody(nn.Module):
    """See `ResNetDiscriminator`."""

    def __init__(self, config: ResNetDiscriminator, spec: SampleSpec) -> None:
        super().__init__()
        channels, height, width = sizes.image_shape(spec, "resnet")
        widths = sizes.channel_widths(
            len(sizes.grid_sizes(height, width, config.end_size)) - 1, config.width, config.max_width
        )
        self.num_features, self.spectral = widths[-1], config.spectral
        pairs = zip([channels, *widths[:-1]], widths, strict=True)
        halving = [DownBlock(i, o, first=index == 0) for index, (i, o) in enumerate(pairs)]
        flat = [DownBlock(widths[-1], widths[-1], down=False) for _ in range(config.flat_blocks)]
        self.blocks = nn.ModuleList([*halving, *flat])
        if config.spectral:
            spectral_norm_all(self)

    def stages_from_image(self) -> list[tuple[nn.Module, ...]]:
        """The modules of each stage, in order from the image to the features."""
        return [(block,) for block in self.blocks]

    def forward(self, x: Image) -> Features:
        for block in self.blocks:
            x = block(x)
        return F.relu(x).sum((2, 3))


def _initialise(*layers: nn.Linear | nn.Conv2d) -> None:
    for layer in layers:
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
