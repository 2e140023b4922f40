"""Translation of images of any size, one batch after another, in bounded memory.

`TranslateOptions` sets the scale at which the network sees an image, and the size of the result.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from PIL import Image

from sparring.core.errors import ConfigError
from sparring.core.runtime import Runtime
from sparring.data.config import MAX_SIDE, Fit
from sparring.data.image_grid import to_pil_image
from sparring.data.images.resize import Size, fit_image
from sparring.inference.tiling import Tiling, translate_tiled, translate_whole
from sparring.models.translator import TranslatorModel


@dataclass(frozen=True, kw_only=True)
class TranslateOptions:
    """How images are brought to a translator and back. Nothing is ever cut off.

    Arguments:
        scale: `trained`: as large as images were in training, by the rule of the run's data: `crop` until the frame is
            covered (what lies outside is translated too), `pad` until the image fits in, `stretch` to the very frame. `keep`:
            as they are. A number: until the shorter side has so many pixels.
        raw: leave the result at the size at which it was made; otherwise it gets the size of the image that was given.
        tiling: of images that are large at that scale.
    """

    scale: str | int = "trained"
    raw: bool = False
    tiling: Tiling = field(default_factory=Tiling)

    def __post_init__(self) -> None:
        good = isinstance(self.scale, int) and 1 <= self.scale <= MAX_SIDE
        if not good and self.scale not in ("trained", "keep"):
            raise ConfigError(
                f"scale {self.scale!r}",
                f"trained, keep, or the shorter side in pixels (1 to {MAX_SIDE})",
                "leave it out for the scale of the training",
            )

    @classmethod
    def parse(cls, scale: str, raw: bool = False, tile: int = Tiling.tile_size) -> "TranslateOptions":
        """From what is written on the command line.

        >>> TranslateOptions.parse("256").scale
        256
        """
        overlap = min(Tiling.overlap, max(1, tile // 4))
        tiling = Tiling(tile_size=tile, overlap=overlap)
        return cls(scale=int(scale) if scale.isdigit() else scale, raw=raw, tiling=tiling)

    def size(self, input_size: Size, trained: Size, fit: Fit) -> Size:
        """The (height, width) at which a image of size `input_size` is translated.

        >>> TranslateOptions().size((500, 1000), (64, 64), "crop"), TranslateOptions().size((500, 1000), (64, 64), "pad")
        ((64, 128), (32, 64))
        """
        if self.scale == "keep":
            return input_size
        if self.scale == "trained" and fit == "stretch":
            return trained
        height, width = input_size
        if isinstance(self.scale, int):
            factor = self.scale / min(input_size)
        else:
            across, down = trained[1] / width, trained[0] / height
            factor = max(across, down) if fit == "crop" else min(across, down)
        return max(1, round(height * factor)), max(1, round(width * factor))


MAX_BATCH = 16  # images of one size that are translated in one go, if they are small
MAX_BATCH_PIXELS = 16 * 128 * 128


class TranslationResult(NamedTuple):
    """One image, before and after: its name, what was given, and uint8 (h, w, c)."""

    name: str
    input: Image.Image
    output: np.ndarray


class PendingImage(NamedTuple):
    """A image at the scale at which it is translated."""

    name: str
    input: Image.Image
    pixels: np.ndarray


def translate_array(
    translation: TranslatorModel,
    picture: np.ndarray,
    direction: str,
    runtime: Runtime,
    options: TranslateOptions | None = None,
    fit: Fit = "crop",
) -> np.ndarray:
    """One image uint8 (h, w, c) of any size: uint8 (h, w, c'). Arguments as of `translate_all`."""
    given = [("", to_pil_image(picture))]
    return next(translate_all(translation, given, direction, runtime, options, fit)).output


def translate_all(
    translation: TranslatorModel,
    pictures: Iterable[tuple[str, Image.Image]],
    direction: str,
    runtime: Runtime,
    options: TranslateOptions | None = None,
    fit: Fit = "crop",
) -> Iterator[TranslationResult]:
    """Images with their names, each as soon as it is translated, in the order in which they come.

    Arguments:
        translation: on the device of `runtime`.
        direction: `a-to-b` or `b-to-a`.
        manner: scale, size of the result, tiles.
        fit: the rule by which the run's data was brought to one size.

    Raises:
        SparringError: a direction that was not trained.
    """
    options = options or TranslateOptions()
    channels, *trained = translation.ends(direction)[0]
    size = (trained[0], trained[1])
    waiting: list[PendingImage] = []
    for name, given in pictures:
        scaled = options.size((given.height, given.width), size, fit)
        one = PendingImage(name, given, fit_image(given, scaled, channels, "stretch"))
        if waiting and (_is_full(waiting) or waiting[0].pixels.shape != one.pixels.shape):
            yield from _translate_pending(translation, waiting, direction, runtime, options)
            waiting = []
        waiting.append(one)
    if waiting:
        yield from _translate_pending(translation, waiting, direction, runtime, options)


def _is_full(waiting: list[PendingImage]) -> bool:
    height, width = waiting[0].pixels.shape[:2]
    return len(waiting) >= min(MAX_BATCH, max(1, MAX_BATCH_PIXELS // (height * width)))


def _translate_pending(
    translation: TranslatorModel,
    waiting: list[PendingImage],
    direction: str,
    runtime: Runtime,
    options: TranslateOptions,
) -> Iterator[TranslationResult]:
    if max(waiting[0].pixels.shape[:2]) > options.tiling.tile_size:
        arrays = [
            translate_tiled(translation, one.pixels, direction, options.tiling, runtime) for one in waiting
        ]
    else:
        arrays = list(
            translate_whole(translation, np.stack([one.pixels for one in waiting]), direction, runtime)
        )
    for one, made in zip(waiting, arrays, strict=True):
        size: Size = one.input.height, one.input.width
        restored = made if options.raw else fit_image(to_pil_image(made), size, made.shape[2], "stretch")
        yield TranslationResult(one.name, one.input, restored)
