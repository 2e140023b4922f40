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

MAX_BATCH = 16  # images of one size per batch, if they are small
MAX_BATCH_PIXELS = 16 * 128 * 128


@dataclass(frozen=True, kw_only=True)
class TranslateOptions:
    """Scale and size of translated images. Images are resized, never cropped.

    Arguments:
        scale: the size at which the network sees an image. `trained`: as in training, by the resize mode of the run's data:
            `crop` scales it to cover the training size, `pad` to fit inside, `stretch` to that very size. `keep`: unchanged.
            A number: the length of the shorter side in pixels.
        raw: leave the result at that size; otherwise it is resized to the size of the input.
        tiling: for images that are large at that scale.

    Raises:
        ConfigError: another scale.
    """

    scale: str | int = "trained"
    raw: bool = False
    tiling: Tiling = field(default_factory=Tiling)

    def __post_init__(self) -> None:
        is_side = isinstance(self.scale, int) and 1 <= self.scale <= MAX_SIDE
        if not is_side and self.scale not in ("trained", "keep"):
            raise ConfigError(
                f"scale {self.scale!r}",
                f"trained, keep, or the shorter side in pixels (1 to {MAX_SIDE})",
                "leave it out for the scale of training",
            )

    @classmethod
    def parse(cls, scale: str, raw: bool = False, tile: int = Tiling.tile_size) -> "TranslateOptions":
        """Options from the text of the command line.

        >>> TranslateOptions.parse("256").scale
        256
        """
        overlap = min(Tiling.overlap, max(1, tile // 4))
        tiling = Tiling(tile_size=tile, overlap=overlap)
        return cls(scale=int(scale) if scale.isdigit() else scale, raw=raw, tiling=tiling)

    def scaled_size(self, input_size: Size, trained_size: Size, fit: Fit) -> Size:
        """The (height, width) at which an image is translated.

        Arguments:
            input_size: (height, width) of the image.
            trained_size: (height, width) in training.
            fit: resize mode of the run's data.

        >>> TranslateOptions().scaled_size((500, 1000), (64, 64), "crop")
        (64, 128)
        >>> TranslateOptions().scaled_size((500, 1000), (64, 64), "pad")
        (32, 64)
        """
        if self.scale == "keep":
            return input_size
        if self.scale == "trained" and fit == "stretch":
            return trained_size
        height, width = input_size
        if isinstance(self.scale, int):
            factor = self.scale / min(input_size)
        else:
            factors = trained_size[0] / height, trained_size[1] / width
            factor = max(factors) if fit == "crop" else min(factors)
        return max(1, round(height * factor)), max(1, round(width * factor))


class TranslationResult(NamedTuple):
    """One translated image: its name, the input, and the output uint8 (h, w, c)."""

    name: str
    input: Image.Image
    output: np.ndarray


class PendingImage(NamedTuple):
    """An image that waits for its batch, with its pixels at the scale at which it is translated."""

    name: str
    input: Image.Image
    pixels: np.ndarray


def translate_array(
    translation: TranslatorModel,
    image: np.ndarray,
    direction: str,
    runtime: Runtime,
    options: TranslateOptions | None = None,
    fit: Fit = "crop",
) -> np.ndarray:
    """Translate one image uint8 (h, w, c) of any size: uint8 (h, w, c'). Arguments as of `translate_all`."""
    images = [("", to_pil_image(image))]
    return next(translate_all(translation, images, direction, runtime, options, fit)).output


def translate_all(
    translation: TranslatorModel,
    images: Iterable[tuple[str, Image.Image]],
    direction: str,
    runtime: Runtime,
    options: TranslateOptions | None = None,
    fit: Fit = "crop",
) -> Iterator[TranslationResult]:
    """Translate a stream of images, in their order; neighbours of one size share a batch.

    Arguments:
        translation: on the device of `runtime`.
        images: (name, image), read one by one.
        direction: `a-to-b` or `b-to-a`.
        runtime: device and precision.
        options: scale, size of the result, tiles.
        fit: resize mode of the run's data.

    Yields:
        The results, each as soon as it is translated.

    Raises:
        SparringError: a direction that was not trained.
    """
    options = options or TranslateOptions()
    channels, *trained = translation.ends(direction)[0]
    trained_size = (trained[0], trained[1])
    batch: list[PendingImage] = []
    for name, image in images:
        size = options.scaled_size((image.height, image.width), trained_size, fit)
        pending = PendingImage(name, image, fit_image(image, size, channels, "stretch"))
        if batch and (_is_full(batch) or batch[0].pixels.shape != pending.pixels.shape):
            yield from _translate_batch(translation, batch, direction, runtime, options)
            batch = []
        batch.append(pending)
    if batch:
        yield from _translate_batch(translation, batch, direction, runtime, options)


def _is_full(batch: list[PendingImage]) -> bool:
    height, width = batch[0].pixels.shape[:2]
    return len(batch) >= min(MAX_BATCH, max(1, MAX_BATCH_PIXELS // (height * width)))


def _translate_batch(
    translation: TranslatorModel,
    batch: list[PendingImage],
    direction: str,
    runtime: Runtime,
    options: TranslateOptions,
) -> Iterator[TranslationResult]:
    """Translate images of one size, whole in one batch or tile by tile, and resize the results."""
    if max(batch[0].pixels.shape[:2]) > options.tiling.tile_size:
        outputs = [
            translate_tiled(translation, image.pixels, direction, options.tiling, runtime) for image in batch
        ]
    else:
        pixels = np.stack([image.pixels for image in batch])
        outputs = list(translate_whole(translation, pixels, direction, runtime))
    for image, output in zip(batch, outputs, strict=True):
        if not options.raw:
            size: Size = image.input.height, image.input.width
            output = fit_image(to_pil_image(output), size, output.shape[2], "stretch")
        yield TranslationResult(image.name, image.input, output)
