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
from sparring.data.readers.build_dataset import (
    build_dataset,
    content_hash,
    no_samples_error,
    versioned_channels,
)
from sparring.data.readers.container import Container
from sparring.data.readers.labels import check_classes, find_labels
from sparring.data.readers.survey import Survey
from sparring.data.report import DataReport, histogram

MIN_THREADED_PIXELS = (
    200 * 200
)  # below this mean size threads are slower: 0.47 ms an image of 64x64 instead of 0.32


def open_images(
    container: Container, config: DataConfig, keep_classes: tuple[str, ...], monitor: ProgressMonitor
) -> Dataset:
    """All usable images of a container, at one size.

    Arguments:
        container: a `Folder` or `Zip`.
        config: the settings.
        keep_classes: classes to keep; empty keeps all.
        monitor: counts every file twice (survey and decoding) and polls for a stop.

    Raises:
        DataError: no image is usable, or a class is unknown.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the report says what decoders warn of
        return _open(container, config, keep_classes, monitor)


def _open(
    container: Container, config: DataConfig, keep_classes: tuple[str, ...], monitor: ProgressMonitor
) -> Dataset:
    monitor.begin(2 * len(container.entries))
    survey = Survey(container, monitor)
    skipped = container.skipped + survey.skipped()
    selected, labels, why_labels = _select_labelled(survey, config, keep_classes, skipped)
    report = DataReport(source=config.source, kind=container.kind, count=0, skipped=tuple(sorted(skipped)))
    if not selected:
        raise no_samples_error(report)
    infos = [survey.file_infos[number] for number in selected]
    sizes = [(info.height, info.width) for info in infos]
    size, why_size = choose_size(sizes, config.max_size) if config.size is None else (config.size, "")
    channels, why_channels = survey.channels(selected) if config.channels is None else (config.channels, "")
    survey.save()
    config = replace(config, size=size, channels=channels)
    names = [container.entries[number].name for number in selected]
    files = [[name, info.digest] for name, info in zip(names, infos, strict=True)]
    key = content_hash("pictures", files, size, versioned_channels(channels), config.fit)
    decoder = _ImageDecoder(survey, size, channels, config.fit)
    threaded = is_faster_threaded(sizes)
    cached, remark = cache.load_or_build(
        key, (*size, channels), lambda: iterate_rows(decoder.decode_row, selected, threaded, monitor)
    )
    report = replace(
        report,
        skipped=tuple(sorted(skipped + [(names[index], note) for index, note in cached.skipped])),
        converted=tuple((names[index], note) for index, note in cached.converted),
        duplicates=cached.duplicates,
        sizes=histogram(f"{sizes[index][0]}x{sizes[index][1]}" for index in cached.indices),
        modes=histogram(infos[index].mode for index in cached.indices),
        size=size,
        channels=channels,
        fit=config.fit,
        why=tuple(text for text in (why_size, why_channels, why_labels, remark) if text),
    )
    kept_labels = [labels[index] for index in cached.indices] if labels is not None else None
    return build_dataset(cached.samples, kept_labels, key=key, report=report, config=config)


def _select_labelled(
    survey: Survey, config: DataConfig, keep_classes: tuple[str, ...], skipped: list[tuple[str, str]]
) -> tuple[list[int], list[str] | None, str]:
    """Indices of the usable images of the classes to keep, their labels, and where the labels come from.

    Images without a label are appended to `skipped`.
    """
    usable = survey.usable()
    if not config.labels and not keep_classes:
        return usable, None, "no labels: data.labels=false"
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
    selected = [
        (number, label)
        for number, label in pairs
        if label is not None and label in (keep_classes or (label,))
    ]
    return [number for number, _ in selected], [label for _, label in selected], why


class _ImageDecoder:
    """Decodes an image file and resizes it."""

    def __init__(self, survey: Survey, size: Size, channels: int, fit: Fit) -> None:
        self.survey, self.size, self.channels, self.fit = survey, size, channels, fit

    def decode_row(self, index: int, number: int) -> SampleRow:
        try:
            image, note = decode(self.survey.read_image(number))
        except InvalidImageError as error:
            return index, None, str(error)
        return index, fit_image(image, self.size, self.channels, self.fit), note


def is_faster_threaded(sizes: Sequence[Size]) -> bool:
    """Whether images of these (height, width) are decoded faster by several threads."""
    return sum(height * width for height, width in sizes) >= MIN_THREADED_PIXELS * len(sizes)


def iterate_rows(
    work: Callable[[int, int], SampleRow], numbers: Sequence[int], threaded: bool, monitor: ProgressMonitor
) -> Iterator[SampleRow]:
    """Yield `work(index, number)` for each number, in their order, on one thread or on all cores.

    Arguments:
        work: decodes one row for the cache.
        numbers: indices of the files to decode; `index` counts them from 0.
        threaded: see `is_faster_threaded`.
        monitor: counts the rows and polls for a stop.
    """
    workers = (os.cpu_count() or 1) if threaded else 1
    if workers == 1:
        for index, number in enumerate(numbers):
            monitor.step()
            yield work(index, number)
        return
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[SampleRow]] = deque()
        for index, number in enumerate(numbers):
            waiting.append(pool.submit(work, index, number))
            if len(waiting) > 2 * workers:
                monitor.step()
                yield waiting.popleft().result()
        while waiting:
            monitor.step()
            yield waiting.popleft().result()
