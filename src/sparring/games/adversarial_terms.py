"""Terms of the adversarial game: the generated samples of a step, the inputs of its discriminator, losses and accuracies.

References: Mirza & Osindero 2014, arXiv:1411.1784 (labels); Lin et al. 2018, arXiv:1712.04086 (packing); Odena et al. 2017,
arXiv:1610.09585 (classification losses).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from sparring.core import schedule
from sparring.core.adversarial_batch import AdversarialBatch, PlayerHistory
from sparring.core.errors import SparringError
from sparring.core.game import Batch, unfreeze
from sparring.core.interfaces import Penalty
from sparring.core.schedule import Schedule
from sparring.core.shapes import PerSample, Sample
from sparring.games.discriminator_memory import DiscriminatorMemory
from sparring.models.discriminator import Discriminator
from sparring.models.generator import GeneratorModel
from sparring.parts.augmentation.packing import pack
from sparring.parts.objectives.auxiliary import auxiliary_fake_loss, auxiliary_real_loss
from sparring.parts.penalties import due_penalties

CARRY_FAKE = "adversarial.x_fake"  # in Batch.carry: the generated samples with the generator's graph


@runtime_checkable
class AdversarialSettings(Protocol):
    """The settings of the adversarial game that its terms depend on; see `AdversarialConfig`."""

    @property
    def conditional(self) -> bool: ...
    @property
    def packing(self) -> int: ...
    @property
    def reuse_fakes(self) -> bool: ...
    @property
    def joint_batch(self) -> bool: ...
    @property
    def auxiliary_weight(self) -> Schedule: ...
    @property
    def has_auxiliary_classifier(self) -> bool: ...


def adversarial_batch(
    config: AdversarialSettings,
    model: GeneratorModel,
    discriminator: Discriminator,
    batch: Batch,
    *,
    penalties: Sequence[Penalty],
    history: PlayerHistory,
    memory: DiscriminatorMemory,
) -> AdversarialBatch:
    """Real and generated samples before the discriminator.

    Arguments:
        penalties: of the player that is updated.
        history: of that player. In the generator's turn gradients flow to the generator.
        memory: of the discriminator.
    """
    train_discriminator = history.player is discriminator
    if train_discriminator:
        history = replace(history, logits=memory.averages)
    batch = batch if config.conditional else replace(batch, y=None)

    def make_fake() -> Sample:
        if train_discriminator:
            return _detached_fake(model, batch, config.reuse_fakes)
        return _fake_with_graph(model, batch)

    def augment(samples: Tensor, stream: str) -> Tensor:
        samples = memory.augment(samples, batch, stream)
        return pack(samples, config.packing) if config.packing > 1 else samples

    return AdversarialBatch(
        batch,
        make_fake,
        discriminator,
        augment,
        needs_input_grad=any(penalty.needs_input_grad for penalty in due_penalties(penalties, batch.step)),
        joint_batch=config.joint_batch,
        history=history,
    )


def _generate(model: GeneratorModel, batch: Batch) -> Sample:
    return model(batch.rng.normal("latent", model.latent), batch.y)


def _detached_fake(model: GeneratorModel, batch: Batch, reuse: bool) -> Sample:
    """Generated samples for the discriminator's update. With `reuse` their graph goes into the carry, for the generator's."""
    if not reuse:
        with torch.no_grad():
            return _generate(model, batch)
    with torch.enable_grad(), unfreeze(model):
        batch.carry[CARRY_FAKE] = _generate(model, batch)
    return batch.carry[CARRY_FAKE].detach()


def _fake_with_graph(model: GeneratorModel, batch: Batch) -> Sample:
    """Generated samples for the generator's update: those of the carry, if there are any."""
    fake: Sample | None = batch.carry.pop(CARRY_FAKE, None)
    return _generate(model, batch) if fake is None else fake


def classification_losses(
    config: AdversarialSettings, pair: AdversarialBatch, *, with_real: bool
) -> dict[str, PerSample]:
    """The weighted cross-entropy of an auxiliary head on the generated samples, and on the real ones; empty without such a head.

    Arguments:
        with_real: whether to add the loss of the real samples, which trains the discriminator alone.
    """
    if not config.has_auxiliary_classifier:
        return {}
    loss = auxiliary_real_loss(pair) + auxiliary_fake_loss(pair) if with_real else auxiliary_fake_loss(pair)
    return {"classification": schedule.value_at(config.auxiliary_weight, pair.images) * loss}


@torch.no_grad()
def accuracies(pair: AdversarialBatch) -> dict[str, Tensor]:
    """Shares of the real and of the generated samples on the right side of a logit of 0, for the record."""
    correct = {"real": pair.real_logits > 0, "fake": pair.fake_logits < 0}
    return {f"accuracy_{name}": hits.float().mean() for name, hits in correct.items()}


def class_log_probabilities(discriminator: Discriminator, x: Sample, has_classifier: bool) -> Tensor:
    """log p(y|x) (b, classes) by the auxiliary head.

    Raises:
        SparringError: there is no auxiliary head.
    """
    if not has_classifier:
        raise SparringError(
            "a GAN whose discriminator has no class head, and whose samples have no likelihood",
            "a model with class probabilities",
            "train one of the recipes acgan, cvae, naive_bayes or logistic on labelled images",
        )
    return discriminator.classify(discriminator.features(x)).float().log_softmax(1)
