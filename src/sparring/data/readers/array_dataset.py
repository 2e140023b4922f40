"""An array file of images or points, with its labels, as a dataset."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from sparring.core.errors import DataError
from sparring.core.progress import ProgressMonitor, StopRequested
from sparring.data import cache
from sparring.data.config import DataConfig
from sparring.data.dataset import Dataset
from sparring.data.images.resize import choose_size
from sparring.data.readers.arrays import ArrayFile, ImageArray, find_arrays, infer_layout
from sparring.data.readers.build_dataset import build_dataset, content_hash, versioned_channels
from sparring.data.readers.labels import check_classes
from sparring.data.readers.points import open_points
from sparring.data.report import DataReport


def open_array(
    path: Path, config: DataConfig, keep_classes: tuple[str, ...], monitor: ProgressMonitor
) -> Dataset:
    """An npz, npy or idx file of images or points as a dataset.

    Images of uint8 are not changed; other types are scaled to 8 bits by the range of the whole array, see
    `images.decode.value_range`. Samples that are not finite are skipped.

    Arguments:
        keep_classes: classes to keep; empty keeps all.

    Raises:
        DataError: damaged, not an array of images or points, or labels that don't fit it.
    """
    try:
        return _open(path, config, keep_classes, monitor)
    except (DataError, StopRequested):
        raise
    except Exception as error:  # the readers of untrusted headers and zips may raise anything
        got = f"{path}: can't be read ({type(error).__name__}: {str(error)[:120]})"
        raise DataError(got, "an npz, npy or idx file that is whole", "save it again") from error


def _open(path: Path, config: DataConfig, keep_classes: tuple[str, ...], monitor: ProgressMonitor) -> Dataset:
    images, label_file, class_file = find_arrays(path)
    shape, dtype = images.header()
    labels = (
        _read_labels(label_file, class_file, shape[0], path)
        if (config.labels or keep_classes) and shape
        else None
    )
    if keep_classes:
        check_classes(keep_classes, sorted(set(labels or [])), config.source)
    selected = (
        np.isin(np.array(labels), keep_classes)
        if keep_classes and labels is not None
        else np.ones(shape[0] if shape else 0, bool)
    )
    file_key = [_file_digest(path), path.suffix not in (".npy", ".npz"), sorted(keep_classes)]
    if len(shape) == 2 and dtype.kind == "f":
        points = _read_points(images, selected, monitor)
        return open_points(
            points, config, content_hash("array", file_key), _select_labels(labels, selected), "array"
        )
    layout = infer_layout(shape, dtype, path)
    size, why_size = (
        choose_size([(layout.height, layout.width)], 4096)
        if config.size is None
        else (config.size, "size as set")
    )
    channels = layout.channels if config.channels is None else config.channels
    config = replace(config, size=size, channels=channels)
    key = content_hash("array", file_key, size, versioned_channels(channels), config.fit)
    stack = ImageArray(images, layout, config, selected, monitor)
    cached, remark = cache.load_or_build(key, (*size, channels), stack.rows)
    report = DataReport(
        source=config.source,
        kind="array" if path.suffix in (".npy", ".npz") else "idx",
        count=0,
        skipped=tuple((f"sample {number}", note) for number, note in cached.skipped),
        converted=(("all samples", f"{dtype} to 8 bits"),) if dtype != np.uint8 else (),
        duplicates=cached.duplicates,
        sizes={f"{layout.height}x{layout.width}": len(cached.indices)},
        modes={f"{dtype} x {layout.channels}": len(cached.indices)},
        size=size,
        channels=channels,
        fit=config.fit,
        why=tuple(text for text in (why_size, f"{channels} channels", remark) if text),
    )
    return build_dataset(
        cached.samples,
        [labels[i] for i in cached.indices] if labels else None,
        key=key,
        report=report,
        config=config,
    )


def _select_labels(labels: list[str] | None, selected: np.ndarray) -> list[str] | None:
    return (
        [label for label, keep in zip(labels, selected, strict=True) if keep] if labels is not None else None
    )


def _read_points(file: ArrayFile, selected: np.ndarray, monitor: ProgressMonitor) -> np.ndarray:
    pieces = []
    for block in file.blocks():
        monitor.poll()
        pieces.append(block.astype(np.float32))
    return np.concatenate(pieces)[selected] if pieces else np.empty((0, 2), np.float32)


def _read_labels(
    file: ArrayFile | None, class_file: ArrayFile | None, count: int, path: Path
) -> list[str] | None:
    if file is None:
        return None
    values = file.read_all()
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    is_whole = values.dtype.kind in "biuU" or (
        values.dtype.kind == "f" and bool((values == np.rint(values)).all())
    )
    if values.shape != (count,) or not is_whole:
        raise DataError(
            f"{path}: labels {values.dtype} of shape {values.shape}",
            f"whole numbers or texts ({count},)",
            "fix them",
        )
    if values.dtype.kind == "U":
        return [str(value) for value in values.tolist()]
    numbers = values.astype(np.int64).tolist()
    names = class_file.read_all().tolist() if class_file is not None else []
    return [str(names[value]) if 0 <= value < len(names) else str(value) for value in numbers]


def _file_digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
