"""Input and output of a metric function: `MetricInput` and `MetricValue`."""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from sparring.evaluation.feature_bank import SampleView
from sparring.evaluation.samples import GeneratedSamples, RealSamples


@dataclass(frozen=True, kw_only=True)
class MetricInput:
    """What a metric function computes its value from.

    Arguments:
        real, fake: the two sides. For the score of real samples, both are real.
        reference: the data set of the real side.
        generated: the samples of the fake side; None for the score of real samples.
        count: the number in the protocol's name.
        seed: of the metric's random draws.
        resamples: of the bootstrap; 0 omits the confidence interval.
        inputs: the inputs of translated images, in the order of `fake`; None for other samples.
        blocks: of samples, each of which is left out once for a jackknife; 0 for none.
    """

    real: SampleView
    fake: SampleView
    reference: RealSamples
    generated: GeneratedSamples | None
    count: int
    seed: int = 0
    resamples: int = 0
    inputs: SampleView | None = None
    blocks: int = 0

    @property
    def block_slices(self) -> list[slice]:
        """The rows of each block, of both sides; empty without blocks, or where both sides differ in number."""
        count = len(self.real)
        if count != len(self.fake) or count < 4 * self.blocks:
            return []
        edges = [count * index // max(1, self.blocks) for index in range(self.blocks + 1)]
        return [slice(start, stop) for start, stop in pairwise(edges)]


class MetricValue(NamedTuple):
    """The value of a metric.

    values: by name, among them the headline of the catalogue.
    error: standard error of the headline; None if there is no estimate.
    method: how the error was estimated, in words.
    is_proportion: whether the headline lies between 0 and 1.
    leaving_out: the headline without each of the blocks (see `MetricInput.blocks`); empty where it is not computed.
    """

    values: dict[str, float]
    error: float | None = None
    method: str = ""
    is_proportion: bool = False
    leaving_out: tuple[float, ...] = ()


def proportion_standard_error(proportion: float, count: int) -> float:
    """Standard error of a proportion p of n samples, after adding two successes and two failures (Agresti & Coull
    1998, doi:10.1080/00031305.1998.10480550), so that it is not 0 for p = 0 or 1.

    >>> round(proportion_standard_error(0.5, 96), 3), round(proportion_standard_error(0.0, 96), 3)
    (0.05, 0.014)
    """
    p = (proportion * count + 2) / (count + 4)
    return float((p * (1 - p) / (count + 4)) ** 0.5)
