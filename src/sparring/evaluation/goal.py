"""What `--until` says: a time by which a run is to be over, a value of a metric that is good enough, or both."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sparring import record
from sparring.errors import ConfigError
from sparring.evaluation.meaning import MEANINGS
from sparring.evaluation.protocol import Protocol
from sparring.shapes import Spec

FORM = "a time such as 100s, 5m or 2h, a goal such as fd<=20, or both: fd<=20,2h"
COUNTS = (100, 200, 500, 1_000)  # samples of each side, where nothing is said: as many as there are
FEATURES = {"is": "classifier", "cas": "classifier", "msssim": "pixels", "parzen": "pixels", "swd": "pixels"}
FEATURES |= {"psnr": "pixels", "ssim": "pixels", "mae": "pixels", "cycle": "pixels", "drift": "pixels"}
LENGTHS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, kw_only=True)
class Goal:
    """A value of a metric that is good enough.

    Arguments:
        metric: short name, such as `fd`.
        protocol: the whole name; empty where it was not said.
        target: the value.
    """

    metric: str
    protocol: str
    target: float

    @property
    def words(self) -> str:
        """As it was written."""
        return goal_words(self.protocol or self.metric, MEANINGS[self.metric].better, self.target)

    def name(self, current: str, asked: bool, spec: Spec, counts: tuple[int, int]) -> str:
        """The protocol to measure by.

        Arguments:
            current: the one that the run has already, or nothing.
            asked: whether that was asked for, and not the recipe's choice.
            counts: samples to train on, and samples held out.

        Raises:
            ConfigError: another one was asked for.
        """
        if current and (self.protocol == current or (not self.protocol and same(current, self.metric))):
            return current
        if asked and current:
            raise ConfigError(
                f"--until {self.words} and training.metric={current}",
                "one metric to be judged and stopped by",
                "leave training.metric out, or give its whole name to --until",
            )
        return self.protocol or usual(self.metric, spec, counts)


def goal_words(metric: str, better: str, target: float) -> str:
    """A goal in words.

    >>> goal_words("fd", "lower", 20.0)
    'fd <= 20'
    """
    return f"{metric} {'<=' if better == 'lower' else '>='} {target:g}"


def same(protocol: str, metric: str) -> bool:
    """Whether this is a protocol of this metric."""
    return Protocol.parse(protocol).metric == metric


def usual(metric: str, spec: Spec, counts: tuple[int, int]) -> str:
    """The protocol of a metric where nothing more is said: what is cheap, on held-out samples if there are enough.

    >>> usual("fd", Spec(shape=(1, 28, 28)), (9_500, 500))
    'fd500-pca-test'

    Arguments:
        counts: samples to train on, and samples held out.
    """
    held = counts[1] >= (1 if MEANINGS[metric].pairs else COUNTS[0])
    there = counts[1] if held else counts[0]
    count = max((number for number in COUNTS if number <= there), default=max(there, MEANINGS[metric].least))
    extractor = FEATURES.get(metric, "pca") if spec.is_image else "points"
    return str(Protocol(metric=metric, count=count, extractor=extractor, split="test" if held else "train"))


def parse(text: str) -> tuple[float | None, Goal | None]:
    """The seconds and the goal in the text of `--until`; None for what is not in it.

    >>> parse("fd<=20, 2h")
    (7200.0, Goal(metric='fd', protocol='', target=20.0))
    """
    parts = [part.strip() for part in text.split(",")]
    times = [_seconds(match) for part in parts if (match := re.fullmatch(r"([\d.]+)\s*([smh])", part))]
    goals = [
        _goal(text, match)
        for part in parts
        if (match := re.fullmatch(r"([\w-]+)\s*(<=|>=|≤|≥)\s*(\S+)", part))
    ]
    right = all(seconds > 0 and math.isfinite(seconds) for seconds in times)
    if len(times) + len(goals) != len(parts) or len(times) > 1 or len(goals) > 1 or not right:
        raise ConfigError(f"--until {text}", FORM, "write it like this, in quotes")
    return (times[0] if times else None), (goals[0] if goals else None)


def _seconds(match: re.Match[str]) -> float:
    try:
        return float(match[1]) * LENGTHS[match[2]]
    except ValueError:
        return math.nan


def _goal(text: str, match: re.Match[str]) -> Goal:
    name, sign = match[1], match[2].replace("≤", "<=").replace("≥", ">=")
    whole = name if "-" in name else ""
    metric = Protocol.parse(whole).metric if whole else name
    known = Protocol(metric=metric, count=10_000, extractor="pixels", split="train").meaning
    try:
        target = float(match[3])
    except ValueError:
        target = math.nan
    if not math.isfinite(target):
        raise ConfigError(f"--until {text}: {match[3]!r}", "a number", "as in fd<=20")
    needed = "<=" if known.better == "lower" else ">="
    if sign != needed:
        raise ConfigError(
            f"--until {text}", f"{name}{needed}{match[3]}: {known.better} is better", "turn the sign round"
        )
    return Goal(metric=metric, protocol=str(Protocol.parse(whole)) if whole else "", target=target)


def outcome(metric: str, target: float, rows: Sequence[Mapping[str, Any]]) -> str:
    """How it stands with the goal of a run, in words.

    Arguments:
        metric: name of the protocol.
        rows: its evaluations.
    """
    protocol, best = Protocol.parse(metric), record.best(rows)
    words = goal_words(protocol.metric, protocol.meaning.better, target)
    if best is None:
        return f"{words}: nothing was evaluated ({metric})"
    if record.reaches(best, target):
        return f"reached {words} at image {best['images']:,}: {metric} {best['value']:.4g}"
    return f"{words} was not reached: best {metric} {best['value']:.4g} at image {best['images']:,}"
