"""Translation learned from pairs: close to the partner, and such that a judge of patches can't tell it.

    L_G = weight of the judge * L_GAN(G, D) + weight of closeness * E |b - G(a)|_1        D sees (a, b) and (a, G(a))

The translator moves first, and the judge is shown the same pictures, so that each is made once a step.

References: Isola, Zhu, Zhou & Efros 2017, "Image-to-image translation with conditional adversarial networks", arXiv:1611.07004,
Eq. 1-4, sec. 3.3.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sparring import schedule
from sparring.errors import ConfigError
from sparring.game import Batch, Game, Terms, Turn
from sparring.games.judging import check_rules, convicted, judged, per_sample, psnr, sides
from sparring.games.translation import Translation
from sparring.objectives import NonSaturating
from sparring.roles import Augmentation, Objective, Penalty
from sparring.schedule import Schedule
from sparring.shapes import Spec
from sparring.translators import PatchDiscriminatorNetwork, TranslatorNetwork


@dataclass(frozen=True, kw_only=True)
class PairedConfig:
    """Who plays, and by which rules.

    Deviation: the paper halves the judge's loss to slow it down, which under Adam changes nothing and is left out. What noise there
    is comes from dropout in the translator while it trains; a kept translator has none.

    Arguments:
        translator, discriminator: the two networks.
        objective: what they want of the judgements. The paper's is cross-entropy.
        reconstruction: weight of the mean absolute distance to the partner (lambda, 100); 0 leaves it out.
        adversarial: weight of the judge; 0 for none, which is regression.
        conditional: whether the judge sees what was translated, too.
        penalties: on the judge. augmentations: of all that it sees, alike for the two of a pair.
        joint: real and generated pictures in one batch of the judge.
    """

    translator: TranslatorNetwork
    discriminator: PatchDiscriminatorNetwork
    objective: Objective = NonSaturating()
    reconstruction: Schedule = 100.0
    adversarial: Schedule = 1.0
    conditional: bool = True
    penalties: tuple[Penalty, ...] = ()
    augmentations: tuple[Augmentation, ...] = ()
    joint: bool = True

    def __post_init__(self) -> None:
        check_rules(self, reconstruction=self.reconstruction, adversarial=self.adversarial)
        if not self.has_judge and max(schedule.ends(self.reconstruction)) == 0:
            raise ConfigError(
                "a translator that nobody asks for anything", "a weight above 0", "raise one of them"
            )

    @property
    def has_judge(self) -> bool:
        return max(schedule.ends(self.adversarial)) > 0

    def kept(self, spec: Spec) -> Translation:
        """The translator alone, untrained."""
        other = spec.other or spec.shape
        return Translation(self.translator.build(spec.shape, other), None, spec)

    def build(self, spec: Spec) -> "Paired":
        """The game for pairs of pictures of this kind."""
        return Paired(self, spec)


class Paired(Game):
    """The game of pairs; one of a single player where nobody judges."""

    def __init__(self, config: PairedConfig, spec: Spec) -> None:
        super().__init__()
        self.config, self.translation = config, config.kept(spec)
        shape_in, shape_out = self.translation.ends()
        seen = shape_out[0] + (shape_in[0] if config.conditional else 0)
        size = shape_out[1], shape_out[2]
        self.discriminator = config.discriminator.build(seen, size) if config.has_judge else nn.Identity()
        self._made: dict[int, Tensor] = {}  # by first row of the micro-batch; empty between steps

    @property
    def kept(self) -> Translation:
        return self.translation

    def players(self) -> dict[str, nn.Module]:
        return {"translator": self.translation, "discriminator": self.discriminator}

    def turns(self) -> list[Turn]:
        first = Turn(name="translator", players=("translator",), terms=self._translator_terms)
        second = Turn(
            name="discriminator", players=("discriminator",), terms=self._discriminator_terms, fresh=False
        )
        return [first, second] if self.config.has_judge else [first]

    def _translator_terms(self, batch: Batch) -> Terms:
        a, b = sides(batch)
        fake = self.translation.a_to_b(a)
        distance = per_sample((fake - b).abs())
        losses = {"reconstruction": schedule.at(self.config.reconstruction, batch.images) * distance}
        if self.config.has_judge:
            play = judged(
                self.config,
                self.discriminator,
                batch,
                *self._shown(a, b, fake),
                training=False,
                parts=self._parts(),
            )
            weight = schedule.at(self.config.adversarial, batch.images)
            losses["adversarial"] = weight * self.config.objective.generator(play)
            self._made[batch.draws.rows.start] = fake.detach()
        return Terms(losses, {"l1": distance.detach().mean(), "psnr": psnr(fake, b)})

    def _discriminator_terms(self, batch: Batch) -> Terms:
        a, b = sides(batch)
        fake = self._made.pop(batch.draws.rows.start)
        shown = self._shown(a, b, fake)
        play = judged(self.config, self.discriminator, batch, *shown, training=True, parts=self._parts())
        return Terms(*convicted(self.config, play))

    def _shown(self, a: Tensor, b: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """What the judge sees: real and generated."""
        if not self.config.conditional:
            return b, fake
        return torch.cat([a, b], 1), torch.cat([a, fake], 1)

    def _parts(self) -> tuple[int, ...]:
        shape_in, shape_out = self.translation.ends()
        return (shape_in[0], shape_out[0]) if self.config.conditional else ()
