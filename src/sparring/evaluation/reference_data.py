"""Real samples to evaluate against: the run's own training and held-out sets, or a data set named by the user.

Also: reports of skipped files, and of samples that occur in both sets.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from sparring.core.errors import ConfigError, DataError
from sparring.core.progress import ProgressMonitor
from sparring.data import DataConfig, Dataset, open_data
from sparring.data.split import split_held_out
from sparring.evaluation.measure import format_shape
from sparring.evaluation.samples import RealSamples
from sparring.runs.load_model import EvaluatedModel

MAX_IMAGE_SIZE = 4096  # pixels a side
MAX_DUPLICATE_FRACTION = 0.01  # of the test samples, that may occur in the training set
HASH_BLOCK = 1_000  # samples between two polls of the monitor


@dataclass(frozen=True, kw_only=True)
class RealData:
    """The real samples.

    Arguments:
        train: the training set of the run; None if it is not known or not there.
        test: held-out samples, or those of --against.
        notes: what was left out or converted, in sentences.
        disjoint: whether the two sets share (nearly) no sample, so that each can be measured against the other.
    """

    train: Dataset | None
    test: Dataset | None
    notes: tuple[str, ...] = ()
    disjoint: bool = True

    @property
    def fitting_data(self) -> Dataset:
        """The set that fitted extractors are fitted on: the training set if there is one."""
        dataset = self.train if self.train is not None else self.test
        assert dataset is not None
        return dataset

    def references(self) -> dict[str, RealSamples]:
        """The sets that are there, by split."""
        references = {}
        if self.train is not None:
            references["train"] = RealSamples.from_dataset(self.train, "train")
        if self.test is not None:
            references["test"] = RealSamples.from_dataset(self.test, "test")
        return references


def describe_skipped_files(dataset: Dataset) -> list[str]:
    """A sentence about the files that could not be read; empty without any."""
    skipped = dataset.report.skipped
    if not skipped:
        return []
    names = ", ".join(f"{name} ({why})" for name, why in skipped[:3])
    more = f" and {len(skipped) - 3:,} more" if len(skipped) > 3 else ""
    return [f"{dataset.config.source}: {len(skipped):,} skipped: {names}{more}"]


def count_duplicates(train: np.ndarray, test: np.ndarray, monitor: ProgressMonitor) -> int:
    """The number of test samples (n, ...) that are bit for bit equal to a training sample (m, ...).

    >>> count_duplicates(np.zeros((3, 2)), np.eye(3, 2), ProgressMonitor())
    1
    """
    if train.shape[1:] != test.shape[1:]:
        return 0
    known = {digest for block in _hash_samples(train, monitor) for digest in block}
    return sum(digest in known for block in _hash_samples(test, monitor) for digest in block)


def _hash_samples(samples: np.ndarray, monitor: ProgressMonitor) -> Iterator[list[bytes]]:
    for at in range(0, len(samples), HASH_BLOCK):
        monitor.poll()
        rows = np.ascontiguousarray(samples[at : at + HASH_BLOCK])
        yield [blake2b(row.data, digest_size=16).digest() for row in rows]


def check_duplicates(
    train: Dataset | None, test: Dataset | None, notes: list[str], monitor: ProgressMonitor
) -> RealData:
    """Both sets, with a note if some samples occur in both."""
    disjoint = True
    if train is not None and test is not None:
        count = count_duplicates(train.samples, test.samples, monitor)
        if count:
            disjoint = count <= MAX_DUPLICATE_FRACTION * len(test)
            consequence = "; memorisation can't be detected, and the train-against-test column is left out"
            notes = [
                *notes,
                f"{count:,} of {len(test):,} test samples are also in the training set"
                f"{'' if disjoint else consequence}",
            ]
    return RealData(train=train, test=test, notes=tuple(notes), disjoint=disjoint)


def open_run_real_data(model: EvaluatedModel, against: str | None, monitor: ProgressMonitor) -> RealData:
    """The data of a run, split as in training, and the set of `--against`, resized as the run's data was.

    Raises:
        ConfigError, DataError: there is no data to evaluate against.
    """
    train, test, notes = open_training_data(model, monitor, required=against is None)
    if against is not None:
        test = _open_like_run(model, against, monitor)
        notes += describe_skipped_files(test)
    return check_duplicates(train, test, notes, monitor)


def open_training_data(
    model: EvaluatedModel, monitor: ProgressMonitor, *, required: bool
) -> tuple[Dataset | None, Dataset | None, list[str]]:
    """The training set of a run, its held-out set, and notes. Both are None if the data is neither there nor required.

    Raises:
        ConfigError, DataError: the data is required, and is not there or has changed.
    """
    if model.experiment is None:
        if required:
            raise ConfigError(
                f"{model.source} without its training data",
                "--against DATA",
                "name the data, or give the run folder",
            )
        return None, None, []
    config = model.experiment.data
    try:
        dataset = open_data(config, monitor.progress, monitor.stop)
        if dataset.fingerprint != model.run_json.get("fingerprint"):
            raise DataError(
                f"{config.source} is not the data that this run was trained on",
                "the same data, sample for sample",
                "restore it, or name other real data with --against",
            )
    except DataError as error:
        if required:
            raise
        return None, None, [f"no training set to compare with: {error.got}"]
    return *split_held_out(dataset, config.held_out), []


def _open_like_run(model: EvaluatedModel, against: str, monitor: ProgressMonitor) -> Dataset:
    """A data set with images of the size and channels of the run, resized in the same way."""
    spec = model.generator.spec
    if not spec.is_image:
        return open_data(DataConfig(source=against), monitor.progress, monitor.stop)
    channels, height, width = spec.shape
    fit: Any = model.experiment.data.fit if model.experiment is not None else "crop"
    config = DataConfig(source=against, size=(height, width), channels=channels, fit=fit)
    return open_data(config, monitor.progress, monitor.stop)


def open_samples_and_real_data(
    path: Path, against: str | None, monitor: ProgressMonitor
) -> tuple[Dataset, RealData]:
    """Generated samples from files, and the real data of `--against`, resized to their size.

    Raises:
        ConfigError: no real data is named. DataError: the samples have several sizes, or the real images have one
            size, which is another.
    """
    if against is None:
        raise ConfigError(
            f"samples in {path}, and no real samples",
            "--against DATA: real samples",
            "name a folder, zip, array file or built-in set of real samples",
        )
    config = DataConfig(source=str(path), max_size=MAX_IMAGE_SIZE)
    generated = open_data(config, monitor.progress, monitor.stop)
    sizes = generated.report.sizes
    if generated.spec.is_image and len(sizes) > 1:
        raise DataError(
            f"{path}: samples of {len(sizes)} sizes ({', '.join(list(sizes)[:4])})",
            "one size, that of the generator's output",
            "save them at the size that was generated",
        )
    shape = generated.spec.shape
    size = (shape[1], shape[2]) if generated.spec.is_image else None
    real_config = DataConfig(source=against, size=size)
    real = open_data(real_config, monitor.progress, monitor.stop)
    channels = {shape[0], real.spec.shape[0]}
    if generated.spec.is_image and real.spec.is_image and len(channels) > 1:
        most = max(channels)
        generated = open_data(replace(config, channels=most), monitor.progress, monitor.stop)
        real = open_data(replace(real_config, channels=most), monitor.progress, monitor.stop)
    _require_same_size(generated, real)
    notes = describe_skipped_files(generated) + describe_skipped_files(real)
    if size is not None and len(real.report.sizes) > 1:
        notes.append(
            f"the real images have several sizes: resized ({real.config.fit}) to that of the samples"
        )
    return generated, RealData(train=None, test=real, notes=tuple(notes))


def _require_same_size(generated: Dataset, real: Dataset) -> None:
    """Raises DataError for images and points, points of other dimensions, or real images that all have one other size."""
    a, b = generated.spec, real.spec
    if a.is_image != b.is_image or (not a.is_image and a.shape != b.shape):
        raise DataError(
            f"samples of shape {a.shape} against real ones of shape {b.shape}",
            "the same kind and size",
            "name matching sets",
        )
    if not a.is_image:
        return
    size, real_sizes = f"{a.shape[1]}x{a.shape[2]}", list(real.report.sizes)
    if len(real_sizes) == 1 and real_sizes[0] != size:
        raise DataError(
            f"samples of {size} against real images of {real_sizes[0]}",
            "the same size",
            f"generate samples of {real_sizes[0]}, or prepare the real images at {size} as for training",
        )


def open_paired_samples(
    path: Path, against: str | None, monitor: ProgressMonitor
) -> tuple[Dataset, RealData]:
    """Generated images from files, and their targets, which have the same file names.

    Raises:
        ConfigError: no targets are named. DataError: names or sizes do not agree.
    """
    if against is None:
        raise ConfigError(
            f"samples in {path}, and no ground truth to compare them with",
            "--against FOLDER",
            "name the true images, with equal file names",
        )
    config = DataConfig(source=str(path), source_b=against, pairing="paired", max_size=MAX_IMAGE_SIZE)
    generated = open_data(config, monitor.progress, monitor.stop)
    assert generated.domain_b is not None
    channels = {generated.spec.shape[0], generated.domain_b.spec.shape[0]}
    if len(channels) > 1:
        config = replace(config, channels=max(channels), channels_b=max(channels))
        generated = open_data(config, monitor.progress, monitor.stop)
    assert generated.domain_b is not None
    sizes, target_sizes = list(generated.report.sizes), list(generated.domain_b.report.sizes)
    if max(len(sizes), len(target_sizes)) > 1 or sizes != target_sizes:
        shape = format_shape(generated.samples.shape[1:])
        raise DataError(
            f"samples of {', '.join(sizes[:4])}, ground truth of {', '.join(target_sizes[:4])}",
            "one size on both sides",
            f"save them as they were generated; they would be resized to {shape} here",
        )
    notes = tuple(describe_skipped_files(generated))
    return generated, RealData(train=None, test=generated.domain_b, notes=notes)
