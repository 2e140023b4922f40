"""`evaluate`: open the model and the real data, choose protocols, load extractors, generate samples, measure
each protocol.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from sparring import features
from sparring.core.errors import DataError
from sparring.core.progress import ProgressCallback, ProgressMonitor, StopRequested
from sparring.core.runtime import DeviceOptions
from sparring.evaluation.measure import (
    MeasureOptions,
    measure,
    require_enough_real_samples,
    require_measurable,
)
from sparring.evaluation.nearest_images import NearestImagesSheet, nearest_images_sheet
from sparring.evaluation.request import (
    EvaluationInputs,
    EvaluationRequest,
    OnStatus,
    StartRuntime,
    open_inputs,
)
from sparring.evaluation.result import RESULTS_FILE, Result, append_result
from sparring.evaluation.samples import (
    GeneratedSamples,
    RealSamples,
    generate_samples,
    match_class_indices,
    paired_samples_from_dataset,
    samples_from_dataset,
)
from sparring.evaluation.translation_data import translate_task
from sparring.features.extractor import Extractor
from sparring.protocols.catalogue import EXTRACTORS_INFO
from sparring.protocols.defaults import (
    EvaluationContext,
    choose_fit_images,
    has_efficientnet,
    resolve_protocols,
)
from sparring.protocols.protocol import EvaluationProtocol

OTHER_SPLIT = {"train": "test", "test": "train"}
DIFFERENT_CLASSES_NOTE = "the classes have different names on both sides: labels are not used"
PCA_NOTE = (
    "features are principal components of the pixels, which capture layout and colour, but little detail; "
    "pip install 'sparring[features]' installs a network trained on photographs"
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


def evaluate(
    request: EvaluationRequest,
    start_runtime: StartRuntime,
    monitor: ProgressMonitor | None = None,
    on_status: OnStatus = lambda text: None,
) -> Evaluation:
    """Evaluate a run, or samples from files.

    Arguments:
        start_runtime: opens the device; called with whether the samples are images.
        monitor: receives the progress of each stage, and is polled for interruption.
        on_status: called with the name of each stage.

    Returns:
        The results; after an interruption those that were finished.

    Raises:
        SparringError: what can't be evaluated. A default protocol that can't be measured is left out with a note,
            unless none is left.
    """
    monitor = monitor or ProgressMonitor()
    results: list[Result] = []
    notes: list[str] = []
    images: int | None = None
    sheet: NearestImagesSheet | None = None
    is_interrupted = False
    try:
        # 1. the model, or samples from files, and the real data
        inputs = open_inputs(request, start_runtime, monitor, on_status)
        images = inputs.model.images if inputs.model is not None else None
        references = inputs.real.references()
        notes += inputs.real.notes

        # 2. the protocols
        use_labels, label_notes = match_labels(inputs, references)
        protocols, protocol_notes = choose_protocols(request, inputs, references, use_labels)
        notes += label_notes + protocol_notes

        # 3. the extractors, before the samples, so that missing weights are noticed early
        names = (protocol.extractor for protocol in protocols)
        extractors = load_extractors(names, request, inputs, on_status)

        # 4. the generated samples, by split
        generated = make_samples(request, inputs, protocols, use_labels, monitor, on_status)

        # 5. the metrics
        options = MeasureOptions(seed=request.seed, monitor=monitor)
        last_error: DataError | None = None
        for number, protocol in enumerate(protocols, 1):
            on_status(f"{protocol} ({number} of {len(protocols)})")
            split, extractor = protocol.split, extractors[protocol.extractor]
            other = references.get(OTHER_SPLIT[split]) if inputs.real.disjoint else None
            try:
                results.append(
                    measure(protocol, generated[split], references[split], extractor, other, options)
                )
            except DataError as error:
                if request.metrics:
                    raise
                last_error = error
                notes.append(f"{protocol} left out: {error.got}; {error.fix}")
        if last_error is not None and not results:
            raise last_error

        # 6. the generated images next to their nearest real ones
        samples = next(iter(generated.values()))
        if results and samples.samples.ndim == 4 and samples.origin is None:
            on_status("searching the nearest real images")
            reference = references.get("train") or references["test"]
            extractors |= load_extractors({"pca"} - set(extractors), request, inputs, on_status)
            sheet = nearest_images_sheet(samples, reference, extractors["pca"], monitor)
    except StopRequested:
        is_interrupted = True
    return Evaluation(
        request=request,
        results=tuple(results),
        notes=tuple(notes),
        nearest_images=sheet,
        is_interrupted=is_interrupted,
        images=images,
    )


def match_labels(inputs: EvaluationInputs, references: dict[str, RealSamples]) -> tuple[bool, list[str]]:
    """Whether labels can be used: both sides have them, under the same class names. And notes."""
    real_classes = inputs.real.fitting_data.classes
    if inputs.files is not None:
        classes = inputs.files.classes
        is_same = match_class_indices(classes, real_classes) is not None
    else:
        assert inputs.model is not None
        classes = tuple(str(name) for name in inputs.model.metadata["classes"])
        is_same = classes == real_classes
    notes = [DIFFERENT_CLASSES_NOTE] if classes and real_classes and not is_same else []
    main = references.get("test") or references["train"]
    use_labels = bool(classes and real_classes) and is_same and main.classes == real_classes
    return use_labels, notes


def choose_protocols(
    request: EvaluationRequest,
    inputs: EvaluationInputs,
    references: dict[str, RealSamples],
    use_labels: bool,
) -> tuple[list[EvaluationProtocol], list[str]]:
    """The requested protocols, or the default ones, and notes.

    Raises:
        ConfigError, DataError: a requested protocol that can't be measured on this data.
    """
    main = references.get("test") or references["train"]
    spec, num_files = inputs.real.fitting_data.spec, None if inputs.files is None else len(inputs.files)
    context = EvaluationContext(
        shape=spec.shape,
        num_classes=spec.num_classes if use_labels else 0,
        num_real={split: len(reference.samples) for split, reference in references.items()},
        num_generated=num_files,
        num_inputs={split: len(task.inputs) for split, task in inputs.tasks.items()},
        source=main.source,
        has_efficientnet=has_efficientnet(),
        has_accelerator=inputs.runtime.device.type != "cpu",
        available=inputs.available(main.split),
    )
    protocols = resolve_protocols(request.metrics, context, request.n)
    for protocol in protocols:
        require_measurable(protocol, inputs.available(protocol.split))
        if request.metrics:
            require_enough_real_samples(protocol, references[protocol.split], num_files)
    has_pca_only = context.extractor == "pca" and not context.has_efficientnet
    return protocols, [PCA_NOTE] if has_pca_only and not request.metrics else []


def load_extractors(
    names: Iterable[str], request: EvaluationRequest, inputs: EvaluationInputs, on_status: OnStatus
) -> dict[str, Extractor]:
    """Load each extractor once; fitted ones are fitted on the training set, or on the real samples."""
    extractors = {}
    for name in dict.fromkeys(names):
        on_status(f"preparing {name}")
        weights = request.weights if EXTRACTORS_INFO[name].needs_weights_file else None
        extractors[name] = features.load(
            name,
            runtime=inputs.runtime,
            weights=weights,
            fitted_on=inputs.real.fitting_data,
            fit_images=_fit_images(request, inputs),
        )
    return extractors


def _fit_images(request: EvaluationRequest, inputs: EvaluationInputs) -> int | None:
    """The length of a self-supervised extractor's training: of a run against its own data, that of the run's metric."""
    experiment = inputs.model.experiment if inputs.model is not None else None
    if experiment is None or request.against is not None:
        return None
    return choose_fit_images(experiment.training.total_images)


def make_samples(
    request: EvaluationRequest,
    inputs: EvaluationInputs,
    protocols: Sequence[EvaluationProtocol],
    use_labels: bool,
    monitor: ProgressMonitor,
    on_status: OnStatus,
) -> dict[str, GeneratedSamples]:
    """The samples to evaluate, by split: as many as the largest protocol needs. Only translated images differ."""
    splits = list(dict.fromkeys(protocol.split for protocol in protocols))
    if inputs.files is not None:
        if inputs.by_name:
            samples = paired_samples_from_dataset(inputs.files)
        else:
            classes = inputs.real.fitting_data.classes
            samples = samples_from_dataset(inputs.files, str(request.subject), classes)
        return dict.fromkeys(splits, samples)
    model = inputs.model
    assert model is not None
    if model.translator is None:
        count = max((one.count for one in protocols if not one.info.needs_generator), default=2)
        on_status(f"generating {count:,} samples")
        samples = generate_samples(model, count, request.seed, monitor, labelled=use_labels)
        return dict.fromkeys(splits, samples)
    generated = {}
    for split in splits:
        count = max(protocol.count for protocol in protocols if protocol.split == split)
        on_status(f"translating {count:,} images")
        generated[split] = translate_task(
            model.translator,
            inputs.tasks[split],
            count,
            monitor,
            source=model.description,
            fingerprint=model.fingerprint,
            images=model.images,
        )
    return generated


def evaluate_and_record(
    request: EvaluationRequest,
    device: DeviceOptions,
    on_progress: ProgressCallback = lambda done, total: None,
    stop: Callable[[], bool] = lambda: False,
    on_status: OnStatus = lambda text: None,
) -> Evaluation:
    """Evaluate, and add the results of a run to its evaluation/results.jsonl.

    Arguments:
        on_progress: called with the finished and total number of steps of each stage.
        stop: polled; true ends the evaluation with the results that are finished.
        on_status: called with the name of each stage.
    """
    evaluation = evaluate(request, device.start, ProgressMonitor(on_progress, stop), on_status)
    if evaluation.images is not None and request.subject.is_dir():
        try:
            for result in evaluation.results:
                append_result(request.subject, result)
        except OSError as error:
            note = f"{RESULTS_FILE} could not be written: {error}"
            return replace(evaluation, notes=(*evaluation.notes, note))
    return evaluation
