"""Terms of the adversarial game: the generated samples of a step, the inputs of its discriminator, losses and accuracies.

References: Mirza & Osindero 2014, arXiv:1411.1784 (labels); Lin et al. 2018, arXiv:1712.04086 (packing); Odena et al. 2017,
arXiv:1610.09585 (classification losses).
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from sparring.core.adversarial_batch import AdversarialBatch, WeightHistory
from sparring.core.ema import EMA
from sparring.core.errors import SparringError
from sparring.core.game import Batch, unfreeze
from sparring.core.interfaces import Augmentation, Penalty
from sparring.core.shapes import PerSample, Sample
from sparring.models.discriminator import Discriminator
from sparring.models.generator import GeneratorModel
from sparring.parts.augmentation.packing import pack
from sparring.parts.objectives.auxiliary import auxiliary_fake_loss, auxiliary_real_loss

CARRY_FAKE = "adversarial.x_fake"  # in Batch.carry: the generated samples with the generator's graph


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

    def history(self, name: str, player: nn.Module) -> WeightHistory:
        """The weights of a player, with their running mean if there is one."""
        average = self[name] if name in self else None
        return WeightHistory(player, average.module if isinstance(average, EMA) else None)

    def update(self, name: str, player: nn.Module) -> None:  # type: ignore[override]
        """Add the weights of a player, which was just updated, to its mean."""
        average = self[name] if name in self else None
        if isinstance(average, EMA):
            average.update(player)


def generate(model: GeneratorModel, batch: Batch) -> Sample:
    """Samples of the generator for the batch's latents and labels."""
    return model(batch.rng.normal("latent", model.latent), batch.y)


def detached_fake(model: GeneratorModel, batch: Batch, reuse: bool) -> Sample:
    """Generated samples for the discriminator's update. With `reuse` their graph goes into the carry, for the generator's."""
    if not reuse:
        with torch.no_grad():
            return generate(model, batch)
    with torch.enable_grad(), unfreeze(model):
        batch.carry[CARRY_FAKE] = generate(model, batch)
    return batch.carry[CARRY_FAKE].detach()


def fake_with_graph(model: GeneratorModel, batch: Batch) -> Sample:
    """Generated samples for the generator's update: those of the carry, if there are any."""
    fake: Sample | None = batch.carry.pop(CARRY_FAKE, None)
    return generate(model, batch) if fake is None else fake


def discriminator_input(
    samples: Tensor, batch: Batch, stream: str, augmentations: Sequence[Augmentation], packing: int
) -> Tensor:
    """Augment samples (b, c, h, w), then pack each `packing` of them into one input (b / packing, packing c, h, w)."""
    for augmentation in augmentations:
        samples = augmentation(samples, batch.rng, stream, batch.images)
    return pack(samples, packing) if packing > 1 else samples


def classification_loss(pair: AdversarialBatch, weight: float, *, with_real: bool) -> PerSample:
    """The weighted cross-entropy of an auxiliary head on the generated samples, and with `with_real` on the real ones too."""
    loss = auxiliary_real_loss(pair) + auxiliary_fake_loss(pair) if with_real else auxiliary_fake_loss(pair)
    return weight * loss


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
