"""Arrays of pictures: what their axes are, and their rows as 8-bit samples of one size."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sparring.data.arrays import ArrayFile
from sparring.data.blocks import Row
from sparring.data.config import DataConfig
from sparring.data.decode import LIMIT_PIXELS
from sparring.data.depth import scaled, value_range
from sparring.data.fit import MODES, Size, fitted
from sparring.data.watch import Watch
from sparring.errors import DataError

LAYOUTS = "pictures (n, h, w), (n, h, w, c) or (n, c, h, w) with 1, 3 or 4 channels, or float points (n, d)"


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Size and channels of an array's pictures; `first`: channels come before height and width."""

    height: int
    width: int
    channels: int
    first: bool


def find_layout(shape: tuple[int, ...], dtype: np.dtype[Any], path: Path) -> Layout:
    """Raises: DataError for an array that holds no pictures."""
    if len(shape) == 3 and dtype.kind in "biuf":
        layout = Layout(height=shape[1], width=shape[2], channels=1, first=False)
    elif len(shape) == 4 and shape[3] in (1, 3, 4) and dtype.kind in "biuf":
        layout = Layout(height=shape[1], width=shape[2], channels=shape[3], first=False)
    elif len(shape) == 4 and shape[1] in (1, 3, 4) and dtype.kind in "biuf":
        layout = Layout(height=shape[2], width=shape[3], channels=shape[1], first=True)
    else:
        raise DataError(f"{path}: {dtype} of shape {shape}", LAYOUTS, "reshape it and save it again")
    if not 0 < layout.height * layout.width <= LIMIT_PIXELS:
        raise DataError(
            f"{path}: pictures of {layout.height}x{layout.width}",
            f"1 to {LIMIT_PIXELS:,} pixels",
            "cut them up",
        )
    return layout


class Stack:
    """The rows of a picture array, as the cache takes them."""

    def __init__(
        self, file: ArrayFile, layout: Layout, config: DataConfig, chosen: np.ndarray, watch: Watch
    ) -> None:
        self.file, self.layout, self.config, self.chosen, self.watch = file, layout, config, chosen, watch

    def _range(self) -> tuple[float, float] | None:
        dtype = self.file.header()[1]
        if dtype == np.uint8:
            return None
        if dtype.kind == "b":
            return 0.0, 255.0
        low, high = np.inf, -np.inf
        for block in self.file.blocks():
            self.watch.poll()
            finite = block[np.isfinite(block)]
            if finite.size:
                low, high = min(low, float(finite.min())), max(high, float(finite.max()))
        if low > high:
            return 0.0, 1.0
        return value_range(low, high, floating=dtype.kind == "f")

    def rows(self) -> Iterator[Row]:
        scaling, number = self._range(), 0
        self.watch.begin(len(self.chosen))
        for block in self.file.blocks():
            for values in block:
                self.watch.step()
                if self.chosen[number]:
                    yield self._row(number, values, scaling)
                number += 1

    def _row(self, number: int, values: np.ndarray, scaling: tuple[float, float] | None) -> Row:
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            return number, None, "holds values that are not finite"
        pixels = values if scaling is None else scaled(values, *scaling)
        pixels = np.moveaxis(pixels, 0, -1) if self.layout.first else pixels
        pixels = np.ascontiguousarray(pixels).reshape(
            self.layout.height, self.layout.width, self.layout.channels
        )
        size, channels = _target(self.config)
        if pixels.shape == (*size, channels):
            return number, pixels, ""
        image = Image.fromarray(pixels[:, :, 0] if self.layout.channels == 1 else pixels)
        assert image.mode == MODES[self.layout.channels]
        return number, fitted(image, size, channels, self.config.fit), ""


def _target(config: DataConfig) -> tuple[Size, int]:
    assert config.size is not None
    assert config.channels is not None
    return config.size, config.channels
