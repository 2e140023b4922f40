"""A game being played: the players with their optimizers, the averaged generator and the clock, and how one step goes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from sparring.average import Average
from sparring.data import Dataset
from sparring.data.jitter import jittered
from sparring.data.order import indices
from sparring.errors import ConfigError
from sparring.experiment import Experiment
from sparring.game import Batch, Game, Turn, frozen
from sparring.games.classification import Kept
from sparring.games.generation import Generation
from sparring.keyed import Draws, generator, key
from sparring.optim import Learner
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


class Match:
    """A game being played.

    Arguments:
        experiment: the run, described whole.
        dataset: what it is trained on.
        runtime: the machine.
    """

    def __init__(self, experiment: Experiment, dataset: Dataset, runtime: Runtime) -> None:
        training = experiment.training
        torch.manual_seed(key(training.seed, "weights"))
        self.experiment, self.runtime = experiment, runtime
        self.game: Game = experiment.game.build(dataset.spec)
        kept = self.game.kept
        if isinstance(kept, Generation) and len(kept.shares):
            kept.shares.copy_(dataset.shares)
        runtime.place(self.game)
        self.game.train()
        self.turns: list[Turn] = self.game.turns()
        _check_optimizers(experiment, self.game)
        _check_alone(self.turns, runtime)
        self.learners = {
            name: Learner(experiment.optimizers[name], player) for name, player in self.game.players().items()
        }
        self.others = {
            turn.name: [
                p
                for name, learner in self.learners.items()
                if name not in turn.players
                for p in learner.parameters
            ]
            for turn in self.turns
        }
        self.average = Average(self.game.kept, training.half_life, training.ramp)
        self.average.count = self.average.count.to(runtime.device)
        self.dealer = Dealer(dataset, experiment, runtime)
        self.clock = Clock()
        self._settled: tuple[int, Kept] | None = None
        runtime.share(self.tensors().values())

    @property
    def kept(self) -> Kept:
        """A copy of what is kept of the game, with averaged weights, ready for use."""
        if self._settled is None or self._settled[0] != self.clock.step:
            kept = self.average.module
            assert isinstance(kept, Kept)
            self._settled = self.clock.step, kept.settled(self.experiment.training.seed)
        return self._settled[1]

    @property
    def generation(self) -> Generation:
        """The same, of a game that generates."""
        assert isinstance(self.kept, Generation)
        return self.kept

    def tensors(self) -> dict[str, Tensor]:
        """All that must survive a restart but the clock, by name: the very tensors, not copies."""
        tensors = {f"game.{name}": tensor for name, tensor in self.game.state_dict(keep_vars=True).items()}
        tensors |= {
            f"average.{name}": tensor for name, tensor in self.average.state_dict(keep_vars=True).items()
        }
        for name, learner in self.learners.items():
            tensors |= {f"optimizer.{name}.{key}": tensor for key, tensor in learner.tensors().items()}
        return {name: tensor.detach() for name, tensor in tensors.items()}

    @torch.no_grad()
    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Take the values of `tensors`, which has the names of `tensors()`."""
        for name, tensor in self.tensors().items():
            tensor.copy_(tensors[name])
        self._settled = None

    def step(self) -> dict[str, Tensor]:
        """Play every turn once and move the clock on.

        Returns:
            What the terms came to, by `turn/name`: scalars on the device.
        """
        noted: dict[str, Tensor] = {}
        position = self.clock.images
        factor = 0.5 if self.clock.images < self.clock.calm_until else 1.0
        for index, turn in enumerate(self.turns):
            plays = turn.active is None or turn.active(self.clock.images)
            for repeat in range(turn.repeats if plays else 0):
                at = position if turn.fresh else position - self.experiment.training.batch
                noted |= self._move(turn, self.dealer.batches(self.clock, index, repeat, at))
                for player in turn.players:
                    learner = self.learners[player]
                    self.runtime.mean_gradients(learner.parameters)
                    learner.step(self.clock.images, factor)
                if turn.after is not None:
                    turn.after()
                position += self.experiment.training.batch if turn.fresh else 0
        seen = position - self.clock.images
        self.clock.step += 1
        self.clock.images = position
        self.average.update(self.game.kept, position, seen)
        return noted

    def _move(self, turn: Turn, batches: Iterator[Batch]) -> dict[str, Tensor]:
        noted: dict[str, Tensor] = {}
        with frozen(self.others[turn.name]):
            for weight, batch in zip(self.dealer.weights, batches, strict=True):
                with self.runtime.autocast():
                    terms = turn.terms(batch)
                means = {
                    f"{turn.name}/{name}": loss.float().mean() * weight for name, loss in terms.losses.items()
                }
                if turn.players:
                    torch.stack(list(means.values())).sum().backward()
                means |= {name: value * weight for name, value in terms.watched.items()}
                for name, value in means.items():
                    noted[name] = noted[name] + value.detach() if name in noted else value.detach()
        return noted


def _check_optimizers(experiment: Experiment, game: Game) -> None:
    given, players = sorted(experiment.optimizers), sorted(game.players())
    if given != players:
        raise ConfigError(
            f"optimizers for {', '.join(given) or 'nobody'}",
            f"one for each of {', '.join(players) or 'nobody'}",
            "mend `optimizers`",
        )


def _check_alone(turns: list[Turn], runtime: Runtime) -> None:
    if runtime.world > 1 and not all(turn.players for turn in turns):
        got = f"{runtime.world} processes for a game that counts and learns no weights"
        raise ConfigError(got, "one process", "train without torchrun: it takes seconds")
