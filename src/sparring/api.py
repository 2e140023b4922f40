"""The Python interface: `train()`, `load()` and `Run`, which samples, translates, evaluates and reads the
records of a run.
"""

import contextlib
import math
import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sparring import report
from sparring.core.errors import DivergedError, SparringError
from sparring.core.progress import process_rank
from sparring.core.runtime import DeviceOptions, Runtime
from sparring.evaluation.evaluate import evaluate_and_record
from sparring.evaluation.request import EvaluationRequest
from sparring.evaluation.result import Result
from sparring.experiment import Experiment
from sparring.export import hub
from sparring.inference import TranslateOptions, classification, reconstruction, sampling, translate_array
from sparring.protocols.protocol import parse_metric_names
from sparring.runs import checkpoint, generator_file, records
from sparring.runs.load_model import load_generator
from sparring.runs.records import RUN_FILE
from sparring.runs.request import Request, Size, default_run_folder, parse_data, parse_size, read_config_file
from sparring.runs.run_json import load_experiment, load_resize_mode
from sparring.terminal.console import Console
from sparring.training.start import TrainResult, run_training


class Run:
    """A run folder, or a generator file alone.

    >>> import sparring
    >>> run = sparring.load("runs/cats")  # doctest: +SKIP
    >>> run.sample(16, seed=0).shape  # doctest: +SKIP
    (16, 64, 64, 3)

    Arguments:
        path: of the run folder or the `generator.safetensors`.
        device: `auto`, `cpu`, `cuda` or `mps`.
        checkpoint: `best`, `last` or the images of a checkpoint; None is the generator file.
    """

    def __init__(self, path: Path, device: str = "auto", checkpoint: str | int | None = None) -> None:
        self.path, self.device, self.checkpoint = path, device, checkpoint

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    @cached_property
    def generator(self) -> generator_file.LoadedModel:
        """The EMA model with its metadata, read when first used: of the generator file (the last of the run, or the best
        where a finished run ended clearly worse), or of the checkpoint.
        """
        runtime = DeviceOptions(device=self.device).start()
        return load_generator(self.path, runtime, self.checkpoint)

    @cached_property
    def experiment(self) -> Experiment:
        """The complete settings of the run, read when first used.

        Raises:
            SparringError: the path is a generator file alone.
        """
        path = self.path / RUN_FILE
        if not path.is_file():
            raise SparringError(
                f"no {path}", "a run folder", "give the folder that `sparring train --out` wrote"
            )
        return load_experiment(path)[0]

    @property
    def classes(self) -> list[str]:
        """The names of the classes that samples can be conditioned on; empty without labels."""
        loaded = self.generator
        return [str(name) for name in loaded.metadata["classes"]] if loaded.model.spec.num_classes else []

    def labels(
        self, n: int, labels: str | int | Sequence[str | int] | None = None, seed: int = 0
    ) -> Tensor | None:
        """Class numbers (n,) for `n` samples; None of a model without classes.

        Arguments:
            labels: name or number of a class for all samples, or one for each; None draws them with the data's frequencies.
            seed: of the draw.

        Raises:
            SparringError: an unknown class, or not `n` of them.
        """
        if labels is None:
            return self.generator.generation.draw_labels(seed, range(n))
        each = [labels] * n if isinstance(labels, str | int) else list(labels)
        if len(each) != n:
            raise SparringError(
                f"{len(each)} labels for {n} samples", "one each, or one for all", "fix the number"
            )
        classes = self.classes
        return torch.tensor([sampling.class_index(label, classes) for label in each], dtype=torch.int64)

    def sample(
        self,
        n: int,
        seed: int = 0,
        labels: str | int | Sequence[str | int] | None = None,
        truncation: float = 1.0,
    ) -> np.ndarray:
        """Generate samples. Sample i depends on `seed`, i and its label alone: the first 3 of 10 are the same as 3.

        >>> run.sample(4, seed=1, labels="cat").dtype  # doctest: +SKIP
        dtype('uint8')

        Arguments:
            n: number of samples.
            seed: of the latents.
            labels: name or number of a class for all samples, or one for each; None draws them with the data's frequencies.
            truncation: factor on the latents; below 1 samples are more typical and less diverse.

        Returns:
            uint8 (n, h, w, c), or float32 points (n, d) in the data's own units.

        Raises:
            SparringError: a value is out of range, or the model generates nothing.
        """
        if n < 1 or not (math.isfinite(truncation) and truncation >= 0):
            raise SparringError(
                f"n={n}, truncation={truncation}", "n at least 1, truncation 0 or more", "fix the number"
            )
        loaded, y = self.generator, self.labels(n, labels, seed)
        return sampling.sample_array(
            loaded.generation, loaded.metadata, n, seed, labels=y, truncation=truncation
        )

    def encode(self, samples: np.ndarray, labels: Sequence[int] | None = None) -> np.ndarray:
        """Latent codes float32 (n, code) of samples, by a run with an encoder (`ae`, `vae`, `svae` ...).

        >>> codes = run.encode(images)  # doctest: +SKIP

        Arguments:
            samples: uint8 (n, h, w, c) of the run's size, or points (n, d).
            labels: class numbers (n,), for a conditional run.
        """
        loaded, y = self.generator, None if labels is None else torch.as_tensor(labels)
        return reconstruction.encode(loaded.generation, loaded.metadata, samples, y).numpy()

    def reconstruct(self, samples: np.ndarray, labels: Sequence[int] | None = None) -> np.ndarray:
        """Encode samples and decode them again; arguments as for `encode`, the result has the shape of `samples`."""
        loaded, y = self.generator, None if labels is None else torch.as_tensor(labels)
        return reconstruction.reconstruct(loaded.generation, loaded.metadata, samples, y)

    def translate(
        self, image: np.ndarray, direction: str = "a-to-b", scale: str | int = "trained"
    ) -> np.ndarray:
        """Translate one image of any size to the other domain; for many see `sparring translate`.

        >>> zebra = run.translate(horse)  # doctest: +SKIP

        Arguments:
            image: uint8 (h, w, c).
            direction: `a-to-b` or `b-to-a`.
            scale: `trained` resizes to the size of training, `native` keeps the size, a number is the shorter side.

        Returns:
            uint8 (h, w, c'), of the image's height and width.
        """
        model, runtime = self.generator.translation, DeviceOptions(device=self.device).start()
        options = TranslateOptions(scale=scale)
        return translate_array(model, image, direction, runtime, options, load_resize_mode(self.path))

    def classify(self, samples: np.ndarray) -> np.ndarray:
        """Class probabilities float64 (n, classes) of samples, in the order of `classes`.

        >>> run.classify(images).argmax(1)  # doctest: +SKIP

        Arguments:
            samples: uint8 (n, h, w, c) of the run's size, or points (n, d).
        """
        return classification.classify(self.path, self.generator, samples).numpy()

    def evaluate(
        self, against: str | Path | None = None, metrics: str | Sequence[str] = (), **options: Any
    ) -> list[Result]:
        """Evaluate the model, as `sparring evaluate` does, and record the results in the run folder.

        >>> fd, authenticity = run.evaluate(metrics="fd,auth")  # doctest: +SKIP

        Arguments:
            against: the real samples; None takes the run's own data.
            metrics: names, separated by commas or in a list, short (`fd`) or complete (`fd1k-pca-train`); none for the defaults.
            options: further fields of `EvaluationRequest`: `checkpoint`, `n`, `seed`, `weights`, `direction`.
        """
        request = EvaluationRequest(
            subject=self.path,
            against=None if against is None else str(against),
            metrics=parse_metric_names(metrics),
            **options,
        )
        return list(evaluate_and_record(request, DeviceOptions(device=self.device)).results)

    def metrics(self) -> list[dict[str, Any]]:
        """The rows of metrics.jsonl: losses, diagnostics and speed at each report."""
        return records.read_jsonl(self.path / records.METRICS_FILE)

    def events(self) -> list[dict[str, Any]]:
        """The rows of events.jsonl: skipped steps, roll-backs, failed saves and the like (see `records.EVENTS`)."""
        return records.read_jsonl(self.path / records.EVENTS_FILE)

    def evaluations(self) -> list[dict[str, Any]]:
        """The rows of evaluations.jsonl: the evaluations made during training."""
        return records.read_evaluations(self.path)

    @property
    def best_checkpoint(self) -> int | None:
        """The checkpoint to use by the run's metric, in images seen: the newest, or the best where the newest is clearly worse.
        None without a metric.
        """
        return checkpoint.best_checkpoint(self.path)

    def report(self) -> Path:
        """Write `report.html` and return its path."""
        return report.write(self.path)


def load(path: str | Path, device: str = "auto", checkpoint: str | int | None = None) -> Run:
    """Open a run.

    >>> load("runs/none")
    Traceback (most recent call last):
    sparring.core.errors.SparringError: no run at runs/none
      expected: a run folder, or a generator.safetensors
      do this: train first, or fix the path

    Arguments:
        path: of a run folder, a generator.safetensors, or a folder of `sparring export --to safetensors`; or
            `hf://user/name[@revision]` on the Hugging Face hub (needs the extra `hub`).
        device: `auto`, `cpu`, `cuda` or `mps`.
        checkpoint: of a run folder: `best`, `last` or its images; None is the generator file.

    Raises:
        SparringError: there is none of these.
    """
    folder = hub.locate(os.fspath(path))
    if not (folder / RUN_FILE).is_file() and not generator_file.find_file(folder).is_file():
        raise SparringError(
            f"no run at {folder}", "a run folder, or a generator.safetensors", "train first, or fix the path"
        )
    return Run(folder, device, checkpoint)


def train(
    data: str | Path | Sequence[str | Path] | None = None,
    *,
    recipe: str | None = None,
    out: str | Path | None = None,
    images: int | None = None,
    seed: int | None = None,
    size: Size | None = None,
    batch: int | None = None,
    start_from: str | Path | None = None,
    until: str | None = None,
    settings: Sequence[str] = (),
    config: str | Path | Mapping[str, Any] | None = None,
    device: str = "auto",
    precision: str = "auto",
    threads: int | None = None,
    quiet: bool = True,
) -> Run:
    """Train a model, or resume the run in `out`: `sparring train` in Python, with the same options.

    >>> run = train("photos/", out="runs/photos", images=100_000)  # doctest: +SKIP
    >>> run = train("dogs/", start_from="runs/photos")  # doctest: +SKIP
    >>> run = train(["horses/", "zebras/"], recipe="cyclegan", settings=["training.batch=4"])  # doctest: +SKIP

    Arguments:
        data: a path or a built-in name, or two of them for a translation; None is the built-in set.
        recipe: its name; None chooses one for the data.
        out: the run folder; None is `runs/DATA-RECIPE`.
        images: length of the run, in real samples seen.
        seed: of all random numbers.
        size: side of the images in pixels, or (height, width), or a text such as `48x80`.
        batch: samples per step.
        start_from: the run, the generator file or the address `hf://user/name` whose weights the run begins with; `--from`.
        until: a time (`2h`), a target (`fd<=20`), or both, separated by a comma.
        settings: single settings, of the form `training.batch=32`.
        config: a YAML or JSON file of settings, or a mapping.
        device, precision, threads: as for the command line.
        quiet: print no progress.

    Raises:
        SparringError: an option or the data is wrong. DivergedError: training diverged again and again.
    """
    if isinstance(config, Mapping):
        document = dict(config)
    else:
        document = read_config_file(Path(config)) if config is not None else {}
    sources = [] if data is None else [data] if isinstance(data, str | os.PathLike) else data
    source, data_b = parse_data([os.fspath(one) for one in sources])
    request = Request(
        data=source,
        data_b=data_b,
        recipe=recipe,
        images=images,
        seed=seed,
        batch=batch,
        size=parse_size(size),
        start_from=None if start_from is None else os.fspath(start_from),
        until=until,
        settings=tuple(settings),
        document=document,
    )
    folder = Path(out) if out is not None else default_run_folder(request)
    options = DeviceOptions(device=device, precision=precision, threads=threads)
    with Console.for_stdout(quiet=quiet) as console:
        train_and_report(request, folder, options, console)
    return Run(folder, device)


def train_and_report(request: Request, out: Path, options: DeviceOptions, console: Console) -> TrainResult:
    """Train, show the progress on the console, and write `report.html`, unless the run was finished before."""

    def start_runtime(images: bool) -> Runtime:
        runtime = options.start(images)
        console.machine = runtime.describe()
        return runtime

    console.run_dir = out
    try:
        callbacks = console.update, console.show_start, console.show_reading
        result = run_training(request, out, start_runtime, *callbacks, hub.locate)
    except DivergedError:
        _write_report(out)
        raise
    finally:
        console.close()
    if not (result.was_finished and _is_report_current(out)):
        _write_report(out)
    return result


def _is_report_current(out: Path) -> bool:
    """Whether the report was written after the last metrics: a kill may have come between the two."""
    try:
        return (out / report.REPORT_NAME).stat().st_mtime >= (out / records.METRICS_FILE).stat().st_mtime
    except OSError:
        return False


def _write_report(out: Path) -> None:
    """Write the report in the main process, if the run has begun; a full disk must not cost the run's result."""
    with contextlib.suppress(OSError):
        if process_rank() == 0 and (out / RUN_FILE).exists():
            report.write(out)
