"""LeCam regularisation: logits are pulled towards the running average of those of the other kind."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from sparring.core.adversarial_batch import AdversarialBatch
from sparring.core.errors import ConfigError
from sparring.core.schedule import Schedule, value_at
from sparring.core.shapes import PerSample
from sparring.parts.penalties.r1_r2 import check_penalty


@dataclass(frozen=True, kw_only=True)
class LeCam:
    """A regulariser of the discriminator's predictions, for few training samples.

        weight (E_x |D(x) - a_F|^2 + E_z |D(G(z)) - a_R|^2)

    a_R and a_F are running averages of the discriminator's mean logits on real and on generated samples, kept by the game
    (`batch.history.logits`). With the Wasserstein loss it bounds the LeCam divergence, and in general it keeps the logits of
    real and of generated samples from drifting apart.

    Deviations: the averages are those up to the step before, and are corrected for their start at 0, so that no warm-up is
    needed; `start` makes one.

    References:
        Tseng, Jiang, Liu, Yang, Yang 2021, "Regularizing generative adversarial networks under limited data",
            arXiv 2104.03310, Eq. 3-5.

    Arguments:
        weight: strength; 0.01 to 0.3 in the paper's experiments with a hinge loss, default 0.1.
        decay: of the averages, per step (0.99).
        start: images before the penalty sets in; it is 0 until then. Default 0.
        every: steps between applications.

    Shape: one value a logit (b,), with the weight in it, without the factor `every`.

    Raises:
        ConfigError: a setting out of range; or the game keeps no averages of this player's logits.
    """

    weight: Schedule = 0.1
    decay: float = 0.99
    start: int = 0
    every: int = 1
    needs_input_grad: ClassVar[bool] = False
    needs_weight_average: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_penalty(self.weight, self.every)
        if not 0 <= self.decay < 1 or self.start < 0:
            got = f"lecam with decay={self.decay}, start={self.start}"
            raise ConfigError(
                got, "a decay from 0 to below 1, a start of 0 or more", "0.99 is the paper's decay"
            )

    @property
    def logit_decay(self) -> float:
        """Decay of the averages of the logits, per step."""
        return self.decay

    def __call__(self, batch: AdversarialBatch) -> PerSample:
        averages = batch.history.logits if batch.history is not None else None
        if averages is None:
            got = "lecam for a player whose logits are not averaged"
            raise ConfigError(
                got, "a penalty on a discriminator", "move it to game.penalties, or leave it out"
            )
        if batch.images < self.start:
            return torch.zeros_like(batch.real_logits)
        real = (batch.real_logits - averages.fake).square()
        fake = (batch.fake_logits - averages.real).square()
        return value_at(self.weight, batch.images) * (real + fake)
