"""Build a `Dataset` from samples: encode the labels, hash the content, complete the report."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sparring.core.errors import DataError
from sparring.data.config import DataConfig
from sparring.data.dataset import Dataset
from sparring.data.readers.labels import encode_labels
from sparring.data.report import DataReport, histogram

DECODER_VERSION = 1  # raised when the same files would decode to other samples
ALPHA_VERSION = 2  # the same, for samples with an alpha channel


def content_hash(*parts: Any) -> str:
    """SHA-256 of plain values, as hex digits."""
    return hashlib.sha256(json.dumps([DECODER_VERSION, *parts], separators=(",", ":")).encode()).hexdigest()


def versioned_channels(channels: int) -> int | list[int]:
    """The number of channels as a part of a digest, with the version of what is done to transparent samples."""
    return [channels, ALPHA_VERSION] if channels == 4 else channels


def build_dataset(
    samples: np.ndarray, labels: Sequence[str] | None, *, key: str, report: DataReport, config: DataConfig
) -> Dataset:
    """A `Dataset` with its labels encoded, its report completed and its fingerprint. A single class counts as no labels.

    Arguments:
        samples: uint8 (n, h, w, c) or float32 (n, d).
        labels: class name of each sample, or None.
        key: digest of everything that the samples depend on; labels, classes and settings are added to it here.
        report: without `count` and `classes`, which are filled in.
        config: with size and channels resolved.

    Raises:
        DataError: there are no samples.
    """
    if not len(samples):
        raise no_samples_error(report)
    numbers: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    table: dict[str, int] = {}
    if labels is not None and config.labels:
        table = histogram(labels)
        numbers, classes = encode_labels(labels)
        table = {name: table[name] for name in classes}
        if len(classes) < 2:
            numbers, classes = None, ()
    settings = [config.size, config.channels, config.fit, config.labels]
    digest = hashlib.sha256(numbers.astype("<i8").tobytes()).hexdigest() if numbers is not None else ""
    report = replace(report, count=len(samples), classes=table)
    return Dataset(
        samples,
        numbers,
        classes,
        fingerprint=content_hash(key, settings, classes, digest),
        report=report,
        config=config,
    )


def no_samples_error(report: DataReport) -> DataError:
    """The error for a source without usable samples: it counts the reasons for which files were skipped."""
    reasons = histogram(reason for _, reason in report.skipped)
    counts = "; ".join(f"{number:,} x {reason}" for reason, number in list(reasons.items())[:6])
    got = (
        f"{report.source}: nothing usable in {len(report.skipped):,} files ({counts})"
        if counts
        else f"{report.source}: empty"
    )
    names = [name for name, _ in report.skipped]
    arrays = [name for name in names if name.endswith((".npz", ".npy", ".zip")) or "idx3" in name]
    fix = (
        f"name the file itself: {report.source}/{arrays[0]}"
        if arrays
        else "name another folder, zip or array"
    )
    return DataError(got, "images (PNG, JPEG, WebP, GIF, BMP, TIFF) or arrays", fix)
