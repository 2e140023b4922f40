"""Inception-v3 as used for FID (TensorFlow, December 2015): the network of nearly all published Fréchet distances.

References: Szegedy et al. 2016, arXiv:1512.00567, section 6; Heusel et al. 2017, arXiv:1706.08500 (FID).
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sparring.features import weights
from sparring.features.extractor import ExtractorOptions, ExtractorOutput, extract_in_blocks, freeze
from sparring.features.resize import tensorflow_bilinear_matrix, to_rgb

WEIGHTS = weights.PublishedWeights(
    file="pt_inception-2015-12-05-6726825d.pth",
    sha256="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
    how_to_get="get it from github.com/mseitzer/pytorch-fid (releases, fid_weights), 95,628,359 bytes",
    other_names=("weights-inception-2015-12-05-6726825d.pth",),
)
IMAGE_SIZE, NUM_FEATURES, NUM_CLASSES = 299, 2048, 1008

KernelSize = int | tuple[int, int]
ConvSpec = tuple[str, int, KernelSize]  # name, outputs, kernel
BranchSpec = list[ConvSpec | list[ConvSpec]]  # in a row; a list in it forks into its members


class BasicConv2d(nn.Module):
    """Convolution, batch normalisation, ReLU."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: KernelSize,
        stride: int = 1,
        padding: KernelSize | None = None,
    ) -> None:
        super().__init__()
        sides = (kernel, kernel) if isinstance(kernel, int) else kernel
        if padding is None:
            padding = (sides[0] // 2, sides[1] // 2) if stride == 1 else (0, 0)
        self.conv = nn.Conv2d(inputs, outputs, sides, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(self.conv(x)).relu_()


class InceptionBlock(nn.Module):
    """Parallel branches, concatenated along the channels, the pooling branch last.

    Arguments:
        inputs: input channels.
        paths: convolutions of the branches.
        pool: "mean" or "max" pooling followed by a 1x1 convolution; or "half": a strided maximum alone, and the last
            convolution of each branch is strided too.
        pooled: output channels of the pooling branch.
    """

    def __init__(self, inputs: int, paths: list[BranchSpec], pool: str, pooled: int = 0) -> None:
        super().__init__()
        self.paths, self.pool = paths, pool
        for path in paths:
            width = inputs
            for place, step in enumerate(path):
                stride = 2 if pool == "half" and place == len(path) - 1 else 1
                for name, outputs, kernel in step if isinstance(step, list) else [step]:
                    self.add_module(name, BasicConv2d(width, outputs, kernel, stride))
                width = outputs
        if pooled:
            self.branch_pool = BasicConv2d(inputs, pooled, 1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([out for path in self.paths for out in self._along(path, x)] + [self._pooled(x)], 1)

    def _along(self, path: BranchSpec, x: Tensor) -> list[Tensor]:
        for step in path:
            if isinstance(step, list):
                return [self.get_submodule(name)(x) for name, *_ in step]
            x = self.get_submodule(step[0])(x)
        return [x]

    def _pooled(self, x: Tensor) -> Tensor:
        if self.pool == "half":
            return F.max_pool2d(x, 3, 2)
        if self.pool == "max":
            return self.branch_pool(F.max_pool2d(x, 3, 1, 1))
        return self.branch_pool(F.avg_pool2d(x, 3, 1, 1, count_include_pad=False))


def _inception_a(inputs: int, pooled: int) -> InceptionBlock:
    """Figure 5, at 35x35."""
    double: BranchSpec = [("branch3x3dbl_1", 64, 1), ("branch3x3dbl_2", 96, 3), ("branch3x3dbl_3", 96, 3)]
    paths: list[BranchSpec] = [
        [("branch1x1", 64, 1)],
        [("branch5x5_1", 48, 1), ("branch5x5_2", 64, 5)],
        double,
    ]
    return InceptionBlock(inputs, paths, "mean", pooled)


def _inception_c(inner: int) -> InceptionBlock:
    """Figure 6, at 17x17, with n = 7: 7x7 convolutions as 1x7 and 7x1."""
    single: BranchSpec = [
        ("branch7x7_1", inner, 1),
        ("branch7x7_2", inner, (1, 7)),
        ("branch7x7_3", 192, (7, 1)),
    ]
    double: BranchSpec = [("branch7x7dbl_1", inner, 1)]
    double += [
        (f"branch7x7dbl_{i}", 192 if i == 5 else inner, (1, 7) if i % 2 else (7, 1)) for i in range(2, 6)
    ]
    return InceptionBlock(768, [[("branch1x1", 192, 1)], single, double], "mean", 192)


def _inception_e(inputs: int, pool: str) -> InceptionBlock:
    """Figure 7, at 8x8: the branches end in forks."""

    def fork(name: str) -> list[ConvSpec]:
        return [(f"{name}a", 384, (1, 3)), (f"{name}b", 384, (3, 1))]

    single: BranchSpec = [("branch3x3_1", 384, 1), fork("branch3x3_2")]
    double: BranchSpec = [("branch3x3dbl_1", 448, 1), ("branch3x3dbl_2", 384, 3), fork("branch3x3dbl_3")]
    return InceptionBlock(inputs, [[("branch1x1", 320, 1)], single, double], pool, 192)


class InceptionV3(nn.Module):
    """The network as published, on preprocessed images (n, 3, 299, 299)."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = BasicConv2d(3, 32, 3, 2)
        self.Conv2d_2a_3x3 = BasicConv2d(32, 32, 3, padding=0)
        self.Conv2d_2b_3x3 = BasicConv2d(32, 64, 3)
        self.Conv2d_3b_1x1 = BasicConv2d(64, 80, 1)
        self.Conv2d_4a_3x3 = BasicConv2d(80, 192, 3, padding=0)
        self.Mixed_5b, self.Mixed_5c, self.Mixed_5d = (
            _inception_a(192, 32),
            _inception_a(256, 64),
            _inception_a(288, 64),
        )
        double: BranchSpec = [("branch3x3dbl_1", 64, 1), ("branch3x3dbl_2", 96, 3), ("branch3x3dbl_3", 96, 3)]
        self.Mixed_6a = InceptionBlock(288, [[("branch3x3", 384, 3)], double], "half")
        self.Mixed_6b, self.Mixed_6c = _inception_c(128), _inception_c(160)
        self.Mixed_6d, self.Mixed_6e = _inception_c(160), _inception_c(192)
        long: BranchSpec = [
            ("branch7x7x3_1", 192, 1),
            ("branch7x7x3_2", 192, (1, 7)),
            ("branch7x7x3_3", 192, (7, 1)),
        ]
        long += [("branch7x7x3_4", 192, 3)]
        self.Mixed_7a = InceptionBlock(
            768, [[("branch3x3_1", 192, 1), ("branch3x3_2", 320, 3)], long], "half"
        )
        self.Mixed_7b, self.Mixed_7c = _inception_e(1280, "mean"), _inception_e(2048, "max")
        self.fc = nn.Linear(NUM_FEATURES, NUM_CLASSES)

    def forward(self, x: Tensor) -> ExtractorOutput:
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(F.max_pool2d(x, 3, 2)))
        x = F.max_pool2d(x, 3, 2)
        for name, block in self.named_children():
            x = block(x) if name.startswith("Mixed") else x
        features = x.mean((2, 3))
        return ExtractorOutput(features, features @ self.fc.weight.t())


def preprocess(images: Tensor) -> Tensor:
    """Images (n, 3, h, w) in [0, 255] as input of the network: (v - 128) / 128 at 299 x 299."""
    rows, columns = (
        tensorflow_bilinear_matrix(side, IMAGE_SIZE).to(images.device) for side in images.shape[-2:]
    )
    return ((rows @ images @ columns.t()) - 128) / 128


class InceptionExtractor:
    """The extractor "inception": 2,048 features and 1,008 logits (without bias, as in the original Inception score)."""

    name, dimension = "inception", NUM_FEATURES
    preprocessing = f"TensorFlow 1 bilinear to {IMAGE_SIZE}, (v-128)/128"

    def __init__(self, options: ExtractorOptions) -> None:
        network, self.digest = weights.load_network(WEIGHTS, options.weights, self.name, InceptionV3)
        weights.fold_batch_norm(network, [("conv", "bn")])
        self.network = options.runtime.to_device(freeze(network))
        self.runtime = options.runtime
        self.block = 4 if self.runtime.device.type == "cpu" else 128

    def __call__(self, samples: np.ndarray) -> ExtractorOutput:
        return extract_in_blocks(samples, self.block, self._block)

    def _block(self, block: np.ndarray) -> ExtractorOutput:
        x = preprocess(to_rgb(block, self.runtime.device))
        return self.network(x.contiguous(memory_format=torch.channels_last))
