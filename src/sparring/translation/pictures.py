"""Pictures one after another through a translator, in bounded memory."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from PIL import Image

from sparring.data.config import Fit
from sparring.data.fit import Size, fitted
from sparring.games.translation import Translation
from sparring.runtime import Runtime
from sparring.samples import picture_of
from sparring.translation.manner import Manner
from sparring.translation.tiles import tiled, whole

AT_ONCE = 16  # pictures of one size that are translated in one go, if they are small
AT_ONCE_PIXELS = 16 * 128 * 128


class Translated(NamedTuple):
    """One picture, before and after: its name, what was given, and uint8 (h, w, c)."""

    name: str
    given: Image.Image
    made: np.ndarray


class Waiting(NamedTuple):
    """A picture at the scale at which it is translated."""

    name: str
    given: Image.Image
    pixels: np.ndarray


def translate_array(
    translation: Translation,
    picture: np.ndarray,
    direction: str,
    runtime: Runtime,
    manner: Manner | None = None,
    fit: Fit = "crop",
) -> np.ndarray:
    """One picture uint8 (h, w, c) of any size: uint8 (h, w, c'). Arguments as of `translate_all`."""
    given = [("", picture_of(picture))]
    return next(translate_all(translation, given, direction, runtime, manner, fit)).made


def translate_all(
    translation: Translation,
    pictures: Iterable[tuple[str, Image.Image]],
    direction: str,
    runtime: Runtime,
    manner: Manner | None = None,
    fit: Fit = "crop",
) -> Iterator[Translated]:
    """Pictures with their names, each as soon as it is translated, in the order in which they come.

    Arguments:
        translation: on the device of `runtime`.
        direction: `a-to-b` or `b-to-a`.
        manner: scale, size of the result, tiles.
        fit: the rule by which the run's data was brought to one size.

    Raises:
        SparringError: a direction that was not trained.
    """
    manner = manner or Manner()
    channels, *trained = translation.ends(direction)[0]
    size = (trained[0], trained[1])
    waiting: list[Waiting] = []
    for name, given in pictures:
        scaled = manner.size((given.height, given.width), size, fit)
        one = Waiting(name, given, fitted(given, scaled, channels, "stretch"))
        if waiting and (_full(waiting) or waiting[0].pixels.shape != one.pixels.shape):
            yield from _together(translation, waiting, direction, runtime, manner)
            waiting = []
        waiting.append(one)
    if waiting:
        yield from _together(translation, waiting, direction, runtime, manner)


def _full(waiting: list[Waiting]) -> bool:
    height, width = waiting[0].pixels.shape[:2]
    return len(waiting) >= min(AT_ONCE, max(1, AT_ONCE_PIXELS // (height * width)))


def _together(
    translation: Translation, waiting: list[Waiting], direction: str, runtime: Runtime, manner: Manner
) -> Iterator[Translated]:
    if max(waiting[0].pixels.shape[:2]) > manner.tiling.side:
        arrays = [tiled(translation, one.pixels, direction, manner.tiling, runtime) for one in waiting]
    else:
        arrays = list(whole(translation, np.stack([one.pixels for one in waiting]), direction, runtime))
    for one, made in zip(waiting, arrays, strict=True):
        size: Size = one.given.height, one.given.width
        restored = made if manner.raw else fitted(picture_of(made), size, made.shape[2], "stretch")
        yield Translated(one.name, one.given, restored)
