"""Unpaired translation in one direction by contrastive learning (CUT): corresponding patches keep similar
features.

    L_G = L_GAN(G, D) + contrast * NCE(a, G(a)) + identity * NCE(b, G(b))
    NCE(x, y) = -E_places log exp(<q_i, k_i> / tau) / sum_j exp(<q_i, k_j> / tau)

q and k are what small heads make of the features that the translator's own encoder has of y and x, at the
same places.

References: Park, Efros, Zhang & Zhu 2020, "Contrastive learning for unpaired image-to-image translation",
arXiv:2007.15651, Eq. 1-5 (CUT: contrast 1, identity 1; FastCUT: contrast 10, identity 0).
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sparring.core import rng, schedule
from sparring.core.errors import ConfigError
from sparring.core.game import Batch, Game, Terms, Turn
from sparring.core.interfaces import Augmentation, Objective, Penalty
from sparring.core.schedule import Schedule
from sparring.core.shapes import PerSample, Sample, SampleSpec
from sparring.games.patch_terms import check_patch_game, discriminator_losses, domains, patch_batch
from sparring.models.translator import TranslatorModel
from sparring.parts.networks import PatchDiscriminatorNetwork, TranslatorNetwork
from sparring.parts.objectives import LeastSquares
from sparring.parts.objectives.patch_nce import PatchProjection, patch_nce


@dataclass(frozen=True, kw_only=True)
class OneSidedConfig:
    """Who plays, and by which rules.

    Deviation: the translator moves first, the judge second on the same images.

    Arguments:
        translator, discriminator: the two networks. The translator must show its encoder's features.
        objective: what they want of the judgements. The paper's is least squares.
        adversarial: weight of the judge. Our least squares is half of the paper's for translators: 2 is the paper's 1.
        contrast: weight of the contrast between a and its translation (lambda_X, 1; FastCUT 10).
        identity: weight of the contrast between b and its own (lambda_Y, 1; FastCUT 0).
        layers: of the encoder, whose features are contrasted: 0 the image, 1 behind the first convolution, then one a
            halving and one a block. The paper's are pixels, both halvings, and the first and fifth block.
        patches: places in each image and layer. temperature: tau.
        features: values that a head makes of the features at one place.
        penalties: on the judge. augmentations: of all that it sees.
        joint: real and generated images in one batch of the judge.
    """

    translator: TranslatorNetwork
    discriminator: PatchDiscriminatorNetwork
    objective: Objective = LeastSquares()
    adversarial: Schedule = 2.0
    nce: Schedule = 1.0
    identity: Schedule = 1.0
    layers: tuple[int, ...] = (0, 2, 3, 4, 8)
    num_patches: int = 256
    temperature: float = 0.07
    projection_size: int = 256
    penalties: tuple[Penalty, ...] = ()
    augmentations: tuple[Augmentation, ...] = ()
    joint_batch: bool = True

    def __post_init__(self) -> None:
        check_patch_game(self, adversarial=self.adversarial, nce=self.nce, identity=self.identity)
        if min(self.num_patches, self.projection_size) < 2 or self.temperature <= 0 or not self.layers:
            raise ConfigError(
                f"{self.num_patches} patches of {self.projection_size} features in {len(self.layers)} layers at {self.temperature}",
                "at least 2 patches and features, a layer, and a temperature above 0",
                "256 patches and features at 0.07 are the paper's",
            )

    def build_model(self, spec: SampleSpec) -> TranslatorModel:
        """The translator alone, untrained."""
        other = spec.shape_b or spec.shape
        return TranslatorModel(self.translator.build(spec.shape, other), None, spec)

    def build(self, spec: SampleSpec) -> "OneSided":
        """The game for images of these two kinds."""
        other = spec.shape_b or spec.shape
        if other[0] != spec.shape[0]:
            raise ConfigError(
                f"contrasts of images with {spec.shape[0]} and {other[0]} channels",
                "as many channels in both domains: both pass through one encoder",
                "bring both to colour with --set data.channels=3, or train cyclegan",
            )
        return OneSided(self, spec)


class OneSided(Game):
    """The game of a translator, the heads of its contrasts, and a judge."""

    def __init__(self, config: OneSidedConfig, spec: SampleSpec) -> None:
        super().__init__()
        self.config, self.translation = config, config.build_model(spec)
        shape_in, shape_out = self.translation.ends()
        self.discriminator = config.discriminator.build(shape_out[0], (shape_out[1], shape_out[2]))
        with torch.no_grad():
            seen = self._encode(torch.zeros(1, *shape_in))
        self.heads = nn.ModuleList([PatchProjection(each.shape[1], config.projection_size) for each in seen])
        self._fakes: dict[int, Tensor] = {}  # by first row of the micro-batch; empty between steps

    @property
    def model(self) -> TranslatorModel:
        return self.translation

    def players(self) -> dict[str, nn.Module]:
        return {"translator": self.translation, "heads": self.heads, "discriminator": self.discriminator}

    def turns(self) -> list[Turn]:
        return [
            Turn(name="translator", players=("translator", "heads"), terms=self._translator_terms),
            Turn(
                name="discriminator",
                players=("discriminator",),
                terms=self._discriminator_terms,
                new_batch=False,
            ),
        ]

    def _translator_terms(self, batch: Batch) -> Terms:
        (a, b), config = domains(batch), self.config
        identity = schedule.value_at(config.identity, batch.images)
        made = self.translation.a_to_b(torch.cat([a, b]) if identity else a)
        fake = made[: len(a)]
        play = patch_batch(config, self.discriminator, batch, b, fake, train_discriminator=False)
        losses = {
            "adversarial": schedule.value_at(config.adversarial, batch.images)
            * config.objective.generator(play)
        }
        losses["contrast"] = schedule.value_at(config.nce, batch.images) * self._patch_nce(batch, a, fake)
        if identity:
            losses["identity"] = identity * self._patch_nce(batch, b, made[len(a) :])
        self._fakes[batch.rng.rows.start] = fake.detach()
        return Terms(losses, {"moved": (fake.detach() - a).abs().mean()})

    def _discriminator_terms(self, batch: Batch) -> Terms:
        fake, real = self._fakes.pop(batch.rng.rows.start), domains(batch)[1]
        play = patch_batch(self.config, self.discriminator, batch, real, fake, train_discriminator=True)
        return Terms(*discriminator_losses(self.config, play))

    def _patch_nce(self, batch: Batch, source: Sample, made: Sample) -> PerSample:
        """NCE(source, made), the mean over layers (b,)."""
        with torch.no_grad():
            keys = self._encode(source)
        total = source.new_zeros(len(source), dtype=torch.float32)
        for number, (key, query) in enumerate(zip(keys, self._encode(made), strict=True)):
            draw = rng.make_generator(batch.rng.seed, f"patches.{number}", *batch.rng.position)
            places = torch.randperm(key[0, 0].numel(), generator=draw)[: self.config.num_patches].to(
                key.device
            )
            there, here = (self.heads[number](each.flatten(2)[:, :, places].mT) for each in (key, query))
            total = total + patch_nce(here, there.detach(), self.config.temperature)
        return total / len(keys)

    def _encode(self, x: Sample) -> list[Tensor]:
        encode = self.translation.a_to_b.encode
        assert callable(encode)
        try:
            seen: list[Tensor] = encode(x, self.config.layers)
        except IndexError as error:
            got = f"layers {', '.join(map(str, self.config.layers))} of an encoder with fewer"
            raise ConfigError(got, "layers that are there", "set game.layers to lower numbers") from error
        return seen
