"""Unpaired translation in one direction by contrastive learning (CUT): corresponding patches keep similar
features.

    L_G = L_GAN(G, D) + nce * NCE(a, G(a)) + identity * NCE(b, G(b))
    NCE(x, y) = -E_i log exp(<q_i, k_i> / tau) / sum_j exp(<q_i, k_j> / tau)

q_i and k_i are projections of the features that the translator's own encoder computes of y and x at position i.

References: Park, Efros, Zhang & Zhu 2020, "Contrastive learning for unpaired image-to-image translation",
arXiv:2007.15651, Eq. 1-5 (CUT: nce 1, identity 1; FastCUT: nce 10, identity 0).
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
from sparring.games.discriminator_memory import DiscriminatorMemory
from sparring.games.patch_terms import (
    check_equal_channels,
    check_patch_game,
    discriminator_terms,
    domains,
    patch_batch,
)
from sparring.models.translator import TranslatorModel
from sparring.parts.networks import PatchDiscriminatorNetwork, TranslatorNetwork
from sparring.parts.objectives import LeastSquares
from sparring.parts.objectives.patch_nce import PatchProjection, patch_nce

CARRY_FAKE = "one_sided.fake"  # in Batch.carry: the translations of this step


@dataclass(frozen=True, kw_only=True)
class OneSidedConfig:
    """A translator from A to B with projections of its features, and a patch discriminator of domain B.

    Deviation: the translator is updated first, then the discriminator on the same images.

    Arguments:
        translator, discriminator: the two networks. The translator must have a method `encode`, as `ResNetTranslator` has.
        objective: the losses of both; the paper's is least squares.
        adversarial: weight of the adversarial loss. Our least squares is half of the paper's for translators: 2 is the
            paper's 1.
        nce: weight of NCE(a, G(a)) (lambda_X, 1; FastCUT 10).
        identity: weight of NCE(b, G(b)) (lambda_Y, 1; FastCUT 0).
        layers: of the encoder, whose features are compared: 0 is the image, 1 the output of the first convolution, then one
            per downsampling and one per block. The paper's are the image, both downsamplings, and the first and fifth block.
        num_patches: positions per image and layer.
        temperature: divides the similarities before the softmax (tau, 0.07).
        projection_size: length of q and k.
        penalties: on the discriminator. augmentations: of its inputs.
        joint_batch: pass real and generated images through the discriminator in one batch.

    Raises:
        ConfigError: a setting out of range, or penalties that are not supported.
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
            got = (
                f"num_patches={self.num_patches}, projection_size={self.projection_size}, layers={self.layers}, "
                f"temperature={self.temperature}"
            )
            expected = "at least 2 patches and features, one layer, and a temperature above 0"
            raise ConfigError(
                got, expected, "256 patches and features at a temperature of 0.07 are the paper's"
            )

    def build_model(self, spec: SampleSpec) -> TranslatorModel:
        """The translator alone, untrained."""
        return TranslatorModel(self.translator.build(spec.shape, spec.shape_b or spec.shape), None, spec)

    def build(self, spec: SampleSpec) -> "OneSided":
        """The game for images of these shapes.

        Raises:
            ConfigError: the domains have different numbers of channels.
        """
        check_equal_channels(spec, "as both pass through one encoder", "train cyclegan")
        return OneSided(self, spec)


class OneSided(Game):
    """Trains a translator and the projections of its features against a discriminator."""

    def __init__(self, config: OneSidedConfig, spec: SampleSpec) -> None:
        super().__init__()
        self.config, self.translation = config, config.build_model(spec)
        shape_in, shape_out = self.translation.ends()
        self.discriminator = config.discriminator.build(shape_out[0], (shape_out[1], shape_out[2]))
        with torch.no_grad():
            features = self._encode(torch.zeros(1, *shape_in))
        self.memory = DiscriminatorMemory(config)
        self.heads = nn.ModuleList(PatchProjection(f.shape[1], config.projection_size) for f in features)

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
                after=self.memory.update,
            ),
        ]

    def _translator_terms(self, batch: Batch) -> Terms:
        (a, b), config = domains(batch), self.config
        identity = schedule.value_at(config.identity, batch.images)
        outputs = self.translation.a_to_b(torch.cat([a, b]) if identity else a)
        fake = outputs[: len(a)]
        pair = patch_batch(self.memory, self.discriminator, batch, b, fake, train_discriminator=False)
        adversarial = schedule.value_at(config.adversarial, batch.images)
        losses = {"adversarial": adversarial * config.objective.generator(pair)}
        losses["nce"] = schedule.value_at(config.nce, batch.images) * self._patch_nce(batch, a, fake)
        if identity:
            losses["identity"] = identity * self._patch_nce(batch, b, outputs[len(a) :])
        batch.carry[CARRY_FAKE] = fake.detach()
        return Terms(losses, {"input_change": (fake.detach() - a).abs().mean()})

    def _discriminator_terms(self, batch: Batch) -> Terms:
        fake, real = batch.carry.pop(CARRY_FAKE), domains(batch)[1]
        pair = patch_batch(self.memory, self.discriminator, batch, real, fake, train_discriminator=True)
        return discriminator_terms(self.memory, pair)

    def _patch_nce(self, batch: Batch, source: Sample, output: Sample) -> PerSample:
        """NCE(source, output), the mean over layers (b,)."""
        with torch.no_grad():
            keys = self._encode(source)
        total = source.new_zeros(len(source), dtype=torch.float32)
        for index, (key, query) in enumerate(zip(keys, self._encode(output), strict=True)):
            generator = rng.make_generator(batch.rng.seed, f"patches.{index}", *batch.rng.position)
            order = torch.randperm(key[0, 0].numel(), generator=generator)
            places = order[: self.config.num_patches].to(key.device)
            k, q = (self.heads[index](features.flatten(2)[:, :, places].mT) for features in (key, query))
            total = total + patch_nce(q, k.detach(), self.config.temperature)
        return total / len(keys)

    def _encode(self, x: Sample) -> list[Tensor]:
        encode = self.translation.a_to_b.encode
        assert callable(encode)
        try:
            features: list[Tensor] = encode(x, self.config.layers)
        except IndexError as error:
            got = f"layers {', '.join(map(str, self.config.layers))} of an encoder with fewer"
            raise ConfigError(got, "layers of the encoder", "set game.layers to lower numbers") from error
        return features
