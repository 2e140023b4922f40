"""Evaluate the run's metric during training, without changing its state.

The samples come from keyed draws and a copy of the EMA model: a run that is evaluated ends with the same bits
as one that is not. Of several processes the main one evaluates; the others wait for it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sparring.core.errors import ConfigError
from sparring.core.progress import ProgressMonitor, StopRequested
from sparring.core.runtime import Runtime
from sparring.data import Dataset, to_output
from sparring.evaluation.baselines import RealBaselines
from sparring.evaluation.measure import MeasureOptions, measure, require_measurable
from sparring.evaluation.result import Result
from sparring.evaluation.samples import GeneratedSamples, RealSamples
from sparring.evaluation.translation_data import TranslationTask, translate_task
from sparring.features import Extractor, load
from sparring.models.generator import GeneratorModel
from sparring.models.model import Model
from sparring.models.translator import TranslatorModel
from sparring.protocols.protocol import EvaluationProtocol
from sparring.protocols.until import format_target
from sparring.runs import best, records
from sparring.runs.records import RunLogger
from sparring.training.state import TrainState

SAMPLE_SEED = 0  # the same samples at every evaluation, and the first ones of `sparring sample`
SAMPLE_BLOCK = 256  # samples between two polls of `stop`
NUM_BLOCKS = 10  # of samples, for the interval and for the comparison of two evaluations (runs/best.py)


class Validator:
    """Measures one protocol again and again, against the same real samples.

    Arguments:
        protocol: what to measure.
        dataset: the split that the protocol names.
        reference: its real samples.
        extractor: of the features, fitted on the training set where it has to be.
    """

    def __init__(
        self,
        protocol: EvaluationProtocol,
        dataset: Dataset,
        reference: RealSamples,
        extractor: Extractor,
    ) -> None:
        self.protocol, self.reference, self.extractor = protocol, reference, extractor
        self.num_real = len(dataset)
        self.real_baselines: dict[str, RealBaselines] = {}  # measured once, at the first evaluation
        self.task = TranslationTask.from_dataset(dataset) if dataset.domain_b is not None else None

    @classmethod
    def open(
        cls,
        protocol: EvaluationProtocol,
        train_set: Dataset,
        held_out: Dataset | None,
        runtime: Runtime,
        fit_images: int | None = None,
    ) -> "Validator":
        """Load the extractor and the real samples of a protocol.

        Arguments:
            fit_images: see `features.load`.

        Raises:
            ConfigError: the protocol wants held-out samples, and there are none.
        """
        if protocol.split == "test" and held_out is None:
            raise ConfigError(
                f"training.metric={protocol}, but no sample is held out",
                "held-out samples to compare with",
                f"--set data.held_out={min(500, len(train_set) // 20)}, or use the split `train`",
            )
        dataset = held_out if held_out is not None and protocol.split == "test" else train_set
        targets, train_targets = (one.domain_b or one for one in (dataset, train_set))
        reference = RealSamples.from_dataset(targets, "test" if protocol.split == "test" else "train")
        extractor = load(protocol.extractor, runtime=runtime, fitted_on=train_targets, fit_images=fit_images)
        return cls(protocol, dataset, reference, extractor)

    def dry_run(self, model: Model) -> None:
        """Measure real samples in place of generated ones, so that errors appear before training.

        Arguments:
            model: of the run; may be on the meta device.

        Raises:
            ConfigError, DataError: the protocol can't be measured.
        """
        if self.task is not None:
            assert isinstance(model, TranslatorModel)
            require_measurable(self.protocol, self.task.available(model))
            self.measure(self.task.real_as_generated(model, self.protocol.count), ProgressMonitor())
        elif not self.protocol.info.needs_generator:
            bank, count = self.reference.bank, min(self.protocol.count, self.num_real)
            real = GeneratedSamples(
                samples=bank.samples(0, count),
                labels=bank.labels(0, count),
                source="this data",
                features_from=bank,
            )
            self.measure(real, ProgressMonitor())

    def evaluate(self, state: TrainState, logger: RunLogger, monitor: ProgressMonitor) -> bool:
        """Evaluate the EMA model and log the result. An error is logged as an event and does not stop the run.

        Returns:
            Whether this is the best evaluation so far.
        """
        images = state.clock.images
        try:
            result = self.measure(self.sample(state, monitor), monitor)
        except StopRequested:
            return False  # made up for at the next start
        except Exception as error:  # an evaluation must never end a run
            logger.log_event("evaluation_failed", images, f"{type(error).__name__}: {error}"[:500])
            return False
        value = {"value": result.value, "better": result.protocol.info.better}
        logger.log_evaluation({"images": images, "step": state.clock.step, **value, **result.to_json()})
        best_images = best.stalled_since(logger.evaluations)
        if best_images is not None:
            logger.log_event("metric_stalled", images, since=best_images, metric=str(self.protocol))
        return best.best_evaluation(logger.evaluations) is logger.evaluations[-1]

    def measure(self, fake: GeneratedSamples, monitor: ProgressMonitor) -> Result:
        """The result of the protocol for generated samples, with the values of blocks of them, without baselines."""
        options = MeasureOptions(
            seed=SAMPLE_SEED,
            resamples=0,
            monitor=monitor,
            baselines=False,
            real_baselines=self.real_baselines,
            blocks=NUM_BLOCKS,
        )
        return measure(self.protocol, fake, self.reference, self.extractor, options=options)

    def sample(self, state: TrainState, monitor: ProgressMonitor) -> GeneratedSamples:
        """The samples or translations to measure, of the EMA model as it is now."""
        model, images = state.model_for_inference(), state.clock.images
        if self.task is not None:
            assert isinstance(model, TranslatorModel)
            return translate_task(
                model, self.task, self.protocol.count, monitor, source="the run", images=images
            )
        assert isinstance(model, GeneratorModel)
        units = state.stream.dataset.units
        count = 1 if self.protocol.info.needs_generator else self.protocol.count
        labels = model.draw_labels(SAMPLE_SEED, range(count))
        parts = []
        for start in range(0, count, SAMPLE_BLOCK):
            monitor.poll()
            block = range(start, min(start + SAMPLE_BLOCK, count))
            y = None if labels is None else labels[block.start : block.stop]
            parts.append(to_output(model.sample(SAMPLE_SEED, block, labels=y), model.spec, units))
        return GeneratedSamples(
            samples=np.concatenate(parts),
            labels=None if labels is None else labels.numpy(),
            generator=model,
            source="the run",
            images=images,
            units=units,
        )


def target_outcome(metric: str, target: float, rows: Sequence[Mapping[str, Any]]) -> str:
    """A sentence on whether a run has reached its target, for the terminal.

    Arguments:
        metric: name of the run's protocol.
        target: value of its headline.
        rows: its evaluations.
    """
    protocol, row = EvaluationProtocol.parse(metric), best.best_evaluation(rows)
    goal = format_target(protocol.metric, protocol.info.better, target)
    if row is None:
        return f"{goal}: nothing was evaluated ({metric})"
    if records.has_reached(row, target):
        return f"reached {goal} at image {row['images']:,}: {metric} {row['value']:.4g}"
    return f"{goal} was not reached: best {metric} {row['value']:.4g} at image {row['images']:,}"
