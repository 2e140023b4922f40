"""Effects of a direction: how often it changes the attribute it should, and how much else it changes
(entanglement).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from sparring.core.errors import SparringError
from sparring.inference.latent.attributes import AttributeScorer, attribute_index, score_latents
from sparring.inference.latent.decoding import sample_latents
from sparring.inference.latent.direction import Direction
from sparring.models.generator import GeneratorModel

STRENGTHS = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)
MIN_CHANGE = 0.5  # standard deviations that count as a change


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What became of n samples that were moved, by a judge; s_k is the standard deviation of attribute k over the unmoved ones.

    Arguments:
        attribute, strength, n: what was wanted, how far they were moved, and how many.
        rises: share of samples in which the attribute rose by more than s / 2.
        arrives: share of those that did not have it and then do. A class is had where p > 1/2, any other attribute at more than
            one s above the mean.
        gain: mean rise, in s.
        leaks: for each other attribute the mean of |change| / s_k; of other classes of rises only, as they must fall when one
            class rises.
        keeps: share of samples whose likeliest class among the others is the same as before; 1 without classes.
    """

    attribute: str
    strength: float
    n: int
    increase_rate: float
    success_rate: float
    gain: float
    leakage: dict[str, float]
    class_preservation: float

    @property
    def entanglement(self) -> float:
        """The mean leak for a gain of one s: 0 where nothing else changes, 1 where all else changes as much."""
        return sum(self.leakage.values()) / max(1, len(self.leakage)) / max(self.gain, 1e-6)


def measure_direction(
    generation: GeneratorModel,
    direction: Direction,
    scorer: AttributeScorer,
    attribute: str | int | None = None,
    *,
    strength: float = 1.0,
    n: int = 500,
    seed: int = 1_000_003,
) -> Effect:
    """Move n samples and judge them before and after.

    Arguments:
        wanted: name or number of the judge's attribute; None takes the direction's name.
        seed: of the samples: not the one that the direction was found with.
    """
    return measure_strengths(generation, direction, scorer, attribute, (strength,), n=n, seed=seed)[0]


def measure_strengths(
    generation: GeneratorModel,
    direction: Direction,
    scorer: AttributeScorer,
    attribute: str | int | None = None,
    strengths: tuple[float, ...] = STRENGTHS,
    *,
    n: int = 500,
    seed: int = 1_000_003,
) -> list[Effect]:
    """The same for several strengths."""
    if n < 2:
        raise SparringError(f"{n} samples", "2 or more", "500 give shares to within 2 % or so")
    number = attribute_index(scorer, direction.name if attribute is None else attribute)
    z, y = sample_latents(generation, seed, range(n)), generation.draw_labels(seed, range(n))
    before = score_latents(generation, scorer, z, y)
    effects = []
    for strength in strengths:
        after = score_latents(generation, scorer, direction.apply(z, strength), y)
        effects.append(_effect(scorer, number, strength, before, after))
    return effects


def first_successful(effects: list[Effect], share: float = 0.9) -> Effect | None:
    """The first of them in which a share of the samples arrived; None where none did."""
    return next((effect for effect in effects if effect.success_rate >= share), None)


def _effect(scorer: AttributeScorer, number: int, strength: float, before: Tensor, after: Tensor) -> Effect:
    spread = before.std(0).clamp_min(1e-6)
    change = (after - before) / spread
    level = torch.zeros(()) if number < scorer.classes else before[:, number].mean() + spread[number]
    without, with_it = before[:, number] <= level, after[:, number] > level
    leaks = {
        name: float(
            (
                change[:, k].clamp_min(0)
                if k < scorer.classes and number < scorer.classes
                else change[:, k].abs()
            ).mean()
        )
        for k, name in enumerate(scorer.names)
        if k != number
    }
    return Effect(
        attribute=scorer.names[number],
        strength=strength,
        n=len(before),
        increase_rate=float((change[:, number] > MIN_CHANGE).float().mean()),
        success_rate=float(with_it[without].float().mean()) if bool(without.any()) else 1.0,
        gain=float(change[:, number].mean()),
        leakage=leaks,
        class_preservation=_class_preservation(scorer.classes, number, before, after),
    )


def _class_preservation(classes: int, number: int, before: Tensor, after: Tensor) -> float:
    others = [k for k in range(classes) if k != number]
    if not others:
        return 1.0
    return float((before[:, others].argmax(1) == after[:, others].argmax(1)).float().mean())
