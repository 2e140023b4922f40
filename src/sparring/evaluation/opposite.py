"""What a translator is judged on: its own data, other pairs, pictures of the other domain; and samples that have pairs by name."""

from dataclasses import replace
from pathlib import Path

from sparring.data import DataConfig, Dataset, open_data
from sparring.data.watch import Watch
from sparring.errors import ConfigError, DataError
from sparring.evaluation.against import LARGEST, Against, compared, own
from sparring.evaluation.fitting import shaped
from sparring.evaluation.partners import PARTNERS
from sparring.evaluation.skipped import left_out
from sparring.evaluation.subject import Subject
from sparring.evaluation.translating import Task
from sparring.games.translation import A_TO_B

Tasks = dict[str, Task]


def of_translator(
    subject: Subject, against: str | None, direction: str | None, watch: Watch
) -> tuple[Against, Tasks]:
    """The real pictures of the domain that is translated to, and the tasks, both by split.

    Arguments:
        against: pairs, two sets that are not paired, or pictures of the other domain alone, which the run's own inputs are then
            judged by; None takes what the run held out, and what it was trained on.
        direction: None is `a-to-b`.

    Raises:
        ConfigError: there is no such direction. DataError: there is nothing to judge against.
    """
    assert subject.translation is not None
    way = direction or A_TO_B
    subject.translation.ends(way)
    notes: list[str] = []
    train, test = own(subject, watch, notes, needed=against is None)
    learned = Task.of(train, way) if train is not None and train.other is not None else None
    tasks = {} if learned is None else {"train": learned}
    if against is not None:
        tasks["test"] = _named(subject, against, way, (learned, test), notes, watch)
    elif test is not None:
        tasks["test"] = Task.of(test, way, learned)
    if not tasks:
        raise DataError(
            f"{subject.source}: no pictures to translate", "pairs, or two sets", "name them with --against"
        )
    if against is None and test is None:
        notes.append(
            "judged on pictures that it was trained on: none were held out, and --against names none"
        )
    train_side, test_side = (tasks[name].wanted if name in tasks else None for name in ("train", "test"))
    return compared(train_side, test_side, notes, watch), tasks


def _named(
    subject: Subject,
    against: str,
    way: str,
    parts: tuple[Task | None, Dataset | None],
    notes: list[str],
    watch: Watch,
) -> Task:
    """The task that `--against` names."""
    assert subject.translation is not None
    spec, learned = subject.translation.spec, parts[0]
    assert spec.other is not None
    base = subject.experiment.data if subject.experiment is not None else DataConfig(source=against)
    config = replace(
        base,
        source=against,
        size=(spec.shape[1], spec.shape[2]),
        channels=spec.shape[0],
        other_channels=spec.other[0],
        other="",
        sides="auto",
        held_out=0,
    )
    found = open_data(config, watch.progress, watch.stop)
    if found.other is None:
        found = _halves(config, found, watch) or found
    if found.other is not None:
        if found.held is not None:
            notes.append(f"{against}: its test part")
        found = found.held if found.held is not None else found
        notes += left_out(found)
        return Task.of(found, way, learned)
    own_test = Task.of(parts[1], way) if parts[1] is not None else learned
    if own_test is None:
        raise DataError(
            f"{against} holds pictures of one domain, and the run's own inputs are not there",
            "two domains",
            "name a folder with A/ and B/, or restore the run's data",
        )
    channels = subject.translation.ends(way)[1][0]
    wanted = open_data(
        replace(config, channels=channels, sides="one", derive="", swap=False), watch.progress, watch.stop
    )
    notes += left_out(wanted)
    whose = "held out" if parts[1] is not None else "was trained on"
    notes.append(f"{against}: pictures of one domain; the inputs are those that the run {whose}")
    return replace(own_test, wanted=wanted, paired=False)


def _halves(config: DataConfig, whole: Dataset, watch: Watch) -> Dataset | None:
    """Pairs side by side in one picture; None where pictures are not twice as broad as those of the run."""
    assert config.size is not None
    sizes = [tuple(map(int, size.split("x"))) for size in whole.report.sizes]
    if max((width / height for height, width in sizes), default=0) < 1.5 * config.size[1] / config.size[0]:
        return None
    try:
        return open_data(replace(config, sides="paired"), watch.progress, watch.stop)
    except DataError:
        return None


def wants_pairs(metrics: tuple[str, ...]) -> bool:
    """Whether some of these names are of metrics that compare each sample with a truth of its own.

    >>> wants_pairs(("fd", "psnr100-pixels-test")), wants_pairs(("prdc",))
    (True, False)
    """
    return any(
        name.strip().rstrip("k0123456789").partition("-")[0].rstrip("k0123456789") in PARTNERS
        for name in metrics
    )


def of_pairs(path: Path, against: str | None, watch: Watch) -> tuple[Dataset, Against]:
    """Samples made by anything, and the true ones of the same names.

    Raises:
        DataError: the names or the sizes do not agree.
    """
    if against is None:
        raise ConfigError(
            f"samples in {path}, and no truth to compare them with",
            "--against FOLDER",
            "name the true pictures, with equal names",
        )
    config = DataConfig(source=str(path), other=against, sides="paired", largest=LARGEST)
    made = open_data(config, watch.progress, watch.stop)
    assert made.other is not None
    channels = max(made.spec.shape[0], made.other.spec.shape[0])
    if made.spec.shape[0] != made.other.spec.shape[0]:
        made = open_data(
            replace(config, channels=channels, other_channels=channels), watch.progress, watch.stop
        )
        assert made.other is not None
    assert made.other is not None
    sizes = list(made.report.sizes), list(made.other.report.sizes)
    if max(map(len, sizes)) > 1 or sizes[0] != sizes[1]:
        raise DataError(
            f"samples of {', '.join(sizes[0][:4])}, true ones of {', '.join(sizes[1][:4])}",
            "one size on both sides",
            f"save them as they were made; here they would be brought to {shaped(made.samples.shape[1:])}",
        )
    return made, Against(train=None, test=made.other, notes=tuple(left_out(made)))
