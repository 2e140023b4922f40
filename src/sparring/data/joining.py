"""Two sets of pictures as one data set of two domains."""

from collections.abc import Callable
from dataclasses import replace

from sparring.data.assemble import content_key
from sparring.data.config import DataConfig
from sparring.data.dataset import Dataset
from sparring.errors import DataError

Reader = Callable[[DataConfig], Dataset]


def joined(first: Reader, second: Reader, config: DataConfig) -> Dataset:
    """Two sets of pictures, B at the size of A."""
    first, second = (second, first) if config.swap else (first, second)
    a = first(replace(config, swap=False))
    b = second(replace(config, swap=False, size=a.config.size, channels=config.other_channels))
    for side in (a, b):
        if not side.spec.is_image:
            raise DataError(f"{side.config.source}: points", "pictures in both domains", "name other data")
    a.other = b
    merged = replace(
        a.report,
        source=f"{a.report.source} and {b.report.source}",
        skipped=(*a.report.skipped, *b.report.skipped),
        converted=(*a.report.converted, *b.report.converted),
        duplicates=a.report.duplicates + b.report.duplicates,
        why=(*(f"A: {why}" for why in a.report.why), *(f"B: {why}" for why in b.report.why)),
    )
    a.report = merged
    return a


def resolved(dataset: Dataset, config: DataConfig) -> DataConfig:
    """The settings with the size and the channels of both domains filled in."""
    assert dataset.other is not None
    a, b = dataset.config, dataset.other.config
    return replace(config, size=a.size, channels=a.channels, other_channels=b.channels)


def finished(dataset: Dataset, held: Dataset | None, config: DataConfig, remarks: list[str]) -> Dataset:
    """The same with what it came to: settings, fingerprint over both domains and parts, and what to tell."""
    assert dataset.other is not None
    dataset.paired = config.sides == "paired"
    whole = [dataset, dataset.other, *([held, held.other] if held is not None else [])]
    prints = [side.fingerprint for side in whole if side is not None]
    fingerprint = content_key("sides", config.sides, config.swap, prints)
    words = (
        f"{len(dataset):,} pairs"
        if dataset.paired
        else f"{len(dataset):,} of A and {len(dataset.other):,} of B, not paired"
    )
    dataset.report = replace(dataset.report, why=(words, *dataset.report.why, *remarks))
    dataset.held = held
    for side in whole:
        if side is not None:
            channels = side.samples.shape[3]
            side.config, side.fingerprint = replace(config, channels=channels), fingerprint
    return dataset
