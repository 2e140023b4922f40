"""Evaluate the run's metric during training, without changing its state.

The samples come from keyed draws and a copy of the EMA model: a run that is evaluated ends with the same bits
as one that is not. Of several processes the first one evaluates; the others wait for it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch

from sparring.core.errors import ConfigError
from sparring.core.progress import ProgressMonitor
from sparring.core.runtime import Runtime
from sparring.data import Dataset, StopRequested, add_pseudo_classes, split_held_out, to_output
from sparring.evaluation.measure import MeasureOptions, measure, require_measurable
from sparring.evaluation.result import Result
from sparring.evaluation.samples import GeneratedSamples, RealSamples
from sparring.evaluation.translation_data import TranslationTask, translate_task
from sparring.experiment import Experiment
from sparring.features import Extractor, load
from sparring.models.autoencoder import Decoder
from sparring.models.generator import GeneratorModel
from sparring.models.translator import TranslatorModel
from sparring.parts.likelihoods import bernoulli
from sparring.protocols.protocol import EvaluationProtocol
from sparring.protocols.until import (
    format_target,
)
from sparring.runs import records
from sparring.runs.records import (
    RunLogger,
    best_evaluation,
    has_reached,
    is_evaluation_missing,
    stalled_since,
)
from sparring.training.state import TrainState

METRIC_STALLED, EVALUATION_FAILED = "metric_stalled", "evaluation_failed"
SAMPLE_SEED = (
    0  # of the samples: the same ones at every evaluation, and those that `sparring sample` makes first
)
SAMPLE_BLOCK = 256  # samples between two looks at the wish to stop


class Validator:
    """Measures one protocol, again and again, against the same real samples.

    Arguments:
        protocol: what is measured.
        sides: the samples trained on, and those held out.
        runtime: where features are computed.

    Raises:
        ConfigError, DataError: it can't be measured; found out by measuring real samples in the place of generated ones.
    """

    def __init__(
        self, protocol: EvaluationProtocol, datasets: tuple[Dataset, Dataset | None], runtime: Runtime
    ) -> None:
        self.protocol = protocol
        training, held = datasets
        if protocol.split == "test" and held is None:
            raise ConfigError(
                f"training.metric={protocol}, but no sample is held out",
                "some to judge by",
                f"--set data.held_out={min(500, len(training) // 20)}, or use the split `train`",
            )
        chosen = held if held is not None and protocol.split == "test" else training
        self.task = TranslationTask.from_dataset(chosen) if chosen.domain_b is not None else None
        wanted, seen = (side.domain_b or side for side in (chosen, training))
        self.reference = RealSamples.from_dataset(wanted, "test" if protocol.split == "test" else "train")
        self.extractor: Extractor = load(protocol.extractor, runtime=runtime, fitted_on=seen)
        if self.task is None and not protocol.info.needs_generator:
            bank, count = self.reference.bank, min(protocol.count, len(chosen))
            real = GeneratedSamples(
                samples=bank.samples(0, count), labels=bank.labels(0, count), source="this data"
            )
            self._measure(real, ProgressMonitor())

    def dry_run(self, translation: TranslatorModel) -> None:
        """Raises ConfigError or DataError where a translator like this one can't be measured."""
        assert self.task is not None
        require_measurable(self.protocol, self.task.known(translation))
        self._measure(self.task.real(translation, self.protocol.count), ProgressMonitor())

    def _measure(self, fake: GeneratedSamples, monitor: ProgressMonitor) -> Result:
        how = MeasureOptions(seed=SAMPLE_SEED, resamples=0, monitor=monitor, baselines=False)
        return measure(self.protocol, fake, self.reference, self.extractor, options=how)

    def evaluate(self, state: TrainState, record: RunLogger, monitor: ProgressMonitor) -> bool:
        """Measure the match as it is, and write down what came of it. Whatever goes wrong is an event, and training goes on.

        Returns:
            Whether it is better than ever before.
        """
        images = state.clock.images
        try:
            line = self._measure(self._sampled(state, monitor), monitor)
        except StopRequested:
            return False  # owed to the next start
        except Exception as error:  # an evaluation is never worth a run
            record.log_event(EVALUATION_FAILED, images, why=f"{type(error).__name__}: {error}"[:500])
            return False
        row = {"value": line.value, "better": line.protocol.info.better, **line.to_json()}
        record.log_evaluation({"images": images, "step": state.clock.step, **row})
        self._record_if_stalled(record, images)
        return best_evaluation(record.evaluations) is record.evaluations[-1]

    def _sampled(self, state: TrainState, monitor: ProgressMonitor) -> GeneratedSamples:
        if self.task is not None:
            kept, facts = state.model_for_inference(), {"source": "the run", "images": state.clock.images}
            assert isinstance(kept, TranslatorModel)
            return translate_task(kept, self.task, self.protocol.count, monitor, **facts)
        generation, units = state.generation, state.stream.dataset.units
        count = 1 if self.protocol.info.needs_generator else self.protocol.count
        labels, parts = generation.draw_labels(SAMPLE_SEED, range(count)), []
        for at in range(0, count, SAMPLE_BLOCK):
            monitor.poll()
            block = range(at, min(at + SAMPLE_BLOCK, count))
            told = None if labels is None else labels[block.start : block.stop]
            made = generation.sample(SAMPLE_SEED, block, labels=told)
            parts.append(to_output(made, generation.spec, units))
        return GeneratedSamples(
            samples=np.concatenate(parts),
            labels=None if labels is None else labels.numpy(),
            generation=generation,
            source="the run",
            images=state.clock.images,
            units=units,
        )

    def _record_if_stalled(self, record: RunLogger, images: int) -> None:
        since = stalled_since(record.evaluations)
        if since is not None:
            record.log_event(METRIC_STALLED, images, since=since, metric=str(self.protocol))


CHECK_BLOCK = 1_000  # samples looked at together


@dataclass(frozen=True)
class TrainingSetup:
    """What a run is played on.

    Arguments:
        training: the samples to train on, with groups for labels where these are wanted.
        held: those that are held out.
        examiner: in the first process of a run that has a metric.
    """

    training: Dataset
    held_out: Dataset | None = None
    validator: Validator | None = None


def prepare_training(
    experiment: Experiment, dataset: Dataset, runtime: Runtime, with_validator: bool = True
) -> TrainingSetup:
    """Group and split the data, and make the examiner ready; the last answer is kept, as a start asks twice.

    Arguments:
        examined: False leaves the examiner out.

    Raises:
        ConfigError, DataError: the run can't be judged as it is asked to be.
    """
    metric = experiment.training.metric if with_validator and runtime.is_main_process else ""
    if metric:
        _require_generative(experiment, dataset)
    stage = _prepare_cached(
        dataset, experiment.data.pseudo_classes, experiment.data.held_out, metric, runtime
    )
    if stage.validator is not None and stage.validator.task is not None:
        with torch.device("meta"):
            kept = experiment.game.build_model(dataset.spec)
        assert isinstance(kept, TranslatorModel)
        stage.validator.dry_run(kept)
    return stage


@lru_cache(maxsize=1)
def _prepare_cached(
    dataset: Dataset, pseudo_classes: int, held_out: int, metric: str, runtime: Runtime
) -> TrainingSetup:
    training, held = split_held_out(add_pseudo_classes(dataset, pseudo_classes), held_out)
    if not metric:
        return TrainingSetup(training, held)
    return TrainingSetup(
        training, held, Validator(EvaluationProtocol.parse(metric), (training, held), runtime)
    )


def _require_generative(experiment: Experiment, dataset: Dataset) -> None:
    with torch.device("meta"):
        kept = experiment.game.build_model(dataset.spec)
    if not kept.has_samples:
        raise ConfigError(
            f"the metric {experiment.training.metric} for a classifier, which has no samples",
            "a recipe that generates",
            "leave the metric out; `sparring classify RUN DATA` tells the accuracy",
        )


def check_likelihood(experiment: Experiment, dataset: Dataset) -> None:
    """Raises DataError where the game has a likelihood that can't be that of this data."""
    with torch.device("meta"):
        kept = experiment.game.build_model(dataset.spec)
    decoder = kept.generator if isinstance(kept, GeneratorModel) else None
    if isinstance(decoder, Decoder) and isinstance(decoder.likelihood, bernoulli.BernoulliLikelihood):
        if decoder.likelihood.binarise != "none":
            return
        for rows in torch.arange(len(dataset)).split(CHECK_BLOCK):
            decoder.likelihood.check(dataset.batch(rows)[0])


def clear_prepared() -> None:
    """Let go of the last answer."""
    _prepare_cached.cache_clear()


class ValidationSchedule:
    """Sees to it that a match is evaluated when it is time, in the first process, and tells all of them whether it is over.

    Arguments:
        match: what is played.
        record: with the evaluations until now.
        stage: with the examiner, if there is one.
    """

    def __init__(self, state: TrainState, record: RunLogger, setup: TrainingSetup | None) -> None:
        self.state, self.record, self.training = state, record, state.experiment.training
        self.held_out = setup.held_out if setup is not None else None
        self.validator = setup.validator if setup is not None else None
        self.monitor, self.evaluation_due = ProgressMonitor(), False
        self.target_reached = self._is_target_reached()

    def evaluate(self) -> bool:
        """Evaluate, if that is owed.

        Returns:
            Whether it is better than ever before: then it must be saved.
        """
        if not (self.evaluation_due and self.training.metric):
            return False
        self.evaluation_due = False
        better = self.validator is not None and self.validator.evaluate(self.state, self.record, self.monitor)
        self.target_reached = self._is_target_reached()
        return better

    def evaluate_missed(self, stop: Callable[[], bool]) -> bool:
        """At a start: the evaluation that a signal or an error has kept from being made.

        Arguments:
            stop: to be polled from now on.

        Returns:
            Whether to stop before the next step, as it is still missing.
        """
        self.monitor = ProgressMonitor(stop=stop)
        self.evaluation_due = self.is_evaluation_missing()
        if not self.evaluation_due:
            return False
        self.evaluate()
        return self.state.runtime.any_process(stop())

    def is_evaluation_missing(self) -> bool:
        """Whether an evaluation is missing, as the first process sees it."""
        training, now = self.training, self.state.clock.images
        rows, due = self.record.evaluations, self.validator is not None
        return self.state.runtime.any_process(
            due and is_evaluation_missing(rows, now, training.evaluate_every, training.total_images)
        )

    def _is_target_reached(self) -> bool:
        """Whether the target is reached, as the first process sees it."""
        if self.training.target is None:
            return False
        return self.state.runtime.any_process(
            has_reached(best_evaluation(self.record.evaluations), self.training.target)
        )


def target_outcome(metric: str, target: float, rows: Sequence[Mapping[str, Any]]) -> str:
    """How it stands with the goal of a run, in words.

    Arguments:
        metric: name of the protocol.
        rows: its evaluations.
    """
    protocol, best = EvaluationProtocol.parse(metric), records.best_evaluation(rows)
    words = format_target(protocol.metric, protocol.info.better, target)
    if best is None:
        return f"{words}: nothing was evaluated ({metric})"
    if records.has_reached(best, target):
        return f"reached {words} at image {best['images']:,}: {metric} {best['value']:.4g}"
    return f"{words} was not reached: best {metric} {best['value']:.4g} at image {best['images']:,}"
