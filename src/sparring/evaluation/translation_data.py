"""Data for evaluating a translator: inputs, target images, and the outputs of the translator."""

from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch

from sparring.core import rng
from sparring.core.errors import DataError
from sparring.core.progress import ProgressMonitor
from sparring.core.shapes import SampleSpec
from sparring.data import DataConfig, Dataset, open_data, to_input, to_output
from sparring.evaluation import baselines
from sparring.evaluation.feature_bank import FeatureBank
from sparring.evaluation.reference_data import (
    RealData,
    check_duplicates,
    describe_skipped_files,
    open_training_data,
)
from sparring.evaluation.samples import GeneratedSamples, TranslationSource, reference_order
from sparring.models.translator import A_TO_B, TranslatorModel
from sparring.runs.load_model import EvaluatedModel

TRANSLATE_BLOCK = 16  # images that go through the network together
SIDE_BY_SIDE_RATIO = 1.5  # relative width, from which on images may hold a pair side by side


@dataclass(frozen=True, kw_only=True)
class TranslationTask:
    """Images to translate, and real images of the domain that they are translated to.

    Arguments:
        inputs: images of the one domain.
        targets: images of the other one.
        paired: whether the i-th target is the right translation of the i-th input.
        direction: `a-to-b` or `b-to-a`.
        training_task: pairs of the training set, to fit the linear baseline on; None fits on the task's own pairs.
    """

    inputs: Dataset
    targets: Dataset
    paired: bool
    direction: str = A_TO_B
    training_task: "TranslationTask | None" = None

    @classmethod
    def from_dataset(
        cls, dataset: Dataset, direction: str = A_TO_B, training_task: "TranslationTask | None" = None
    ) -> "TranslationTask":
        """The task of a data set with two domains."""
        assert dataset.domain_b is not None
        a, b = dataset, dataset.domain_b
        return cls(
            inputs=a if direction == A_TO_B else b,
            targets=b if direction == A_TO_B else a,
            paired=dataset.paired,
            direction=direction,
            training_task=training_task if training_task is not None and training_task.paired else None,
        )

    @cached_property
    def order(self) -> np.ndarray:
        """Indices of the inputs (n,) in the order of evaluation; that of the targets if they are paired."""
        if self.paired:
            return reference_order(len(self.inputs))
        return torch.randperm(len(self.inputs), generator=rng.make_generator(0, "inputs")).numpy()

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape (h, w, c) of a translated image."""
        return self.targets.samples.shape[1:]

    def available(self, translator: TranslatorModel) -> frozenset[str]:
        """What paired metrics of this translator can be computed from (see `MetricInfo.needs`)."""
        names = {"input"} | ({"target"} if self.paired else set())
        return frozenset(names | ({"reverse"} if self._reverse(translator) is not None else set()))

    def real_as_generated(self, translator: TranslatorModel, count: int) -> GeneratedSamples:
        """Targets in the place of translated images, to check a protocol without running the translator."""
        bank = FeatureBank(self.targets.samples, None, reference_order(len(self.targets)))
        blank = np.zeros((1, *self.inputs.samples.shape[1:]), np.uint8)
        has_reverse = self._reverse(translator) is not None
        origin = TranslationSource(
            inputs=self._inputs(count),
            paired=self.paired,
            translate_back=(lambda images: blank.repeat(len(images), 0)) if has_reverse else None,
        )
        samples = bank.samples(0, min(count, len(bank)))
        return GeneratedSamples(samples=samples, source="this data", origin=origin)

    def source(self, translator: TranslatorModel, count: int, monitor: ProgressMonitor) -> TranslationSource:
        """The origin of the first `count` translated images, with the baselines."""
        reverse = self._reverse(translator)
        matrix, fitted_on = self._colour_map
        return TranslationSource(
            inputs=self._inputs(count),
            paired=self.paired,
            direction=self.direction,
            translate_back=partial(translate_images, translator, reverse, monitor=monitor)
            if reverse is not None
            else None,
            baselines=baselines.translation_baselines(
                self.inputs.samples, self.order[:count], self.output_shape[2], matrix
            ),
            details={"inputs": self.inputs.config.source} | ({"linear": fitted_on} if fitted_on else {}),
        )

    def _reverse(self, translator: TranslatorModel) -> str | None:
        """The opposite direction; None if the translator has only one."""
        return next((name for name in translator.directions if name != self.direction), None)

    def _inputs(self, count: int) -> FeatureBank:
        return FeatureBank(self.inputs.samples, None, self.order[:count])

    @cached_property
    def _colour_map(self) -> tuple[np.ndarray | None, str]:
        """Matrix of the linear baseline (None without pairs), and the data that it was fitted on."""
        task = self.training_task or self
        if not task.paired:
            return None, ""
        count = min(len(task.order), baselines.MAX_FIT_PAIRS)
        data = "the evaluation data" if self.training_task is None else "the training set"
        matrix = baselines.fit_colour_map(task.inputs.samples, task.targets.samples, task.order)
        return matrix, f"{count:,} pairs of {data}"


TranslationTasks = dict[str, TranslationTask]


def translate_task(
    translator: TranslatorModel, task: TranslationTask, count: int, monitor: ProgressMonitor, **metadata: Any
) -> GeneratedSamples:
    """Translate the first `count` inputs of a task.

    Arguments:
        metadata: `source`, `fingerprint` and `images` of the result.

    Raises:
        DataError: images with values that are not finite.
    """
    origin = task.source(translator, min(count, len(task.order)), monitor)
    assert origin.inputs is not None
    samples = np.empty((len(origin.inputs), *task.output_shape), np.uint8)
    monitor.begin(-(-len(samples) // TRANSLATE_BLOCK))
    for at in range(0, len(samples), TRANSLATE_BLOCK):
        stop = min(at + TRANSLATE_BLOCK, len(samples))
        inputs = origin.inputs.samples(at, stop)
        samples[at:stop] = translate_images(translator, task.direction, inputs, monitor=monitor)
        monitor.step()
    return GeneratedSamples(samples=samples, origin=origin, **metadata)


def translate_images(
    translator: TranslatorModel, direction: str, images: np.ndarray, monitor: ProgressMonitor
) -> np.ndarray:
    """Translate images uint8 (n, h, w, c) to uint8 (n, h, w, k).

    Raises:
        DataError: outputs that are not finite.
    """
    device, spec = next(translator.parameters()).device, SampleSpec(shape=translator.ends(direction)[1])
    outputs = []
    for at in range(0, len(images), TRANSLATE_BLOCK):
        monitor.poll()
        x = to_input(images[at : at + TRANSLATE_BLOCK]).to(device)
        with torch.no_grad():
            y = translator.translate(x, direction).float()
        num_bad = int((~y.flatten(1).isfinite().all(1)).sum())
        if num_bad:
            raise DataError(
                f"{num_bad:,} of {len(y):,} translated images hold values that are not finite",
                "finite numbers",
                "the translator is broken: evaluate an older checkpoint (--checkpoint IMAGES)",
            )
        outputs.append(to_output(y, spec, {}))
    return np.concatenate(outputs)


def open_translation_data(
    model: EvaluatedModel, against: str | None, direction: str | None, monitor: ProgressMonitor
) -> tuple[RealData, TranslationTasks]:
    """The real images of the target domain, and the tasks, both by split.

    Arguments:
        against: pairs, two unpaired sets, or images of the target domain alone, to which outputs for the run's own
            inputs are compared; None takes the run's held-out and training sets.
        direction: None is `a-to-b`.

    Raises:
        ConfigError: the translator has no such direction. DataError: there are no images to translate.
    """
    assert model.translator is not None
    direction = direction or A_TO_B
    model.translator.ends(direction)
    train, held_out, notes = open_training_data(model, monitor, required=against is None)
    tasks: TranslationTasks = {}
    if train is not None and train.domain_b is not None:
        tasks["train"] = TranslationTask.from_dataset(train, direction)
    training_task = tasks.get("train")
    own_test = None if held_out is None else TranslationTask.from_dataset(held_out, direction, training_task)
    if against is not None:
        fallback, fallback_name = (own_test, "held-out") if own_test else (training_task, "training")
        tasks["test"], more = _open_against(
            model, against, direction, training_task, fallback, fallback_name, monitor
        )
        notes += more
    elif own_test is not None:
        tasks["test"] = own_test
    else:
        notes.append("evaluated on training images: none are held out, and --against names none")
    if not tasks:
        raise DataError(
            f"{model.source}: no images to translate", "pairs, or two sets", "name them with --against"
        )
    train_targets, test_targets = (
        tasks[name].targets if name in tasks else None for name in ("train", "test")
    )
    return check_duplicates(train_targets, test_targets, notes, monitor), tasks


def _open_against(
    model: EvaluatedModel,
    against: str,
    direction: str,
    training_task: TranslationTask | None,
    own_task: TranslationTask | None,
    own_name: str,
    monitor: ProgressMonitor,
) -> tuple[TranslationTask, list[str]]:
    """The task of `--against`, and notes.

    Arguments:
        own_task: of the run's data, whose inputs are translated if `against` holds one domain only.
        own_name: `held-out` or `training`.
    """
    assert model.translator is not None
    spec = model.translator.spec
    assert spec.shape_b is not None
    base = model.experiment.data if model.experiment is not None else DataConfig(source=against)
    config = replace(
        base,
        source=against,
        size=(spec.shape[1], spec.shape[2]),
        channels=spec.shape[0],
        channels_b=spec.shape_b[0],
        source_b="",
        pairing="auto",
        held_out=0,
    )
    dataset = open_data(config, monitor.progress, monitor.stop)
    if dataset.domain_b is None:
        dataset = _open_side_by_side(config, dataset, monitor) or dataset
    if dataset.domain_b is not None:
        notes = [f"{against}: its test part"] if dataset.test_set is not None else []
        dataset = dataset.test_set if dataset.test_set is not None else dataset
        notes += describe_skipped_files(dataset)
        return TranslationTask.from_dataset(dataset, direction, training_task), notes
    if own_task is None:
        raise DataError(
            f"{against} holds images of one domain, and the run's own inputs are missing",
            "two domains",
            "name a folder with A/ and B/, or restore the run's data",
        )
    channels = model.translator.ends(direction)[1][0]
    config = replace(config, channels=channels, pairing="one", derive_input="", swap_domains=False)
    targets = open_data(config, monitor.progress, monitor.stop)
    note = f"{against}: images of one domain; the inputs are the {own_name} images of the run"
    return replace(own_task, targets=targets, paired=False, training_task=None), [
        *describe_skipped_files(targets),
        note,
    ]


def _open_side_by_side(config: DataConfig, dataset: Dataset, monitor: ProgressMonitor) -> Dataset | None:
    """Open images that hold a pair side by side; None if none of them is wide enough."""
    assert config.size is not None
    sizes = [tuple(map(int, size.split("x"))) for size in dataset.report.sizes]
    widest = max((width / height for height, width in sizes), default=0)
    if widest < SIDE_BY_SIDE_RATIO * config.size[1] / config.size[0]:
        return None
    try:
        return open_data(replace(config, pairing="paired"), monitor.progress, monitor.stop)
    except DataError:
        return None
