"""Scales of a chart: from numbers to places on the paper, and the round numbers along it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Axis:
    """A linear scale from `low` to `high` in the data to `start` to `end` on the paper."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + min(max(share, 0.0), 1.0) * (self.end - self.start), 1)


def spread(ys: Sequence[float]) -> tuple[float, float]:
    """The range to show: all but the outermost hundredth at each end, with some room."""
    cut = len(ys) // 100
    low, high = ys[cut], ys[-1 - cut]
    room = 0.06 * (high - low) or max(abs(high), 1.0) * 0.1
    bottom = 0.0 if low >= 0 else low - room
    return bottom, high + room


def ticks(low: float, high: float, count: int) -> list[float]:
    """About `count` round numbers between.

    >>> ticks(0.0, 1.0, 5)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    rough = (high - low) / count
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(at * step, 12) for at in range(first, last + 1)]


def short(value: float) -> str:
    """A number with few letters.

    >>> short(0.25), short(12000.0), short(2500000.0)
    ('0.25', '12k', '2.5M')
    """
    for limit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:g}{letter}"
    return f"{value:.3g}"
