"""The generator that is shown: reloaded when its file changes, asked for samples. All of it runs in the
worker's thread.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sparring.core import rng
from sparring.core.errors import SparringError
from sparring.core.runtime import DeviceOptions, Runtime
from sparring.data import to_output
from sparring.inference.latent.decoding import can_blend, forward, to_class_weights
from sparring.models.generator import GeneratorModel
from sparring.runs import generator_file
from sparring.serve.http import HTTPError, LatentPoint, LatentTerm

# noqa: F401 (for the example)


@dataclass(frozen=True, kw_only=True)
class ClassChoice:
    """The class that is wanted.

    Arguments:
        label: of the image; None is the sample's own.
        towards: another class that is blended in.
        share: of that, 0 to 1.
    """

    label: int | None = None
    blend_label: int | None = None
    blend_weight: float = 0.0


@dataclass(frozen=True)
class CurrentModel:
    """A generator file as it was read.

    Arguments:
        loaded: what was in it.
        digest: SHA-256 of it, the first 16 digits.
        directions: that were found for it, by their names: vectors (latent,).
        sheets: what was said of them, by kind.
    """

    loaded: generator_file.LoadedModel
    digest: str
    directions: dict[str, Tensor] = field(default_factory=dict)
    direction_info: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def generation(self) -> GeneratorModel:
        """The generator; refused where there is none."""
        if not isinstance(self.loaded.model, GeneratorModel):
            raise HTTPError(409, "this run has no generator of samples")
        return self.loaded.model


def mix_latents(parts: Tensor, weights: Tensor) -> Tensor:
    """The weighted sum (latent,) of latents (n, latent), as long as they are on average by the weights' sizes.

    >>> mix_latents(torch.eye(2), torch.tensor([1.0, 1.0])).norm().round(decimals=4)
    tensor(1.)
    """
    total = weights @ parts
    length = (weights.abs() @ parts.norm(dim=1)) / weights.abs().sum().clamp_min(1e-12)
    return total * (length / total.norm().clamp_min(1e-6))


def stack_vertically(images: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
    """Images (n, h, w, c) below each other (n h, w, c): the page cuts them apart."""
    return np.concatenate(list(images))


MAX_STORED_UPLOADS = 64  # latents of uploaded images that are remembered


class ReloadingModel:
    """The generator of a run.

    Arguments:
        path: of a run folder, or of a generator.safetensors alone.
        device: to draw on.
        threads: of the CPU.
    """

    def __init__(self, path: Path, device: str = "auto", threads: int | None = None) -> None:
        self.file = generator_file.find_file(path)
        self.runtime: Runtime = DeviceOptions(device=device, threads=threads).start()
        self.stamp: tuple[int, ...] = ()
        self.last: CurrentModel | None = None
        self.uploads: OrderedDict[int, tuple[Tensor, Tensor | None]] = OrderedDict()
        self.count = 0

    def current(self) -> CurrentModel:
        """The generator as it is now; where the new file can't be read, the one before.

        Raises:
            Refused: there is none yet.
        """
        stamp = self._stamp()
        if stamp and stamp != self.stamp:
            try:
                self._read()
            except SparringError:
                if self.last is None:
                    raise
            self.stamp = stamp
        if self.last is None:
            raise HTTPError(409, "no generator yet: it is saved when the run saves for the first time")
        return self.last

    def warm_up(self) -> None:
        """Read the generator and draw once, so that the first image does not wait for it."""
        if isinstance(self.current().loaded.model, GeneratorModel):
            self.current().generation.sample(0, range(1))

    def _stamp(self) -> tuple[int, ...]:
        try:
            about = self.file.stat()
        except OSError:
            return ()
        return about.st_mtime_ns, about.st_size, about.st_ino

    def _read(self) -> None:
        with open(self.file, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()[:16]
        loaded = generator_file.load(self.file)
        self.runtime.to_device(loaded.model)
        if self.last is not None and digest != self.last.digest:
            self.uploads.clear()  # they were found for the network before
        self.last = CurrentModel(loaded, digest)

    def store_upload(self, latent: Tensor, label: Tensor | None) -> int:
        """Keep the latent (latent,) and label (1,) or shares (1, classes) that were found for an upload; its number. Of very many
        the oldest are forgotten."""
        self.count += 1
        self.uploads[self.count] = latent, label
        while len(self.uploads) > MAX_STORED_UPLOADS:
            self.uploads.popitem(last=False)
        return self.count

    def latent(self, point: LatentPoint, truncation: float = 1.0) -> Tensor:
        """The latent (latent,) of a point.

        A mix is sum_i w_i z_i, brought to the length that its parts have on average: where normal latents lie. Along a direction v
        the latent goes by amount * v.
        """
        parts = torch.stack([self._one(term) for term in point.terms])
        weights = torch.tensor([term.weight for term in point.terms])
        z = parts[0] if len(parts) == 1 and weights[0] == 1 else mix_latents(parts, weights)
        z = z * truncation
        for name, amount in point.edits:
            vector = self.current().directions.get(name)
            if vector is None:
                raise HTTPError(409, "a direction that was not found for this generator; ask for them again")
            z = z + amount * vector
        return z

    def _one(self, term: LatentTerm) -> Tensor:
        generation = self.current().generation
        if term.kind == "sample":
            seed, index = (int(value) for value in term.values)
            return rng.sample_latents(seed, range(index, index + 1), generation.latent)[0]
        if term.kind == "upload":
            found = self.uploads.get(int(term.values[0]))
            if found is None:
                raise HTTPError(410, "this upload is no longer remembered; give the image again")
            return found[0]
        if generation.latent != 2:
            raise HTTPError(409, "places on a map, of a latent space that has not two dimensions")
        return torch.tensor(term.values, dtype=torch.float32)

    def label(self, point: LatentPoint, class_choice: ClassChoice) -> Tensor | None:
        """The label (1,) of a point: what is wanted, else that of its first sample; or shares (1, classes) of a blend of two."""
        generation = self.current().generation
        classes = generation.spec.num_classes
        if not classes:
            if class_choice != ClassChoice():
                raise HTTPError(400, "label: this run has no classes")
            return None
        for number in (class_choice.label, class_choice.blend_label):
            if number is not None and number >= classes:
                raise HTTPError(400, f"label: a whole number from 0 to {classes - 1}")
        first = self._own_label(point) if class_choice.label is None else torch.tensor([class_choice.label])
        if class_choice.blend_label is None or not can_blend(generation):
            return first
        shares = to_class_weights(first, classes) * (1 - class_choice.blend_weight)
        shares[0, class_choice.blend_label] += class_choice.blend_weight
        return shares

    def _own_label(self, point: LatentPoint) -> Tensor:
        for term in point.terms:
            if term.kind == "sample":
                index = int(term.values[1])
                drawn = self.current().generation.draw_labels(int(term.values[0]), range(index, index + 1))
                assert drawn is not None
                return drawn
            if term.kind == "upload" and int(term.values[0]) in self.uploads:
                label = self.uploads[int(term.values[0])][1]
                return torch.zeros(1, dtype=torch.int64) if label is None else label
        return torch.zeros(1, dtype=torch.int64)

    @torch.no_grad()
    def generate(self, latents: Tensor, labels: Tensor | None) -> np.ndarray:
        """Samples of latents (n, latent) as they are saved: uint8 (n, h, w, c), or points. `labels`: (n,), or shares of each."""
        shown, device = self.current(), self.runtime.device
        made = forward(shown.generation, latents.to(device), None if labels is None else labels.to(device))
        return to_output(made, shown.generation.spec, shown.loaded.metadata["units"])
