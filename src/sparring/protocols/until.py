"""The syntax of `--until`: a time limit, a target value of a metric, or both. No torch."""

import math
import re
from dataclasses import dataclass

from sparring.core.errors import ConfigError, did_you_mean
from sparring.protocols.catalogue import METRICS_INFO
from sparring.protocols.protocol import EvaluationProtocol

EXPECTED = "a time such as 100s, 5m or 2h, a target such as fd<=20, or both: fd<=20,2h"
VALIDATION_COUNTS = (100, 200, 500, 1_000)  # default samples of each side: the largest that the data has
SECONDS_PER_UNIT = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, kw_only=True)
class MetricTarget:
    """A value of a metric at which training ends.

    Arguments:
        metric: a key of `METRICS_INFO`, such as `fd`.
        protocol: the complete name; empty if the user gave only the metric.
        target: the value.
    """

    metric: str
    protocol: str
    target: float

    @property
    def text(self) -> str:
        """As the user would write it."""
        return format_target(self.protocol or self.metric, METRICS_INFO[self.metric].better, self.target)

    def resolve(
        self, current: str, is_explicit: bool, shape: tuple[int, ...], num_samples: tuple[int, int]
    ) -> str:
        """The name of the protocol to evaluate.

        Arguments:
            current: the protocol in the settings; may be empty.
            is_explicit: whether the user set it, and not the recipe.
            shape: of one sample, (channels, height, width) or (coordinates,).
            num_samples: training samples, held-out samples.

        Raises:
            ConfigError: the user set another protocol.
        """
        matches = self.protocol == current or (not self.protocol and is_protocol_of(current, self.metric))
        if current and matches:
            return current
        if is_explicit and current:
            raise ConfigError(
                f"--until {self.text} and training.metric={current}",
                "one metric for both",
                "leave training.metric out, or use its complete name in --until",
            )
        return self.protocol or default_protocol(self.metric, shape, num_samples)


def format_target(metric: str, better: str, target: float) -> str:
    """A target as text.

    >>> format_target("fd", "lower", 20.0)
    'fd <= 20'
    """
    return f"{metric} {'<=' if better == 'lower' else '>='} {target:g}"


def is_protocol_of(protocol: str, metric: str) -> bool:
    """Whether a name of a protocol (or an empty text) is one of this metric.

    >>> is_protocol_of("fd500-pca-test", "fd"), is_protocol_of("", "fd")
    (True, False)
    """
    return bool(protocol) and EvaluationProtocol.parse(protocol).metric == metric


def default_protocol(metric: str, shape: tuple[int, ...], num_samples: tuple[int, int]) -> str:
    """The protocol of a metric during training: cheap features, on held-out samples if there are enough.

    >>> default_protocol("fd", (1, 28, 28), (9_500, 500))
    'fd500-pca-test'

    Arguments:
        shape: of one sample, (channels, height, width) or (coordinates,).
        num_samples: training samples, held-out samples.
    """
    info, (num_train, num_held_out) = METRICS_INFO[metric], num_samples
    use_held_out = num_held_out >= (1 if info.paired else VALIDATION_COUNTS[0])
    available = num_held_out if use_held_out else num_train
    fitting = [count for count in VALIDATION_COUNTS if count <= available]
    protocol = EvaluationProtocol(
        metric=metric,
        count=max(fitting, default=max(available, info.min_samples)),
        extractor=info.image_extractor if len(shape) == 3 else "points",
        split="test" if use_held_out else "train",
    )
    return str(protocol)


def parse_until(text: str) -> tuple[float | None, MetricTarget | None]:
    """The time limit in seconds and the metric target in the text of `--until`; None for a missing part.

    >>> parse_until("fd<=20, 2h")
    (7200.0, MetricTarget(metric='fd', protocol='', target=20.0))

    Raises:
        ConfigError: another syntax, a part twice, an unknown metric, or the wrong direction (`fd>=20`).
    """
    parts = [part.strip() for part in text.split(",")]
    times = [_parse_seconds(match) for part in parts if (match := re.fullmatch(r"([\d.]+)\s*([smh])", part))]
    targets = [
        _parse_target(text, match)
        for part in parts
        if (match := re.fullmatch(r"([\w-]+)\s*(<=|>=|≤|≥)\s*(\S+)", part))
    ]
    is_complete = len(times) + len(targets) == len(parts) and len(times) <= 1 and len(targets) <= 1
    if not is_complete or not all(seconds > 0 and math.isfinite(seconds) for seconds in times):
        raise ConfigError(f"--until {text}", EXPECTED, "use this form, in quotes")
    return (times[0] if times else None), (targets[0] if targets else None)


def _parse_seconds(match: re.Match[str]) -> float:
    try:
        return float(match[1]) * SECONDS_PER_UNIT[match[2]]
    except ValueError:
        return math.nan


def _parse_target(text: str, match: re.Match[str]) -> MetricTarget:
    name, sign = match[1], match[2].replace("≤", "<=").replace("≥", ">=")
    protocol = EvaluationProtocol.parse(name) if "-" in name else None
    metric = protocol.metric if protocol is not None else name
    if metric not in METRICS_INFO:
        raise ConfigError(f"metric {metric!r}", "a known metric", did_you_mean(metric, list(METRICS_INFO)))
    better = METRICS_INFO[metric].better
    try:
        target = float(match[3])
    except ValueError:
        target = math.nan
    if not math.isfinite(target):
        raise ConfigError(f"--until {text}: {match[3]!r}", "a number", "as in fd<=20")
    expected = "<=" if better == "lower" else ">="
    if sign != expected:
        raise ConfigError(
            f"--until {text}", f"{name}{expected}{match[3]}: {better} is better", f"write {expected}"
        )
    return MetricTarget(metric=metric, protocol=str(protocol or ""), target=target)
