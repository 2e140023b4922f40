"""The generator that is shown: read anew when its file changes, and asked for pictures. All of it runs in the worker's thread."""

import hashlib
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sparring import generatorfile, keyed
from sparring.data import to_output
from sparring.errors import SparringError
from sparring.games.generation import Generation
from sparring.latent.decoding import can_blend, forward, shares_of
from sparring.machine import Machine
from sparring.runtime import Runtime
from sparring.serve.asked import Point, Term
from sparring.serve.refused import Refused
from sparring.serve.shown import Shown, Wanted, mixed

UPLOADS = 64  # latents of uploaded pictures that are remembered


class Model:
    """The generator of a run.

    Arguments:
        path: of a run folder, or of a generator.safetensors alone.
        device: to draw on.
        threads: of the CPU.
    """

    def __init__(self, path: Path, device: str = "auto", threads: int | None = None) -> None:
        self.file = generatorfile.place(path)
        self.machine: Runtime = Machine(device=device, threads=threads).start()
        self.stamp: tuple[int, ...] = ()
        self.last: Shown | None = None
        self.uploads: OrderedDict[int, tuple[Tensor, Tensor | None]] = OrderedDict()
        self.count = 0

    def shown(self) -> Shown:
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
            raise Refused(409, "no generator yet: it is saved when the run saves for the first time")
        return self.last

    def warm(self) -> None:
        """Read the generator and draw once, so that the first picture does not wait for it."""
        if isinstance(self.shown().loaded.kept, Generation):
            self.shown().generation.sample(0, range(1))

    def _stamp(self) -> tuple[int, ...]:
        try:
            about = self.file.stat()
        except OSError:
            return ()
        return about.st_mtime_ns, about.st_size, about.st_ino

    def _read(self) -> None:
        with open(self.file, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()[:16]
        loaded = generatorfile.load(self.file)
        self.machine.place(loaded.kept)
        if self.last is not None and digest != self.last.digest:
            self.uploads.clear()  # they were found for the network before
        self.last = Shown(loaded, digest)

    def remember(self, latent: Tensor, label: Tensor | None) -> int:
        """Keep the latent (latent,) and label (1,) or shares (1, classes) that were found for an upload; its number. Of very many
        the oldest are forgotten."""
        self.count += 1
        self.uploads[self.count] = latent, label
        while len(self.uploads) > UPLOADS:
            self.uploads.popitem(last=False)
        return self.count

    def latent(self, point: Point, truncation: float = 1.0) -> Tensor:
        """The latent (latent,) of a point.

        A mix is sum_i w_i z_i, brought to the length that its parts have on average: where normal latents lie. Along a direction v
        the latent goes by amount * v.
        """
        parts = torch.stack([self._one(term) for term in point.terms])
        weights = torch.tensor([term.weight for term in point.terms])
        z = parts[0] if len(parts) == 1 and weights[0] == 1 else mixed(parts, weights)
        z = z * truncation
        for name, amount in point.edits:
            vector = self.shown().directions.get(name)
            if vector is None:
                raise Refused(409, "a direction that was not found for this generator; ask for them again")
            z = z + amount * vector
        return z

    def _one(self, term: Term) -> Tensor:
        generation = self.shown().generation
        if term.kind == "sample":
            seed, index = (int(value) for value in term.values)
            return keyed.latents(seed, range(index, index + 1), generation.latent)[0]
        if term.kind == "upload":
            found = self.uploads.get(int(term.values[0]))
            if found is None:
                raise Refused(410, "this upload is no longer remembered; give the picture again")
            return found[0]
        if generation.latent != 2:
            raise Refused(409, "places on a map, of a latent space that has not two dimensions")
        return torch.tensor(term.values, dtype=torch.float32)

    def label(self, point: Point, wanted: Wanted) -> Tensor | None:
        """The label (1,) of a point: what is wanted, else that of its first sample; or shares (1, classes) of a blend of two."""
        generation = self.shown().generation
        classes = generation.spec.classes
        if not classes:
            if wanted != Wanted():
                raise Refused(400, "label: this run has no classes")
            return None
        for number in (wanted.label, wanted.towards):
            if number is not None and number >= classes:
                raise Refused(400, f"label: a whole number from 0 to {classes - 1}")
        first = self._own_label(point) if wanted.label is None else torch.tensor([wanted.label])
        if wanted.towards is None or not can_blend(generation):
            return first
        shares = shares_of(first, classes) * (1 - wanted.share)
        shares[0, wanted.towards] += wanted.share
        return shares

    def _own_label(self, point: Point) -> Tensor:
        for term in point.terms:
            if term.kind == "sample":
                index = int(term.values[1])
                drawn = self.shown().generation.draw_labels(int(term.values[0]), range(index, index + 1))
                assert drawn is not None
                return drawn
            if term.kind == "upload" and int(term.values[0]) in self.uploads:
                label = self.uploads[int(term.values[0])][1]
                return torch.zeros(1, dtype=torch.int64) if label is None else label
        return torch.zeros(1, dtype=torch.int64)

    @torch.no_grad()
    def draw(self, latents: Tensor, labels: Tensor | None) -> np.ndarray:
        """Samples of latents (n, latent) as they are saved: uint8 (n, h, w, c), or points. `labels`: (n,), or shares of each."""
        shown, device = self.shown(), self.machine.device
        made = forward(shown.generation, latents.to(device), None if labels is None else labels.to(device))
        return to_output(made, shown.generation.spec, shown.loaded.facts["units"])
