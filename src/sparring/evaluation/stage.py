"""What a run is played on: the samples to train on, those held out, and who judges."""

from dataclasses import dataclass
from functools import lru_cache

import torch

from sparring.data import Dataset, grouped, split
from sparring.errors import ConfigError
from sparring.evaluation.examiner import Examiner
from sparring.evaluation.protocol import Protocol
from sparring.experiment import Experiment
from sparring.games.coding import Decoder
from sparring.games.generation import Generation
from sparring.games.translation import Translation
from sparring.likelihoods import bernoulli
from sparring.runtime import Runtime

BLOCK = 1_000  # samples looked at together


@dataclass(frozen=True)
class Stage:
    """What a run is played on.

    Arguments:
        training: the samples to train on, with groups for labels where these are wanted.
        held: those that are held out.
        examiner: in the first process of a run that has a metric.
    """

    training: Dataset
    held: Dataset | None = None
    examiner: Examiner | None = None


def prepare(experiment: Experiment, dataset: Dataset, runtime: Runtime, examined: bool = True) -> Stage:
    """Group and split the data, and make the examiner ready; the last answer is kept, as a start asks twice.

    Arguments:
        examined: False leaves the examiner out.

    Raises:
        ConfigError, DataError: the run can't be judged as it is asked to be.
    """
    metric = experiment.training.metric if examined and runtime.leads else ""
    if metric:
        _require_samples(experiment, dataset)
    stage = _prepare(dataset, experiment.data.groups, experiment.data.held_out, metric, runtime)
    if stage.examiner is not None and stage.examiner.task is not None:
        with torch.device("meta"):
            kept = experiment.game.kept(dataset.spec)
        assert isinstance(kept, Translation)
        stage.examiner.rehearse(kept)
    return stage


@lru_cache(maxsize=1)
def _prepare(dataset: Dataset, groups: int, held_out: int, metric: str, runtime: Runtime) -> Stage:
    training, held = split(grouped(dataset, groups), held_out)
    if not metric:
        return Stage(training, held)
    return Stage(training, held, Examiner(Protocol.parse(metric), (training, held), runtime))


def _require_samples(experiment: Experiment, dataset: Dataset) -> None:
    with torch.device("meta"):
        kept = experiment.game.kept(dataset.spec)
    if not isinstance(kept, Generation | Translation):
        raise ConfigError(
            f"the metric {experiment.training.metric} for a classifier, which has no samples",
            "a recipe that generates",
            "leave the metric out; `sparring classify RUN DATA` tells the accuracy",
        )


def require_explained(experiment: Experiment, dataset: Dataset) -> None:
    """Raises DataError where the game has a likelihood that can't be that of this data."""
    with torch.device("meta"):
        kept = experiment.game.kept(dataset.spec)
    decoder = kept.generator if isinstance(kept, Generation) else None
    if isinstance(decoder, Decoder) and isinstance(decoder.likelihood, bernoulli.Module):
        if decoder.likelihood.binarise != "none":
            return
        for rows in torch.arange(len(dataset)).split(BLOCK):
            decoder.likelihood.check(dataset.batch(rows)[0])


def forget() -> None:
    """Let go of the last answer."""
    _prepare.cache_clear()
