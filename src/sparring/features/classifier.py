"""A small classifier of the user's own labelled pictures, trained once, frozen, and kept: features that know these classes.

Two convolutions and two layers on pictures at 32 x 32; the features are the 128 numbers before the last layer. A tenth of the
set (at most 5,000) is not trained on, and the accuracy on it is kept with the weights. Numbers made with it compare generators
of one set with each other, and with nothing that is published.

References: those of `learning.py`.
"""

import contextlib
import hashlib
import json
import os
import tempfile
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from sparring import tensorfile
from sparring.data.dataset import Dataset
from sparring.data.places import roots
from sparring.errors import DataError, SparringError
from sparring.features.extracted import Extracted, by_blocks
from sparring.features.folding import frozen
from sparring.features.learning import FEATURES, SIDE, Network, Training, prepared, trained
from sparring.features.resize import RULE
from sparring.features.wanted import Wanted
from sparring.runtime import Runtime

BLOCK = 64


class Classifier:
    """The extractor: 128 features, and a logit a class.

    Arguments:
        wanted: with the labelled set in `fitted_on`.
        training: how it is trained, if it is not in the cache yet.
    """

    name, dimension = "classifier", FEATURES

    def __init__(self, wanted: Wanted, training: Training = Training()) -> None:  # noqa: B008 (frozen)
        dataset = _labelled(wanted.data())
        self.runtime, self.classes = wanted.runtime, dataset.classes
        self.channels = 1 if dataset.samples.shape[3] == 1 else 3
        with torch.device("meta"):
            network = Network(self.channels, len(self.classes))
        data = _kept(dataset, network, training, self.runtime)
        network.load_state_dict(tensorfile.parse(data, network.state_dict()), assign=True)
        self.digest = hashlib.sha256(data).hexdigest()
        self.accuracy = float(tensorfile.header(data)[1]["accuracy"])
        self.rule = f"{RULE} to {SIDE}, v/127.5-1, classifier of {len(self.classes)} classes"
        self.network = self.runtime.place(frozen(network))

    def __call__(self, samples: np.ndarray) -> Extracted:
        return by_blocks(samples, BLOCK, self._block)

    def _block(self, block: np.ndarray) -> Extracted:
        return self.network(prepared(block, self.channels).to(self.runtime.device))


def _labelled(dataset: Dataset) -> Dataset:
    if dataset.labels is None or len(dataset.classes) < 2:
        raise DataError(
            "a set without labels, or of one class",
            "a set of at least two classes, to train a classifier on",
            "sort the pictures into sub-folders by class, or take another extractor, such as 'efficientnet_lite0' or 'pca'",
        )
    if len(dataset) < 20:
        raise DataError(
            f"{len(dataset)} labelled pictures", "at least 20 to train a classifier on", "give more pictures"
        )
    return dataset


def _kept(dataset: Dataset, network: Network, training: Training, runtime: Runtime) -> bytes:
    """The weights' file from the cache, or made now and put there."""
    places = [root / "classifiers" / f"{_key(dataset, training)}.safetensors" for root in roots()]
    for place in places:
        with contextlib.suppress(OSError, SparringError):
            data = place.read_bytes()
            tensorfile.parse(data, network.state_dict())
            return data
    data = trained(dataset, training, runtime)
    for place in places:
        with contextlib.suppress(OSError):
            _write(place, data)
            break
    return data


def _key(dataset: Dataset, training: Training) -> str:
    """What the weights depend on. A part of a set (without held-out samples) has the fingerprint of the whole: count and labels
    tell them apart."""
    assert dataset.labels is not None
    labels = hashlib.sha256(dataset.labels.astype("<i8").tobytes()).hexdigest()
    settings = {"format": 1, "set": dataset.fingerprint, "labels": labels, **asdict(training)}
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


def _write(place: Path, data: bytes) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    handle, work = tempfile.mkstemp(prefix=".tmp-", dir=place.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    os.replace(work, place)
