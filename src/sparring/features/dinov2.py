"""DINOv2's vision transformers, whose features agree better with people's judgement of generated pictures than Inception's.

A picture at 224 becomes 16 x 16 patches of 14 and one class token; each block adds, to each token x,

    x + g1 * attention(norm(x)),   then   x + g2 * MLP(norm(x)),

where g1, g2 are learned scales a channel. The features are the class token after the last norm. Pictures come antialiased
bicubic to 224, with ImageNet's mean and deviation. The positions were learned for 37 x 37 patches: they are interpolated once,
at loading, as its authors do (bicubic with a = -3/4, without antialias, at the scale 16.1/37).

References:
    Oquab et al. 2023, arXiv:2304.07193; Dosovitskiy et al. 2020, arXiv:2010.11929, equations (1)-(4); Touvron et al. 2021,
    arXiv:2103.17239, equation (5) (scales a channel); Stein et al. 2023, arXiv:2306.04675 (Frechet distance on DINOv2).
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sparring.features import weights
from sparring.features.extracted import Extracted, by_blocks
from sparring.features.folding import frozen
from sparring.features.resize import RULE, colour, resized
from sparring.features.wanted import Wanted

SIDE, PATCH, LEARNED = 224, 14, 37
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SIZES = {  # width, depth, heads, letter, SHA-256
    "dinov2_s": (384, 12, 6, "s", "b938bf1bc15cd2ec0feacfe3a1bb553fe8ea9ca46a7e1d8d00217f29aef60cd9"),
    "dinov2_b": (768, 12, 12, "b", "0b8b82f85de91b424aded121c7e1dcc2b7bc6d0adeea651bf73a13307fad8c73"),
    "dinov2_l": (1024, 24, 16, "l", "d5383ea8f4877b2472eb973e0fd72d557c7da5d3611bd527ceeb1d7162cbf428"),
}


def published(name: str) -> weights.Published:
    """The file of weights of a row of `SIZES`."""
    *_, letter, sha256 = SIZES[name]
    return weights.Published(
        file=f"dinov2_vit{letter}14_pretrain.pth",
        sha256=sha256,
        where="get it from github.com/facebookresearch/dinov2 (pretrained backbone, without registers)",
    )


class Attention(nn.Module):
    """Softmax(q k^T / sqrt(d)) v over the tokens, in several heads."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.qkv, self.proj, self.heads = nn.Linear(width, 3 * width), nn.Linear(width, width), heads

    def forward(self, x: Tensor) -> Tensor:
        count, tokens, width = x.shape
        q, k, v = self.qkv(x).view(count, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        return self.proj(
            F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(count, tokens, width)
        )


class Perceptron(nn.Module):
    """Four times as wide inside, with GELU."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x)))


class Scale(nn.Module):
    """A learned factor a channel."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gamma


class Layer(nn.Module):
    """One block."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.attn, self.mlp = Attention(width, heads), Perceptron(width)
        self.ls1, self.ls2 = Scale(width), Scale(width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.ls1(self.attn(self.norm1(x)))
        return x + self.ls2(self.mlp(self.norm2(x)))


class Patches(nn.Module):
    """Pictures as rows of projected patches (n, patches, width)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, PATCH, PATCH)

    def forward(self, x: Tensor) -> Tensor:
        return self.proj(x).flatten(2).transpose(1, 2)


class Transformer(nn.Module):
    """The network as published; `settle` fits its positions to our size.

    Arguments:
        width: of a token.
        depth: number of blocks.
        heads: of the attention.
        learned: patches a side that the positions were learned for.
    """

    def __init__(self, width: int, depth: int, heads: int, learned: int = LEARNED) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, learned**2 + 1, width))
        self.mask_token = nn.Parameter(torch.zeros(1, width))
        self.patch_embed = Patches(width)
        self.blocks = nn.ModuleList(Layer(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width, eps=1e-6)

    def forward(self, x: Tensor) -> Extracted:
        """Class tokens (n, width) of normalised pictures."""
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), self.patch_embed(x)], 1) + self.pos_embed
        for block in self.blocks:
            x = block(x)
        return Extracted(self.norm(x[:, 0]))


def settle(network: Transformer, side: int = SIDE) -> Transformer:
    """Interpolate the learned positions for pictures of this side, once and for all, where they do not fit as they are."""
    old = network.pos_embed.detach()
    learned, new = round((old.shape[1] - 1) ** 0.5), side // PATCH
    if learned != new:
        grid = old[:, 1:].reshape(1, learned, learned, -1).permute(0, 3, 1, 2)
        scale = (new + 0.1) / learned
        grid = F.interpolate(grid, scale_factor=(scale, scale), mode="bicubic")
        assert grid.shape[-2:] == (new, new)
        network.pos_embed = nn.Parameter(torch.cat([old[:, :1], grid.flatten(2).transpose(1, 2)], 1))
    return network


def prepared(pictures: Tensor) -> Tensor:
    """Pictures (n, 3, h, w) of values in [0, 255] as the network takes them."""
    mean, deviation = (torch.tensor(values, device=pictures.device) for values in (_MEAN, _DEVIATION))
    return (resized(pictures, SIDE, SIDE) / 255 - mean[:, None, None]) / deviation[:, None, None]


class DinoV2:
    """The extractor of one of three sizes."""

    rule = f"{RULE} to {SIDE}, ImageNet mean and deviation"

    def __init__(self, wanted: Wanted) -> None:
        self.name = wanted.name
        self.dimension, depth, heads, *_ = SIZES[self.name]
        network, self.digest = weights.load(
            published(self.name), wanted.weights, self.name, lambda: Transformer(self.dimension, depth, heads)
        )
        self.runtime = wanted.runtime
        self.network = self.runtime.place(frozen(settle(network)))
        self.block = 8 if self.runtime.device.type == "cpu" else 128

    def __call__(self, samples: np.ndarray) -> Extracted:
        return by_blocks(samples, self.block, self._block)

    def _block(self, block: np.ndarray) -> Extracted:
        return self.network(prepared(colour(block, self.runtime.device)))
