"""The model that is explored: reloaded when its file changes. Everything here runs in the compute worker's
thread.
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


@dataclass(frozen=True, kw_only=True)
class ClassChoice:
    """The class to generate.

    Arguments:
        label: of the image; None is the sample's own.
        blend_label: a class that is blended with it.
        blend_weight: of the blended class, 0 to 1.
    """

    label: int | None = None
    blend_label: int | None = None
    blend_weight: float = 0.0


@dataclass
class CurrentModel:
    """A generator file that was read.

    Arguments:
        loaded: its model and metadata.
        digest: SHA-256 of the file, the first 16 digits.
        directions: latent directions found for it, by name: vectors (latent,).
        direction_info: descriptions of these, by kind, as they are sent to the page.
        is_searching: whether directions are being searched for.
    """

    loaded: generator_file.LoadedModel
    digest: str
    directions: dict[str, Tensor] = field(default_factory=dict)
    direction_info: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    is_searching: bool = False

    @property
    def generation(self) -> GeneratorModel:
        """The generator.

        Raises:
            HTTPError: the model is of another kind.
        """
        if not isinstance(self.loaded.model, GeneratorModel):
            raise HTTPError(409, "this run has no generator of samples")
        return self.loaded.model


def mix_latents(latents: Tensor, weights: Tensor) -> Tensor:
    """The weighted sum (latent,) of latents (n, latent), scaled to their mean norm, which is weighted by |weights|.

    >>> mix_latents(torch.eye(2), torch.tensor([1.0, 1.0])).norm().round(decimals=4)
    tensor(1.)
    """
    mix = weights @ latents
    norm = (weights.abs() @ latents.norm(dim=1)) / weights.abs().sum().clamp_min(1e-12)
    return mix * (norm / mix.norm().clamp_min(1e-6))


def stack_vertically(images: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
    """Images (n, h, w, c) stacked into one, (n h, w, c), which the page cuts apart."""
    return np.concatenate(list(images))


MAX_STORED_UPLOADS = 64  # uploads whose latents are kept


class ReloadingModel:
    """The model of a run, as of its last save.

    Arguments:
        path: of a run folder, or of a generator.safetensors alone.
        device: to compute on.
        threads: of the CPU; None leaves it to torch.
    """

    def __init__(self, path: Path, device: str = "auto", threads: int | None = None) -> None:
        self.file = generator_file.find_file(path)
        self.runtime: Runtime = DeviceOptions(device=device, threads=threads).start()
        self.signature: tuple[int, ...] = ()
        self.latest: CurrentModel | None = None
        self.uploads: OrderedDict[int, tuple[Tensor, Tensor | None]] = OrderedDict()
        self.num_uploads = 0

    def current(self) -> CurrentModel:
        """The model of the newest readable file.

        Raises:
            HTTPError: there is no file yet. SparringError: the first file can't be read.
        """
        signature = self._file_signature()
        if signature and signature != self.signature:
            try:
                self._read()
            except SparringError:
                if self.latest is None:
                    raise
            self.signature = signature
        if self.latest is None:
            raise HTTPError(409, "no generator yet: the run has not saved one")
        return self.latest

    def warm_up(self) -> None:
        """Read the model and generate one sample, so that the first request is fast."""
        if isinstance(self.current().loaded.model, GeneratorModel):
            self.current().generation.sample(0, range(1))

    def _file_signature(self) -> tuple[int, ...]:
        try:
            status = self.file.stat()
        except OSError:
            return ()
        return status.st_mtime_ns, status.st_size, status.st_ino

    def _read(self) -> None:
        with open(self.file, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()[:16]
        loaded = generator_file.load(self.file)
        self.runtime.to_device(loaded.model)
        if self.latest is not None and digest != self.latest.digest:
            self.uploads.clear()  # their latents belong to the previous network
        self.latest = CurrentModel(loaded, digest)

    def store_upload(self, latent: Tensor, label: Tensor | None) -> int:
        """Store the latent (latent,) of an upload, and its label (1,) or class weights (1, classes). Only the newest
        `MAX_STORED_UPLOADS` are kept.

        Returns: the upload's number.
        """
        self.num_uploads += 1
        self.uploads[self.num_uploads] = latent, label
        while len(self.uploads) > MAX_STORED_UPLOADS:
            self.uploads.popitem(last=False)
        return self.num_uploads

    def latent(self, point: LatentPoint, truncation: float = 1.0) -> Tensor:
        """The latent (latent,) of a point.

        A mix is sum_i w_i z_i, scaled to the mean norm of the z_i, near which normal latents lie. An edit adds amount * v, for a
        direction v.
        """
        latents = torch.stack([self._latent_of_term(term) for term in point.terms])
        weights = torch.tensor([term.weight for term in point.terms])
        z = latents[0] if len(latents) == 1 and weights[0] == 1 else mix_latents(latents, weights)
        z = z * truncation
        for name, amount in point.edits:
            vector = self.current().directions.get(name)
            if vector is None:
                raise HTTPError(409, "unknown direction; load the directions of this generator again")
            z = z + amount * vector
        return z

    def _latent_of_term(self, term: LatentTerm) -> Tensor:
        generation = self.current().generation
        if term.kind == "sample":
            seed, index = (int(value) for value in term.values)
            return rng.sample_latents(seed, range(index, index + 1), generation.latent)[0]
        if term.kind == "upload":
            upload = self.uploads.get(int(term.values[0]))
            if upload is None:
                raise HTTPError(410, "this upload is no longer stored; upload the image again")
            return upload[0]
        if generation.latent != 2:
            raise HTTPError(409, "coordinates need a latent space of two dimensions")
        return torch.tensor(term.values, dtype=torch.float32)

    def label(self, point: LatentPoint, class_choice: ClassChoice) -> Tensor | None:
        """The label (1,) of a point: the chosen one, else that of its first sample; of a blend, class weights (1, classes)."""
        generation = self.current().generation
        classes = generation.spec.num_classes
        if not classes:
            if class_choice != ClassChoice():
                raise HTTPError(400, "label: this run has no classes")
            return None
        for label in (class_choice.label, class_choice.blend_label):
            if label is not None and label >= classes:
                raise HTTPError(400, f"label: an integer from 0 to {classes - 1}")
        first = (
            self._default_label(point) if class_choice.label is None else torch.tensor([class_choice.label])
        )
        if class_choice.blend_label is None or not can_blend(generation):
            return first
        weights = to_class_weights(first, classes) * (1 - class_choice.blend_weight)
        weights[0, class_choice.blend_label] += class_choice.blend_weight
        return weights

    def _default_label(self, point: LatentPoint) -> Tensor:
        for term in point.terms:
            if term.kind == "sample":
                index = int(term.values[1])
                labels = self.current().generation.draw_labels(int(term.values[0]), range(index, index + 1))
                assert labels is not None
                return labels
            if term.kind == "upload" and int(term.values[0]) in self.uploads:
                label = self.uploads[int(term.values[0])][1]
                return torch.zeros(1, dtype=torch.int64) if label is None else label
        return torch.zeros(1, dtype=torch.int64)

    @torch.no_grad()
    def generate(self, latents: Tensor, labels: Tensor | None) -> np.ndarray:
        """Samples of latents (n, latent): images, uint8 (n, h, w, c), or points in the data's units.

        Arguments:
            labels: (n,), or class weights (n, classes).
        """
        current, device = self.current(), self.runtime.device
        samples = forward(
            current.generation, latents.to(device), None if labels is None else labels.to(device)
        )
        return to_output(samples, current.generation.spec, current.loaded.metadata["units"])
