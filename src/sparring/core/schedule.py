"""Schedules: hyper-parameters as pure functions of the number of images seen, the one clock of a run.

A hyper-parameter that varies is a `Schedule` field: a plain number, or one of these.
"""

import math
from dataclasses import dataclass

from sparring.core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class LinearSchedule:
    """Linear from `start` to `end`: constant until image `delay`, and from image `delay + duration` on.

    Arguments:
        start: value until image `delay`.
        end: value from image `delay + duration` on.
        duration: length of the change, in images, at least 1.
        delay: images before the change begins.

    Raises:
        ConfigError: a duration below 1 or a negative delay.
    """

    start: float
    end: float
    duration: int
    delay: int = 0

    def __post_init__(self) -> None:
        _check_interval(self.duration, self.delay)

    def value_at(self, images: int) -> float:
        """The value after `images` images."""
        return self.start + (self.end - self.start) * _fraction(images, self.delay, self.duration)


@dataclass(frozen=True, kw_only=True)
class CosineSchedule:
    """Half a cosine from `start` to `end`, between images `delay` and `delay + duration`.

    Over the first `warmup` images the value is multiplied by a factor that rises linearly from 0 to 1.

    References: Loshchilov & Hutter 2017, arXiv:1608.03983, Eq. 5; Goyal et al. 2017, arXiv:1706.02677, section 2.2 (warm-up).

    Arguments:
        start: value until image `delay`.
        end: value from image `delay + duration` on.
        duration: length of the change, in images, at least 1.
        delay: images before the change begins.
        warmup: length of the warm-up, in images; 0 for none.

    Raises:
        ConfigError: a duration below 1, or a negative delay or warm-up.
    """

    start: float
    end: float
    duration: int
    delay: int = 0
    warmup: int = 0

    def __post_init__(self) -> None:
        _check_interval(self.duration, self.delay)
        if self.warmup < 0:
            raise ConfigError(f"a warm-up of {self.warmup} images", "0 or more", "fix the number")

    def value_at(self, images: int) -> float:
        """The value after `images` images."""
        rise = (1 - math.cos(math.pi * _fraction(images, self.delay, self.duration))) / 2
        warm = min(1.0, images / self.warmup) if self.warmup else 1.0
        return warm * (self.start + (self.end - self.start) * rise)


@dataclass(frozen=True, kw_only=True)
class GeometricSchedule:
    """From `start` to `end`, both above 0, by a constant factor per image, between images `delay` and `delay + duration`.

    Arguments:
        start: value until image `delay`.
        end: value from image `delay + duration` on.
        duration: length of the change, in images, at least 1.
        delay: images before the change begins.

    Raises:
        ConfigError: a duration below 1, a negative delay, or an end that is not above 0.
    """

    start: float
    end: float
    duration: int
    delay: int = 0

    def __post_init__(self) -> None:
        _check_interval(self.duration, self.delay)
        if self.start <= 0 or self.end <= 0:
            raise ConfigError(
                f"a geometric schedule from {self.start} to {self.end}",
                "both ends above 0",
                "use linear for a zero end",
            )

    def value_at(self, images: int) -> float:
        """The value after `images` images."""
        return self.start * (self.end / self.start) ** _fraction(images, self.delay, self.duration)


Schedule = float | LinearSchedule | CosineSchedule | GeometricSchedule
SCHEDULES = {"linear": LinearSchedule, "cosine": CosineSchedule, "geometric": GeometricSchedule}


def value_at(schedule: Schedule, images: int) -> float:
    """The value of a schedule after `images` images.

    >>> value_at(2e-4, 10), value_at(LinearSchedule(start=1.0, end=0.0, duration=100), 25)
    (0.0002, 0.75)
    """
    return float(schedule) if isinstance(schedule, int | float) else schedule.value_at(images)


def endpoints(schedule: Schedule) -> tuple[float, float]:
    """The first and last value of a schedule.

    >>> endpoints(0.5), endpoints(LinearSchedule(start=1.0, end=0.0, duration=100))
    ((0.5, 0.5), (1.0, 0.0))
    """
    if isinstance(schedule, int | float):
        return float(schedule), float(schedule)
    return schedule.start, schedule.end


def _fraction(images: int, delay: int, duration: int) -> float:
    return min(max((images - delay) / duration, 0.0), 1.0)


def _check_interval(duration: int, delay: int) -> None:
    if duration < 1 or delay < 0:
        raise ConfigError(
            f"a schedule over {duration} images from image {delay}",
            "duration >= 1 and delay >= 0",
            "fix the numbers",
        )
