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
MIN_CHANGE = 0.5  # standard deviations; a smaller increase does not count


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What changes in n samples that are moved along a direction, in units of s_k, the standard deviation of attribute k before.

    Arguments:
        attribute: the attribute that the direction should change.
        strength: of the move.
        n: number of samples.
        increase_rate: fraction of samples whose attribute increases by more than s / 2.
        success_rate: fraction of the samples without the attribute that have it afterwards. A sample has a class if p > 1/2, and
            any other attribute if it is more than s above the mean.
        gain: mean increase of the attribute, in s.
        leakage: for each other attribute k the mean of |change| / s_k. For other classes only increases count, as they must
            fall when one class rises.
        class_preservation: fraction of samples whose most likely class among the others does not change; 1 without classes.
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
        """Mean leakage per gain of one s: 0 if nothing else changes, 1 if everything else changes as much."""
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
    """Measure the effect of a direction at one strength; arguments as of `measure_strengths`."""
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
    """Measure the effects of a direction at several strengths on the same samples.

    Arguments:
        generation: the generator.
        direction: in its latent space.
        scorer: measures the attributes.
        attribute: name or index of the attribute to change; None takes the name of the direction.
        strengths: of the moves.
        n: number of samples, at least 2.
        seed: of the samples; it must differ from the one that the direction was found with.
    """
    if n < 2:
        raise SparringError(f"{n} samples", "2 or more", "500 give rates to within about 2 %")
    index = attribute_index(scorer, direction.name if attribute is None else attribute)
    z, y = sample_latents(generation, seed, range(n)), generation.draw_labels(seed, range(n))
    before = score_latents(generation, scorer, z, y)
    effects = []
    for strength in strengths:
        after = score_latents(generation, scorer, direction.apply(z, strength), y)
        effects.append(_effect(scorer, index, strength, before, after))
    return effects


def first_successful(effects: list[Effect], share: float = 0.9) -> Effect | None:
    """The first effect with a success rate of at least `share`; None if there is none."""
    return next((effect for effect in effects if effect.success_rate >= share), None)


def _effect(scorer: AttributeScorer, index: int, strength: float, before: Tensor, after: Tensor) -> Effect:
    spread = before.std(0).clamp_min(1e-6)
    change = (after - before) / spread
    is_class = index < scorer.num_classes
    threshold = torch.zeros(()) if is_class else before[:, index].mean() + spread[index]
    had_not, has = before[:, index] <= threshold, after[:, index] > threshold
    leakage = {
        name: float(
            (change[:, k].clamp_min(0) if is_class and k < scorer.num_classes else change[:, k].abs()).mean()
        )
        for k, name in enumerate(scorer.names)
        if k != index
    }
    return Effect(
        attribute=scorer.names[index],
        strength=strength,
        n=len(before),
        increase_rate=float((change[:, index] > MIN_CHANGE).float().mean()),
        success_rate=float(has[had_not].float().mean()) if bool(had_not.any()) else 1.0,
        gain=float(change[:, index].mean()),
        leakage=leakage,
        class_preservation=_class_preservation(scorer.num_classes, index, before, after),
    )


def _class_preservation(num_classes: int, index: int, before: Tensor, after: Tensor) -> float:
    others = [k for k in range(num_classes) if k != index]
    if not others:
        return 1.0
    return float((before[:, others].argmax(1) == after[:, others].argmax(1)).float().mean())
