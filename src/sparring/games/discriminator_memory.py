"""What a game remembers for the penalties and augmentations of its players: averages of weights and logits, and
the state of adaptive augmentation.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from torch import Tensor, nn

from sparring.core.adversarial_batch import AdversarialBatch, PlayerHistory
from sparring.core.ema import EMA
from sparring.core.errors import ConfigError
from sparring.core.game import Batch
from sparring.core.interfaces import Augmentation, AugmentationState, Objective, Penalty
from sparring.core.logit_statistics import LogitAverages
from sparring.core.shapes import Sample


@runtime_checkable
class DiscriminatorSettings(Protocol):
    """The settings of a game on its discriminators, which have logits.

    `joint_batch`: pass real and generated samples through the discriminator in one batch, which is faster; with batch
    normalisation their statistics mix.
    """

    @property
    def objective(self) -> Objective: ...
    @property
    def penalties(self) -> tuple[Penalty, ...]: ...
    @property
    def augmentations(self) -> tuple[Augmentation, ...]: ...
    @property
    def joint_batch(self) -> bool: ...


class DiscriminatorMemory(nn.Module):
    """What the augmentations and penalties of one discriminator remember of its logits. Nothing, where none of them adapts.

    Deviation: in the generator's turn the augmentation has the probability of the discriminator's turn before, as all of this
    is updated at the end of a step.

    Arguments:
        config: of the game.

    Raises:
        ConfigError: two adaptive augmentations, or penalties with averages of different decay.
    """

    def __init__(self, config: DiscriminatorSettings) -> None:
        super().__init__()
        self.config = config
        states = {
            str(index): augmentation.build_state(config.objective.logit_scale)
            for index, augmentation in enumerate(config.augmentations)
        }
        self.states = nn.ModuleDict({name: state for name, state in states.items() if state is not None})
        decays = {penalty.logit_decay for penalty in config.penalties} - {None}
        if len(self.states) > 1 or len(decays) > 1:
            got = f"{len(self.states)} adaptive augmentations, averages of logits with {len(decays)} decays"
            raise ConfigError(got, "at most one of each", "leave one out, or give them the same decay")
        self.averages = LogitAverages(decay) if (decay := next(iter(decays), None)) is not None else None

    def augment(self, samples: Sample, batch: Batch, stream: str) -> Sample:
        """The samples under all augmentations."""
        for index, augmentation in enumerate(self.config.augmentations):
            state = self.states[str(index)] if str(index) in self.states else None
            transform = augmentation if state is None else state
            samples = transform(samples, batch.rng, stream, batch.images)
        return samples

    def observe(self, batch: AdversarialBatch) -> dict[str, Tensor]:
        """Take note of the logits of a micro-batch in the discriminator's turn; values for the record."""
        logs: dict[str, Tensor] = {}
        for state in self.states.values():
            assert isinstance(state, AugmentationState)
            logs |= state.observe(batch)
        if self.averages is not None:
            self.averages.observe(batch.real_logits, batch.fake_logits, len(batch.x))
        return logs

    def update(self) -> None:
        """Adapt to what was observed: once at the end of each step, after its last update."""
        for state in self.states.values():
            assert isinstance(state, AugmentationState)
            state.update()
        if self.averages is not None:
            self.averages.update()


class WeightAverages(nn.ModuleDict):
    """Running means of the weights of those players that have a penalty which needs them (historical averaging).

    Arguments:
        players: by name.
        penalties: of each player, by name.
    """

    def __init__(self, players: Mapping[str, nn.Module], penalties: Mapping[str, Sequence[Penalty]]) -> None:
        super().__init__()
        for name, player in players.items():
            if any(penalty.needs_weight_average for penalty in penalties[name]):
                self[name] = EMA.cumulative_mean(player)

    def history(self, name: str, player: nn.Module) -> PlayerHistory:
        """A player, with the running mean of its weights if there is one."""
        average = self[name] if name in self else None
        return PlayerHistory(player, average.module if isinstance(average, EMA) else None)

    def record(self, name: str, player: nn.Module) -> None:
        """Add the weights of a player, which was just updated, to its mean."""
        average = self[name] if name in self else None
        if isinstance(average, EMA):
            average.update(player)
