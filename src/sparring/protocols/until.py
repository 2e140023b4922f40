"""The grammar of `--until`: a time limit, a target value of a metric, or both. No torch in here."""

import math
import re
from dataclasses import dataclass

from sparring.core.errors import ConfigError
from sparring.core.shapes import SampleSpec
from sparring.protocols.catalogue import METRICS_INFO
from sparring.protocols.protocol import EvaluationProtocol

EXPECTED = "a time such as 100s, 5m or 2h, a goal such as fd<=20, or both: fd<=20,2h"
SAMPLE_COUNTS = (100, 200, 500, 1_000)  # samples of each side, where nothing is said: as many as there are
DEFAULT_EXTRACTORS = {
    "is": "classifier",
    "cas": "classifier",
    "msssim": "pixels",
    "parzen": "pixels",
    "swd": "pixels",
}
DEFAULT_EXTRACTORS |= {
    "psnr": "pixels",
    "ssim": "pixels",
    "mae": "pixels",
    "cycle": "pixels",
    "drift": "pixels",
}
SECONDS_PER_UNIT = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, kw_only=True)
class MetricTarget:
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
    def text(self) -> str:
        """As it was written."""
        return format_target(self.protocol or self.metric, METRICS_INFO[self.metric].better, self.target)

    def resolve(self, current: str, is_explicit: bool, spec: SampleSpec, counts: tuple[int, int]) -> str:
        """The protocol to measure by.

        Arguments:
            current: the one that the run has already, or nothing.
            asked: whether that was asked for, and not the recipe's choice.
            counts: samples to train on, and samples held out.

        Raises:
            ConfigError: another one was asked for.
        """
        if current and (
            self.protocol == current or (not self.protocol and is_protocol_of(current, self.metric))
        ):
            return current
        if is_explicit and current:
            raise ConfigError(
                f"--until {self.text} and training.metric={current}",
                "one metric to be judged and stopped by",
                "leave training.metric out, or give its whole name to --until",
            )
        return self.protocol or default_protocol(self.metric, spec, counts)


def format_target(metric: str, better: str, target: float) -> str:
    """A goal in words.

    >>> format_target("fd", "lower", 20.0)
    'fd <= 20'
    """
    return f"{metric} {'<=' if better == 'lower' else '>='} {target:g}"


def is_protocol_of(protocol: str, metric: str) -> bool:
    """Whether this is a protocol of this metric."""
    return EvaluationProtocol.parse(protocol).metric == metric


def default_protocol(metric: str, spec: SampleSpec, counts: tuple[int, int]) -> str:
    """The protocol of a metric where nothing more is said: what is cheap, on held-out samples if there are enough.

    >>> default_protocol("fd", SampleSpec(shape=(1, 28, 28)), (9_500, 500))
    'fd500-pca-test'

    Arguments:
        counts: samples to train on, and samples held out.
    """
    held = counts[1] >= (1 if METRICS_INFO[metric].paired else SAMPLE_COUNTS[0])
    there = counts[1] if held else counts[0]
    count = max(
        (number for number in SAMPLE_COUNTS if number <= there),
        default=max(there, METRICS_INFO[metric].min_samples),
    )
    extractor = DEFAULT_EXTRACTORS.get(metric, "pca") if spec.is_image else "points"
    return str(
        EvaluationProtocol(metric=metric, count=count, extractor=extractor, split="test" if held else "train")
    )


def parse_until(text: str) -> tuple[float | None, MetricTarget | None]:
    """The seconds and the goal in the text of `--until`; None for what is not in it.

    >>> parse_until("fd<=20, 2h")
    (7200.0, Goal(metric='fd', protocol='', target=20.0))
    """
    parts = [part.strip() for part in text.split(",")]
    times = [_parse_seconds(match) for part in parts if (match := re.fullmatch(r"([\d.]+)\s*([smh])", part))]
    goals = [
        _parse_target(text, match)
        for part in parts
        if (match := re.fullmatch(r"([\w-]+)\s*(<=|>=|≤|≥)\s*(\S+)", part))
    ]
    right = all(seconds > 0 and math.isfinite(seconds) for seconds in times)
    if len(times) + len(goals) != len(parts) or len(times) > 1 or len(goals) > 1 or not right:
        raise ConfigError(f"--until {text}", EXPECTED, "write it like this, in quotes")
    return (times[0] if times else None), (goals[0] if goals else None)


def _parse_seconds(match: re.Match[str]) -> float:
    try:
        return float(match[1]) * SECONDS_PER_UNIT[match[2]]
    except ValueError:
        return math.nan


def _parse_target(text: str, match: re.Match[str]) -> MetricTarget:
    name, sign = match[1], match[2].replace("≤", "<=").replace("≥", ">=")
    whole = name if "-" in name else ""
    metric = EvaluationProtocol.parse(whole).metric if whole else name
    known = EvaluationProtocol(metric=metric, count=10_000, extractor="pixels", split="train").info
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
    return MetricTarget(
        metric=metric, protocol=str(EvaluationProtocol.parse(whole)) if whole else "", target=target
    )
