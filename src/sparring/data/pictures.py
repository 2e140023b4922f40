"""A folder or zip of pictures of any sizes as a data set."""

import os
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from sparring.data import cache
from sparring.data.assemble import assemble, content_key, nothing_usable
from sparring.data.blocks import Row
from sparring.data.config import DataConfig, Fit
from sparring.data.dataset import Dataset
from sparring.data.decode import decode
from sparring.data.entries import Container
from sparring.data.fit import Size, choose_size, fitted
from sparring.data.labels import check_classes, find_labels
from sparring.data.report import DataReport, histogram
from sparring.data.survey import Survey
from sparring.data.watch import Watch
from sparring.errors import InvalidImageError

THREADED_PIXELS = (
    200 * 200
)  # below this mean size threads only cost: 0.47 ms a picture of 64x64 instead of 0.32


def open_pictures(container: Container, config: DataConfig, wanted: tuple[str, ...], watch: Watch) -> Dataset:
    """All usable pictures of a container, at one size.

    Arguments:
        container: a `Folder` or `Zip`.
        config: what is asked for.
        wanted: classes to keep; none keeps all.
        watch: told of every file, twice.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # decoders warn of what the report says anyway
        return _open(container, config, wanted, watch)


def _open(container: Container, config: DataConfig, wanted: tuple[str, ...], watch: Watch) -> Dataset:
    watch.begin(2 * len(container.entries))
    survey = Survey(container, watch)
    skipped = container.skipped + survey.skipped()
    chosen, labels, why = _labelled(survey, config, wanted, skipped)
    report = DataReport(source=config.source, kind=container.kind, count=0, skipped=tuple(sorted(skipped)))
    if not chosen:
        raise nothing_usable(report)
    found = [survey.findings[number] for number in chosen]
    sizes = [(finding.height, finding.width) for finding in found]
    size, why_size = choose_size(sizes, config.largest) if config.size is None else (config.size, "")
    channels, why_channels = survey.channels(chosen) if config.channels is None else (config.channels, "")
    survey.save()
    config = replace(config, size=size, channels=channels)
    names = [container.entries[number].name for number in chosen]
    files = [[name, finding.digest] for name, finding in zip(names, found, strict=True)]
    key = content_key("pictures", files, size, channels, config.fit)
    job = _Job(survey, size, channels, config.fit)
    threaded = worth_threads(sizes)
    stored, remark = cache.stored(key, (*size, channels), lambda: rows_of(job.row, chosen, threaded, watch))
    report = replace(
        report,
        skipped=tuple(sorted(skipped + [(names[place], note) for place, note in stored.skipped])),
        converted=tuple((names[place], note) for place, note in stored.converted),
        duplicates=stored.duplicates,
        sizes=histogram(f"{sizes[place][0]}x{sizes[place][1]}" for place in stored.kept),
        modes=histogram(found[place].mode for place in stored.kept),
        size=size,
        channels=channels,
        fit=config.fit,
        why=tuple(text for text in (why_size, why_channels, why, remark) if text),
    )
    kept = [labels[place] for place in stored.kept] if labels is not None else None
    return assemble(stored.samples, kept, key=key, report=report, config=config)


def _labelled(
    survey: Survey, config: DataConfig, wanted: tuple[str, ...], skipped: list[tuple[str, str]]
) -> tuple[list[int], list[str] | None, str]:
    """Numbers of the pictures that stay, their labels, and why these; pictures without a label join `skipped`."""
    usable = survey.usable()
    if not config.labels and not wanted:
        return usable, None, "no labels, as asked"
    names = [survey.entries[number].name for number in usable]
    labels, why = find_labels(names, survey.container.tables)
    if wanted:
        check_classes(wanted, sorted({label for label in labels or [] if label is not None}), config.source)
    if labels is None:
        return usable, None, why
    skipped += [(name, "no label") for name, label in zip(names, labels, strict=True) if label is None]
    pairs = zip(usable, labels, strict=True)
    stay = [(number, label) for number, label in pairs if label is not None and label in (wanted or (label,))]
    return [number for number, _ in stay], [label for _, label in stay], why


class _Job:
    """Decodes a file and fits it."""

    def __init__(self, survey: Survey, size: Size, channels: int, fit: Fit) -> None:
        self.survey, self.size, self.channels, self.fit = survey, size, channels, fit

    def row(self, place: int, number: int) -> Row:
        try:
            image, note = decode(self.survey.picture(number))
        except InvalidImageError as error:
            return place, None, str(error)
        return place, fitted(image, self.size, self.channels, self.fit), note


def worth_threads(sizes: Sequence[Size]) -> bool:
    """Whether pictures of these (height, width) are decoded faster by several threads."""
    return sum(height * width for height, width in sizes) >= THREADED_PIXELS * len(sizes)


def rows_of(
    work: Callable[[int, int], Row], numbers: Sequence[int], threaded: bool, watch: Watch
) -> Iterator[Row]:
    """`work(place, number)` for each of these numbers, one after another, or several at once in the same order.

    Arguments:
        work: makes one row for the cache.
        numbers: of what is decoded; `place` counts them.
        threaded: see `worth_threads`.
        watch: told of each.
    """
    workers = (os.cpu_count() or 1) if threaded else 1
    if workers == 1:
        for place, number in enumerate(numbers):
            watch.step()
            yield work(place, number)
        return
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[Row]] = deque()
        for place, number in enumerate(numbers):
            waiting.append(pool.submit(work, place, number))
            if len(waiting) > 2 * workers:
                watch.step()
                yield waiting.popleft().result()
        while waiting:
            watch.step()
            yield waiting.popleft().result()
