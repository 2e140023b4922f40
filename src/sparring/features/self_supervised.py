"""A small convolutional network, trained on the user's own images without labels, as a feature extractor.

Two crops of one image should have similar codes, crops of different images different ones (SimCLR):

    loss_i = -log( exp(z_i . z_j / t) / sum over k != i of exp(z_i . z_k / t) ),   |z| = 1, t = 0.2

where i and j are the two crops of an image and k runs over all crops in the batch. The features are the spatial means of
all four layers (not the codes z, which forget what the crops differ in: section 4.2), each standardised on the training
images, and scaled together to the norm sqrt(d), so that no single image decides a kernel distance.

A metric can't see what its features were trained to ignore. The crops are therefore 3/4 of the side at the native
resolution: no flips, no zoom, no blur, no noise, no cut-outs and no padding, so that mirrored, blurred, speckled, shifted
or partly black images have other features. Contrast and brightness change by at most a fifth: strong colour distortion, as
in the paper, would hide the burnt colours that augmentation can leak. The means of the first layers see noise and grids.

References: Chen, Kornblith, Norouzi, Hinton 2020, arXiv:2002.05709, equation (1), sections 3 and 4.2. Deviations: batches
of 128, four strided convolutions in place of a ResNet, the weak transformations above, features of several layers.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sparring.core import tensor_file
from sparring.core.errors import DataError
from sparring.core.rng import make_generator
from sparring.core.runtime import Runtime, single_thread
from sparring.data.dataset import Dataset
from sparring.features import weights
from sparring.features.extractor import ExtractorOptions, ExtractorOutput, extract_in_blocks, freeze
from sparring.features.resize import RESIZE_METHOD, resize, to_nchw

WIDTHS = (32, 64, 128, 128)
SMALL_SIDE, LARGE_SIDE = 32, 64  # images are resized to the first if they are not larger, else to the second
MIN_IMAGES = 20
NUM_REFERENCE = 2_000  # training images on which the features are standardised
MIN_RELATIVE_STD = 0.05  # of a feature, relative to the mean of all: dead ones are not amplified
EXTRACT_BLOCK = 64


@dataclass(frozen=True, kw_only=True)
class ContrastiveTraining:
    """Hyper-parameters of the training. Their names and values are part of the cache's key.

    Arguments:
        images: images seen in total, each as two crops; 20,000 of 64x64 take about a minute on one thread.
        batch: images in a step; the other 2 batch - 2 crops are the negatives.
        rate: learning rate of Adam, which decays linearly to 0.
        temperature: t of the loss.
        jitter: range of brightness (in units of [-1, 1]) and of the logarithm of contrast and of each channel's gain.
    """

    images: int = 20_000
    batch: int = 128
    rate: float = 2e-3
    temperature: float = 0.2
    jitter: float = 0.4


class ContrastiveNetwork(nn.Module):
    """The features (n, 352) of images (n, c, 32, 32) or (n, c, 64, 64) in [-1, 1]: means of four strided layers."""

    mean: Tensor
    std: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        inputs = (channels, *WIDTHS)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(i, o, 4, 2, 1, bias=False) for i, o in zip(inputs, WIDTHS, strict=False)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in WIDTHS)
        self.register_buffer("mean", torch.zeros(sum(WIDTHS)))
        self.register_buffer("std", torch.ones(sum(WIDTHS)))

    def pooled_layers(self, x: Tensor) -> list[Tensor]:
        """The spatial means (n, width) of each layer."""
        means = []
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = F.relu(norm(convolution(x)))
            means.append(x.mean((2, 3)))
        return means

    def forward(self, x: Tensor) -> ExtractorOutput:
        features = (torch.cat(self.pooled_layers(x), 1).float() - self.mean) / self.std
        return ExtractorOutput(F.normalize(features, dim=1) * features.shape[1] ** 0.5)


def preprocess(images: np.ndarray, side: int, channels: int) -> Tensor:
    """uint8 images (n, h, w, c) as float32 (n, channels, side, side) in [-1, 1]; transparent ones are put on white."""
    x = to_nchw(images)
    if x.shape[1] > channels:
        raise DataError(
            "colour images",
            "grey ones, as those that the self-supervised network was trained on",
            "prepare both sets with the same channels (--set data.channels=1)",
        )
    return resize(x.expand(-1, channels, -1, -1), side, side) / 127.5 - 1


def random_view(x: Tensor, generator: torch.Generator, jitter: float) -> Tensor:
    """A random crop of 3/4 of the side of each image (n, c, s, s), with a little other contrast, colour and brightness.

    Shape: (n, c, 3 s / 4, 3 s / 4).
    """
    count, channels, side, _ = x.shape
    crop = side * 3 // 4
    corners = torch.randint(0, side - crop + 1, (2, count, 1), generator=generator) + torch.arange(crop)
    rows, columns = corners[0][:, None, :, None], corners[1][:, None, None, :]
    numbers = torch.arange(count)[:, None, None, None], torch.arange(channels)[None, :, None, None]
    contrast, colour, brightness = (
        (torch.rand(count, width, 1, 1, generator=generator) - 0.5) * jitter for width in (1, channels, 1)
    )
    return x[(*numbers, rows, columns)] * torch.exp(contrast + colour) + brightness


def contrastive_loss(codes: Tensor, temperature: float) -> Tensor:
    """The loss of codes (2n, d), of which row i and row i + n belong together; their mean.

    >>> codes = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    >>> bool(contrastive_loss(codes, 0.1) < contrastive_loss(codes.roll(1, 0)[[0, 1, 3, 2]], 0.1))
    True
    """
    z = F.normalize(codes, dim=1)
    similarity = z @ z.t() / temperature
    similarity.fill_diagonal_(-torch.inf)
    return F.cross_entropy(similarity, torch.arange(len(z), device=z.device).roll(len(z) // 2))


def train_self_supervised(dataset: Dataset, training: ContrastiveTraining, runtime: Runtime) -> bytes:
    """Train the network on the images of a data set.

    Returns:
        The bytes of a safetensors file with the weights and the scale of the features.
    """
    channels, side = image_format(dataset)
    network = ContrastiveNetwork(channels)
    head = nn.Sequential(nn.Linear(WIDTHS[-1], WIDTHS[-1]), nn.ReLU(), nn.Linear(WIDTHS[-1], WIDTHS[-1] // 2))
    for module, stream in ((network, "self-supervised weights"), (head, "self-supervised head")):
        _initialise(module, stream)
        runtime.to_device(module)
    batch = min(training.batch, len(dataset))
    steps = max(1, training.images // batch)
    optimizer = torch.optim.Adam([*network.parameters(), *head.parameters()], training.rate)
    for step in range(steps):
        generator = make_generator(0, "self-supervised", step)
        rows = torch.randperm(len(dataset), generator=generator)[:batch].sort().values
        x = preprocess(np.asarray(dataset.samples[rows.numpy()]), side, channels)
        views = torch.cat([random_view(x, generator, training.jitter) for _ in range(2)])
        optimizer.param_groups[0]["lr"] = training.rate * (1 - step / steps)
        views = views.to(runtime.device).contiguous(memory_format=torch.channels_last)
        with runtime.autocast():
            last = network.pooled_layers(views)[-1]
        loss = contrastive_loss(head(last.float()), training.temperature)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    _standardise(network.eval(), dataset, runtime)
    return tensor_file.to_bytes(network.state_dict())


def image_format(dataset: Dataset) -> tuple[int, int]:
    """Channels and side of the images as the network takes them."""
    height, width, channels = dataset.samples.shape[1:]
    return 1 if channels == 1 else 3, SMALL_SIDE if max(height, width) <= SMALL_SIDE else LARGE_SIDE


def _initialise(module: nn.Module, stream: str) -> None:
    """He's initial weights from keyed draws; linear layers begin without a bias."""
    for index, parameter in enumerate(module.parameters()):
        if parameter.ndim > 1:
            draw = torch.randn(parameter.shape, generator=make_generator(0, stream, index))
            parameter.data.copy_(draw * (2 / parameter[0].numel()) ** 0.5)
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            layer.bias.data.zero_()


@torch.no_grad()
def _standardise(network: ContrastiveNetwork, dataset: Dataset, runtime: Runtime) -> None:
    """Store mean and standard deviation of the features of some training images."""
    order = torch.randperm(len(dataset), generator=make_generator(0, "self-supervised reference"))
    channels, side = image_format(dataset)
    parts = []
    for rows in order[:NUM_REFERENCE].split(EXTRACT_BLOCK):
        x = preprocess(np.asarray(dataset.samples[rows.sort().values.numpy()]), side, channels)
        parts.append(torch.cat(network.pooled_layers(x.to(runtime.device)), 1))
    features = torch.cat(parts).double()
    std = features.std(0)
    network.mean.copy_(features.mean(0))
    network.std.copy_(std.clamp_min(MIN_RELATIVE_STD * std.mean().item()).clamp_min(1e-6))


class SelfSupervisedExtractor:
    """The extractor "self_supervised": 352 features of a network trained on the data itself.

    Arguments:
        options: with the images in `fitted_on`; `fit_images` is how many are seen in training.
        training: used if the network is not in the cache.

    Raises:
        DataError: fewer than 20 images.
    """

    name, dimension = "self_supervised", sum(WIDTHS)

    def __init__(
        self, options: ExtractorOptions, training: ContrastiveTraining = ContrastiveTraining()
    ) -> None:  # noqa: B008 (frozen)
        dataset = options.data()
        if len(dataset) < MIN_IMAGES:
            raise DataError(
                f"{len(dataset)} images", f"at least {MIN_IMAGES} to train a network on", "add more images"
            )
        if options.fit_images is not None:
            training = replace(training, images=options.fit_images)
        self.runtime = options.runtime
        self.channels, self.side = image_format(dataset)
        with torch.device("meta"):
            network = ContrastiveNetwork(self.channels)
        data = weights.load_or_train(
            f"self_supervised/{_cache_key(dataset, training)}.safetensors",
            network,
            lambda: _train_on_one_thread(dataset, training, self.runtime),
        )
        network.load_state_dict(tensor_file.from_bytes(data, network.state_dict()), assign=True)
        self.digest = hashlib.sha256(data).hexdigest()
        self.preprocessing = (
            f"{RESIZE_METHOD} to {self.side}, v/127.5-1, self-supervised on {training.images:,} images seen"
        )
        self.network = self.runtime.to_device(freeze(network))

    def __call__(self, samples: np.ndarray) -> ExtractorOutput:
        return extract_in_blocks(samples, EXTRACT_BLOCK, self._block)

    def _block(self, block: np.ndarray) -> ExtractorOutput:
        x = preprocess(block, self.side, self.channels).to(self.runtime.device)
        return self.network(x.contiguous(memory_format=torch.channels_last))


def _train_on_one_thread(dataset: Dataset, training: ContrastiveTraining, runtime: Runtime) -> bytes:
    """The same bits for any number of threads, should the cache be lost before a resumption."""
    with single_thread():
        return train_self_supervised(dataset, training, runtime)


def _cache_key(dataset: Dataset, training: ContrastiveTraining) -> str:
    """Digest of all that the weights depend on. A part of a data set has the fingerprint of the whole, and another size."""
    settings = {
        "format": 1,
        "set": dataset.fingerprint,
        "count": len(dataset),
        "shape": list(dataset.samples.shape[1:]),
        **asdict(training),
    }
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
