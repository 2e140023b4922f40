"""What a direction changes: how often what was wanted, and how much else (entanglement)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from sparring.errors import SparringError
from sparring.games.generation import Generation
from sparring.latent.decoding import latents
from sparring.latent.direction import Direction
from sparring.latent.directions.hyperplane import judged
from sparring.latent.judges import Judge, attribute

STRENGTHS = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)
RISE = 0.5  # standard deviations that count as a change


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
    rises: float
    arrives: float
    gain: float
    leaks: dict[str, float]
    keeps: float

    @property
    def entanglement(self) -> float:
        """The mean leak for a gain of one s: 0 where nothing else changes, 1 where all else changes as much."""
        return sum(self.leaks.values()) / max(1, len(self.leaks)) / max(self.gain, 1e-6)


def measure(
    generation: Generation,
    direction: Direction,
    judge: Judge,
    wanted: str | int | None = None,
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
    return measure_all(generation, direction, judge, wanted, (strength,), n=n, seed=seed)[0]


def measure_all(
    generation: Generation,
    direction: Direction,
    judge: Judge,
    wanted: str | int | None = None,
    strengths: tuple[float, ...] = STRENGTHS,
    *,
    n: int = 500,
    seed: int = 1_000_003,
) -> list[Effect]:
    """The same for several strengths."""
    if n < 2:
        raise SparringError(f"{n} samples", "2 or more", "500 give shares to within 2 % or so")
    number = attribute(judge, direction.name if wanted is None else wanted)
    z, y = latents(generation, seed, range(n)), generation.draw_labels(seed, range(n))
    before = judged(generation, judge, z, y)
    effects = []
    for strength in strengths:
        after = judged(generation, judge, direction.move(z, strength), y)
        effects.append(_effect(judge, number, strength, before, after))
    return effects


def enough(effects: list[Effect], share: float = 0.9) -> Effect | None:
    """The first of them in which a share of the samples arrived; None where none did."""
    return next((effect for effect in effects if effect.arrives >= share), None)


def _effect(judge: Judge, number: int, strength: float, before: Tensor, after: Tensor) -> Effect:
    spread = before.std(0).clamp_min(1e-6)
    change = (after - before) / spread
    level = torch.zeros(()) if number < judge.classes else before[:, number].mean() + spread[number]
    without, with_it = before[:, number] <= level, after[:, number] > level
    leaks = {
        name: float(
            (
                change[:, k].clamp_min(0)
                if k < judge.classes and number < judge.classes
                else change[:, k].abs()
            ).mean()
        )
        for k, name in enumerate(judge.names)
        if k != number
    }
    return Effect(
        attribute=judge.names[number],
        strength=strength,
        n=len(before),
        rises=float((change[:, number] > RISE).float().mean()),
        arrives=float(with_it[without].float().mean()) if bool(without.any()) else 1.0,
        gain=float(change[:, number].mean()),
        leaks=leaks,
        keeps=_kept(judge.classes, number, before, after),
    )


def _kept(classes: int, number: int, before: Tensor, after: Tensor) -> float:
    others = [k for k in range(classes) if k != number]
    if not others:
        return 1.0
    return float((before[:, others].argmax(1) == after[:, others].argmax(1)).float().mean())
