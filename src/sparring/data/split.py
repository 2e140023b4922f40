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

MAX_MEMORY_BYTES = 512 * 2**20  # a larger part is copied to a temporary file and memory-mapped
COPY_ROWS = 1_000  # samples copied at once


def split_held_out(dataset: Dataset, held_out: int) -> tuple[Dataset, Dataset | None]:
    """Split a dataset into the samples to train on and the held-out samples (None if there are none).

    Both keep the order, classes, fingerprint and scale of the whole. The selection depends on the number of samples and
    `held_out` alone, not on the run's seed, so that runs can be compared. The partners of a pair stay together; of two
    unpaired domains, each holds out `held_out` samples of its own.

    Arguments:
        held_out: number of samples to hold out, fewer than half; 0 takes the test split that came with the data.

    Raises:
        ConfigError: half of the samples or more.
    """
    check_held_out(dataset.smaller_size, held_out)
    if held_out == 0:
        return dataset, dataset.test_set
    train_rows, test_rows = _split_rows(len(dataset), held_out)
    train_b = test_b = None
    if (b := dataset.domain_b) is not None:
        rows_b = (train_rows, test_rows) if dataset.paired else _split_rows(len(b), held_out)
        train_b, test_b = _subset(b, rows_b[0]), _subset(b, rows_b[1])
    return _subset(dataset, train_rows, train_b), _subset(dataset, test_rows, test_b)


def held_out_counts(dataset: Dataset, held_out: int) -> tuple[int, int]:
    """Numbers of samples (train, held out) that `split_held_out` returns, without splitting."""
    if held_out == 0:
        return len(dataset), len(dataset.test_set) if dataset.test_set is not None else 0
    return len(dataset) - held_out, held_out


def _split_rows(count: int, held_out: int) -> tuple[np.ndarray, np.ndarray]:
    order = torch.randperm(count, generator=rng.make_generator(0, "held out")).numpy()
    return np.sort(order[held_out:]), np.sort(order[:held_out])


def check_held_out(count: int, held_out: int) -> None:
    """Raises ConfigError where `held_out` is half of `count` samples or more."""
    if held_out and 2 * held_out >= count:
        raise ConfigError(
            f"data.held_out={held_out:,} of {count:,} samples",
            "fewer than half of them",
            f"--set data.held_out={count // 20}",
        )


def _subset(dataset: Dataset, rows: np.ndarray, domain_b: Dataset | None = None) -> Dataset:
    return dataset.replace(
        samples=_take_rows(dataset.samples, rows),
        labels=None if dataset.labels is None else dataset.labels[rows],
        domain_b=domain_b,
        test_set=None,
    )


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
