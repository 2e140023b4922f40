"""Pairs of pictures as a data set: two files of one name, or the two halves of one file."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sparring.data import cache
from sparring.data.assemble import assemble, content_key, nothing_usable
from sparring.data.blocks import Row
from sparring.data.config import DataConfig, Fit
from sparring.data.dataset import Dataset
from sparring.data.decode import decode
from sparring.data.fit import Size, choose_size, fitted, half_of
from sparring.data.pictures import rows_of, worth_threads
from sparring.data.report import DataReport, histogram
from sparring.data.survey import Survey
from sparring.data.watch import Watch
from sparring.errors import InvalidImageError

Named = list[tuple[str, str]]


@dataclass(frozen=True)
class Pair:
    """Where the two pictures of a pair are: numbers of files, and the half of the file ("" for the whole)."""

    a: int
    b: int
    halves: tuple[str, str] = ("", "")


def open_pairs(
    survey: Survey, pairs: Sequence[Pair], skipped: Named, config: DataConfig, watch: Watch
) -> Dataset:
    """All usable pairs, at one size: domain A, with B as its `other`.

    Both of a pair are kept or left out together, and the same window is cut out of both. They are cached side by side, as one
    sample with the channels of A and then those of B.

    Arguments:
        survey: of the files.
        pairs: with A and B in this order.
        skipped: what was left out before.
        config: what is asked for; `channels` and `size` may be None.
        watch: told of each pair.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # decoders warn of what the report says anyway
        return _open(survey, pairs, skipped, config, watch)


def _open(survey: Survey, pairs: Sequence[Pair], skipped: Named, config: DataConfig, watch: Watch) -> Dataset:
    pairs, skipped = _matching(survey, pairs, skipped)
    container = survey.container
    report = DataReport(source=config.source, kind=f"pairs in a {container.kind}", count=0)
    if not pairs:
        raise nothing_usable(replace(report, skipped=tuple(sorted(skipped))))
    sizes = [_size(survey, pair.b, pair.halves[1]) for pair in pairs]
    size, why_size = choose_size(sizes, config.largest) if config.size is None else (config.size, "")
    a, why_a = _channels(survey, pairs, 0) if config.channels is None else (config.channels, "")
    b, why_b = _channels(survey, pairs, 1) if config.other_channels is None else (config.other_channels, "")
    survey.save()
    config = replace(config, size=size, channels=a, other_channels=b)
    job = _Job(survey, pairs, (size, a, b), config.fit)
    key = content_key("pairs", [job.origin(pair) for pair in pairs], size, a, b, config.fit)
    threaded, numbers = worth_threads(sizes), range(len(pairs))
    watch.begin(len(pairs))
    stored, remark = cache.stored(key, (*size, a + b), lambda: rows_of(job.row, numbers, threaded, watch))
    names = [container.entries[pair.b].name for pair in pairs]
    found = [survey.findings[pairs[place].b] for place in stored.kept]
    report = replace(
        report,
        skipped=tuple(sorted(skipped + [(names[place], note) for place, note in stored.skipped])),
        converted=tuple((names[place], note) for place, note in stored.converted),
        duplicates=stored.duplicates,
        sizes=histogram(f"{finding.height}x{finding.width}" for finding in found),
        modes=histogram(finding.mode for finding in found),
        size=size,
        channels=a,
        fit=config.fit,
        why=tuple(
            text for text in (why_size, why_a and f"A: {why_a}", why_b and f"B: {why_b}", remark) if text
        ),
    )
    return side_by_side(stored.samples, a, key, report, config)


def side_by_side(samples: np.ndarray, a: int, key: str, report: DataReport, config: DataConfig) -> Dataset:
    """The set of A with its partner B, of samples that hold the `a` channels of A and then those of B."""
    dataset = assemble(samples[..., :a], None, key=content_key(key, "A"), report=report, config=config)
    other = replace(config, channels=config.other_channels)
    dataset.other = assemble(samples[..., a:], None, key=content_key(key, "B"), report=report, config=other)
    dataset.paired = True
    return dataset


def _matching(survey: Survey, pairs: Sequence[Pair], skipped: Named) -> tuple[list[Pair], Named]:
    """The pairs of two usable pictures of one shape, and what is skipped with the others."""
    kept, skipped = [], skipped + survey.skipped()
    for pair in pairs:
        a, b = survey.findings[pair.a], survey.findings[pair.b]
        name = survey.entries[pair.a if b.reason else pair.b].name
        if a.reason or b.reason:
            skipped += [(name, "its partner can't be used")] if bool(a.reason) != bool(b.reason) else []
        elif not alike(_size(survey, pair.a, pair.halves[0]), _size(survey, pair.b, pair.halves[1])):
            mine, theirs = f"{b.height}x{b.width}", f"{a.height}x{a.width}"
            skipped.append((name, f"another shape than its partner: {mine}, not {theirs}"))
        else:
            kept.append(pair)
    return kept, skipped


def alike(first: Size, second: Size) -> bool:
    """Whether two sizes are of one aspect ratio, but for rounding to whole pixels.

    >>> alike((64, 48), (128, 96)), alike((64, 48), (33, 25)), alike((64, 48), (64, 64))
    (True, True, False)
    """
    return abs(first[0] * second[1] - first[1] * second[0]) <= max(*first, *second)


def _size(survey: Survey, number: int, half: str) -> Size:
    finding = survey.findings[number]
    return finding.height, finding.width // 2 if half else finding.width


def _channels(survey: Survey, pairs: Sequence[Pair], side: int) -> tuple[int, str]:
    half = pairs[0].halves[side]
    numbers = [pair.b if side else pair.a for pair in pairs]
    return survey.channels(numbers, half)


class _Job:
    """Decodes both of a pair and fits them."""

    def __init__(self, survey: Survey, pairs: Sequence[Pair], shape: tuple[Size, int, int], fit: Fit) -> None:
        self.survey, self.pairs, self.shape, self.fit = survey, pairs, shape, fit

    def origin(self, pair: Pair) -> list[object]:
        """What a pair is made from."""
        files = [(self.survey.entries[n].name, self.survey.findings[n].digest) for n in (pair.a, pair.b)]
        return [*files, pair.halves]

    def row(self, place: int, number: int) -> Row:
        """Both of a pair, stacked along the channels."""
        pair, (size, *channels) = self.pairs[number], self.shape
        images, notes = [], []
        for at in dict.fromkeys((pair.a, pair.b)):
            try:
                image, note = decode(self.survey.picture(at))
            except InvalidImageError as error:
                return place, None, f"{self.survey.entries[at].name}: {error}"
            images.append(image)
            notes += [f"{'A' if at == pair.a else 'B'}: {note}" if pair.a != pair.b and note else note]
        sides = [
            fitted(half_of(image, half), size, count, self.fit)
            for image, half, count in zip((images[0], images[-1]), pair.halves, channels, strict=True)
        ]
        return place, np.concatenate(sides, 2), ", ".join(filter(None, notes))
