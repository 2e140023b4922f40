"""Unpaired translation with cycle consistency (CycleGAN): two translators, two discriminators.

    L = L_GAN(G, D_B) + L_GAN(F, D_A) + cycle * (E |F(G(a)) - a|_1 + E |G(F(b)) - b|_1)
        + identity * (E |F(a) - a|_1 + E |G(b) - b|_1)

Both translators are updated together, then both discriminators, which see the same images or earlier ones
from a pool.

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
from sparring.games.image_pool import ImagePool
from sparring.games.patch_terms import (
    check_patch_game,
    discriminator_losses,
    domains,
    mean_per_sample,
    patch_batch,
)
from sparring.models.translator import TranslatorModel
from sparring.parts.networks import PatchDiscriminatorNetwork, TranslatorNetwork
from sparring.parts.networks.layers.conv import cast_weights_once
from sparring.parts.objectives import LeastSquares


@dataclass(frozen=True, kw_only=True)
class CycleConfig:
    """Who plays, and by which rules.

    Deviation: translators first, judges second on the same images.

    Arguments:
        translator, discriminator: settings of both translators, and of both judges.
        objective: what they want of the judgements. The paper's is least squares.
        adversarial: weight of the judges. Our least squares is half of the paper's for translators: 2 is the paper's 1.
        cycle: weight of the way there and back (lambda, 10).
        identity: weight of leaving alone what is in the wanted domain already (lambda / 2); only where both domains have as many
            channels. 0 leaves it out and saves two translations in six.
        pool: earlier images that each judge is shown again.
        penalties: on the judges. augmentations: of all that they see.
        joint: real and generated images in one batch of the judge.
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
        """The game for images of these two kinds."""
        other = spec.shape_b or spec.shape
        if other[0] != spec.shape[0] and max(schedule.endpoints(self.identity)) > 0:
            raise ConfigError(
                f"identity of images with {spec.shape[0]} and {other[0]} channels",
                "as many channels in both domains",
                "--set game.identity=0, or bring both to colour with --set data.channels=3",
            )
        return Cycle(self, spec)


class Cycle(Game):
    """The game of two translators and two judges."""

    def __init__(self, config: CycleConfig, spec: SampleSpec) -> None:
        super().__init__()
        self.config, self.translation = config, config.build_model(spec)
        shapes = dict(zip("ab", self.translation.ends(), strict=True))
        self.discriminators = nn.ModuleDict(
            {
                side: config.discriminator.build(shape[0], (shape[1], shape[2]))
                for side, shape in shapes.items()
            }
        )
        self.history = nn.ModuleDict(
            {side: ImagePool(config.pool_size, shape) for side, shape in shapes.items()}
        )
        self._fakes: dict[int, dict[str, Tensor]] = {}  # by first row of the micro-batch; empty between steps

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
            ),
        ]

    def _translator_terms(self, batch: Batch) -> Terms:
        real = dict(zip("ab", domains(batch), strict=True))
        with cast_weights_once(self.translation):
            fake, losses = self._translated(real, schedule.value_at(self.config.identity, batch.images))
            back = {"a": self._to("a")(fake["b"]), "b": self._to("b")(fake["a"])}
        error = {side: mean_per_sample((back[side] - real[side]).abs()) for side in "ab"}
        weights = [
            schedule.value_at(weight, batch.images) for weight in (self.config.cycle, self.config.adversarial)
        ]
        for side in "ab":
            losses[f"cycle_{side}"] = weights[0] * error[side]
            play = patch_batch(
                self.config,
                self.discriminators[side],
                batch,
                real[side],
                fake[side],
                train_discriminator=False,
            )
            losses[f"adversarial_{side}"] = weights[1] * self.config.objective.generator(play)
        self._fakes[batch.rng.rows.start] = {side: made.detach() for side, made in fake.items()}
        return Terms(losses, {f"cycle_{side}": error[side].detach().mean() for side in "ab"})

    def _translated(
        self, real: dict[str, Sample], identity: float
    ) -> tuple[dict[str, Sample], dict[str, PerSample]]:
        """The translations, and what comes of images that were there already: both in one batch."""
        if identity == 0:
            return {"a": self._to("a")(real["b"]), "b": self._to("b")(real["a"])}, {}
        fake, losses, count = {}, {}, len(real["a"])
        for side, source in (("a", "b"), ("b", "a")):
            fake[side], same = self._to(side)(torch.cat([real[source], real[side]])).split(count)
            losses[f"identity_{side}"] = identity * mean_per_sample((same - real[side]).abs())
        return fake, losses

    def _discriminator_terms(self, batch: Batch) -> Terms:
        real = dict(zip("ab", domains(batch), strict=True))
        made = self._fakes.pop(batch.rng.rows.start)
        losses: dict[str, Tensor] = {}
        watched: dict[str, Tensor] = {}
        for side in "ab":
            pool = self.history[side]
            assert isinstance(pool, ImagePool)
            fake = pool.query(made[side], batch.rng, f"history.{side}")
            judge = self.discriminators[side]
            play = patch_batch(self.config, judge, batch, real[side], fake, train_discriminator=True)
            terms, seen = discriminator_losses(self.config, play, f"_{side}")
            losses, watched = losses | terms, watched | seen
        return Terms(losses, watched)

    def _to(self, side: str) -> nn.Module:
        """The translator to this domain."""
        return self.translation.network("a-to-b" if side == "b" else "b-to-a")
