"""Begin a run or resume it: open the data, resolve the experiment, lock the run folder, train.

Resuming reads `run.json` (request, experiment, fingerprint of the data), the data, the newest checkpoint that verifies
(`tensors.safetensors`: networks, EMA, optimizers; `state.json`: clock, roll-backs, sums of losses), and `metrics.jsonl` and
`evaluations.jsonl`, which it cuts back to that checkpoint. There is no state of random generators: every draw is a function of
seed and step. The format of a checkpoint is in `runs/checkpoint.py`, when one is saved in `training/checkpointing.py`. A run that
begins with the weights of another one keeps them in `start.safetensors`, so that it never needs its source again (`transfer.py`).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from sparring.core import storage
from sparring.core.errors import ConfigError, DataError, SparringError
from sparring.core.progress import ProgressCallback, StopRequested
from sparring.core.runtime import Runtime
from sparring.core.signals import Interrupt
from sparring.data import Dataset, open_data
from sparring.experiment import Experiment, TrainingConfig
from sparring.protocols.defaults import is_costly
from sparring.runs import checkpoint, records
from sparring.runs.extend import Extension, extend, find_extension, has_length_in_images, schedule_changes
from sparring.runs.records import RUN_FILE, StatusCallback
from sparring.runs.request import Request, build_data_config, check_batch_divides, resolve_experiment
from sparring.runs.run_json import append_continued, data_metadata, load_run_json, write_run_json
from sparring.runs.weight_source import WeightSource, open_weight_source
from sparring.training import throughput
from sparring.training.checkpointing import Checkpointer
from sparring.training.final_generator import generator_summary
from sparring.training.finished import outcome_if_finished, target_summary
from sparring.training.locked_folder import lock_run_dir, main_process_first, released_on_error
from sparring.training.loop import Outcome, TrainingLoop
from sparring.training.setup import TrainingSetup, check_buildable, prepare_training
from sparring.training.state import TrainState
from sparring.training.transfer import load_start, plan_transfer, write_first_weights

EXIT_CODES: dict[Outcome, int] = {"gave_up": 3}  # without a signal
TRAINING_TIME_SHARE = 0.85  # of `--until TIME`; the rest is for starting, previews and saves
METRIC_TIME_SHARE = 0.06  # of the same, for a metric whose features cost time (protocols/defaults.py)


@dataclass(frozen=True)
class TrainResult:
    """How a call of `run_training` ended.

    Arguments:
        run: the run folder.
        outcome: `finished` (full length), `reached` (its target), `stopped` (by a signal or deadline) or `gave_up` (it
            collapsed again after the last remedy).
        was_finished: whether the run was complete before this call, which then did nothing.
        exit_code: for the command line.
        target_summary: a sentence on the target; empty without one.
        generator_summary: a sentence on the evaluations of a finished run and on what its generator file holds.
    """

    run: Path
    outcome: Outcome
    was_finished: bool = False
    exit_code: int = 0
    target_summary: str = ""
    generator_summary: str = ""


def run_training(
    request: Request,
    out: Path,
    start_runtime: Callable[[bool], Runtime],
    on_progress: StatusCallback = lambda status: None,
    on_start: Callable[[Experiment, Dataset, int], None] = lambda experiment, dataset, images: None,
    on_read: ProgressCallback | None = None,
    find_source: Callable[[str], Path] = Path,
) -> TrainResult:
    """Train into the folder `out`; a run that is there already is resumed from its last checkpoint.

    Arguments:
        request: for a resumed run, the same as at its first call, or with more images or a longer time.
        start_runtime: starts the device; called with whether the data is images.
        on_progress: called with the status after each commit of the loop.
        on_start: called with (experiment, training set, images seen) before the first step.
        on_read: called with (done, total) while the data is read.
        find_source: from the name of the model that a new run begins with to its path; downloads what is not here. It is not called
            for a run that is resumed: such a run needs nothing outside of its folder but the data.

    Raises:
        RunLockedError: another process writes to the folder. ConfigError: the request differs from that of the run.
        DataError: the data changed, or is unusable. DivergedError: training diverged again and again.
        CheckpointWriteError: the folder can't be written to.
    """
    started = time.monotonic()
    run_json = load_run_json(out)
    extension = find_extension(request, run_json, out) if run_json is not None else None
    if run_json is not None and extension is None:
        training = TrainingConfig.from_json(run_json["experiment"].get("training"))
        if outcome := outcome_if_finished(out, training):
            return TrainResult(
                out,
                outcome,
                was_finished=True,
                exit_code=EXIT_CODES.get(outcome, 0),
                target_summary=target_summary(out, training),
                generator_summary=generator_summary(out),
            )
    source = None
    if run_json is None and request.start_from is not None:
        source = open_weight_source(find_source(request.start_from), request.start_from)
    with Interrupt() as interrupt:
        try:
            dataset = _open_dataset(request, run_json, source, interrupt, on_read)
            if interrupt():
                raise StopRequested
        except StopRequested:
            return TrainResult(out, "stopped", exit_code=interrupt.exit_code)
        runtime = start_runtime(dataset.spec.is_image)
        lock: storage.RunLock | None = None
        try:
            setup: TrainingSetup | None = None
            with main_process_first(runtime):
                if runtime.is_main_process:
                    if run_json is not None:
                        experiment, setup, lock = _load(extension, run_json, out, dataset, runtime)
                    else:
                        experiment, setup, lock = _begin(request, source, out, dataset, runtime)
            if setup is None:
                experiment = _load_experiment(out, runtime)
                setup = prepare_training(experiment, dataset, runtime)
            check_batch_divides(experiment, runtime)
            on_start(experiment, setup.train_set, max(checkpoint.list_checkpoints(out), default=0))
            outcome = _train(experiment, setup, out, runtime, on_progress).run(
                interrupt, _deadline(request, run_json, started)
            )
        except OSError as error:
            raise checkpoint.write_error(out / RUN_FILE, error) from error
        except (MemoryError, RuntimeError) as error:
            raise _explain_out_of_memory(error) from error
        finally:
            if lock is not None:
                lock.release()
            runtime.close()
    code = interrupt.exit_code if outcome == "stopped" and interrupt() else EXIT_CODES.get(outcome, 0)
    return TrainResult(
        out,
        outcome,
        exit_code=code,
        target_summary=target_summary(out, experiment.training),
        generator_summary=generator_summary(out) if outcome != "stopped" else "",
    )


def _train(
    experiment: Experiment, setup: TrainingSetup, out: Path, runtime: Runtime, on_progress: StatusCallback
) -> TrainingLoop:
    """The loop, with its state restored from the last checkpoint, or from the weights that the run begins with."""
    state = TrainState(experiment, setup.train_set, runtime)
    logger = records.RunLogger(out if runtime.is_main_process else None)
    checkpointer = Checkpointer(state, out, logger, data_metadata(setup.train_set))
    checkpointer.restore()
    start = (load_run_json(out) or {}).get("from")
    if start is not None and checkpointer.last_saved_images is None:
        load_start(out, state, str(start.get("start_sha256")))
    return TrainingLoop(state, checkpointer, on_progress, setup)


def _deadline(request: Request, run_json: dict[str, Any] | None, started: float) -> float | None:
    """When this call ends; None if the time in `--until` is the length of the whole run, or there is none."""
    seconds, is_limit = request.time_limit(), request.images is not None
    if run_json is not None:
        is_limit = is_limit or has_length_in_images(run_json)
    return started + seconds if seconds is not None and is_limit else None


def _begin(
    request: Request, source: WeightSource | None, out: Path, dataset: Dataset, runtime: Runtime
) -> tuple[Experiment, TrainingSetup, storage.RunLock]:
    """In the main process: resolve the experiment of a new run, and write its `run.json`.

    It is checked before its folder exists, and its folder is locked before anything is measured or written.
    """
    settings = source.settings if source is not None else None
    experiment = resolve_experiment(request, dataset, runtime, source=settings)
    check_buildable(experiment, dataset)
    seconds = request.time_limit() if request.images is None else None
    setup = prepare_training(experiment, dataset, runtime, is_length_known=seconds is None)
    plan = None
    if source is not None:
        plan = plan_transfer(experiment, setup.train_set.spec, dataset.classes, source)
    lock = lock_run_dir(out, None)
    with released_on_error(lock):
        throughput.choose_threads(experiment, setup.train_set, runtime)
        if seconds is not None:
            length = _images_in_time(seconds, experiment, setup, runtime)
            experiment = resolve_experiment(request, dataset, runtime, length, settings)
            if setup.validator is None or str(setup.validator.protocol) != experiment.training.metric:
                setup = prepare_training(experiment, dataset, runtime)
        start = None
        if plan is not None:
            start = write_first_weights(plan, experiment, setup.train_set, out, runtime)
        write_run_json(request, out, dataset, runtime, experiment, start)
        return experiment, setup, lock


def _load(
    extension: Extension | None, run_json: dict[str, Any], out: Path, dataset: Dataset, runtime: Runtime
) -> tuple[Experiment, TrainingSetup, storage.RunLock]:
    """In the main process: load the experiment of an old run, make it longer if that is wanted, and prepare its data."""
    lock = lock_run_dir(out, run_json)
    with released_on_error(lock):
        experiment = _load_experiment(out, runtime)
        setup = prepare_training(experiment, dataset, runtime)
        if extension is None:
            return experiment, setup, lock
        before = experiment.training.total_images
        length = extension.total_images or before + _images_in_time(
            extension.seconds, experiment, setup, runtime
        )
        extended, images = extend(experiment, length), max(checkpoint.list_checkpoints(out), default=0)
        entry = {
            "from_images": images,
            "previous_total_images": before,
            "total_images": length,
            "until": extension.until,
            "schedules": schedule_changes(experiment, extended, images),
        }
        append_continued(out, extended, entry)
        return extended, setup, lock


def _images_in_time(seconds: float, experiment: Experiment, setup: TrainingSetup, runtime: Runtime) -> int:
    """How many images, in whole batches, training takes in this time."""
    if runtime.world_size > 1:
        raise ConfigError(
            f"--until TIME without --images, with {runtime.world_size} processes",
            "the length of the run",
            "add --images; --until then ends this call in time",
        )
    rate = throughput.measure_cost(experiment, setup.train_set, runtime).images_per_second
    batch = experiment.training.batch
    share = TRAINING_TIME_SHARE - (METRIC_TIME_SHARE if is_costly(experiment.training.metric) else 0.0)
    return max(batch, int(rate * seconds * share) // batch * batch)


def _explain_out_of_memory(error: Exception) -> Exception:
    """A ConfigError with advice if the memory was too small; else the error itself."""
    if not (isinstance(error, MemoryError | torch.OutOfMemoryError) or "allocate memory" in str(error)):
        return error
    return ConfigError(
        f"not enough memory: {str(error)[:200].splitlines()[:1]}",
        "a batch and networks that fit",
        "halve training.micro_batch (the batch stays as it is), or choose a smaller --size or smaller networks",
    )


def _open_dataset(
    request: Request,
    run_json: dict[str, Any] | None,
    source: WeightSource | None,
    stop: Callable[[], bool],
    on_read: ProgressCallback | None,
) -> Dataset:
    if run_json is None:
        settings = source.settings if source is not None else None
        try:
            return open_data(build_data_config(request, max_size=64, source=settings), on_read, stop)
        except DataError:
            if settings is None:
                raise
            dataset = open_data(build_data_config(request, max_size=64), on_read, stop)
            if (
                dataset.spec.is_image
            ):  # otherwise a model of images met points: refused where kinds are compared
                raise
            return dataset
    experiment = Experiment.from_json(run_json["experiment"])
    dataset = open_data(experiment.data, on_read, stop)
    if dataset.fingerprint != run_json["data"]["fingerprint"]:
        raise DataError(
            f"{experiment.data.source} has changed since the run began: "
            f"{len(dataset):,} samples now, {run_json['data']['count']:,} then",
            "the same samples under the same labels",
            "restore the data, or begin a new run with another --out",
        )
    return dataset


def _load_experiment(out: Path, runtime: Runtime) -> Experiment:
    """The experiment in `run.json`; the number of threads is set to that of its first start."""
    run_json = load_run_json(out)
    if run_json is None:
        raise SparringError(
            f"no {out / RUN_FILE}", "a folder that all processes see", "put --out on a shared disk"
        )
    threads = run_json["machine"].get("threads")
    runtime.use_threads(threads if isinstance(threads, int) else 0)
    return Experiment.from_json(run_json["experiment"])
