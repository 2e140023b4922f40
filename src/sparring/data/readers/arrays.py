"""Array files of images: `.npy`, `.npz` and MNIST's idx, read as a stream of rows, never all at once.

References: numpy's NEP 1 (the npy format); LeCun, Cortes & Burges, "The MNIST database" (the idx format).
"""

import gzip
import math
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from PIL import Image

from sparring.core.errors import DataError
from sparring.core.progress import ProgressMonitor
from sparring.data.cache import SampleRow
from sparring.data.config import DataConfig
from sparring.data.images.decode import LIMIT_PIXELS, MAX_COMPRESSION_RATIO, scale_to_uint8, value_range
from sparring.data.images.resize import PIL_MODES, Size, fit_image, hide_colours

IMAGE_NAMES = ("images", "points", "x", "X", "arr_0", "data")
LABEL_NAMES = ("labels", "y", "Y", "label")
IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
LIMIT_LABEL_BYTES = 2**30
READ_BLOCK_BYTES = 2**22


@dataclass(frozen=True, kw_only=True)
class ArrayFile:
    """One array in an npy, npz or idx file.

    Arguments:
        path: the file.
        member: its name inside an npz; "" elsewhere.
    """

    path: Path
    member: str = ""

    def _stream(self) -> IO[bytes]:
        if self.member:
            return zipfile.ZipFile(self.path).open(self.member)
        return cast(IO[bytes], gzip.open(self.path)) if self.path.suffix == ".gz" else open(self.path, "rb")

    def header(self) -> tuple[tuple[int, ...], np.dtype[Any]]:
        """Shape and dtype, checked against the file's size before anything is allocated."""
        with self._stream() as file:
            shape, dtype = self._start(file)
        packed = bool(self.member) or self.path.suffix == ".gz"
        if math.prod(shape) * dtype.itemsize > self.path.stat().st_size * (
            MAX_COMPRESSION_RATIO if packed else 1
        ):
            raise DataError(
                f"{self.path}: claims {dtype} of shape {shape}, which can't be in it",
                "a whole file",
                "save it again",
            )
        return shape, dtype

    def _start(self, file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
        shape, fortran, dtype = _npy_header(file) if self._is_npy else _idx_header(file)
        name = f"{self.path.name}{f':{self.member}' if self.member else ''}"
        if fortran and len(shape) > 1:
            raise DataError(
                f"{name}: stored in Fortran order",
                "C order",
                "save np.ascontiguousarray(array)",
            )
        if dtype.kind not in "biufUS":
            raise DataError(f"{name}: an array of {dtype}", "numbers", "save it as uint8 or float32")
        return shape, dtype

    @property
    def _is_npy(self) -> bool:
        return bool(self.member) or self.path.suffix == ".npy"

    def blocks(self) -> Iterator[np.ndarray]:
        """The rows in blocks of about 4 MiB. Raises EOFError where the file is truncated."""
        with self._stream() as file:
            shape, dtype = self._start(file)
            row = max(math.prod(shape[1:]) * dtype.itemsize, 1)
            count, step = shape[0], max(1, READ_BLOCK_BYTES // row)
            for start in range(0, count, step):
                rows = min(step, count - start)
                data = file.read(rows * row)
                if len(data) != rows * row:
                    raise EOFError(f"it ends after {start} of {count} rows")
                yield np.frombuffer(data, dtype).reshape(rows, *shape[1:])

    def read_all(self) -> np.ndarray:
        """The whole of a small array, such as labels."""
        shape, dtype = self.header()
        if math.prod(shape) * dtype.itemsize > LIMIT_LABEL_BYTES:
            raise DataError(
                f"{self.path.name}: labels of shape {shape}", "one label an image", "save them as int64 (n,)"
            )
        blocks = list(self.blocks())
        return np.concatenate(blocks) if blocks else np.empty(shape, dtype)


def _npy_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(file)
    if min(shape, default=0) < 0:
        raise ValueError(f"the shape {shape}")
    return shape, fortran, dtype


def _idx_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    magic = file.read(4)
    if len(magic) != 4 or magic[:2] != b"\0\0" or magic[2] not in IDX_TYPES or not 1 <= magic[3] <= 5:
        raise ValueError("not an idx file: it must start with 0, 0, type, dimensions")
    sides = np.frombuffer(file.read(4 * magic[3]), ">u4")
    return tuple(int(side) for side in sides), False, np.dtype(IDX_TYPES[magic[2]])


def find_arrays(path: Path) -> tuple[ArrayFile, ArrayFile | None, ArrayFile | None]:
    """The arrays of samples, of labels and of class names; None for those that are missing.

    In an npz the arrays `images`, `points` or `x`, `labels` or `y`, and `classes` (texts: the name of label 0, 1, ...);
    beside `a-images-idx3-ubyte.gz` the file `a-labels-idx1-ubyte.gz`; beside `a.npy` or `a-images.npy` the
    file `a-labels.npy` or `a_labels.npy`.
    """
    if path.suffix == ".npz":
        with zipfile.ZipFile(path) as file:
            names = {name.removesuffix(".npy"): name for name in file.namelist()}
        images = next((names[name] for name in IMAGE_NAMES if name in names), "")
        if not images:
            raise DataError(
                f"{path}: arrays {', '.join(names) or 'none'}",
                "one called images, points or x",
                "save it under that name",
            )
        labels = next(
            (ArrayFile(path=path, member=names[name]) for name in LABEL_NAMES if name in names), None
        )
        classes = ArrayFile(path=path, member=names["classes"]) if "classes" in names else None
        return ArrayFile(path=path, member=images), labels, classes
    beside = (path.with_name(name) for name in _label_file_names(path) if name != path.name)
    return (
        ArrayFile(path=path),
        next((ArrayFile(path=other) for other in beside if other.is_file()), None),
        None,
    )


def _label_file_names(path: Path) -> list[str]:
    swapped = path.name.replace("images", "labels").replace("idx3", "idx1")
    names = [swapped] if swapped != path.name else []
    if names and path.suffix != ".npy":
        names.append(swapped.removesuffix(".gz") if path.suffix == ".gz" else swapped + ".gz")
    return names if path.suffix != ".npy" else [*names, f"{path.stem}-labels.npy", f"{path.stem}_labels.npy"]


EXPECTED_ARRAYS = (
    "images (n, h, w), (n, h, w, c) or (n, c, h, w) with 1, 3 or 4 channels, or float points (n, d)"
)


@dataclass(frozen=True, kw_only=True)
class ArrayLayout:
    """Size and channels of the images in an array; `channels_first`: channels come before height and width."""

    height: int
    width: int
    channels: int
    channels_first: bool


def infer_layout(shape: tuple[int, ...], dtype: np.dtype[Any], path: Path) -> ArrayLayout:
    """Which axes of an array are height, width and channels.

    Raises:
        DataError: the array holds no images, or too large ones.
    """
    if len(shape) == 3 and dtype.kind in "biuf":
        layout = ArrayLayout(height=shape[1], width=shape[2], channels=1, channels_first=False)
    elif len(shape) == 4 and shape[3] in (1, 3, 4) and dtype.kind in "biuf":
        layout = ArrayLayout(height=shape[1], width=shape[2], channels=shape[3], channels_first=False)
    elif len(shape) == 4 and shape[1] in (1, 3, 4) and dtype.kind in "biuf":
        layout = ArrayLayout(height=shape[2], width=shape[3], channels=shape[1], channels_first=True)
    else:
        raise DataError(f"{path}: {dtype} of shape {shape}", EXPECTED_ARRAYS, "reshape it and save it again")
    if not 0 < layout.height * layout.width <= LIMIT_PIXELS:
        raise DataError(
            f"{path}: images of {layout.height}x{layout.width}",
            f"1 to {LIMIT_PIXELS:,} pixels",
            "cut them up",
        )
    return layout


class ImageArray:
    """An array of images as rows for the cache.

    Arguments:
        file, layout: the array and its axes.
        config: with size and channels resolved.
        selected: samples to read (n,), bool.
        monitor: counts the samples and polls for a stop.
    """

    def __init__(
        self,
        file: ArrayFile,
        layout: ArrayLayout,
        config: DataConfig,
        selected: np.ndarray,
        monitor: ProgressMonitor,
    ) -> None:
        self.file, self.layout, self.config, self.selected, self.monitor = (
            file,
            layout,
            config,
            selected,
            monitor,
        )

    def _range(self) -> tuple[float, float] | None:
        dtype = self.file.header()[1]
        if dtype == np.uint8:
            return None
        if dtype.kind == "b":
            return 0.0, 255.0
        low, high = np.inf, -np.inf
        for block in self.file.blocks():
            self.monitor.poll()
            finite = block[np.isfinite(block)]
            if finite.size:
                low, high = min(low, float(finite.min())), max(high, float(finite.max()))
        if low > high:
            return 0.0, 1.0
        return value_range(low, high, floating=dtype.kind == "f")

    def rows(self) -> Iterator[SampleRow]:
        """The selected samples, scaled to 8 bits and fitted to the size of `config`."""
        scaling, number = self._range(), 0
        self.monitor.begin(len(self.selected))
        for block in self.file.blocks():
            for values in block:
                self.monitor.step()
                if self.selected[number]:
                    yield self._row(number, values, scaling)
                number += 1

    def _row(self, number: int, values: np.ndarray, scaling: tuple[float, float] | None) -> SampleRow:
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            return number, None, "holds values that are not finite"
        pixels = values if scaling is None else scale_to_uint8(values, *scaling)
        pixels = np.moveaxis(pixels, 0, -1) if self.layout.channels_first else pixels
        pixels = np.ascontiguousarray(pixels).reshape(
            self.layout.height, self.layout.width, self.layout.channels
        )
        size, channels = _target_shape(self.config)
        if pixels.shape == (*size, channels):
            return number, hide_colours(pixels), ""
        image = Image.fromarray(pixels[:, :, 0] if self.layout.channels == 1 else pixels)
        assert image.mode == PIL_MODES[self.layout.channels]
        return number, fit_image(image, size, channels, self.config.fit), ""


def _target_shape(config: DataConfig) -> tuple[Size, int]:
    assert config.size is not None
    assert config.channels is not None
    return config.size, config.channels
