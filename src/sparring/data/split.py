"""Samples kept apart: what a generator is judged by must not be what it was trained on."""

import contextlib
import tempfile
from pathlib import Path

import numpy as np
import torch

from sparring import keyed
from sparring.data.dataset import Dataset
from sparring.data.places import roots
from sparring.errors import ConfigError

IN_MEMORY_BYTES = (
    512 * 2**20
)  # larger parts are copied to a nameless file, which the system may drop from memory
BLOCK = 1_000


def split(dataset: Dataset, held_out: int) -> tuple[Dataset, Dataset | None]:
    """The set without the held-out samples, and these (None if there are none); both in the order of the whole.

    Where `held_out` is 0, the test part that came with data of two domains is held out. The partners of a pair stay together; of
    two domains that are not paired, each keeps so many of its own apart.

    Which ones are held out depends on the number of samples and `held_out` alone: the first of a permutation keyed by
    seed 0, whatever the run's seed, so that runs can be compared. Both parts have the whole set's classes, fingerprint
    and units.

    Arguments:
        held_out: how many to keep apart; fewer than half.

    Raises:
        ConfigError: too many.
    """
    check(dataset.fewest, held_out)
    if held_out == 0:
        return dataset, dataset.held
    train, held = _rows(len(dataset), held_out)
    first, second = _part(dataset, train), _part(dataset, held)
    if dataset.other is not None:
        train, held = (train, held) if dataset.paired else _rows(len(dataset.other), held_out)
        first.other, second.other = _part(dataset.other, train), _part(dataset.other, held)
        first.paired = second.paired = dataset.paired
    return first, second


def counts(dataset: Dataset, held_out: int) -> tuple[int, int]:
    """How many samples `split` gives to training and how many it holds out."""
    if held_out == 0:
        return len(dataset), len(dataset.held) if dataset.held is not None else 0
    return len(dataset) - held_out, held_out


def _rows(count: int, held_out: int) -> tuple[np.ndarray, np.ndarray]:
    order = torch.randperm(count, generator=keyed.generator(0, "held out")).numpy()
    return np.sort(order[held_out:]), np.sort(order[:held_out])


def check(count: int, held_out: int) -> None:
    """Raises ConfigError where `held_out` of `count` samples are too many to keep apart."""
    if held_out and 2 * held_out >= count:
        raise ConfigError(
            f"data.held_out={held_out:,} of {count:,} samples",
            "fewer than half of them",
            f"--set data.held_out={count // 20}",
        )


def _part(dataset: Dataset, rows: np.ndarray) -> Dataset:
    part = Dataset(
        _taken(dataset.samples, rows),
        None if dataset.labels is None else dataset.labels[rows],
        dataset.classes,
        fingerprint=dataset.fingerprint,
        report=dataset.report,
        config=dataset.config,
    )
    part.centre, part.scale = dataset.centre, dataset.scale
    return part


def _taken(samples: np.ndarray, rows: np.ndarray) -> np.ndarray:
    size = samples[:1].nbytes * len(rows)
    if size > IN_MEMORY_BYTES:
        for root in roots():
            with contextlib.suppress(OSError):
                return _mapped(samples, rows, root)
    return samples[rows]


def _mapped(samples: np.ndarray, rows: np.ndarray, root: Path) -> np.ndarray:
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=root) as file:
        for at in range(0, len(rows), BLOCK):
            file.write(np.ascontiguousarray(samples[rows[at : at + BLOCK]]).data)
        file.flush()
        shape = (len(rows), *samples.shape[1:])
        return np.memmap(file, dtype=samples.dtype, mode="r", shape=shape)
