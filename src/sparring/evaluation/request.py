"""The request for an evaluation (`EvaluationRequest`), and what it names, opened (`EvaluationInputs`)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sparring.core.errors import ConfigError, DataError
from sparring.core.progress import ProgressMonitor
from sparring.core.runtime import Runtime
from sparring.data import Dataset
from sparring.evaluation.reference_data import (
    RealData,
    open_paired_samples,
    open_run_real_data,
    open_samples_and_real_data,
)
from sparring.evaluation.translation_data import TranslationTasks, open_translation_data
from sparring.protocols.defaults import needs_paired_data
from sparring.runs.checkpoint import resolve_checkpoint
from sparring.runs.load_model import EvaluatedModel, is_model_path, load_model

OnStatus = Callable[[str], None]
StartRuntime = Callable[[bool], Runtime]  # called with whether the samples are images


@dataclass(frozen=True, kw_only=True)
class EvaluationRequest:
    """What to evaluate, and how. None leaves the choice to `evaluate`.

    Arguments:
        subject: a run folder, a generator file, or samples: a folder, zip or array file.
        against: the real samples, as for `sparring train`; None is the run's own data.
        checkpoint: of the run: `best`, `last` or its images; None is the generator file.
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
    checkpoint: str | int | None = None
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
class EvaluationInputs:
    """The opened subject of an evaluation, and the real data.

    Arguments:
        real: the real samples.
        runtime: the device.
        model: a generator or translator; None for samples from files.
        files: samples from files; None for a model.
        tasks: the images that a translator is evaluated on, by split.
        by_name: whether each sample from files is compared with the target of the same file name.
    """

    real: RealData
    runtime: Runtime
    model: EvaluatedModel | None = None
    files: Dataset | None = None
    tasks: TranslationTasks = field(default_factory=dict)
    by_name: bool = False

    def available(self, split: str) -> frozenset[str] | None:
        """What paired metrics can be computed from (see `MetricInfo.needs`); None unless images are translated."""
        if self.model is not None and self.model.translator is not None:
            return self.tasks[split].available(self.model.translator) if split in self.tasks else None
        return frozenset({"target"}) if self.by_name else None


def open_inputs(
    request: EvaluationRequest, start_runtime: StartRuntime, monitor: ProgressMonitor, on_status: OnStatus
) -> EvaluationInputs:
    """Open the subject and the real samples.

    Raises:
        SparringError: a file that can't be read, or an option that does not apply to the subject.
    """
    if is_model_path(request.subject):
        runtime = start_runtime(True)
        images = _checkpoint_images(request)
        model = load_model(request.subject, runtime, images)
        on_status("reading the real samples")
        if model.translator is not None:
            real, tasks = open_translation_data(model, request.against, request.direction, monitor)
            return EvaluationInputs(real=real, runtime=runtime, model=model, tasks=tasks)
        _refuse_option(request, "direction", request.direction, "a translator's run")
        real = open_run_real_data(model, request.against, monitor)
        return EvaluationInputs(real=real, runtime=runtime, model=model)
    _refuse_option(request, "checkpoint", request.checkpoint, "a run folder")
    _refuse_option(request, "direction", request.direction, "a translator's run")
    on_status("reading the samples")
    by_name = needs_paired_data(request.metrics)
    open_files = open_paired_samples if by_name else open_samples_and_real_data
    files, real = open_files(request.subject, request.against, monitor)
    runtime = start_runtime(files.spec.is_image)
    return EvaluationInputs(real=real, runtime=runtime, files=files, by_name=by_name)


def _checkpoint_images(request: EvaluationRequest) -> int | None:
    """The images of the request's checkpoint; None for the generator file."""
    if request.checkpoint is None:
        return None
    if not request.subject.is_dir():
        raise ConfigError(
            f"--checkpoint {request.checkpoint} of {request.subject}",
            "a run folder",
            "name the folder, not the generator file",
        )
    return resolve_checkpoint(request.subject, request.checkpoint)


def _refuse_option(request: EvaluationRequest, option: str, value: object, expected: str) -> None:
    if value is not None:
        raise ConfigError(f"--{option} {value} of {request.subject}", expected, f"leave --{option} out")
