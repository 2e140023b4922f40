"""The training state: players, optimizers, EMA, the stream of batches and the clock, and one training step.

Real samples and random numbers are pure functions of seed, salt and position, so that a resumed run sees the
same ones.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from sparring.core.ema import EMA
from sparring.core.errors import ConfigError
from sparring.core.game import Batch, Game, Turn, freeze
from sparring.core.optimizers import PlayerOptimizer
from sparring.core.rng import KeyedRandom, derive_seed, make_generator
from sparring.core.runtime import Runtime
from sparring.data import Dataset
from sparring.data.dataset import enlarge_and_crop, shuffled_indices
from sparring.experiment import Experiment
from sparring.models.classifier import Model
from sparring.models.generator import GeneratorModel


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


DomainBatch = tuple[
    Tensor, Tensor | None, Tensor | None
]  # real samples, their labels, samples of the other domain


class BatchStream:
    """Deals each turn its samples and its random numbers: pure functions of seed, salt and position.

    Arguments:
        dataset: what is dealt from.
        experiment: batch sizes and seed, and whether samples are mirrored.
        runtime: which of the processes we are, and the device.
    """

    def __init__(self, dataset: Dataset, experiment: Experiment, runtime: Runtime) -> None:
        self.dataset, self.runtime = dataset, runtime
        self.training, self.flip = experiment.training, experiment.data.flip
        self.random_crop = experiment.data.random_crop
        training = self.training
        share = training.batch // runtime.world_size
        first = runtime.rank * share
        micro = min(training.micro_batch or share, share)
        self.rows = [slice(first + at, first + min(at + micro, share)) for at in range(0, share, micro)]
        self.weights = [(rows.stop - rows.start) / share for rows in self.rows]
        self._cache: tuple[tuple[int, int], list[DomainBatch]] | None = None

    def batches(self, clock: Clock, turn: int, repeat: int, position: int) -> Iterator[Batch]:
        """The micro-batches of one turn, with real samples from `position` of the stream on."""
        seed = derive_seed(self.training.seed, "salt", clock.salt)
        for part, (rows, (x, y, x_b)) in enumerate(
            zip(self.rows, self._real_batches(seed, clock.salt, position), strict=True)
        ):
            at = (clock.step, turn, repeat)
            self.runtime.manual_seed(derive_seed(seed, "layers", *at, self.runtime.rank, part))
            draws = KeyedRandom(seed, at, self.training.batch, rows, self.runtime.device)
            count = self.dataset.epoch_size
            yield Batch(x=x, y=y, rng=draws, images=clock.images, step=clock.step, count=count, x_b=x_b)

    def _real_batches(self, seed: int, salt: int, position: int) -> list[DomainBatch]:
        if self._cache is None or self._cache[0] != (salt, position):
            self._cache = (salt, position), [self._gather(seed, position, rows) for rows in self.rows]
        return self._cache[1]

    def _gather(self, seed: int, position: int, rows: slice) -> DomainBatch:
        x, y = self._load(self.dataset, seed, position, rows)
        x_b = None
        if self.dataset.domain_b is not None:
            end = "" if self.dataset.paired else "other"
            x_b = self._to_device(self._load(self.dataset.domain_b, seed, position, rows, end)[0])
        return self._to_device(x), None if y is None else self._to_device(y), x_b

    def _load(
        self, dataset: Dataset, seed: int, position: int, rows: slice, suffix: str = ""
    ) -> tuple[Tensor, Tensor | None]:
        """Samples of one side; what is drawn for them is the same for both of a pair, and another's where `suffix` names it."""
        order = suffix or "order"
        chosen = shuffled_indices(seed, len(dataset), position + rows.start, rows.stop - rows.start, order)
        flips, batch = None, self.training.batch
        if self.flip:
            flips = torch.rand(batch, generator=make_generator(seed, f"flip{suffix}", position))[rows] < 0.5
        x, y = dataset.batch(chosen, flips)
        if self.random_crop:
            places = torch.rand(batch, 2, generator=make_generator(seed, f"crop{suffix}", position))[rows]
            x = enlarge_and_crop(x, places, self.random_crop)
        return x, y

    def _to_device(self, values: Tensor) -> Tensor:
        return values.to(self.runtime.device, non_blocking=True)


class TrainState:
    """A game being played.

    Arguments:
        experiment: the run, described whole.
        dataset: what it is trained on.
        runtime: the machine.
    """

    def __init__(self, experiment: Experiment, dataset: Dataset, runtime: Runtime) -> None:
        training = experiment.training
        torch.manual_seed(derive_seed(training.seed, "weights"))
        self.experiment, self.runtime = experiment, runtime
        self.game: Game = experiment.game.build(dataset.spec)
        kept = self.game.model
        if isinstance(kept, GeneratorModel) and len(kept.shares):
            kept.shares.copy_(dataset.class_frequencies)
        runtime.to_device(self.game)
        self.game.train()
        self.turns: list[Turn] = self.game.turns()
        _check_optimizers(experiment, self.game)
        _check_single_process(self.turns, runtime)
        self.optimizers = {
            name: PlayerOptimizer(experiment.optimizers[name], player)
            for name, player in self.game.players().items()
        }
        self.frozen_parameters = {
            turn.name: [
                p
                for name, learner in self.optimizers.items()
                if name not in turn.players
                for p in learner.parameters
            ]
            for turn in self.turns
        }
        self.ema = EMA(self.game.model, training.ema_half_life, training.ema_ramp)
        self.ema.count = self.ema.count.to(runtime.device)
        self.stream = BatchStream(dataset, experiment, runtime)
        self.clock = Clock()
        self._inference_model: tuple[int, Model] | None = None
        runtime.broadcast(self.tensors().values())

    def model_for_inference(self) -> Model:
        """A copy of what is kept of the game, with averaged weights, ready for use."""
        if self._inference_model is None or self._inference_model[0] != self.clock.step:
            kept = self.ema.module
            assert isinstance(kept, Model)
            self._inference_model = self.clock.step, kept.for_inference(self.experiment.training.seed)
        return self._inference_model[1]

    @property
    def generation(self) -> GeneratorModel:
        """The same, of a game that generates."""
        model = self.model_for_inference()
        assert isinstance(model, GeneratorModel)
        return model

    def tensors(self) -> dict[str, Tensor]:
        """All that must survive a restart but the clock, by name: the very tensors, not copies."""
        tensors = {f"game.{name}": tensor for name, tensor in self.game.state_dict(keep_vars=True).items()}
        tensors |= {f"average.{name}": tensor for name, tensor in self.ema.state_dict(keep_vars=True).items()}
        for name, learner in self.optimizers.items():
            tensors |= {f"optimizer.{name}.{key}": tensor for key, tensor in learner.tensors().items()}
        return {name: tensor.detach() for name, tensor in tensors.items()}

    @torch.no_grad()
    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Take the values of `tensors`, which has the names of `tensors()`."""
        for name, tensor in self.tensors().items():
            tensor.copy_(tensors[name])
        self._inference_model = None

    def train_step(self) -> dict[str, Tensor]:
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
                at = position if turn.new_batch else position - self.experiment.training.batch
                noted |= self._accumulate_gradients(turn, self.stream.batches(self.clock, index, repeat, at))
                for player in turn.players:
                    learner = self.optimizers[player]
                    self.runtime.average_gradients(learner.parameters)
                    learner.step(self.clock.images, factor)
                if turn.after is not None:
                    turn.after()
                position += self.experiment.training.batch if turn.new_batch else 0
        seen = position - self.clock.images
        self.clock.step += 1
        self.clock.images = position
        self.ema.update(self.game.model, position, seen)
        return noted

    def _accumulate_gradients(self, turn: Turn, batches: Iterator[Batch]) -> dict[str, Tensor]:
        noted: dict[str, Tensor] = {}
        with freeze(self.frozen_parameters[turn.name]):
            for weight, batch in zip(self.stream.weights, batches, strict=True):
                with self.runtime.autocast():
                    terms = turn.terms(batch)
                means = {
                    f"{turn.name}/{name}": loss.float().mean() * weight for name, loss in terms.losses.items()
                }
                if turn.players:
                    torch.stack(list(means.values())).sum().backward()
                means |= {name: value * weight for name, value in terms.logs.items()}
                for name, value in means.items():
                    noted[name] = noted[name] + value.detach() if name in noted else value.detach()
        return noted


def _check_optimizers(experiment: Experiment, game: Game) -> None:
    given, players = sorted(experiment.optimizers), sorted(game.players())
    if given != players:
        raise ConfigError(
            f"optimizers for {', '.join(given) or 'nobody'}",
            f"one for each of {', '.join(players) or 'nobody'}",
            "fix `optimizers`",
        )


def _check_single_process(turns: list[Turn], runtime: Runtime) -> None:
    if runtime.world_size > 1 and not all(turn.players for turn in turns):
        got = f"{runtime.world_size} processes for a game that counts and learns no weights"
        raise ConfigError(got, "one process", "train without torchrun: it takes seconds")
