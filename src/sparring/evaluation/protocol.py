"""The name of a metric, which fixes everything: `fd10k-efficientnet_lite0-test`. No torch in here."""

import re
from dataclasses import dataclass
from typing import Literal, get_args

from sparring.errors import ConfigError, nearest
from sparring.evaluation.kind import Meaning
from sparring.evaluation.meaning import MEANINGS

Split = Literal["train", "test"]
EXTRACTORS = (
    "pixels",
    "pca",
    "classifier",
    "efficientnet_lite0",
    "inception",
    "dinov2_s",
    "dinov2_b",
    "dinov2_l",
    "points",
)
FORM = "{metric}{count}-{extractor}-{split}, such as fd10k-efficientnet_lite0-test"


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """What is measured, on how many samples of each side, in which features, against what.

    Arguments:
        metric: short name, one of `MEANINGS`.
        count: samples of each side (for `nll`: importance samples).
        extractor: of the features, one of `EXTRACTORS`.
        split: `train` (what the run was trained on) or `test` (kept apart, or given by --against).

    >>> Protocol.parse("kd1000-pca-train")
    Protocol(metric='kd', count=1000, extractor='pca', split='train')
    >>> str(Protocol.parse("kd1000-pca-train"))
    'kd1k-pca-train'
    """

    metric: str
    count: int
    extractor: str
    split: str

    def __post_init__(self) -> None:
        for what, name, known in (
            ("metric", self.metric, list(MEANINGS)),
            ("extractor", self.extractor, list(EXTRACTORS)),
            ("split", self.split, list(get_args(Split))),
        ):
            if name not in known:
                raise ConfigError(
                    f"{what} {name!r}", f"one of {', '.join(sorted(known))}", nearest(name, known)
                )
        only = self.meaning.extractors
        if only and self.extractor not in only:
            raise ConfigError(
                f"{self.metric} on features of {self.extractor}", " or ".join(only), f"write {only[0]}"
            )
        if self.count < self.meaning.least:
            raise ConfigError(
                f"{self.metric} of {self.count} samples",
                f"at least {self.meaning.least}",
                f"use {self.metric}{short(max(self.meaning.least, 1000))}",
            )

    def __str__(self) -> str:
        return f"{self.metric}{short(self.count)}-{self.extractor}-{self.split}"

    @property
    def meaning(self) -> Meaning:
        """What the metric is, in words."""
        return MEANINGS[self.metric]

    @classmethod
    def parse(cls, text: str) -> "Protocol":
        """The protocol of this name.

        Raises:
            ConfigError: not of the form, or an unknown name in it; the error tells the nearest right one.
        """
        match = re.fullmatch(r"([a-z_]+?)([0-9]+)(k?)-([a-z0-9_]+)-([a-z]+)", text.strip())
        if match is None:
            raise ConfigError(f"metric {text!r}", FORM, _nearest_whole(text))
        count = int(match[2]) * (1000 if match[3] else 1)
        return cls(metric=match[1], count=count, extractor=match[4], split=match[5])


def short(count: int) -> str:
    """A number of samples as in a name.

    >>> short(10_000), short(2500)
    ('10k', '2500')
    """
    return f"{count // 1000}k" if count and count % 1000 == 0 else str(count)


def _nearest_whole(text: str) -> str:
    """What to write instead of a name that has a part too few."""
    metric = re.match(r"[a-z_]*", text.strip())
    found = metric[0] if metric is not None else ""
    if found in MEANINGS:
        return f"write it whole, as in {found}1k-pca-train"
    return f"{nearest(found, list(MEANINGS))}, then count, extractor and split"
