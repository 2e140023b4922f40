"""A folder or zip of pictures of any sizes as a data set."""

import os
import warnings
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from sparring.data import cache
from sparring.data.assemble import assemble, content_key, nothing_usable
from sparring.data.blocks import Row
from sparring.data.config import DataConfig, Fit
from sparring.data.dataset import Dataset
from sparring.data.decode import decode
from sparring.data.entries import Container, Entry
from sparring.data.fit import Size, choose_size, fitted
from sparring.data.labels import check_classes, find_labels
from sparring.data.report import DataReport, histogram
from sparring.data.survey import Survey
from sparring.data.watch import Watch
from sparring.errors import InvalidImageError

THREADED_PIXELS = 200 * 200  # measured: below this mean size Python's own work outweighs a second decoder


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
    entries, labels, skipped, why = _labelled(container, config, wanted)
    watch.begin(2 * len(entries))
    survey = Survey(container, entries, watch)
    usable = survey.usable()
    skipped += survey.skipped()
    report = DataReport(source=config.source, kind=container.kind, count=0, skipped=tuple(sorted(skipped)))
    if not usable:
        raise nothing_usable(report)
    sizes = [(survey.findings[i].height, survey.findings[i].width) for i in usable]
    size, reason = (
        choose_size(sizes, config.largest) if config.size is None else (config.size, "size as asked")
    )
    channels, reason_channels = (
        survey.channels() if config.channels is None else (config.channels, "channels as asked")
    )
    survey.save()
    config = replace(config, size=size, channels=channels)
    files = [[entries[i].name, survey.findings[i].digest] for i in usable]
    key = content_key("pictures", files, size, channels, config.fit)
    job = _Job(survey, size, channels, config.fit)
    threaded = sum(height * width for height, width in sizes) >= THREADED_PIXELS * len(sizes)
    found, remark = cache.stored(key, (*size, channels), lambda: job.rows(usable, threaded, watch))
    kept = [usable[place] for place in found.kept]
    report = replace(
        report,
        skipped=tuple(
            sorted(skipped + [(entries[usable[place]].name, note) for place, note in found.skipped])
        ),
        converted=tuple((entries[usable[place]].name, note) for place, note in found.converted),
        duplicates=found.duplicates,
        sizes=histogram(f"{survey.findings[i].height}x{survey.findings[i].width}" for i in kept),
        modes=histogram(survey.findings[i].mode for i in kept),
        size=size,
        channels=channels,
        fit=config.fit,
        why=tuple(text for text in (reason, reason_channels, why, remark) if text),
    )
    names = [labels[i] or "" for i in kept] if labels is not None else None
    return assemble(found.samples, names, key=key, report=report, config=config)


def _labelled(
    container: Container, config: DataConfig, wanted: tuple[str, ...]
) -> tuple[list[Entry], list[str | None] | None, list[tuple[str, str]], str]:
    """Entries that stay, their labels, what is skipped, and why the labels are what they are."""
    entries, skipped = container.entries, list(container.skipped)
    if not config.labels and not wanted:
        return entries, None, skipped, "no labels, as asked"
    labels, why = find_labels([entry.name for entry in entries], container.tables)
    if wanted:
        check_classes(wanted, sorted({label for label in labels or [] if label is not None}), config.source)
    if labels is None:
        return entries, None, skipped, why
    pairs = list(zip(entries, labels, strict=True))
    skipped += [(entry.name, "no label") for entry, label in pairs if label is None]
    stay = [(entry, label) for entry, label in pairs if label is not None and (not wanted or label in wanted)]
    return [entry for entry, _ in stay], [label for _, label in stay], skipped, why


class _Job:
    """Decodes and fits files one after another, or several at once in the same order."""

    def __init__(self, survey: Survey, size: Size, channels: int, fit: Fit) -> None:
        self.survey, self.size, self.channels, self.fit = survey, size, channels, fit

    def _row(self, place: int, number: int) -> Row:
        try:
            image, note = decode(self.survey.picture(number))
        except InvalidImageError as error:
            return place, None, str(error)
        return place, fitted(image, self.size, self.channels, self.fit), note

    def rows(self, numbers: list[int], threaded: bool, watch: Watch) -> Iterator[Row]:
        """The pictures of these numbers in the survey, in this order."""
        workers = (os.cpu_count() or 1) if threaded else 1
        if workers == 1:
            for place, number in enumerate(numbers):
                watch.step()
                yield self._row(place, number)
            return
        with ThreadPoolExecutor(workers) as pool:
            waiting: deque[Future[Row]] = deque()
            for place, number in enumerate(numbers):
                waiting.append(pool.submit(self._row, place, number))
                if len(waiting) > 2 * workers:
                    watch.step()
                    yield waiting.popleft().result()
            while waiting:
                watch.step()
                yield waiting.popleft().result()
