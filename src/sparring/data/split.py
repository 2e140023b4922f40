"""Held-out samples: split a dataset into a part to train on and a part to evaluate with."""

import contextlib
import tempfile
from pathlib import Path

import numpy as np
import torch

from sparring.core import rng
from sparring.core.errors import ConfigError
from sparring.data.cache import cache_roots
from sparring.data.dataset import Dataset

MAX_MEMORY_BYTES = (
    512 * 2**20
)  # larger parts are copied to a nameless file, which the system may drop from memory
COPY_ROWS = 1_000


def split_held_out(dataset: Dataset, held_out: int) -> tuple[Dataset, Dataset | None]:
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
    check_held_out(dataset.smaller_size, held_out)
    if held_out == 0:
        return dataset, dataset.test_set
    train, held = _split_rows(len(dataset), held_out)
    first, second = _subset(dataset, train), _subset(dataset, held)
    if dataset.domain_b is not None:
        train, held = (train, held) if dataset.paired else _split_rows(len(dataset.domain_b), held_out)
        first.domain_b, second.domain_b = _subset(dataset.domain_b, train), _subset(dataset.domain_b, held)
        first.paired = second.paired = dataset.paired
    return first, second


def held_out_counts(dataset: Dataset, held_out: int) -> tuple[int, int]:
    """How many samples `split_held_out` gives to training and how many it holds out."""
    if held_out == 0:
        return len(dataset), len(dataset.test_set) if dataset.test_set is not None else 0
    return len(dataset) - held_out, held_out


def _split_rows(count: int, held_out: int) -> tuple[np.ndarray, np.ndarray]:
    order = torch.randperm(count, generator=rng.make_generator(0, "held out")).numpy()
    return np.sort(order[held_out:]), np.sort(order[:held_out])


def check_held_out(count: int, held_out: int) -> None:
    """Raises ConfigError where `held_out` of `count` samples are too many to keep apart."""
    if held_out and 2 * held_out >= count:
        raise ConfigError(
            f"data.held_out={held_out:,} of {count:,} samples",
            "fewer than half of them",
            f"--set data.held_out={count // 20}",
        )


def _subset(dataset: Dataset, rows: np.ndarray) -> Dataset:
    part = Dataset(
        _take_rows(dataset.samples, rows),
        None if dataset.labels is None else dataset.labels[rows],
        dataset.classes,
        fingerprint=dataset.fingerprint,
        report=dataset.report,
        config=dataset.config,
    )
    part.centre, part.scale = dataset.centre, dataset.scale
    return part


def _take_rows(samples: np.ndarray, rows: np.ndarray) -> np.ndarray:
    size = samples[:1].nbytes * len(rows)
    if size > MAX_MEMORY_BYTES:
        for root in cache_roots():
            with contextlib.suppress(OSError):
                return _copy_to_disk(samples, rows, root)
    return samples[rows]


def _copy_to_disk(samples: np.ndarray, rows: np.ndarray, root: Path) -> np.ndarray:
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=root) as file:
        for at in range(0, len(rows), COPY_ROWS):
            file.write(np.ascontiguousarray(samples[rows[at : at + COPY_ROWS]]).data)
        file.flush()
        shape = (len(rows), *samples.shape[1:])
        return np.memmap(file, dtype=samples.dtype, mode="r", shape=shape)
