"""Paired images as a dataset: two files of one name, or the two halves of one file; and two datasets joined
as domains A and B.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sparring.core.errors import DataError, InvalidImageError
from sparring.core.progress import ProgressMonitor
from sparring.data import cache
from sparring.data.cache import SampleRow
from sparring.data.config import DataConfig, Fit
from sparring.data.dataset import Dataset
from sparring.data.images.decode import decode
from sparring.data.images.resize import Size, choose_size, crop_half, fit_image
from sparring.data.readers.build_dataset import (
    build_dataset,
    content_hash,
    no_samples_error,
    versioned_channels,
)
from sparring.data.readers.image_folder import is_faster_threaded, iterate_rows
from sparring.data.readers.survey import Survey
from sparring.data.report import DataReport, histogram

SkippedFiles = list[tuple[str, str]]


@dataclass(frozen=True)
class Pair:
    """Indices of the files of A and B, and the half of each file that holds the image ("" for the whole)."""

    a: int
    b: int
    halves: tuple[str, str] = ("", "")


def open_pairs(
    survey: Survey, pairs: Sequence[Pair], skipped: SkippedFiles, config: DataConfig, monitor: ProgressMonitor
) -> Dataset:
    """All usable pairs, at one size: domain A, with B as its `domain_b`.

    Both images of a pair are used or skipped together, and cropped alike. They are cached as one sample, with the
    channels of A before those of B.

    Arguments:
        survey: of the files.
        pairs: of indices into the survey.
        skipped: (name, reason) of the files that were skipped before.
        config: the settings; `channels` and `size` may be None.
        monitor: counts the pairs and polls for a stop.

    Raises:
        DataError: no pair is usable.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the report says what decoders warn of
        return _open(survey, pairs, skipped, config, monitor)


def _open(
    survey: Survey, pairs: Sequence[Pair], skipped: SkippedFiles, config: DataConfig, monitor: ProgressMonitor
) -> Dataset:
    pairs, skipped = _filter_pairs(survey, pairs, skipped)
    container = survey.container
    report = DataReport(source=config.source, kind=f"pairs in a {container.kind}", count=0)
    if not pairs:
        raise no_samples_error(replace(report, skipped=tuple(sorted(skipped))))
    sizes = [_image_size(survey, pair.b, pair.halves[1]) for pair in pairs]
    size, why_size = choose_size(sizes, config.max_size) if config.size is None else (config.size, "")
    a, why_a = _channels(survey, pairs, 0) if config.channels is None else (config.channels, "")
    b, why_b = _channels(survey, pairs, 1) if config.channels_b is None else (config.channels_b, "")
    survey.save()
    config = replace(config, size=size, channels=a, channels_b=b)
    decoder = _PairDecoder(survey, pairs, (size, a, b), config.fit)
    origins = [decoder.origin(pair) for pair in pairs]
    key = content_hash("pairs", origins, size, versioned_channels(a), versioned_channels(b), config.fit)
    threaded, numbers = is_faster_threaded(sizes), range(len(pairs))
    monitor.begin(len(pairs))
    cached, remark = cache.load_or_build(
        key, (*size, a + b), lambda: iterate_rows(decoder.decode_row, numbers, threaded, monitor)
    )
    names = [container.entries[pair.b].name for pair in pairs]
    infos = [survey.file_infos[pairs[index].b] for index in cached.indices]
    report = replace(
        report,
        skipped=tuple(sorted(skipped + [(names[index], note) for index, note in cached.skipped])),
        converted=tuple((names[index], note) for index, note in cached.converted),
        duplicates=cached.duplicates,
        sizes=histogram(f"{info.height}x{info.width}" for info in infos),
        modes=histogram(info.mode for info in infos),
        size=size,
        channels=a,
        fit=config.fit,
        why=tuple(
            text for text in (why_size, why_a and f"A: {why_a}", why_b and f"B: {why_b}", remark) if text
        ),
    )
    return split_channels(cached.samples, a, key, report, config)


def split_channels(samples: np.ndarray, a: int, key: str, report: DataReport, config: DataConfig) -> Dataset:
    """The dataset of samples that hold the `a` channels of A and then those of B."""
    config_b = replace(config, channels=config.channels_b)
    domain_a = build_dataset(samples[..., :a], None, key=content_hash(key, "A"), report=report, config=config)
    domain_b = build_dataset(
        samples[..., a:], None, key=content_hash(key, "B"), report=report, config=config_b
    )
    return domain_a.replace(domain_b=domain_b, paired=True)


def _filter_pairs(
    survey: Survey, pairs: Sequence[Pair], skipped: SkippedFiles
) -> tuple[list[Pair], SkippedFiles]:
    """The pairs of two usable images of one aspect ratio, and `skipped` with the others appended."""
    usable, skipped = [], skipped + survey.skipped()
    for pair in pairs:
        a, b = survey.file_infos[pair.a], survey.file_infos[pair.b]
        name = survey.entries[pair.a if b.reason else pair.b].name
        if a.reason or b.reason:
            skipped += [(name, "its partner can't be used")] if bool(a.reason) != bool(b.reason) else []
        elif not has_same_aspect(
            _image_size(survey, pair.a, pair.halves[0]), _image_size(survey, pair.b, pair.halves[1])
        ):
            sizes = f"{b.height}x{b.width}, not {a.height}x{a.width}"
            skipped.append((name, f"another aspect ratio than its partner: {sizes}"))
        else:
            usable.append(pair)
    return usable, skipped


def has_same_aspect(first: Size, second: Size) -> bool:
    """Whether two sizes have the same aspect ratio up to rounding to whole pixels.

    >>> has_same_aspect((64, 48), (128, 96)), has_same_aspect((64, 48), (33, 25)), has_same_aspect((64, 48), (64, 64))
    (True, True, False)
    """
    return abs(first[0] * second[1] - first[1] * second[0]) <= max(*first, *second)


def _image_size(survey: Survey, number: int, half: str) -> Size:
    info = survey.file_infos[number]
    return info.height, info.width // 2 if half else info.width


def _channels(survey: Survey, pairs: Sequence[Pair], domain: int) -> tuple[int, str]:
    half = pairs[0].halves[domain]
    numbers = [pair.b if domain else pair.a for pair in pairs]
    return survey.channels(numbers, half)


class _PairDecoder:
    """Decodes both images of a pair and resizes them."""

    def __init__(self, survey: Survey, pairs: Sequence[Pair], shape: tuple[Size, int, int], fit: Fit) -> None:
        self.survey, self.pairs, self.shape, self.fit = survey, pairs, shape, fit

    def origin(self, pair: Pair) -> list[object]:
        """Names, digests and halves of the files of a pair, for the cache key."""
        files = [(self.survey.entries[n].name, self.survey.file_infos[n].digest) for n in (pair.a, pair.b)]
        return [*files, pair.halves]

    def decode_row(self, index: int, number: int) -> SampleRow:
        """Both images of a pair, concatenated along the channels."""
        pair, (size, *channels) = self.pairs[number], self.shape
        images, notes = [], []
        for at in dict.fromkeys((pair.a, pair.b)):
            try:
                image, note = decode(self.survey.read_image(at))
            except InvalidImageError as error:
                return index, None, f"{self.survey.entries[at].name}: {error}"
            images.append(image)
            notes += [f"{'A' if at == pair.a else 'B'}: {note}" if pair.a != pair.b and note else note]
        fitted = [
            fit_image(crop_half(image, half), size, count, self.fit)
            for image, half, count in zip((images[0], images[-1]), pair.halves, channels, strict=True)
        ]
        return index, np.concatenate(fitted, 2), ", ".join(filter(None, notes))


DatasetOpener = Callable[[DataConfig], Dataset]


def join_domains(first: DatasetOpener, second: DatasetOpener, config: DataConfig) -> Dataset:
    """Two datasets as domains A and B, B opened at the size of A, with one report.

    Raises:
        DataError: one of them holds points.
    """
    first, second = (second, first) if config.swap_domains else (first, second)
    a = first(replace(config, swap_domains=False))
    b = second(replace(config, swap_domains=False, size=a.config.size, channels=config.channels_b))
    for domain in (a, b):
        if not domain.spec.is_image:
            raise DataError(f"{domain.config.source}: points", "images in both domains", "name other data")
    report = replace(
        a.report,
        source=f"{a.report.source} and {b.report.source}",
        skipped=(*a.report.skipped, *b.report.skipped),
        converted=(*a.report.converted, *b.report.converted),
        duplicates=a.report.duplicates + b.report.duplicates,
        why=(*(f"A: {text}" for text in a.report.why), *(f"B: {text}" for text in b.report.why)),
    )
    return a.replace(domain_b=b, report=report)


def resolve_config(dataset: Dataset, config: DataConfig) -> DataConfig:
    """The settings with the size and the channels of both domains resolved."""
    assert dataset.domain_b is not None
    a, b = dataset.config, dataset.domain_b.config
    return replace(config, size=a.size, channels=a.channels, channels_b=b.channels)


def finalize(dataset: Dataset, test_set: Dataset | None, config: DataConfig, why: list[str]) -> Dataset:
    """The dataset with its test split, the resolved settings, one fingerprint over both domains and both splits, and a
    report that says how many samples there are.
    """
    domain_b = dataset.domain_b
    assert domain_b is not None
    paired = config.pairing == "paired"
    parts = [dataset, domain_b, *([test_set, test_set.domain_b] if test_set is not None else [])]
    fingerprints = [part.fingerprint for part in parts if part is not None]
    fingerprint = content_hash("sides", config.pairing, config.swap_domains, fingerprints)
    counts = (
        f"{len(dataset):,} pairs"
        if paired
        else f"{len(dataset):,} of A and {len(domain_b):,} of B, not paired"
    )

    def resolve(part: Dataset) -> Dataset:
        channels, other = part.samples.shape[3], part.domain_b
        return part.replace(
            config=replace(config, channels=channels),
            fingerprint=fingerprint,
            domain_b=None if other is None else resolve(other),
        )

    return resolve(dataset).replace(
        paired=paired,
        report=replace(dataset.report, why=(counts, *dataset.report.why, *why)),
        test_set=None if test_set is None else resolve(test_set),
    )
