"""Input and output of a metric function: `MetricInput` and `MetricValue`."""

from dataclasses import dataclass
from typing import NamedTuple

from sparring.evaluation.feature_bank import SampleView
from sparring.evaluation.samples import GeneratedSamples, RealSamples


@dataclass(frozen=True, kw_only=True)
class MetricInput:
    """One measurement.

    Arguments:
        real, fake: the two sides. In a floor both are real.
        reference: where the real ones are from.
        sampled: what is judged; None in a floor.
        count: the number in the protocol's name.
        seed: of what the metric draws.
        resamples: of the bootstrap; 0 leaves it out.
        given: what translated images were made from, in their order.
    """

    real: SampleView
    fake: SampleView
    reference: RealSamples
    generated: GeneratedSamples | None
    count: int
    seed: int = 0
    resamples: int = 0
    inputs: SampleView | None = None


class MetricValue(NamedTuple):
    """What a metric came to.

    values: by name, the headline among them.
    error: standard error of the headline; None where there is none.
    kind: how the error was got, in words.
    share: whether the headline lies between 0 and 1.
    """

    values: dict[str, float]
    error: float | None = None
    kind: str = ""
    share: bool = False


def proportion_standard_error(share: float, count: int) -> float:
    """The standard error of a share p of n samples, after two successes and two failures more (Agresti & Coull 1998).

    It is not 0 for a share of 0 or 1, of which n samples can't be sure either.

    >>> round(proportion_standard_error(0.5, 96), 3), round(proportion_standard_error(0.0, 96), 3)
    (0.05, 0.014)
    """
    p = (share * count + 2) / (count + 4)
    return float((p * (1 - p) / (count + 4)) ** 0.5)
