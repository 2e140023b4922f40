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
from sparring.core import runtime
from sparring.core.errors import DivergedError, SparringError
from sparring.core.runtime import DeviceOptions
from sparring.evaluation.evaluate import evaluate_and_record
from sparring.evaluation.request import EvaluationRequest
from sparring.evaluation.result import Result
from sparring.experiment import Experiment
from sparring.inference import TranslateOptions, classification, reconstruction, sampling, translate_array
from sparring.protocols.protocol import parse_metric_names
from sparring.runs import checkpoint, generator_file, records
from sparring.runs.request import Request, Size, default_run_folder, parse_data, parse_size, read_config_file
from sparring.runs.run_json import RUN_FILE, load_experiment, load_resize_mode
from sparring.terminal.console import Console
from sparring.training.start import TrainResult
from sparring.training.start import run_training as play


class Run:
    """A run folder, or a generator file alone.

    Arguments:
        path: of the folder or the `generator.safetensors`.
        device: to sample on.
    """

    def __init__(self, path: Path, device: str = "auto") -> None:
        self.path, self.device = path, device

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    @cached_property
    def generator(self) -> generator_file.LoadedModel:
        """The averaged generator as it was saved last."""
        found = generator_file.load(generator_file.find_file(self.path))
        DeviceOptions(device=self.device).start().to_device(found.model)
        return found

    @cached_property
    def experiment(self) -> Experiment:
        """The settings, with nothing left to choose."""
        path = self.path / RUN_FILE
        if not path.is_file():
            raise SparringError(
                f"no {path}", "a run folder", "give the folder that was --out of `sparring train`"
            )
        return load_experiment(path)[0]

    @property
    def classes(self) -> list[str]:
        """Names of the classes that can be asked for; none without labels."""
        found = self.generator
        return [str(name) for name in found.metadata["classes"]] if found.model.spec.num_classes else []

    def labels(
        self, n: int, wanted: str | int | Sequence[str | int] | None = None, seed: int = 0
    ) -> Tensor | None:
        """The labels (n,) of `n` samples: one class for all, one each, or (None) as frequent as in the data."""
        classes = self.classes
        if wanted is None:
            return self.generator.generation.draw_labels(seed, range(n))
        each = [wanted] * n if isinstance(wanted, str | int) else list(wanted)
        if len(each) != n:
            raise SparringError(
                f"{len(each)} labels for {n} samples", "one each, or one for all", "fix the number"
            )
        return torch.tensor([sampling.class_index(label, classes) for label in each], dtype=torch.int64)

    def sample(
        self,
        n: int,
        seed: int = 0,
        labels: str | int | Sequence[str | int] | None = None,
        truncation: float = 1.0,
    ) -> np.ndarray:
        """Samples: uint8 (n, h, w, c), or float32 points (n, d) in the data's own units.

        Sample i depends on `seed`, i and its label alone: the first 3 of 10 are the same as 3.

        Arguments:
            labels: name or number of a class, or `n` of them; None draws them as frequent as in the data.
            truncation: factor on the latents: below 1 more typical and less varied.
        """
        if n < 1 or not (math.isfinite(truncation) and truncation >= 0):
            raise SparringError(
                f"n={n}, truncation={truncation}", "n at least 1, truncation 0 or more", "fix the number"
            )
        found = self.generator
        chosen = self.labels(n, labels, seed)
        return sampling.sample_array(
            found.generation, found.metadata, n, seed, labels=chosen, truncation=truncation
        )

    def encode(self, samples: np.ndarray, labels: Sequence[int] | None = None) -> np.ndarray:
        """Codes float32 (n, code) of samples, by a run with an encoder (ae, vae, svae ...).

        Arguments:
            samples: uint8 (n, h, w, c) of the run's size, or points (n, d).
            labels: (n,) numbers of classes, for a conditional run.
        """
        found, y = self.generator, None if labels is None else torch.as_tensor(labels)
        return reconstruction.encode(found.generation, found.metadata, samples, y).numpy()

    def reconstruct(self, samples: np.ndarray, labels: Sequence[int] | None = None) -> np.ndarray:
        """Samples as they come back from their codes, as many and of the same kind; see `encode`."""
        found, y = self.generator, None if labels is None else torch.as_tensor(labels)
        return reconstruction.reconstruct(found.generation, found.metadata, samples, y)

    def translate(
        self, image: np.ndarray, direction: str = "a-to-b", scale: str | int = "trained"
    ) -> np.ndarray:
        """A image uint8 (h, w, c) of any size in the other domain: uint8 (h, w, c'). For many: `sparring translate`."""
        found, machine = self.generator.translation, DeviceOptions(device=self.device).start()
        return translate_array(
            found, image, direction, machine, TranslateOptions(scale=scale), load_resize_mode(self.path)
        )

    def classify(self, samples: np.ndarray) -> np.ndarray:
        """Probabilities float64 (n, classes) of the samples' classes, in the order of `classes`; `sampling` as for `encode`."""
        return classification.classify(self.path, self.generator, samples).numpy()

    def evaluate(
        self, against: str | Path | None = None, metrics: str | Sequence[str] = (), **choices: Any
    ) -> list[Result]:
        """Evaluate the generator: `sparring evaluate` in Python. `against`: real samples; None takes the run's own. `metrics`: names,
        short (`fd`) or complete (`fd1k-pca-train`), separated by commas; none: the default ones. `choices`: see `EvaluationRequest`.
        """
        wish = EvaluationRequest(
            subject=self.path,
            against=None if against is None else str(against),
            metrics=parse_metric_names(metrics),
            **choices,
        )
        return list(evaluate_and_record(wish, DeviceOptions(device=self.device)).results)

    def metrics(self) -> list[dict[str, Any]]:
        """The lines of metrics.jsonl."""
        return records.read_jsonl(self.path / records.METRICS_FILE)

    def events(self) -> list[dict[str, Any]]:
        """The lines of events.jsonl: all that was unusual."""
        return records.read_jsonl(self.path / records.EVENTS_FILE)

    @property
    def best(self) -> int | None:
        """The checkpoint that was best by the run's metric, in images seen (see `checkpoint.best`); None without a metric."""
        return checkpoint.best_checkpoint(self.path)

    def evaluations(self) -> list[dict[str, Any]]:
        """The lines of evaluations.jsonl: what the metric came to while the run was trained."""
        return records.read_evaluations(self.path)

    def report(self) -> Path:
        """Write `report.html`, and tell where it is."""
        return report.write(self.path)


def load(path: str | Path, device: str = "auto") -> Run:
    """A run that is there: its folder, a generator.safetensors alone, a folder of `sparring export --to safetensors`, or
    `hf://user/name[@revision]` on the Hugging Face hub (extra `hub`).

    Raises:
        SparringError: there is none of these.
    """
    where = Path(path)
    if os.fspath(path).startswith("hf:/"):
        from sparring.export import hub

        where = hub.pull(os.fspath(path))
    if not (where / RUN_FILE).is_file() and not generator_file.find_file(where).is_file():
        raise SparringError(
            f"no run at {where}", "a run folder, or a generator.safetensors", "train first, or fix the path"
        )
    return Run(where, device)


def train(
    data: str | Path | Sequence[str | Path] | None = None,
    *,
    recipe: str | None = None,
    out: str | Path | None = None,
    images: int | None = None,
    seed: int | None = None,
    size: Size | None = None,
    batch: int | None = None,
    until: str | None = None,
    settings: Sequence[str] = (),
    config: str | Path | Mapping[str, Any] | None = None,
    device: str = "auto",
    precision: str = "auto",
    threads: int | None = None,
    quiet: bool = True,
) -> Run:
    """Train, or go on with a run that is there: `sparring train` in Python, with the same options.

    Arguments:
        data: a path or a built-in name, or two of them for a translation.
        size: side of the images, or (height, width), or a text such as `48x80`.
        settings: of the form `training.batch=32`.
        config: a file of settings, or a table of them.
    """
    document = (
        dict(config)
        if isinstance(config, Mapping)
        else read_config_file(Path(config))
        if config is not None
        else {}
    )
    given = [] if data is None else [data] if isinstance(data, str | os.PathLike) else data
    source, data_b = parse_data([os.fspath(one) for one in given])
    request = Request(
        data=source,
        data_b=data_b,
        recipe=recipe,
        images=images,
        seed=seed,
        batch=batch,
        size=parse_size(size),
        until=until,
        settings=tuple(settings),
        document=document,
    )
    folder = Path(out) if out is not None else default_run_folder(request)
    machine = DeviceOptions(device=device, precision=precision, threads=threads)
    with Console.for_stdout(quiet=quiet) as console:
        train_and_report(request, folder, machine, console)
    return Run(folder, device)


def train_and_report(request: Request, out: Path, machine: DeviceOptions, console: Console) -> TrainResult:
    """Train while the console tells of it, and write the report."""
    leads = int(os.environ.get("RANK", 0)) == 0

    def start(images: bool) -> runtime.Runtime:
        started = machine.start(images)
        console.machine = started.describe()
        return started

    console.run_dir = out
    try:
        result = play(request, out, start, console.update, console.show_start, console.show_reading)
    except DivergedError:
        write_report(out, leads)
        raise
    finally:
        console.close()
    write_report(out, leads)
    return result


def write_report(out: Path, leads: bool) -> None:
    """Write the report, if there is a run and room for it: it is never worth losing a run's result."""
    with contextlib.suppress(OSError):
        if leads and (out / RUN_FILE).exists():
            report.write(out)
