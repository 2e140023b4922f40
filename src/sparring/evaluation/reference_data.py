"""Real samples to evaluate against: the run's own train and test sets, or a data set named by the user.

Also: files that were skipped, and samples that occur in both sets.
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
from sparring.evaluation.samples import RealSamples
from sparring.runs.load_model import EvaluatedModel


def describe_skipped_files(dataset: Dataset) -> list[str]:
    """What was skipped, in words."""
    skipped = dataset.report.skipped
    if not skipped:
        return []
    names = ", ".join(f"{name} ({why})" for name, why in skipped[:3])
    more = f" and {len(skipped) - 3:,} more" if len(skipped) > 3 else ""
    return [f"{dataset.config.source}: {len(skipped):,} skipped: {names}{more}"]


HASH_BLOCK = 1_000


def count_duplicates(train: np.ndarray, test: np.ndarray, monitor: ProgressMonitor) -> int:
    """How many of the test samples are, to the bit, among the training samples.

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


MAX_IMAGE_SIZE = 4096
MAX_DUPLICATE_FRACTION = 0.01  # of the test samples may be training samples


@dataclass(frozen=True, kw_only=True)
class RealData:
    """The real samples.

    Arguments:
        train: what the run was trained on, where that is known.
        test: held out, or named by --against.
        notes: what was done or could not be done, in words.
        apart: whether the two have (nearly) no sample in common, so that one can be measured against the other.
    """

    train: Dataset | None
    test: Dataset | None
    notes: tuple[str, ...] = ()
    disjoint: bool = True

    @property
    def fitting_data(self) -> Dataset:
        """The set that fitted extractors are fitted on: the training set if there is one."""
        found = self.train if self.train is not None else self.test
        assert found is not None
        return found

    def references(self) -> dict[str, RealSamples]:
        """By split."""
        found = {}
        if self.train is not None:
            found["train"] = RealSamples.from_dataset(self.train, "train")
        if self.test is not None:
            found["test"] = RealSamples.from_dataset(self.test, "test")
        return found


def open_run_real_data(subject: EvaluatedModel, against: str | None, monitor: ProgressMonitor) -> RealData:
    """The data of a run, split as in training, and the set that `--against` names, prepared as the run's data was.

    Raises:
        DataError: there is nothing to judge against.
    """
    notes: list[str] = []
    train, test = open_training_data(subject, monitor, notes, needed=against is None)
    if against is not None:
        test = _open_like_run(subject, against, monitor)
        notes += describe_skipped_files(test)
    return check_duplicates(train, test, notes, monitor)


def check_duplicates(
    train: Dataset | None, test: Dataset | None, notes: list[str], monitor: ProgressMonitor
) -> RealData:
    """Both sets, after a look at what they have in common."""
    apart = True
    if (
        train is not None
        and test is not None
        and (common := count_duplicates(train.samples, test.samples, monitor))
    ):
        apart = common <= MAX_DUPLICATE_FRACTION * len(test)
        so = "" if apart else ": such a test tells no copies, and the train-against-test row is left out"
        notes.append(f"{common:,} of {len(test):,} test samples are also in the training set{so}")
    return RealData(train=train, test=test, notes=tuple(notes), disjoint=apart)


def open_training_data(
    subject: EvaluatedModel, monitor: ProgressMonitor, notes: list[str], *, needed: bool
) -> tuple[Dataset | None, Dataset | None]:
    """The data of a run, split as in training; without it (and without need of it) a note, and nothing."""
    if subject.experiment is None:
        if needed:
            raise ConfigError(
                f"{subject.source} without the data that it was trained on",
                "--against DATA",
                "name the data, or give the run folder",
            )
        return None, None
    config = subject.experiment.data
    try:
        dataset = open_data(config, monitor.progress, monitor.stop)
        if dataset.fingerprint != subject.document.get("fingerprint"):
            raise DataError(
                f"{config.source} is not what this run was trained on",
                "the same data, sample for sample",
                "restore it, or name data to judge against with --against",
            )
    except DataError as error:
        if needed:
            raise
        notes.append(f"no training set to compare with: {error.got}")
        return None, None
    return split_held_out(dataset, config.held_out)


def _open_like_run(subject: EvaluatedModel, against: str, monitor: ProgressMonitor) -> Dataset:
    """The set named, brought to the run's size by the run's own rule."""
    spec = subject.generation.spec
    if not spec.is_image:
        return open_data(DataConfig(source=against), monitor.progress, monitor.stop)
    channels, height, width = spec.shape
    fit: Any = subject.experiment.data.fit if subject.experiment is not None else "crop"
    config = DataConfig(source=against, size=(height, width), channels=channels, fit=fit)
    return open_data(config, monitor.progress, monitor.stop)


def open_samples_and_real_data(
    path: Path, against: str | None, monitor: ProgressMonitor
) -> tuple[Dataset, RealData]:
    """Samples made by anything, as they are, and the set to judge them against, brought to their size.

    Raises:
        DataError: the samples have several sizes, or the real ones have one other size.
    """
    if against is None:
        raise ConfigError(
            f"samples in {path}, and nothing to judge them against",
            "--against DATA: real samples",
            "name a folder, zip, array file or built-in set of real samples",
        )
    plain = DataConfig(source=str(path), max_size=MAX_IMAGE_SIZE)
    made = open_data(plain, monitor.progress, monitor.stop)
    if not made.spec.is_image:
        return made, _check_same_kind(
            made, open_data(DataConfig(source=against), monitor.progress, monitor.stop)
        )
    sizes = made.report.sizes
    if len(sizes) > 1:
        raise DataError(
            f"{path}: samples of {len(sizes)} sizes ({', '.join(list(sizes)[:4])})",
            "one size, that which the generator makes",
            "save them as they were made",
        )
    channels, height, width = made.spec.shape
    config = DataConfig(source=against, size=(height, width))
    real = open_data(config, monitor.progress, monitor.stop)
    if real.spec.is_image and real.spec.shape[0] != channels:
        most = max(channels, real.spec.shape[0])
        made = open_data(replace(plain, channels=most), monitor.progress, monitor.stop)
        real = open_data(replace(config, channels=most), monitor.progress, monitor.stop)
    return made, _check_same_kind(made, real)


def _check_same_kind(made: Dataset, real: Dataset) -> RealData:
    ours, theirs = made.spec, real.spec
    if ours.is_image != theirs.is_image or (not ours.is_image and ours.shape != theirs.shape):
        raise DataError(
            f"samples of shape {ours.shape} against real ones of shape {theirs.shape}",
            "the same kind and size",
            "name the right sets",
        )
    notes = describe_skipped_files(made) + describe_skipped_files(real)
    if ours.is_image:
        size = f"{ours.shape[1]}x{ours.shape[2]}"
        found = list(real.report.sizes)
        if len(found) == 1 and found[0] != size:
            raise DataError(
                f"samples of {size} against real images of {found[0]}",
                "the same size",
                f"make samples of {found[0]}, or prepare the real images at {size} as for training",
            )
        if len(found) > 1:
            notes.append(f"the real images have many sizes: {real.config.fit} to the samples' {size}")
    return RealData(train=None, test=real, notes=tuple(notes))
