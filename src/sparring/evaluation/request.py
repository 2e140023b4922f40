"""The request for an evaluation (`EvaluationRequest`) and its outcome (`Evaluation`)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sparring.core.errors import ConfigError, DataError
from sparring.evaluation.nearest_images import NearestImagesSheet
from sparring.evaluation.result import Result


@dataclass(frozen=True, kw_only=True)
class EvaluationRequest:
    """What was asked for; None where nothing was said.

    Arguments:
        subject: a run, a generator's file, or samples.
        against: real samples.
        checkpoint: in images seen.
        metrics: names, whole or short; none for the usual ones.
        n: samples of each side, for the names that do not say it.
        seed: of the samples.
        weights: of the extractor that needs them.
        direction: of a translator: `a-to-b` or `b-to-a`; None is `a-to-b`.
    """

    subject: Path
    against: str | None = None
    checkpoint: int | None = None
    metrics: tuple[str, ...] = ()
    n: int | None = None
    seed: int = 0
    weights: Path | None = None
    direction: str | None = None

    def __post_init__(self) -> None:
        if self.n is not None and self.n < 2:
            raise ConfigError(f"--n {self.n}", "at least 2 samples", "1000 is a good number")
        if not self.subject.exists():
            raise DataError(
                f"{self.subject} does not exist", "a run, or samples in a folder or file", "fix the path"
            )


@dataclass(kw_only=True)
class Evaluation:
    """What came of it.

    Arguments:
        wish: what was asked for.
        lines: the results, in order; fewer than asked for where it was stopped or some can't be had.
        notes: what was chosen, left out or could not be done, in words.
        sheet: of the closest real images.
        stopped: whether it was interrupted.
        chosen: whether the protocols were chosen, and not asked for.
        images: of the checkpoint; None for samples made by anything.
    """

    request: EvaluationRequest
    results: list[Result] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    nearest_images: NearestImagesSheet | None = None
    stopped: bool = False
    uses_defaults: bool = False
    images: int | None = None


def parse_metric_names(metrics: str | Sequence[str]) -> tuple[str, ...]:
    """Names of metrics, from one name or several.

    >>> parse_metric_names("fd"), parse_metric_names(["fd", "kd"])
    (('fd',), ('fd', 'kd'))
    """
    return (metrics,) if isinstance(metrics, str) else tuple(metrics)


def data_name(data: str | Path | None) -> str | None:
    """The name of a data set, from what may be a path."""
    return None if data is None else str(data)
