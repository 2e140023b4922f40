"""`evaluate`: open the model and the real data, choose protocols, load extractors, generate samples, measure
each protocol.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from sparring import features
from sparring.core.errors import ConfigError, DataError
from sparring.core.progress import ProgressMonitor
from sparring.core.runtime import DeviceOptions, Runtime
from sparring.data import Dataset, StopRequested
from sparring.evaluation import reference_data, result
from sparring.evaluation.measure import (
    MeasureOptions,
    measure,
    require_enough_real_samples,
    require_measurable,
)
from sparring.evaluation.nearest_images import NearestImagesSheet, nearest_images_sheet
from sparring.evaluation.request import Evaluation, EvaluationRequest
from sparring.evaluation.result import Result
from sparring.evaluation.samples import (
    GeneratedSamples,
    RealSamples,
    generate_samples,
    match_class_indices,
    paired_samples_from_dataset,
    samples_from_dataset,
)
from sparring.evaluation.translation_data import (
    TranslationTasks,
    needs_paired_data,
    open_paired_samples,
    open_translation_data,
    translate_task,
)
from sparring.features.extractor import Extractor
from sparring.protocols.defaults import EvaluationContext, has_efficientnet, resolve_protocols
from sparring.protocols.protocol import EvaluationProtocol
from sparring.runs.load_model import EvaluatedModel, is_model_path, open_model

OnStatus = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class EvaluationInputs:
    """What was read.

    Arguments:
        real: the real samples.
        runtime: the machine.
        subject: a generator or translator; None for samples made by anything.
        made: these.
        tasks: what a translator is judged on, by split.
        by_name: whether the samples are compared with those of the same names.
    """

    real: reference_data.RealData
    runtime: Runtime
    subject: EvaluatedModel | None = None
    made: Dataset | None = None
    tasks: TranslationTasks = field(default_factory=dict)
    by_name: bool = False

    def known(self, split: str) -> frozenset[str] | None:
        """What can be measured of translated images; None of samples that are none."""
        if self.subject is not None and self.subject.translation is not None:
            return (
                frozenset(self.tasks[split].known(self.subject.translation)) if split in self.tasks else None
            )
        return frozenset({"truth"}) if self.by_name else None

    def samples(
        self,
        request: EvaluationRequest,
        protocols: Sequence[EvaluationProtocol],
        monitor: ProgressMonitor,
        say: OnStatus,
        *,
        labelled: bool,
    ) -> dict[str, GeneratedSamples]:
        """What is judged, by split: made now, or as it was found."""
        if self.tasks:
            return {one: self._translated(one, protocols, monitor, say) for one in _splits_of(protocols)}
        if self.made is not None:
            made = paired_samples_from_dataset(self.made) if self.by_name else None
            made = made or samples_from_dataset(
                self.made, str(request.subject), self.real.fitting_data.classes
            )
        else:
            assert self.subject is not None
            count = max((one.count for one in protocols if not one.info.needs_generator), default=2)
            say(f"making {count:,} samples")
            made = generate_samples(self.subject, count, request.seed, monitor, labelled=labelled)
        return dict.fromkeys(_splits_of(protocols), made)

    def _translated(
        self, split: str, protocols: Sequence[EvaluationProtocol], monitor: ProgressMonitor, say: OnStatus
    ) -> GeneratedSamples:
        subject, count = self.subject, max(one.count for one in protocols if one.split == split)
        assert subject is not None
        assert subject.translation is not None
        say(f"translating {count:,} images")
        facts = {"fingerprint": subject.fingerprint, "images": subject.images}
        source = f"{subject.source} at image {subject.images:,}"
        return translate_task(subject.translation, self.tasks[split], count, monitor, source=source, **facts)


def open_inputs(
    request: EvaluationRequest, start: Callable[[bool], Runtime], monitor: ProgressMonitor, say: OnStatus
) -> EvaluationInputs:
    """Read the subject and the real samples.

    Raises:
        SparringError: what can't be read, or an option that says nothing of this subject.
    """
    if is_model_path(request.subject):
        runtime = start(True)
        subject = open_model(request.subject, runtime, request.checkpoint)
        say("reading the real samples")
        if subject.translation is not None:
            real, tasks = open_translation_data(subject, request.against, request.direction, monitor)
            return EvaluationInputs(real=real, runtime=runtime, subject=subject, tasks=tasks)
        _refuse_option(request, "direction", request.direction, "a translator's run")
        return EvaluationInputs(
            real=reference_data.open_run_real_data(subject, request.against, monitor),
            runtime=runtime,
            subject=subject,
        )
    _refuse_option(request, "checkpoint", request.checkpoint, "a run folder")
    _refuse_option(request, "direction", request.direction, "a translator's run")
    say("reading the samples")
    by_name = needs_paired_data(request.metrics)
    made, real = (open_paired_samples if by_name else reference_data.open_samples_and_real_data)(
        request.subject, request.against, monitor
    )
    return EvaluationInputs(real=real, runtime=start(made.spec.is_image), made=made, by_name=by_name)


def _refuse_option(request: EvaluationRequest, option: str, value: object, expected: str) -> None:
    if value is not None:
        raise ConfigError(f"--{option} {value} of {request.subject}", expected, f"leave --{option} out")


def _splits_of(protocols: Sequence[EvaluationProtocol]) -> list[str]:
    return list(dict.fromkeys(protocol.split for protocol in protocols))


EXTRACTORS_WITH_WEIGHTS_PATH = ("inception", "dinov2_s", "dinov2_b", "dinov2_l")


class EvaluationSession:
    """What an evaluation has before it: the subject, the references, the extractors, and the samples when made."""

    def __init__(
        self,
        request: EvaluationRequest,
        start: Callable[[bool], Runtime],
        monitor: ProgressMonitor,
        say: OnStatus,
    ) -> None:
        self.request, self.start, self.monitor, self.say = request, start, monitor, say
        self.done = Evaluation(request=request)
        self.subject: EvaluatedModel | None = None
        self.made: Dataset | None = None
        self.sampled: dict[str, GeneratedSamples] = {}
        self.extractors: dict[str, Extractor] = {}
        self.refused: DataError | None = None
        self.labelled = True

    def open(self) -> None:
        """Read the subject and the real samples."""
        self.before = open_inputs(self.request, self.start, self.monitor, self.say)
        self.subject, self.made, self.real = self.before.subject, self.before.made, self.before.real
        self.done.images = self.subject.images if self.subject is not None else None
        self.references = self.real.references()
        self.done.notes += self.real.notes
        self._match_labels()

    def _match_labels(self) -> None:
        """Labels count where both sides have them, under the same names."""
        real = self.real.fitting_data.classes
        ours: tuple[str, ...] = self.made.classes if self.made is not None else ()
        if self.subject is not None:
            ours = tuple(str(name) for name in self.subject.metadata["classes"])
        same = match_class_indices(ours, real) is not None if self.made is not None else ours == real
        self.labelled = bool(ours) and bool(real) and same
        both = self.references.get("test") or self.references["train"]
        self.labelled = self.labelled and both.classes == real
        if ours and real and not same:
            self.done.notes.append("the classes have other names on both sides: labels are left aside")

    def protocols(self) -> list[EvaluationProtocol]:
        """What is to be measured."""
        spec = self.real.fitting_data.spec
        main = self.references.get("test") or self.references["train"]
        facts = EvaluationContext(
            spec=replace(spec, num_classes=spec.num_classes if self.labelled else 0),
            counts={name: len(one.samples) for name, one in self.references.items()},
            made=None if self.made is None else len(self.made),
            source=main.source,
            network=has_efficientnet(),
            has_accelerator=self.before.runtime.device.type != "cpu",
            inputs={name: len(task.inputs) for name, task in self.before.tasks.items()},
            known=self.before.known(main.split),
        )
        self.done.uses_defaults = not self.request.metrics
        found = resolve_protocols(self.request.metrics, facts, self.request.n)
        if not self.request.metrics and facts.extractor == "pca" and not facts.network:
            self.done.notes.append(
                "features are principal components of the pixels: they see layout and colour, hardly detail; "
                "pip install 'sparring[features]' brings a network of photographs"
            )
        for protocol in found:
            require_measurable(protocol, self.before.known(protocol.split))
        return list(dict.fromkeys(found))

    def extractor(self, name: str) -> Extractor:
        """Loaded once."""
        if name not in self.extractors:
            self.say(f"preparing {name}")
            weights = self.request.weights if name in EXTRACTORS_WITH_WEIGHTS_PATH else None
            self.extractors[name] = features.load(
                name, runtime=self.before.runtime, weights=weights, fitted_on=self.real.fitting_data
            )
        return self.extractors[name]

    def prepare(self, protocols: list[EvaluationProtocol]) -> None:
        """Make the samples, or take those that are there; before that, see that nothing else is missing."""
        for protocol in protocols:
            if not self.done.uses_defaults:
                require_enough_real_samples(
                    protocol, self.references[protocol.split], None if self.made is None else len(self.made)
                )
            self.extractor(protocol.extractor)
        self.sampled = self.before.samples(
            self.request, protocols, self.monitor, self.say, labelled=self.labelled
        )

    def measured(self, protocol: EvaluationProtocol) -> Result | None:
        """A result. What was not asked for by name and can't be had is left out, with a note."""
        reference = self.references[protocol.split]
        other = (
            self.references.get("test" if protocol.split == "train" else "train")
            if self.real.disjoint
            else None
        )
        how = MeasureOptions(seed=self.request.seed, monitor=self.monitor)
        try:
            made = self.sampled[protocol.split]
            return measure(protocol, made, reference, self.extractor(protocol.extractor), other, how)
        except DataError as error:
            if not self.done.uses_defaults:
                raise
            self.refused = error
            self.done.notes.append(f"{protocol} left out: {error.got}; {error.fix}")
            return None

    def nearest_images(self) -> NearestImagesSheet | None:
        """Against all that may have been copied: the training set if there is one. In features that are quick to get."""
        reference: RealSamples = self.references.get("train") or self.references["test"]
        made = next(iter(self.sampled.values()))
        if made.samples.ndim != 4 or made.origin is not None:
            return None
        return nearest_images_sheet(made, reference, self.extractor("pca"), self.monitor)


def evaluate(
    request: EvaluationRequest,
    start: Callable[[bool], Runtime],
    monitor: ProgressMonitor | None = None,
    say: OnStatus = lambda what: None,
    see: Callable[[Result], None] = lambda line: None,
) -> Evaluation:
    """Do as the wish says.

    Arguments:
        start: starts the machine, told whether the samples are images.
        watch: told of the progress of each piece of work, asked whether to stop.
        say: told what is being done.
        see: told of each result as it comes.

    Raises:
        SparringError: what can't be judged. Once there is a result, being stopped is no error.
    """
    hearing = EvaluationSession(request, start, monitor or ProgressMonitor(), say)
    done = hearing.done
    try:
        hearing.open()
        protocols = hearing.protocols()
        hearing.prepare(protocols)
        for number, protocol in enumerate(protocols, 1):
            say(f"{protocol} ({number} of {len(protocols)})")
            line = hearing.measured(protocol)
            if line is not None:
                done.results.append(line)
                see(line)
        if not done.results and hearing.refused is not None:
            raise hearing.refused
        if done.results:
            say("looking for the closest real images")
            done.nearest_images = hearing.nearest_images()
    except StopRequested:
        done.stopped = True
    return done


def evaluate_and_record(
    request: EvaluationRequest,
    machine: DeviceOptions,
    see: Callable[[int, int], None] = lambda done, total: None,
    stop: Callable[[], bool] = lambda: False,
    say: Callable[[str], None] = lambda what: None,
) -> Evaluation:
    """Evaluate; a run's results are added to its evaluation/results.jsonl.

    Arguments:
        see: told (done, total) of each piece of work.
        stop: polled; true ends the work after what is finished.
        say: told what is being done.
    """
    done = evaluate(request, machine.start, ProgressMonitor(see, stop), say)
    if done.images is not None and request.subject.is_dir():
        try:
            for line in done.results:
                result.append_result(request.subject, line)
        except OSError as error:
            done.notes.append(f"{result.RESULTS_FILE} could not be written: {error}")
    return done
