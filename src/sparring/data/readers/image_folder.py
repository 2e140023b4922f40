"""A folder or zip of images of any sizes as a dataset."""

import os
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from sparring.core.errors import InvalidImageError
from sparring.core.progress import ProgressMonitor
from sparring.data import cache
from sparring.data.cache import SampleRow
from sparring.data.config import DataConfig, Fit
from sparring.data.dataset import Dataset
from sparring.data.images.decode import decode
from sparring.data.images.resize import Size, choose_size, fit_image
from sparring.data.readers.build_dataset import build_dataset, content_hash, no_samples_error
from sparring.data.readers.container import Container
from sparring.data.readers.labels import check_classes, find_labels
from sparring.data.readers.survey import Survey
from sparring.data.report import DataReport, histogram

MIN_THREADED_PIXELS = (
    200 * 200
)  # below this mean size threads only cost: 0.47 ms a image of 64x64 instead of 0.32


def open_images(
    container: Container, config: DataConfig, keep_classes: tuple[str, ...], monitor: ProgressMonitor
) -> Dataset:
    """All usable images of a container, at one size.

    Arguments:
        container: a `Folder` or `Zip`.
        config: what is asked for.
        wanted: classes to keep; none keeps all.
        watch: told of every file, twice.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # decoders warn of what the report says anyway
        return _open(container, config, keep_classes, monitor)


def _open(
    container: Container, config: DataConfig, keep_classes: tuple[str, ...], monitor: ProgressMonitor
) -> Dataset:
    monitor.begin(2 * len(container.entries))
    survey = Survey(container, monitor)
    skipped = container.skipped + survey.skipped()
    chosen, labels, why = _select_labelled(survey, config, keep_classes, skipped)
    report = DataReport(source=config.source, kind=container.kind, count=0, skipped=tuple(sorted(skipped)))
    if not chosen:
        raise no_samples_error(report)
    found = [survey.file_infos[number] for number in chosen]
    sizes = [(finding.height, finding.width) for finding in found]
    size, why_size = choose_size(sizes, config.max_size) if config.size is None else (config.size, "")
    channels, why_channels = survey.channels(chosen) if config.channels is None else (config.channels, "")
    survey.save()
    config = replace(config, size=size, channels=channels)
    names = [container.entries[number].name for number in chosen]
    files = [[name, finding.digest] for name, finding in zip(names, found, strict=True)]
    key = content_hash("pictures", files, size, channels, config.fit)
    job = _ImageDecoder(survey, size, channels, config.fit)
    threaded = is_faster_threaded(sizes)
    stored, remark = cache.load_or_build(
        key, (*size, channels), lambda: iterate_rows(job.row, chosen, threaded, monitor)
    )
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
        remarks=tuple(text for text in (why_size, why_channels, why, remark) if text),
    )
    kept = [labels[place] for place in stored.kept] if labels is not None else None
    return build_dataset(stored.samples, kept, key=key, report=report, config=config)


def _select_labelled(
    survey: Survey, config: DataConfig, keep_classes: tuple[str, ...], skipped: list[tuple[str, str]]
) -> tuple[list[int], list[str] | None, str]:
    """Numbers of the images that stay, their labels, and why these; images without a label join `skipped`."""
    usable = survey.usable()
    if not config.labels and not keep_classes:
        return usable, None, "no labels, as asked"
    names = [survey.entries[number].name for number in usable]
    labels, why = find_labels(names, survey.container.label_files)
    if keep_classes:
        check_classes(
            keep_classes, sorted({label for label in labels or [] if label is not None}), config.source
        )
    if labels is None:
        return usable, None, why
    skipped += [(name, "no label") for name, label in zip(names, labels, strict=True) if label is None]
    pairs = zip(usable, labels, strict=True)
    stay = [
        (number, label)
        for number, label in pairs
        if label is not None and label in (keep_classes or (label,))
    ]
    return [number for number, _ in stay], [label for _, label in stay], why


class _ImageDecoder:
    """Decodes a file and fits it."""

    def __init__(self, survey: Survey, size: Size, channels: int, fit: Fit) -> None:
        self.survey, self.size, self.channels, self.fit = survey, size, channels, fit

    def row(self, place: int, number: int) -> SampleRow:
        try:
            image, note = decode(self.survey.read_image(number))
        except InvalidImageError as error:
            return place, None, str(error)
        return place, fit_image(image, self.size, self.channels, self.fit), note


def is_faster_threaded(sizes: Sequence[Size]) -> bool:
    """Whether images of these (height, width) are decoded faster by several threads."""
    return sum(height * width for height, width in sizes) >= MIN_THREADED_PIXELS * len(sizes)


def iterate_rows(
    work: Callable[[int, int], SampleRow], numbers: Sequence[int], threaded: bool, monitor: ProgressMonitor
) -> Iterator[SampleRow]:
    """`work(place, number)` for each of these numbers, one after another, or several at once in the same order.

    Arguments:
        work: makes one row for the cache.
        numbers: of what is decoded; `place` counts them.
        threaded: see `is_faster_threaded`.
        watch: told of each.
    """
    workers = (os.cpu_count() or 1) if threaded else 1
    if workers == 1:
        for place, number in enumerate(numbers):
            monitor.step()
            yield work(place, number)
        return
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[SampleRow]] = deque()
        for place, number in enumerate(numbers):
            waiting.append(pool.submit(work, place, number))
            if len(waiting) > 2 * workers:
                monitor.step()
                yield waiting.popleft().result()
        while waiting:
            monitor.step()
            yield waiting.popleft().result()
