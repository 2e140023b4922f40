"""Schedules: pure functions of the number of images seen, the one clock of a run.

A hyper-parameter that varies is a `Schedule` field: a plain number, or one of these.
"""

import math
from dataclasses import dataclass

from sparring.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Linear:
    """From `start` to `end` in a straight line, between images `begin` and `begin + over`."""

    start: float
    end: float
    over: int
    begin: int = 0

    def __post_init__(self) -> None:
        _check(self.over, self.begin)

    def at(self, images: int) -> float:
        return self.start + (self.end - self.start) * _fraction(images, self.begin, self.over)


@dataclass(frozen=True, kw_only=True)
class Cosine:
    """From `start` to `end` along half a cosine, between images `begin` and `begin + over` (Loshchilov & Hutter 2017, Eq. 5).

    Over the first `warm_up` images the value rises from 0 in a straight line (Goyal et al. 2017, sec. 2.2).
    """

    start: float
    end: float
    over: int
    begin: int = 0
    warm_up: int = 0

    def __post_init__(self) -> None:
        _check(self.over, self.begin)
        if self.warm_up < 0:
            raise ConfigError(f"a warm-up of {self.warm_up} images", "0 or more", "mend the number")

    def at(self, images: int) -> float:
        rise = (1 - math.cos(math.pi * _fraction(images, self.begin, self.over))) / 2
        warm = min(1.0, images / self.warm_up) if self.warm_up else 1.0
        return warm * (self.start + (self.end - self.start) * rise)


@dataclass(frozen=True, kw_only=True)
class Geometric:
    """From `start` to `end` by a constant factor an image, between images `begin` and `begin + over`; both above 0."""

    start: float
    end: float
    over: int
    begin: int = 0

    def __post_init__(self) -> None:
        _check(self.over, self.begin)
        if self.start <= 0 or self.end <= 0:
            raise ConfigError(
                f"a geometric schedule from {self.start} to {self.end}",
                "both ends above 0",
                "use linear for a zero end",
            )

    def at(self, images: int) -> float:
        return self.start * (self.end / self.start) ** _fraction(images, self.begin, self.over)


Schedule = float | Linear | Cosine | Geometric
SCHEDULES = {"linear": Linear, "cosine": Cosine, "geometric": Geometric}


def at(schedule: Schedule, images: int) -> float:
    """The value of a schedule after `images` images.

    >>> at(2e-4, 10), at(Linear(start=1.0, end=0.0, over=100), 25)
    (0.0002, 0.75)
    """
    return float(schedule) if isinstance(schedule, int | float) else schedule.at(images)


def ends(schedule: Schedule) -> tuple[float, float]:
    """The values between which a schedule moves.

    >>> ends(0.5), ends(Linear(start=1.0, end=0.0, over=100))
    ((0.5, 0.5), (1.0, 0.0))
    """
    if isinstance(schedule, int | float):
        return float(schedule), float(schedule)
    return schedule.start, schedule.end


def _fraction(images: int, begin: int, over: int) -> float:
    return min(max((images - begin) / over, 0.0), 1.0)


def _check(over: int, begin: int) -> None:
    if over < 1 or begin < 0:
        raise ConfigError(
            f"a schedule over {over} images from image {begin}",
            "over >= 1 and begin >= 0",
            "mend the numbers",
        )
