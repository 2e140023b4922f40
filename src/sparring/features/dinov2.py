"""DINOv2 vision transformers: distances in their features agree better with human ratings of generated images
than those in Inception's.

References: Oquab et al. 2023, arXiv:2304.07193 (DINOv2); Stein et al. 2023, arXiv:2306.04675 (comparison of features).
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sparring.features import weights
from sparring.features.extractor import ExtractorOptions, ExtractorOutput, extract_in_blocks, freeze
from sparring.features.resize import RESIZE_METHOD, resize, to_rgb

IMAGE_SIZE, PATCH_SIZE, PRETRAINED_GRID = 224, 14, 37
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
VARIANTS = {  # width, depth, heads, letter, SHA-256
    "dinov2_s": (384, 12, 6, "s", "b938bf1bc15cd2ec0feacfe3a1bb553fe8ea9ca46a7e1d8d00217f29aef60cd9"),
    "dinov2_b": (768, 12, 12, "b", "0b8b82f85de91b424aded121c7e1dcc2b7bc6d0adeea651bf73a13307fad8c73"),
    "dinov2_l": (1024, 24, 16, "l", "d5383ea8f4877b2472eb973e0fd72d557c7da5d3611bd527ceeb1d7162cbf428"),
}


def published_weights(name: str) -> weights.PublishedWeights:
    """The published weights of a key of `VARIANTS`."""
    *_, letter, sha256 = VARIANTS[name]
    return weights.PublishedWeights(
        file=f"dinov2_vit{letter}14_pretrain.pth",
        sha256=sha256,
        how_to_get="get it from github.com/facebookresearch/dinov2 (pretrained backbone, without registers)",
    )


class Attention(nn.Module):
    """Multi-head self-attention, softmax(q k^T / sqrt(d)) v."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.qkv, self.proj, self.heads = nn.Linear(width, 3 * width), nn.Linear(width, width), heads

    def forward(self, x: Tensor) -> Tensor:
        count, tokens, width = x.shape
        q, k, v = self.qkv(x).view(count, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        return self.proj(
            F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(count, tokens, width)
        )


class Mlp(nn.Module):
    """Two linear layers, four times as wide between them, with GELU."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x)))


class LayerScale(nn.Module):
    """A learned factor for each channel."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gamma


class Block(nn.Module):
    """A transformer block with pre-normalisation and layer scale."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.attn, self.mlp = Attention(width, heads), Mlp(width)
        self.ls1, self.ls2 = LayerScale(width), LayerScale(width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.ls1(self.attn(self.norm1(x)))
        return x + self.ls2(self.mlp(self.norm2(x)))


class PatchEmbed(nn.Module):
    """Images (n, 3, h, w) to linearly projected patches (n, patches, width)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, PATCH_SIZE, PATCH_SIZE)

    def forward(self, x: Tensor) -> Tensor:
        return self.proj(x).flatten(2).transpose(1, 2)


class VisionTransformer(nn.Module):
    """The network as published; `interpolate_pos_embed` adapts its position embedding to the image size.

    Arguments:
        width: of a token.
        depth: number of blocks.
        heads: number of attention heads.
        learned: patches along a side for which the position embedding was trained.
    """

    def __init__(self, width: int, depth: int, heads: int, learned: int = PRETRAINED_GRID) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, learned**2 + 1, width))
        self.mask_token = nn.Parameter(torch.zeros(1, width))
        self.patch_embed = PatchEmbed(width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width, eps=1e-6)

    def forward(self, x: Tensor) -> ExtractorOutput:
        """Class tokens (n, width) of normalised images."""
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), self.patch_embed(x)], 1) + self.pos_embed
        for block in self.blocks:
            x = block(x)
        return ExtractorOutput(self.norm(x[:, 0]))


def interpolate_pos_embed(network: VisionTransformer, side: int = IMAGE_SIZE) -> VisionTransformer:
    """Interpolate the position embedding for images of `side` pixels, in place, if it was trained for another size."""
    old = network.pos_embed.detach()
    learned, new = round((old.shape[1] - 1) ** 0.5), side // PATCH_SIZE
    if learned != new:
        grid = old[:, 1:].reshape(1, learned, learned, -1).permute(0, 3, 1, 2)
        scale = (new + 0.1) / learned
        grid = F.interpolate(grid, scale_factor=(scale, scale), mode="bicubic")
        assert grid.shape[-2:] == (new, new)
        network.pos_embed = nn.Parameter(torch.cat([old[:, :1], grid.flatten(2).transpose(1, 2)], 1))
    return network


def preprocess(images: Tensor) -> Tensor:
    """Images (n, 3, h, w) in [0, 255] as input of the network: normalised, at 224 x 224."""
    mean, deviation = (torch.tensor(values, device=images.device) for values in (_MEAN, _STD))
    return (resize(images, IMAGE_SIZE, IMAGE_SIZE) / 255 - mean[:, None, None]) / deviation[:, None, None]


class DINOv2Extractor:
    """The extractors "dinov2_s", "dinov2_b" and "dinov2_l": the class token."""

    preprocessing = f"{RESIZE_METHOD} to {IMAGE_SIZE}, ImageNet mean and deviation"

    def __init__(self, options: ExtractorOptions) -> None:
        self.name = options.name
        self.dimension, depth, heads, *_ = VARIANTS[self.name]
        network, self.digest = weights.load_network(
            published_weights(self.name),
            options.weights,
            self.name,
            lambda: VisionTransformer(self.dimension, depth, heads),
        )
        self.runtime = options.runtime
        self.network = self.runtime.to_device(freeze(interpolate_pos_embed(network)))
        self.block = 8 if self.runtime.device.type == "cpu" else 128

    def __call__(self, samples: np.ndarray) -> ExtractorOutput:
        return extract_in_blocks(samples, self.block, self._block)

    def _block(self, block: np.ndarray) -> ExtractorOutput:
        return self.network(preprocess(to_rgb(block, self.runtime.device)))
