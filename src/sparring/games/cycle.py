"""Unpaired translation with cycle consistency (CycleGAN): two translators, two discriminators.

    L = L_GAN(G, D_B) + L_GAN(F, D_A) + cycle * (E |F(G(a)) - a|_1 + E |G(F(b)) - b|_1)
        + identity * (E |F(a) - a|_1 + E |G(b) - b|_1)

Both translators are updated together, then both discriminators, which see the same translations or earlier ones from an
image pool.

References: Zhu, Park, Isola & Efros 2017, "Unpaired image-to-image translation using cycle-consistent
adversarial networks", arXiv:1703.10593, Eq. 1-3, sec. 4, sec. 5.2 (identity).
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sparring.core import schedule
from sparring.core.errors import ConfigError
from sparring.core.game import Batch, Game, Terms, Turn
from sparring.core.interfaces import Augmentation, Objective, Penalty
from sparring.core.schedule import Schedule
from sparring.core.shapes import PerSample, Sample, SampleSpec
from sparring.games.discriminator_memory import DiscriminatorMemory
from sparring.games.image_pool import ImagePool
from sparring.games.patch_terms import (
    check_equal_channels,
    check_patch_game,
    discriminator_terms,
    domains,
    mean_per_sample,
    patch_batch,
)
from sparring.models.translator import TranslatorModel
from sparring.parts.networks import PatchDiscriminatorNetwork, TranslatorNetwork
from sparring.parts.networks.layers.conv import cast_weights_once
from sparring.parts.objectives import LeastSquares

CARRY_FAKES = "cycle.fakes"  # in Batch.carry: the translations of this step, by domain


@dataclass(frozen=True, kw_only=True)
class CycleConfig:
    """Two translators, A to B and B to A, and a patch discriminator of each domain.

    Deviation: the translators are updated first, then the discriminators on the same images.

    Arguments:
        translator, discriminator: settings of both translators, and of both discriminators.
        objective: the losses of discriminators and translators; the paper's is least squares.
        adversarial: weight of the adversarial loss. Our least squares is half of the paper's for translators: 2 is the
            paper's 1.
        cycle: weight of the cycle consistency loss (lambda, 10).
        identity: weight of the identity loss, mean |F(a) - a| and mean |G(b) - b| (lambda / 2); needs domains with equal
            numbers of channels. 0 leaves it out and saves two translations in six.
        pool_size: generated images that each discriminator's image pool holds (50).
        penalties: on the discriminators. augmentations: of their inputs.
        joint_batch: pass real and generated images through the discriminator in one batch.

    Raises:
        ConfigError: a negative weight, a pool out of range, or penalties that are not supported.
    """

    translator: TranslatorNetwork
    discriminator: PatchDiscriminatorNetwork
    objective: Objective = LeastSquares()
    adversarial: Schedule = 2.0
    cycle: Schedule = 10.0
    identity: Schedule = 5.0
    pool_size: int = 50
    penalties: tuple[Penalty, ...] = ()
    augmentations: tuple[Augmentation, ...] = ()
    joint_batch: bool = True

    def __post_init__(self) -> None:
        check_patch_game(self, adversarial=self.adversarial, cycle=self.cycle, identity=self.identity)
        if not 0 <= self.pool_size <= 10_000:
            raise ConfigError(f"a pool of {self.pool_size} images", "0 to 10,000", "50 is the paper's")

    def build_model(self, spec: SampleSpec) -> TranslatorModel:
        """Both translators, untrained."""
        other = spec.shape_b or spec.shape
        there, back = (self.translator.build(*ends) for ends in ((spec.shape, other), (other, spec.shape)))
        return TranslatorModel(there, back, spec)

    def build(self, spec: SampleSpec) -> "Cycle":
        """The game for images of these shapes.

        Raises:
            ConfigError: an identity loss between domains with different numbers of channels.
        """
        if max(schedule.endpoints(self.identity)) > 0:
            check_equal_channels(spec, "for the identity loss", "leave it out with --set game.identity=0")
        return Cycle(self, spec)


class Cycle(Game):
    """Trains two translators against two discriminators."""

    def __init__(self, config: CycleConfig, spec: SampleSpec) -> None:
        super().__init__()
        self.config, self.translation = config, config.build_model(spec)
        shapes = dict(zip("ab", self.translation.ends(), strict=True))
        discriminators = {side: config.discriminator.build(c, (h, w)) for side, (c, h, w) in shapes.items()}
        pools = {side: ImagePool(config.pool_size, shape) for side, shape in shapes.items()}
        self.discriminators, self.history = nn.ModuleDict(discriminators), nn.ModuleDict(pools)
        self.memory = {side: DiscriminatorMemory(config) for side in shapes}
        self.memories = nn.ModuleDict(self.memory)

    @property
    def model(self) -> TranslatorModel:
        return self.translation

    def players(self) -> dict[str, nn.Module]:
        return {"translators": self.translation, "discriminators": self.discriminators}

    def turns(self) -> list[Turn]:
        return [
            Turn(name="translators", players=("translators",), terms=self._translator_terms),
            Turn(
                name="discriminators",
                players=("discriminators",),
                terms=self._discriminator_terms,
                new_batch=False,
                after=self._update_memories,
            ),
        ]

    def _translator_terms(self, batch: Batch) -> Terms:
        real = dict(zip("ab", domains(batch), strict=True))
        identity, cycle, adversarial = (
            schedule.value_at(weight, batch.images)
            for weight in (self.config.identity, self.config.cycle, self.config.adversarial)
        )
        with cast_weights_once(self.translation):
            fake, losses = self._translate(real, identity)
            cycled = {"a": self._to("a")(fake["b"]), "b": self._to("b")(fake["a"])}
        error = {side: mean_per_sample((cycled[side] - real[side]).abs()) for side in "ab"}
        for side in "ab":
            losses[f"cycle_{side}"] = cycle * error[side]
            parts = self.memory[side], self.discriminators[side]
            pair = patch_batch(*parts, batch, real[side], fake[side], train_discriminator=False)
            losses[f"adversarial_{side}"] = adversarial * self.config.objective.generator(pair)
        batch.carry[CARRY_FAKES] = {side: images.detach() for side, images in fake.items()}
        return Terms(losses, {f"cycle_l1_{side}": error[side].detach().mean() for side in "ab"})

    def _translate(
        self, real: dict[str, Sample], identity: float
    ) -> tuple[dict[str, Sample], dict[str, PerSample]]:
        """The translations to each domain, and the identity losses: both from one batch a translator."""
        if identity == 0:
            return {"a": self._to("a")(real["b"]), "b": self._to("b")(real["a"])}, {}
        fake, losses, count = {}, {}, len(real["a"])
        for side, source in (("a", "b"), ("b", "a")):
            fake[side], same = self._to(side)(torch.cat([real[source], real[side]])).split(count)
            losses[f"identity_{side}"] = identity * mean_per_sample((same - real[side]).abs())
        return fake, losses

    def _discriminator_terms(self, batch: Batch) -> Terms:
        real, fakes = dict(zip("ab", domains(batch), strict=True)), batch.carry.pop(CARRY_FAKES)
        losses, logs = dict[str, Tensor](), dict[str, Tensor]()
        for side in "ab":
            pool = self.history[side]
            assert isinstance(pool, ImagePool)
            fake = pool.query(fakes[side], batch.rng, f"history.{side}")
            parts = self.memory[side], self.discriminators[side]
            pair = patch_batch(*parts, batch, real[side], fake, train_discriminator=True)
            terms = discriminator_terms(self.memory[side], pair, f"_{side}")
            losses, logs = losses | terms.losses, logs | terms.logs
        return Terms(losses, logs)

    def _update_memories(self) -> None:
        for memory in self.memory.values():
            memory.update()

    def _to(self, side: str) -> nn.Module:
        """The translator to this domain."""
        return self.translation.network("a-to-b" if side == "b" else "b-to-a")
