"""Names of evaluation protocols, such as `fd10k-efficientnet_lite0-test`: metric, number of samples, feature
extractor, split. No torch.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from sparring.core.errors import ConfigError, did_you_mean
from sparring.protocols.catalogue import EXTRACTORS_INFO, METRICS_INFO, MetricInfo

Split = Literal["train", "test"]
NAME_FORMAT = "{metric}{count}-{extractor}-{split}, such as fd10k-efficientnet_lite0-test"


@dataclass(frozen=True, kw_only=True)
class EvaluationProtocol:
    """A metric with everything that its value depends on: number of samples, features and real data.

    Arguments:
        metric: a key of `METRICS_INFO`.
        count: samples of each side (`nll`: importance samples; `ppl`: paths).
        extractor: of the features, a key of `EXTRACTORS_INFO`.
        split: `train` (the training set) or `test` (held-out samples, or those of --against).

    Raises:
        ConfigError: an unknown name, features that the metric is not defined for, or too few samples.

    >>> EvaluationProtocol.parse("kd1000-pca-train")
    EvaluationProtocol(metric='kd', count=1000, extractor='pca', split='train')
    >>> str(EvaluationProtocol.parse("kd1000-pca-train"))
    'kd1k-pca-train'
    """

    metric: str
    count: int
    extractor: str
    split: str

    def __post_init__(self) -> None:
        _require_known("metric", self.metric, METRICS_INFO)
        _require_known("extractor", self.extractor, EXTRACTORS_INFO)
        _require_known("split", self.split, get_args(Split))
        only = self.info.extractors
        if only and self.extractor not in only:
            raise ConfigError(
                f"{self.metric} on features of {self.extractor}", " or ".join(only), f"write {only[0]}"
            )
        if self.count < self.info.min_samples:
            raise ConfigError(
                f"{self.metric} of {self.count} samples",
                f"at least {self.info.min_samples}",
                f"use {self.metric}{format_count(max(self.info.min_samples, 1000))}",
            )

    def __str__(self) -> str:
        return f"{self.metric}{format_count(self.count)}-{self.extractor}-{self.split}"

    @property
    def info(self) -> MetricInfo:
        """The row of the metric in the catalogue."""
        return METRICS_INFO[self.metric]

    @classmethod
    def parse(cls, text: str) -> "EvaluationProtocol":
        """Parse a complete name.

        Raises:
            ConfigError: the text is incomplete or holds an unknown name; the error suggests the most similar one.
        """
        match = re.fullmatch(r"([a-z_]+?)([0-9]+)(k?)-([a-z0-9_]+)-([a-z]+)", text.strip())
        if match is None:
            raise ConfigError(f"metric {text!r}", NAME_FORMAT, _suggest_name(text))
        count = int(match[2]) * (1000 if match[3] else 1)
        return cls(metric=match[1], count=count, extractor=match[4], split=match[5])


def parse_metric_names(metrics: str | Sequence[str] | None) -> tuple[str, ...]:
    """Split a text of names at the commas; a sequence holds one name (or such a text) per item.

    >>> parse_metric_names("fd, kd100"), parse_metric_names(["fd", "kd"]), parse_metric_names(None)
    (('fd', 'kd100'), ('fd', 'kd'), ())

    Raises:
        ConfigError: there is text, but no name in it.
    """
    texts = [metrics] if isinstance(metrics, str) else list(metrics or ())
    names = tuple(name.strip() for text in texts for name in text.split(",") if name.strip())
    if not names and any(texts):
        raise ConfigError(
            "metrics without a name", f"short names such as fd,kd, or {NAME_FORMAT}", "name one"
        )
    return names


def format_count(count: int) -> str:
    """A number of samples as in a name.

    >>> format_count(10_000), format_count(2500)
    ('10k', '2500')
    """
    return f"{count // 1000}k" if count and count % 1000 == 0 else str(count)


def _require_known(kind: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        names = sorted(known)
        raise ConfigError(f"{kind} {name!r}", f"one of {', '.join(names)}", did_you_mean(name, names))


def _suggest_name(text: str) -> str:
    """Advice for an incomplete name."""
    match = re.match(r"[a-z_]*", text.strip())
    metric = match[0] if match is not None else ""
    if metric in METRICS_INFO:
        return f"write the complete name, as in {metric}1k-pca-train"
    return f"{did_you_mean(metric, list(METRICS_INFO))}, then count, extractor and split"
