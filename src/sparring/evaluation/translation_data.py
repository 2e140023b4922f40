"""Data for evaluating a translator: inputs, target images, and the outputs of the translator."""

from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sparring.core import rng
from sparring.core.errors import ConfigError, DataError
from sparring.core.progress import ProgressMonitor
from sparring.core.shapes import SampleSpec
from sparring.data import DataConfig, Dataset, open_data, to_output
from sparring.evaluation import baselines
from sparring.evaluation.feature_bank import FeatureBank
from sparring.evaluation.measure import format_shape
from sparring.evaluation.reference_data import (
    MAX_IMAGE_SIZE,
    RealData,
    check_duplicates,
    describe_skipped_files,
    open_training_data,
)
from sparring.evaluation.samples import GeneratedSamples, TranslationSource, reference_order
from sparring.models.translator import A_TO_B, TranslatorModel
from sparring.protocols.catalogue import PAIRED_METRICS_INFO
from sparring.runs.load_model import EvaluatedModel

TRANSLATE_BLOCK = 16  # images that go through a network together


@dataclass(frozen=True)
class TranslationTask:
    """Images to translate, and real ones of the domain that they are translated to.

    Arguments:
        given: the inputs. wanted: real images of the other domain.
        paired: whether the i-th of `targets` is what the i-th of `inputs` should become.
        direction: `a-to-b` or `b-to-a`.
        learned: pairs that were trained on, for the linear baseline; None takes the task's own pairs, if it has some.
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
        """The task that data of two domains is."""
        assert dataset.domain_b is not None
        ends = (dataset, dataset.domain_b) if direction == A_TO_B else (dataset.domain_b, dataset)
        return cls(
            *ends,
            dataset.paired,
            direction,
            training_task if training_task is not None and training_task.paired else None,
        )

    @cached_property
    def order(self) -> np.ndarray:
        """In which the inputs are taken: as the reference's where they are paired."""
        if self.paired:
            return reference_order(len(self.inputs))
        return torch.randperm(len(self.inputs), generator=rng.make_generator(0, "inputs")).numpy()

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape (h, w, c) of what comes out."""
        return self.targets.samples.shape[1:]

    def known(self, translation: TranslatorModel) -> set[str]:
        """What of it can be measured (see `TranslationSource.known`)."""
        found = {"input"} | ({"truth"} if self.paired else set())
        return found | ({"way back"} if len(translation.directions) > 1 else set())

    def real(self, translation: TranslatorModel, count: int) -> GeneratedSamples:
        """Real images in the place of translated ones, to see whether all that is needed is there."""
        bank = FeatureBank(self.targets.samples, None, reference_order(len(self.targets)))
        made = bank.samples(0, min(count, len(bank)))
        blank = np.zeros((1, *self.inputs.samples.shape[1:]), np.uint8)
        back = (lambda pictures: blank.repeat(len(pictures), 0)) if len(translation.directions) > 1 else None
        return GeneratedSamples(
            samples=made,
            source="this data",
            origin=TranslationSource(inputs=self._inputs(count), paired=self.paired, translate_back=back),
        )

    def _inputs(self, count: int) -> FeatureBank:
        return FeatureBank(self.inputs.samples, None, self.order[:count])

    @cached_property
    def _matrix(self) -> tuple[np.ndarray | None, str]:
        """Of the linear baseline, and what it was fitted on."""
        task = self.training_task or self
        if not task.paired:
            return None, ""
        pairs = f"{min(len(task.order), baselines.MAX_FIT_PAIRS):,} pairs"
        words = f"{pairs} of {'those judged' if self.training_task is None else 'the training set'}"
        return baselines.fit_colour_map(task.inputs.samples, task.targets.samples, task.order), words

    def origin(self, translation: TranslatorModel, count: int, monitor: ProgressMonitor) -> TranslationSource:
        """What the first `count` translated images come from."""
        ways = {one for one in translation.directions if one != self.direction}
        matrix, fitted_on = self._matrix
        order = self.order[:count]
        words = {"inputs": self.inputs.config.source} | ({"linear": fitted_on} if fitted_on else {})
        return TranslationSource(
            inputs=self._inputs(count),
            paired=self.paired,
            direction=self.direction,
            translate_back=partial(translate_images, translation, next(iter(ways)), monitor=monitor)
            if ways
            else None,
            baselines=baselines.translation_baselines(
                self.inputs.samples, order, self.output_shape[2], matrix
            ),
            details=words,
        )


def translate_task(
    translation: TranslatorModel, task: TranslationTask, count: int, monitor: ProgressMonitor, **metadata: Any
) -> GeneratedSamples:
    """The first `count` inputs of the task, translated, as they would be saved.

    Arguments:
        facts: `source`, `fingerprint`, `images`.

    Raises:
        DataError: the translator makes what is not finite.
    """
    origin = task.origin(translation, min(count, len(task.order)), monitor)
    assert origin.inputs is not None
    made = np.empty((len(origin.inputs), *task.output_shape), np.uint8)
    monitor.begin(-(-len(made) // TRANSLATE_BLOCK))
    for at in range(0, len(made), TRANSLATE_BLOCK):
        block = origin.inputs.samples(at, min(at + TRANSLATE_BLOCK, len(made)))
        made[at : at + TRANSLATE_BLOCK] = translate_images(
            translation, task.direction, block, monitor=monitor
        )
        monitor.step()
    return GeneratedSamples(samples=made, origin=origin, **metadata)


def translate_images(
    translation: TranslatorModel, direction: str, pictures: np.ndarray, monitor: ProgressMonitor
) -> np.ndarray:
    """Images as saved (n, h, w, c) brought to the other domain, as saved (n, h, w, k)."""
    device, spec = next(translation.parameters()).device, SampleSpec(shape=translation.ends(direction)[1])
    made = []
    for at in range(0, len(pictures), TRANSLATE_BLOCK):
        monitor.poll()
        block = torch.from_numpy(np.require(pictures[at : at + TRANSLATE_BLOCK], requirements=["C", "W"]))
        x = block.permute(0, 3, 1, 2).to(device, torch.float32).div_(127.5).sub_(1)
        with torch.no_grad():
            y = translation.translate(x, direction).float()
        bad = int((~y.flatten(1).isfinite().all(1)).sum())
        if bad:
            raise DataError(
                f"{bad:,} of {len(y):,} translated images hold values that are not finite",
                "finite numbers",
                "the translator is broken: evaluate an older checkpoint (--checkpoint IMAGES)",
            )
        made.append(to_output(y, spec, {}))
    return np.concatenate(made)


TranslationTasks = dict[str, TranslationTask]


def open_translation_data(
    subject: EvaluatedModel, against: str | None, direction: str | None, monitor: ProgressMonitor
) -> tuple[RealData, TranslationTasks]:
    """The real images of the domain that is translated to, and the tasks, both by split.

    Arguments:
        against: pairs, two sets that are not paired, or images of the other domain alone, which the run's own inputs are then
            judged by; None takes what the run held out, and what it was trained on.
        direction: None is `a-to-b`.

    Raises:
        ConfigError: there is no such direction. DataError: there is nothing to judge against.
    """
    assert subject.translation is not None
    way = direction or A_TO_B
    subject.translation.ends(way)
    notes: list[str] = []
    train, test = open_training_data(subject, monitor, notes, needed=against is None)
    learned = (
        TranslationTask.from_dataset(train, way) if train is not None and train.domain_b is not None else None
    )
    tasks = {} if learned is None else {"train": learned}
    if against is not None:
        tasks["test"] = _open_named_task(subject, against, way, (learned, test), notes, monitor)
    elif test is not None:
        tasks["test"] = TranslationTask.from_dataset(test, way, learned)
    if not tasks:
        raise DataError(
            f"{subject.source}: no images to translate", "pairs, or two sets", "name them with --against"
        )
    if against is None and test is None:
        notes.append("judged on images that it was trained on: none were held out, and --against names none")
    train_side, test_side = (tasks[name].targets if name in tasks else None for name in ("train", "test"))
    return check_duplicates(train_side, test_side, notes, monitor), tasks


def _open_named_task(
    subject: EvaluatedModel,
    against: str,
    way: str,
    parts: tuple[TranslationTask | None, Dataset | None],
    notes: list[str],
    monitor: ProgressMonitor,
) -> TranslationTask:
    """The task that `--against` names."""
    assert subject.translation is not None
    spec, learned = subject.translation.spec, parts[0]
    assert spec.shape_b is not None
    base = subject.experiment.data if subject.experiment is not None else DataConfig(source=against)
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
    found = open_data(config, monitor.progress, monitor.stop)
    if found.domain_b is None:
        found = _open_side_by_side(config, found, monitor) or found
    if found.domain_b is not None:
        if found.test_set is not None:
            notes.append(f"{against}: its test part")
        found = found.test_set if found.test_set is not None else found
        notes += describe_skipped_files(found)
        return TranslationTask.from_dataset(found, way, learned)
    own_test = TranslationTask.from_dataset(parts[1], way) if parts[1] is not None else learned
    if own_test is None:
        raise DataError(
            f"{against} holds images of one domain, and the run's own inputs are not there",
            "two domains",
            "name a folder with A/ and B/, or restore the run's data",
        )
    channels = subject.translation.ends(way)[1][0]
    wanted = open_data(
        replace(config, channels=channels, pairing="one", derive_input="", swap_domains=False),
        monitor.progress,
        monitor.stop,
    )
    notes += describe_skipped_files(wanted)
    whose = "held out" if parts[1] is not None else "was trained on"
    notes.append(f"{against}: images of one domain; the inputs are those that the run {whose}")
    return replace(own_test, targets=wanted, paired=False)


def _open_side_by_side(config: DataConfig, whole: Dataset, monitor: ProgressMonitor) -> Dataset | None:
    """Pairs side by side in one image; None where images are not twice as broad as those of the run."""
    assert config.size is not None
    sizes = [tuple(map(int, size.split("x"))) for size in whole.report.sizes]
    if max((width / height for height, width in sizes), default=0) < 1.5 * config.size[1] / config.size[0]:
        return None
    try:
        return open_data(replace(config, pairing="paired"), monitor.progress, monitor.stop)
    except DataError:
        return None


def needs_paired_data(metrics: tuple[str, ...]) -> bool:
    """Whether some of these names are of metrics that compare each sample with a truth of its own.

    >>> needs_paired_data(("fd", "psnr100-pixels-test")), needs_paired_data(("prdc",))
    (True, False)
    """
    return any(
        name.strip().rstrip("k0123456789").partition("-")[0].rstrip("k0123456789") in PAIRED_METRICS_INFO
        for name in metrics
    )


def open_paired_samples(
    path: Path, against: str | None, monitor: ProgressMonitor
) -> tuple[Dataset, RealData]:
    """Samples made by anything, and the true ones of the same names.

    Raises:
        DataError: the names or the sizes do not agree.
    """
    if against is None:
        raise ConfigError(
            f"samples in {path}, and no truth to compare them with",
            "--against FOLDER",
            "name the true images, with equal names",
        )
    config = DataConfig(source=str(path), source_b=against, pairing="paired", max_size=MAX_IMAGE_SIZE)
    made = open_data(config, monitor.progress, monitor.stop)
    assert made.domain_b is not None
    channels = max(made.spec.shape[0], made.domain_b.spec.shape[0])
    if made.spec.shape[0] != made.domain_b.spec.shape[0]:
        made = open_data(
            replace(config, channels=channels, channels_b=channels), monitor.progress, monitor.stop
        )
        assert made.domain_b is not None
    assert made.domain_b is not None
    sizes = list(made.report.sizes), list(made.domain_b.report.sizes)
    if max(map(len, sizes)) > 1 or sizes[0] != sizes[1]:
        raise DataError(
            f"samples of {', '.join(sizes[0][:4])}, true ones of {', '.join(sizes[1][:4])}",
            "one size on both sides",
            f"save them as they were made; here they would be brought to {format_shape(made.samples.shape[1:])}",
        )
    return made, RealData(train=None, test=made.domain_b, notes=tuple(describe_skipped_files(made)))
