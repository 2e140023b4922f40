"""Where a run is, and what each of its turns is dealt there."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from sparring.data import Dataset
from sparring.data.jitter import jittered
from sparring.data.order import indices
from sparring.experiment import Experiment
from sparring.game import Batch
from sparring.keyed import Draws, generator, key
from sparring.runtime import Runtime


@dataclass
class Clock:
    """Where a run is. `images` is the one time that everything else is measured in.

    Arguments:
        step: number of the next step.
        images: real samples seen; also the position in the endless stream of data.
        salt: how often the run was rolled back; other random numbers are drawn after each.
        calm_until: up to this time the learning rate is halved.
    """

    step: int = 0
    images: int = 0
    salt: int = 0
    calm_until: int = 0


Dealt = tuple[Tensor, Tensor | None, Tensor | None]  # real samples, their labels, samples of the other domain


class Dealer:
    """Deals each turn its samples and its random numbers: pure functions of seed, salt and position.

    Arguments:
        dataset: what is dealt from.
        experiment: batch sizes and seed, and whether samples are mirrored.
        runtime: which of the processes we are, and the device.
    """

    def __init__(self, dataset: Dataset, experiment: Experiment, runtime: Runtime) -> None:
        self.dataset, self.runtime = dataset, runtime
        self.training, self.flip = experiment.training, experiment.data.flip
        self.jitter = experiment.data.jitter
        training = self.training
        share = training.batch // runtime.world
        first = runtime.rank * share
        micro = min(training.micro_batch or share, share)
        self.rows = [slice(first + at, first + min(at + micro, share)) for at in range(0, share, micro)]
        self.weights = [(rows.stop - rows.start) / share for rows in self.rows]
        self._held: tuple[tuple[int, int], list[Dealt]] | None = None

    def batches(self, clock: Clock, turn: int, repeat: int, position: int) -> Iterator[Batch]:
        """The micro-batches of one turn, with real samples from `position` of the stream on."""
        seed = key(self.training.seed, "salt", clock.salt)
        for part, (rows, (x, y, other)) in enumerate(
            zip(self.rows, self._real(seed, clock.salt, position), strict=True)
        ):
            at = (clock.step, turn, repeat)
            self.runtime.seed_layers(key(seed, "layers", *at, self.runtime.rank, part))
            draws = Draws(seed, at, self.training.batch, rows, self.runtime.device)
            count = self.dataset.epoch
            yield Batch(x=x, y=y, draws=draws, images=clock.images, step=clock.step, count=count, other=other)

    def _real(self, seed: int, salt: int, position: int) -> list[Dealt]:
        if self._held is None or self._held[0] != (salt, position):
            self._held = (salt, position), [self._gather(seed, position, rows) for rows in self.rows]
        return self._held[1]

    def _gather(self, seed: int, position: int, rows: slice) -> Dealt:
        x, y = self._take(self.dataset, seed, position, rows)
        other = None
        if self.dataset.other is not None:
            end = "" if self.dataset.paired else "other"
            other = self._placed(self._take(self.dataset.other, seed, position, rows, end)[0])
        return self._placed(x), None if y is None else self._placed(y), other

    def _take(
        self, side: Dataset, seed: int, position: int, rows: slice, end: str = ""
    ) -> tuple[Tensor, Tensor | None]:
        """Samples of one side; what is drawn for them is the same for both of a pair, and another's where `end` names it."""
        order = end or "order"
        chosen = indices(seed, len(side), position + rows.start, rows.stop - rows.start, order)
        flips, batch = None, self.training.batch
        if self.flip:
            flips = torch.rand(batch, generator=generator(seed, f"flip{end}", position))[rows] < 0.5
        x, y = side.batch(chosen, flips)
        if self.jitter:
            places = torch.rand(batch, 2, generator=generator(seed, f"crop{end}", position))[rows]
            x = jittered(x, places, self.jitter)
        return x, y

    def _placed(self, values: Tensor) -> Tensor:
        return values.to(self.runtime.device, non_blocking=True)
