"""What samples are judged against: a run's own data, data that the user names, brought to the samples' size or refused."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sparring.data import DataConfig, Dataset, open_data
from sparring.data.split import split
from sparring.data.watch import Watch
from sparring.errors import ConfigError, DataError
from sparring.evaluation.overlap import shared
from sparring.evaluation.sides import Reference
from sparring.evaluation.skipped import left_out
from sparring.evaluation.subject import Subject

LARGEST = 4096
SHARED = 0.01  # of the test samples may be training samples


@dataclass(frozen=True, kw_only=True)
class Against:
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
    apart: bool = True

    @property
    def some(self) -> Dataset:
        """The set that fitted extractors are fitted on: the training set if there is one."""
        found = self.train if self.train is not None else self.test
        assert found is not None
        return found

    def references(self) -> dict[str, Reference]:
        """By split."""
        found = {}
        if self.train is not None:
            found["train"] = Reference.of(self.train, "train")
        if self.test is not None:
            found["test"] = Reference.of(self.test, "test")
        return found


def of_run(subject: Subject, against: str | None, watch: Watch) -> Against:
    """The data of a run, split as in training, and the set that `--against` names, prepared as the run's data was.

    Raises:
        DataError: there is nothing to judge against.
    """
    notes: list[str] = []
    train, test = own(subject, watch, notes, needed=against is None)
    if against is not None:
        test = _like(subject, against, watch)
        notes += left_out(test)
    return compared(train, test, notes, watch)


def compared(train: Dataset | None, test: Dataset | None, notes: list[str], watch: Watch) -> Against:
    """Both sets, after a look at what they have in common."""
    apart = True
    if train is not None and test is not None and (common := shared(train.samples, test.samples, watch)):
        apart = common <= SHARED * len(test)
        so = "" if apart else ": such a test tells no copies, and the train-against-test row is left out"
        notes.append(f"{common:,} of {len(test):,} test samples are also in the training set{so}")
    return Against(train=train, test=test, notes=tuple(notes), apart=apart)


def own(
    subject: Subject, watch: Watch, notes: list[str], *, needed: bool
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
        dataset = open_data(config, watch.progress, watch.stop)
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
    return split(dataset, config.held_out)


def _like(subject: Subject, against: str, watch: Watch) -> Dataset:
    """The set named, brought to the run's size by the run's own rule."""
    spec = subject.generation.spec
    if not spec.is_image:
        return open_data(DataConfig(source=against), watch.progress, watch.stop)
    channels, height, width = spec.shape
    fit: Any = subject.experiment.data.fit if subject.experiment is not None else "crop"
    config = DataConfig(source=against, size=(height, width), channels=channels, fit=fit)
    return open_data(config, watch.progress, watch.stop)


def of_samples(path: Path, against: str | None, watch: Watch) -> tuple[Dataset, Against]:
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
    plain = DataConfig(source=str(path), largest=LARGEST)
    made = open_data(plain, watch.progress, watch.stop)
    if not made.spec.is_image:
        return made, _checked(made, open_data(DataConfig(source=against), watch.progress, watch.stop))
    sizes = made.report.sizes
    if len(sizes) > 1:
        raise DataError(
            f"{path}: samples of {len(sizes)} sizes ({', '.join(list(sizes)[:4])})",
            "one size, that which the generator makes",
            "save them as they were made",
        )
    channels, height, width = made.spec.shape
    config = DataConfig(source=against, size=(height, width))
    real = open_data(config, watch.progress, watch.stop)
    if real.spec.is_image and real.spec.shape[0] != channels:
        most = max(channels, real.spec.shape[0])
        made = open_data(replace(plain, channels=most), watch.progress, watch.stop)
        real = open_data(replace(config, channels=most), watch.progress, watch.stop)
    return made, _checked(made, real)


def _checked(made: Dataset, real: Dataset) -> Against:
    ours, theirs = made.spec, real.spec
    if ours.is_image != theirs.is_image or (not ours.is_image and ours.shape != theirs.shape):
        raise DataError(
            f"samples of shape {ours.shape} against real ones of shape {theirs.shape}",
            "the same kind and size",
            "name the right sets",
        )
    notes = left_out(made) + left_out(real)
    if ours.is_image:
        size = f"{ours.shape[1]}x{ours.shape[2]}"
        found = list(real.report.sizes)
        if len(found) == 1 and found[0] != size:
            raise DataError(
                f"samples of {size} against real pictures of {found[0]}",
                "the same size",
                f"make samples of {found[0]}, or prepare the real pictures at {size} as for training",
            )
        if len(found) > 1:
            notes.append(f"the real pictures have many sizes: {real.config.fit} to the samples' {size}")
    return Against(train=None, test=real, notes=tuple(notes))
