"""A game being played: the players with their optimizers, the averaged generator and the clock, and how one step goes."""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from sparring.average import Average
from sparring.data import Dataset
from sparring.dealer import Clock, Dealer
from sparring.errors import ConfigError
from sparring.experiment import Experiment
from sparring.game import Batch, Game, Turn, frozen
from sparring.games.classification import Kept
from sparring.games.generation import Generation
from sparring.keyed import key
from sparring.optim import Learner
from sparring.runtime import Runtime


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
