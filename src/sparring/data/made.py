"""A data set of pairs made of one set of pictures: domain B; A is derived from it."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from PIL import Image

from sparring.data import cache
from sparring.data.assemble import assemble, content_key
from sparring.data.blocks import Row
from sparring.data.config import DataConfig
from sparring.data.dataset import Dataset
from sparring.data.derived import DERIVATIONS
from sparring.data.fit import fitted
from sparring.data.watch import Watch

VERSION = 1  # raised when a derivation gives other pictures


def base_config(config: DataConfig) -> DataConfig:
    """How the pictures are opened that others are made from."""
    channels = config.channels if config.swap else config.other_channels
    return replace(config, channels=channels, labels=False, sides="one", derive="", other="", swap=False)


def with_derived(base: Dataset, config: DataConfig, watch: Watch) -> Dataset:
    """Pairs of what is made of each picture, and the picture (swapped: the other way round).

    What is made is cached as decoded pictures are, one picture at a time.

    Arguments:
        base: the pictures.
        config: says what is made (`derive`), and with how many channels if not as it comes.
    """
    asked = config.other_channels if config.swap else config.channels
    height, width = base.samples.shape[1:3]
    channels = asked or DERIVATIONS[config.derive](np.asarray(base.samples[0]), 0).shape[2]
    key = content_key("derived", VERSION, base.fingerprint, config.derive, channels)

    def rows() -> Iterator[Row]:
        watch.begin(len(base))
        for number in range(len(base)):
            watch.step()
            yield number, derived(np.asarray(base.samples[number]), number, config.derive, channels), ""

    stored, remark = cache.stored(key, (height, width, channels), rows)
    why = (f"{'B' if config.swap else 'A'} is made of the pictures: {config.derive}", remark)
    report = replace(base.report, why=(*base.report.why, *(text for text in why if text)))
    made_config = replace(base.config, channels=channels)
    made = assemble(stored.samples, None, key=key, report=report, config=made_config)
    a, b = (base, made) if config.swap else (made, base)
    a.other, a.paired, a.report = b, True, report
    return a


def derived(picture: np.ndarray, number: int, kind: str, channels: int) -> np.ndarray:
    """What is made of one picture uint8 (h, w, c): uint8 (h, w, channels).

    Arguments:
        number: of the sample, for what is drawn by chance.
        kind: a name in `derived.DERIVATIONS`.
    """
    pixels = DERIVATIONS[kind](picture, number)
    if pixels.shape[2] == channels:
        return pixels
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    return fitted(image, (image.height, image.width), channels, "stretch")
