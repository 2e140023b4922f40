"""A run in Python: train, load, sample, look at the record."""

import math
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sparring import (
    checkpoint,
    classification,
    generatorfile,
    reconstruction,
    record,
    report,
    samples,
)
from sparring.errors import SparringError
from sparring.evaluation.line import Line
from sparring.evaluation.wish import Wish, listed, named
from sparring.experiment import Experiment
from sparring.judgement import judge
from sparring.machine import Machine
from sparring.runfile import RUN_FILE, described, fit_of
from sparring.translation import Manner, translate_array


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
    def generator(self) -> generatorfile.Loaded:
        """The averaged generator as it was saved last."""
        found = generatorfile.load(generatorfile.place(self.path))
        Machine(device=self.device).start().place(found.kept)
        return found

    @cached_property
    def experiment(self) -> Experiment:
        """The settings, with nothing left to choose."""
        path = self.path / RUN_FILE
        if not path.is_file():
            raise SparringError(
                f"no {path}", "a run folder", "give the folder that was --out of `sparring train`"
            )
        return described(path)[0]

    @property
    def classes(self) -> list[str]:
        """Names of the classes that can be asked for; none without labels."""
        found = self.generator
        return [str(name) for name in found.facts["classes"]] if found.kept.spec.classes else []

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
                f"{len(each)} labels for {n} samples", "one each, or one for all", "mend the number"
            )
        return torch.tensor([samples.class_index(label, classes) for label in each], dtype=torch.int64)

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
                f"n={n}, truncation={truncation}", "n at least 1, truncation 0 or more", "mend the number"
            )
        found = self.generator
        chosen = self.labels(n, labels, seed)
        return samples.draw(found.generation, found.facts, n, seed, labels=chosen, truncation=truncation)

    def encode(self, samples: np.ndarray, labels: Sequence[int] | None = None) -> np.ndarray:
        """Codes float32 (n, code) of samples, by a run with an encoder (ae, vae, svae ...).

        Arguments:
            samples: uint8 (n, h, w, c) of the run's size, or points (n, d).
            labels: (n,) numbers of classes, for a conditional run.
        """
        found, y = self.generator, None if labels is None else torch.as_tensor(labels)
        return reconstruction.codes(found.generation, found.facts, samples, y).numpy()

    def reconstruct(self, samples: np.ndarray, labels: Sequence[int] | None = None) -> np.ndarray:
        """Samples as they come back from their codes, as many and of the same kind; see `encode`."""
        found, y = self.generator, None if labels is None else torch.as_tensor(labels)
        return reconstruction.reconstructed(found.generation, found.facts, samples, y)

    def translate(
        self, picture: np.ndarray, direction: str = "a-to-b", scale: str | int = "trained"
    ) -> np.ndarray:
        """A picture uint8 (h, w, c) of any size in the other domain: uint8 (h, w, c'). For many: `sparring translate`."""
        found, machine = self.generator.translation, Machine(device=self.device).start()
        return translate_array(found, picture, direction, machine, Manner(scale=scale), fit_of(self.path))

    def classify(self, samples: np.ndarray) -> np.ndarray:
        """Probabilities float64 (n, classes) of the samples' classes, in the order of `classes`; `samples` as for `encode`."""
        return classification.classified(self.path, self.generator, samples).numpy()

    def evaluate(
        self, against: str | Path | None = None, metrics: str | Sequence[str] = (), **choices: Any
    ) -> list[Line]:
        """Judge the generator: `sparring evaluate` in Python. `against`: real samples; None takes the run's own. `metrics`: names,
        short (`fd`) or whole (`fd1k-pca-train`); none for the usual ones. `choices`: see `Wish`.
        """
        wish = Wish(subject=self.path, against=named(against), metrics=listed(metrics), **choices)
        return judge(wish, Machine(device=self.device)).lines

    def metrics(self) -> list[dict[str, Any]]:
        """The lines of metrics.jsonl."""
        return record.read(self.path / record.METRICS)

    def events(self) -> list[dict[str, Any]]:
        """The lines of events.jsonl: all that was unusual."""
        return record.read(self.path / record.EVENTS)

    @property
    def best(self) -> int | None:
        """The checkpoint that was best by the run's metric, in images seen (see `checkpoint.best`); None without a metric."""
        return checkpoint.best(self.path)

    def evaluations(self) -> list[dict[str, Any]]:
        """The lines of evaluations.jsonl: what the metric came to while the run was trained."""
        return record.evaluations(self.path)

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
    if not (where / RUN_FILE).is_file() and not generatorfile.place(where).is_file():
        raise SparringError(
            f"no run at {where}", "a run folder, or a generator.safetensors", "train first, or mend the path"
        )
    return Run(where, device)
