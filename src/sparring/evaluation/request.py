"""The request for an evaluation (`EvaluationRequest`) and its outcome (`Evaluation`)."""

from dataclasses import dataclass
from pathlib import Path

from sparring.core.errors import ConfigError, DataError
from sparring.evaluation.nearest_images import NearestImagesSheet
from sparring.evaluation.result import Result


@dataclass(frozen=True, kw_only=True)
class EvaluationRequest:
    """What to evaluate, and how. None leaves the choice to `evaluate`.

    Arguments:
        subject: a run folder, a generator file, or samples: a folder, zip or array file.
        against: the real samples, as for `sparring train`; None is the run's own data.
        checkpoint: of the run, in images seen; None is the newest.
        metrics: names (see `parse_metric_names`), short or complete; empty for the default ones.
        n: samples of each side, for names without a count.
        seed: of the generated samples and of the metrics' random draws.
        weights: file of the extractor's weights, for extractors that need one.
        direction: of a translator: `a-to-b` or `b-to-a`; None is `a-to-b`.

    Raises:
        ConfigError: fewer than 2 samples. DataError: the subject does not exist.
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


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The outcome of an evaluation.

    Arguments:
        request: what was requested.
        results: in the order of the protocols; those that were finished, if the evaluation was interrupted.
        notes: what was chosen, left out or failed, in sentences.
        nearest_images: generated images with their nearest real ones; None for points and translated images.
        is_interrupted: whether a signal ended it early.
        images: training images seen by the generator; None for samples from files.
    """

    request: EvaluationRequest
    results: tuple[Result, ...]
    notes: tuple[str, ...] = ()
    nearest_images: NearestImagesSheet | None = None
    is_interrupted: bool = False
    images: int | None = None
