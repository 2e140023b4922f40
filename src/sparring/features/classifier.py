"""A small convolutional classifier, trained once on the user's labelled images and cached, as a feature
extractor.

Two convolutions and two linear layers on images at 32 x 32; the features are the 128 values before the last
layer. A tenth of the set (at most 5,000) is held out, and the accuracy on it is stored with the weights.
Scores with it compare generators of one data set with each other; they can't be compared with published
numbers.

References: LeCun et al. 1998, doi:10.1109/5.726791 (architecture); Kingma & Ba 2014, arXiv:1412.6980 (Adam);
He et al. 2015, arXiv:1502.01852, equation (10) (initial weights).
"""

import hashlib
import json
from dataclasses import asdict, dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sparring.core import tensor_file
from sparring.core.errors import DataError
from sparring.core.rng import make_generator
from sparring.core.runtime import Runtime
from sparring.data.dataset import Dataset
from sparring.features import weights
from sparring.features.extractor import ExtractorOptions, ExtractorOutput, extract_in_blocks, freeze
from sparring.features.resize import RESIZE_METHOD, resize, to_nchw

IMAGE_SIZE, NUM_FEATURES = 32, 128


@dataclass(frozen=True, kw_only=True)
class ClassifierTraining:
    """Hyper-parameters of the classifier's training. Their names and values are part of the cache's key.

    Arguments:
        images: images seen in total.
        batch: batch size.
        rate: learning rate of Adam, which decays linearly to 0.
    """

    images: int = 100_000
    batch: int = 128
    rate: float = 1e-3


class ClassifierNetwork(nn.Module):
    """Logits and features of images (n, c, 32, 32) in [-1, 1]."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(channels, 32, 3, padding=1), nn.Conv2d(32, 64, 3, padding=1)
        self.hidden, self.last = (
            nn.Linear(64 * (IMAGE_SIZE // 4) ** 2, NUM_FEATURES),
            nn.Linear(NUM_FEATURES, classes),
        )

    def forward(self, x: Tensor) -> ExtractorOutput:
        x = F.max_pool2d(F.relu(self.first(x)), 2)
        x = F.max_pool2d(F.relu(self.second(x)), 2)
        features = F.relu(self.hidden(x.flatten(1)))
        return ExtractorOutput(features, self.last(features))


def preprocess(images: np.ndarray, channels: int) -> Tensor:
    """uint8 images (n, h, w, c) as float32 (n, channels, 32, 32) in [-1, 1]."""
    x = to_nchw(images)
    if x.shape[1] > channels:
        raise DataError(
            "colour images",
            "grey ones, as those that the classifier was trained on",
            "prepare both sets with the same channels (--set data.channels=1)",
        )
    return resize(x.expand(-1, channels, -1, -1), IMAGE_SIZE, IMAGE_SIZE) / 127.5 - 1


def train_classifier(dataset: Dataset, training: ClassifierTraining, runtime: Runtime) -> bytes:
    """Train a classifier on a labelled data set.

    Returns:
        The bytes of a safetensors file with the weights, and with the accuracy on the held-out tenth as metadata.
    """
    assert dataset.labels is not None
    channels = 1 if dataset.samples.shape[3] == 1 else 3
    network = _initial_network(channels, len(dataset.classes))
    runtime.to_device(network)
    order = torch.randperm(len(dataset), generator=make_generator(0, "classifier", 0))
    num_held_out = min(5_000, len(dataset) // 10)
    x = torch.cat(
        [_preprocess_half(dataset.samples[at : at + 500], channels) for at in range(0, len(dataset), 500)]
    )
    y = torch.from_numpy(dataset.labels)
    _fit(network, x, y, order[num_held_out:], training, runtime)
    with torch.no_grad():
        guesses = [
            network(x[rows].to(runtime.device).float()).logits.argmax(1).cpu()
            for rows in order[:num_held_out].split(500)
        ]
    accuracy = float((torch.cat(guesses) == y[order[:num_held_out]]).double().mean())
    return tensor_file.to_bytes(network.state_dict(), {"accuracy": repr(accuracy)})


def _preprocess_half(images: np.ndarray, channels: int) -> Tensor:
    """Preprocessed images in float16, which halves the memory; the rounding error is below a tenth of a grey level."""
    return preprocess(images, channels).half().contiguous(memory_format=torch.channels_last)


def _initial_network(channels: int, classes: int) -> ClassifierNetwork:
    with torch.device("meta"):
        network = ClassifierNetwork(channels, classes)
    network.to_empty(device="cpu")
    for index, parameter in enumerate(network.parameters()):
        inputs = parameter[0].numel() if parameter.ndim > 1 else 0
        draw = torch.randn(parameter.shape, generator=make_generator(0, "classifier weights", index))
        parameter.data.copy_(draw * (2 / inputs) ** 0.5 if inputs else torch.zeros_like(draw))
    return network


def _fit(
    network: ClassifierNetwork,
    x: Tensor,
    y: Tensor,
    rows: Tensor,
    training: ClassifierTraining,
    runtime: Runtime,
) -> None:
    optimizer = torch.optim.Adam(network.parameters(), training.rate)
    steps = max(1, training.images // training.batch)
    per_epoch = max(1, len(rows) // training.batch)
    for step in range(steps):
        if step % per_epoch == 0:
            order = torch.randperm(
                len(rows), generator=make_generator(0, "classifier", 1 + step // per_epoch)
            )
        start = step % per_epoch * training.batch
        chosen = rows[order[start : start + training.batch]]
        optimizer.param_groups[0]["lr"] = training.rate * (1 - step / steps)
        with runtime.autocast():
            logits = network(x[chosen].to(runtime.device).float()).logits
        loss = F.cross_entropy(logits.float(), y[chosen].to(runtime.device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


EXTRACT_BLOCK = 64


class ClassifierExtractor:
    """The extractor "classifier": 128 features, and a logit for each class.

    Arguments:
        options: with the labelled data in `fitted_on`.
        training: used if the classifier is not in the cache.

    Raises:
        DataError: the data has no labels, one class only, or fewer than 20 images.
    """

    name, dimension = "classifier", NUM_FEATURES

    def __init__(
        self, options: ExtractorOptions, training: ClassifierTraining = ClassifierTraining()
    ) -> None:  # noqa: B008 (frozen)
        dataset = _require_labels(options.data())
        self.runtime, self.classes = options.runtime, dataset.classes
        self.channels = 1 if dataset.samples.shape[3] == 1 else 3
        with torch.device("meta"):
            network = ClassifierNetwork(self.channels, len(self.classes))
        data = weights.load_or_train(
            f"classifiers/{_cache_key(dataset, training)}.safetensors",
            network,
            lambda: train_classifier(dataset, training, self.runtime),
        )
        network.load_state_dict(tensor_file.from_bytes(data, network.state_dict()), assign=True)
        self.digest = hashlib.sha256(data).hexdigest()
        self.accuracy = float(tensor_file.read_header(data)[1]["accuracy"])
        self.preprocessing = (
            f"{RESIZE_METHOD} to {IMAGE_SIZE}, v/127.5-1, classifier of {len(self.classes)} classes"
        )
        self.network = self.runtime.to_device(freeze(network))

    def __call__(self, samples: np.ndarray) -> ExtractorOutput:
        return extract_in_blocks(samples, EXTRACT_BLOCK, self._block)

    def _block(self, block: np.ndarray) -> ExtractorOutput:
        return self.network(preprocess(block, self.channels).to(self.runtime.device))


def _require_labels(dataset: Dataset) -> Dataset:
    if dataset.labels is None or len(dataset.classes) < 2:
        raise DataError(
            "data without labels, or of one class",
            "data of at least two classes, to train a classifier on",
            "sort the images into sub-folders by class, or use another extractor, such as 'efficientnet_lite0' or 'pca'",
        )
    if len(dataset) < 20:
        raise DataError(
            f"{len(dataset)} labelled images", "at least 20 to train a classifier on", "add more images"
        )
    return dataset


def _cache_key(dataset: Dataset, training: ClassifierTraining) -> str:
    """Digest of all that the weights depend on.

    A part of a data set (without held-out samples) has the fingerprint of the whole; the labels distinguish them.
    """
    assert dataset.labels is not None
    labels = hashlib.sha256(dataset.labels.astype("<i8").tobytes()).hexdigest()
    settings = {"format": 1, "set": dataset.fingerprint, "labels": labels, **asdict(training)}
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
