"""The training state: game, optimizers, EMA, the stream of batches and the clock, and one training step.

Real samples and random numbers are pure functions of seed, salt and position, so that a resumed run sees the
same ones.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sparring.core.ema import EMA
from sparring.core.errors import ConfigError, SparringError
from sparring.core.game import Batch, Game, Turn, freeze
from sparring.core.optimizers import PlayerOptimizer
from sparring.core.rng import KeyedRandom, derive_seed, make_generator
from sparring.core.runtime import Runtime
from sparring.data import Dataset
from sparring.data.dataset import enlarge_and_crop, shuffled_indices
from sparring.experiment import Experiment
from sparring.models.generator import GeneratorModel
from sparring.models.model import Model


@dataclass
class Clock:
    """The position of a run. All other times are measured in `images`.

    Arguments:
        step: index of the next step.
        images: real samples seen; also the position in the endless stream of data.
        salt: number of roll-backs; each changes the random numbers from there on.
        calm_until: until this position (images) the learning rates are halved.
        level: number of remedies (`training.rescue`) that are in force.
    """

    step: int = 0
    images: int = 0
    salt: int = 0
    calm_until: int = 0
    level: int = 0


DomainBatch = tuple[Tensor, Tensor | None, Tensor | None]  # x, y, x_b


class BatchStream:
    """The real samples and random numbers of each turn: pure functions of seed, salt and position.

    Arguments:
        dataset: of real samples.
        experiment: batch sizes, seed, and the random flips and crops.
        runtime: rank of this process, and the device.
    """

    def __init__(self, dataset: Dataset, experiment: Experiment, runtime: Runtime) -> None:
        self.dataset, self.runtime = dataset, runtime
        self.training, self.flip = experiment.training, experiment.data.flip
        self.random_crop = experiment.data.random_crop
        share = self.training.batch // runtime.world_size
        first = runtime.rank * share
        micro = min(self.training.micro_batch or share, share)
        self.rows = [slice(first + at, first + min(at + micro, share)) for at in range(0, share, micro)]
        self.weights = [(rows.stop - rows.start) / share for rows in self.rows]
        self._cache: tuple[tuple[int, int], list[DomainBatch]] | None = None

    def new_carries(self) -> list[dict[str, Any]]:
        """An empty `Batch.carry` for each micro-batch."""
        return [{} for _ in self.rows]

    def batches(
        self, clock: Clock, turn: int, repeat: int, position: int, carries: list[dict[str, Any]]
    ) -> Iterator[Batch]:
        """The micro-batches of a turn's repeat, with the real samples from `position` (images) of the stream on."""
        seed, at = derive_seed(self.training.seed, "salt", clock.salt), (clock.step, turn, repeat)
        samples = self._real_batches(seed, clock.salt, position)
        for part, (rows, (x, y, x_b)) in enumerate(zip(self.rows, samples, strict=True)):
            self.runtime.manual_seed(derive_seed(seed, "layers", *at, self.runtime.rank, part))
            yield Batch(
                x=x,
                y=y,
                x_b=x_b,
                rng=KeyedRandom(seed, at, self.training.batch, rows, self.runtime.device),
                images=clock.images,
                step=clock.step,
                count=self.dataset.epoch_size,
                carry=carries[part],
            )

    def _real_batches(self, seed: int, salt: int, position: int) -> list[DomainBatch]:
        if self._cache is None or self._cache[0] != (salt, position):
            self._cache = (salt, position), [self._gather(seed, position, rows) for rows in self.rows]
        return self._cache[1]

    def _gather(self, seed: int, position: int, rows: slice) -> DomainBatch:
        x, y = self._load(self.dataset, seed, position, rows)
        x_b = None
        if self.dataset.domain_b is not None:
            suffix = "" if self.dataset.paired else "other"
            x_b = self._to_device(self._load(self.dataset.domain_b, seed, position, rows, suffix)[0])
        return self._to_device(x), None if y is None else self._to_device(y), x_b

    def _load(
        self, dataset: Dataset, seed: int, position: int, rows: slice, suffix: str = ""
    ) -> tuple[Tensor, Tensor | None]:
        """Samples of one domain, with random flips and crops. The domains of paired data share the random numbers (`suffix` "")."""
        first, count = position + rows.start, rows.stop - rows.start
        indices = shuffled_indices(seed, len(dataset), first, count, suffix or "order")
        flips, batch = None, self.training.batch
        if self.flip:
            flips = torch.rand(batch, generator=make_generator(seed, f"flip{suffix}", position))[rows] < 0.5
        x, y = dataset.batch(indices, flips)
        if self.random_crop:
            places = torch.rand(batch, 2, generator=make_generator(seed, f"crop{suffix}", position))[rows]
            x = enlarge_and_crop(x, places, self.random_crop)
        return x, y

    def _to_device(self, values: Tensor) -> Tensor:
        return values.to(self.runtime.device, non_blocking=True)


class TrainState:
    """A game with its optimizers, EMA, data stream and clock.

    Arguments:
        experiment: the resolved configuration of the run.
        dataset: the training set.
        runtime: device, precision and processes.

    Raises:
        ConfigError: the optimizers do not fit the players, or the game can't be trained by several processes.
    """

    def __init__(self, experiment: Experiment, dataset: Dataset, runtime: Runtime) -> None:
        self.base_experiment, self.dataset, self.runtime = experiment, dataset, runtime
        self.clock = Clock()
        self._inference_model: tuple[int, Model] | None = None
        self._build()

    def reset(self, level: int) -> None:
        """Go back to image 0 and initial weights, with so many remedies in force."""
        self.clock, self._inference_model = Clock(level=level), None
        self._build()

    def _build(self) -> None:
        experiment, dataset, runtime = self.base_experiment, self.dataset, self.runtime
        self.experiment = experiment = experiment.with_remedies(self.clock.level)
        training = experiment.training
        torch.manual_seed(derive_seed(training.seed, "weights"))
        self.game: Game = experiment.game.build(dataset.spec)
        model = self.game.model
        assert isinstance(model, Model)
        if dataset.spec.num_classes:
            model.set_class_frequencies(dataset.class_frequencies)
        runtime.to_device(self.game)
        self.game.train()
        self.turns: list[Turn] = self.game.turns()
        _check_optimizers(experiment, self.game)
        _check_single_process(self.turns, runtime)
        self.optimizers = {
            name: PlayerOptimizer(experiment.optimizers[name], player)
            for name, player in self.game.players().items()
        }
        self.ema = EMA(self.game.model, training.ema_half_life, training.ema_ramp)
        self.ema.count = self.ema.count.to(runtime.device)
        self.stream = BatchStream(dataset, experiment, runtime)
        runtime.broadcast(self.tensors().values())

    def train_step(self) -> dict[str, Tensor]:
        """Run every active turn once and advance the clock (Goodfellow et al. 2014, Algorithm 1, for any game).

        Returns:
            The means of losses and logged values by `turn/name`, averaged over the turn's repeats: scalars on the device.

        Raises:
            SparringError: the clock would stand still, as no active turn takes new real samples.
        """
        clock, batch_size = self.clock, self.experiment.training.batch
        active = [(index, turn) for index, turn in enumerate(self.turns) if is_active(turn, clock.images)]
        check_clock_advances([turn for _, turn in active], clock.images)
        position, carries = clock.images, self.stream.new_carries()
        record: dict[str, Tensor] = {}
        for index, turn in active:
            rows = []
            for repeat in range(turn.repeats):
                start = position if turn.new_batch else position - batch_size
                batches = self.stream.batches(clock, index, repeat, start, carries)
                rows.append(self._accumulate_gradients(turn, batches))
                self._update_players(turn)
                position += batch_size if turn.new_batch else 0
            record |= {f"{turn.name}/{name}": _mean([row[name] for row in rows]) for name in rows[0]}
        self.ema.update(self.game.model, position, position - clock.images)
        clock.step, clock.images = clock.step + 1, position
        return record

    def _accumulate_gradients(self, turn: Turn, batches: Iterator[Batch]) -> dict[str, Tensor]:
        """Back-propagate the turn's losses over all micro-batches; the means of losses and logged values by name."""
        totals: dict[str, Tensor] = {}
        with freeze(self._frozen_parameters(turn)):
            for weight, batch in zip(self.stream.weights, batches, strict=True):
                with self.runtime.autocast():
                    terms = turn.terms(batch)
                means = {name: loss.float().mean() * weight for name, loss in terms.losses.items()}
                if turn.players:
                    torch.stack(list(means.values())).sum().backward()
                assert means.keys().isdisjoint(terms.logs), f"{turn.name}: one name for a loss and a log"
                means |= {name: value * weight for name, value in terms.logs.items()}
                for name, value in means.items():
                    totals[name] = totals[name] + value.detach() if name in totals else value.detach()
        return totals

    def _frozen_parameters(self, turn: Turn) -> list[torch.nn.Parameter]:
        others = [optimizer for name, optimizer in self.optimizers.items() if name not in turn.players]
        return [parameter for optimizer in others for parameter in optimizer.parameters]

    def _update_players(self, turn: Turn) -> None:
        lr_factor = 0.5 if self.clock.images < self.clock.calm_until else 1.0
        for player in turn.players:
            optimizer = self.optimizers[player]
            self.runtime.average_gradients(optimizer.parameters)
            optimizer.step(self.clock.images, lr_factor)
        if turn.after is not None:
            turn.after()

    def model_for_inference(self) -> Model:
        """A copy of the game's model with EMA weights, ready for use; cached until the next step."""
        if self._inference_model is None or self._inference_model[0] != self.clock.step:
            average = self.ema.module
            assert isinstance(average, Model)
            self._inference_model = self.clock.step, average.for_inference(self.experiment.training.seed)
        return self._inference_model[1]

    @property
    def generation(self) -> GeneratorModel:
        """`model_for_inference()` of a game that trains a generator."""
        model = self.model_for_inference()
        assert isinstance(model, GeneratorModel)
        return model

    def tensors(self) -> dict[str, Tensor]:
        """All state but the clock that must survive a restart, by name: the tensors themselves, not copies."""
        tensors = {f"game.{name}": tensor for name, tensor in self.game.state_dict(keep_vars=True).items()}
        tensors |= {f"average.{name}": tensor for name, tensor in self.ema.state_dict(keep_vars=True).items()}
        for name, optimizer in self.optimizers.items():
            tensors |= {f"optimizer.{name}.{key}": tensor for key, tensor in optimizer.tensors().items()}
        return {name: tensor.detach() for name, tensor in tensors.items()}

    @torch.no_grad()
    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Copy the values of `tensors`, by the names of `tensors()`; those that it lacks stay as they are."""
        for name, tensor in self.tensors().items():
            if name in tensors:
                tensor.copy_(tensors[name])
        self._inference_model = None


def is_active(turn: Turn, images: int) -> bool:
    """Whether a turn takes place in the step that starts at this position of the clock."""
    return turn.active is None or turn.active(images)


def check_clock_advances(turns: list[Turn], images: int) -> None:
    """Raises SparringError where none of a step's turns takes new real samples: training would never end."""
    if not any(turn.new_batch and turn.repeats > 0 for turn in turns):
        names = ", ".join(turn.name for turn in turns) or "none"
        got = f"the clock stands still at {images:,} images (active turns: {names})"
        fix = "give the game a turn with new_batch=True that is active at all times"
        raise SparringError(got, "an active turn that takes new real samples", fix)


def _mean(values: list[Tensor]) -> Tensor:
    return values[0] if len(values) == 1 else torch.stack(values).mean(0)


def _check_optimizers(experiment: Experiment, game: Game) -> None:
    configured, players = sorted(experiment.optimizers), sorted(game.players())
    if configured != players:
        raise ConfigError(
            f"optimizers for {', '.join(configured) or 'no player'}",
            f"one for each of {', '.join(players) or 'no player'}",
            "fix `optimizers`",
        )


def _check_single_process(turns: list[Turn], runtime: Runtime) -> None:
    if runtime.world_size > 1 and not all(turn.players for turn in turns):
        got = f"{runtime.world_size} processes for a game without trainable parameters"
        raise ConfigError(got, "one process", "train without torchrun: it takes seconds")
