"""Parts of a result: how sure it is, and what others get. No torch in here."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Interval:
    """Where the headline value lies with about 95 %.

    Arguments:
        low, high: the bounds.
        kind: how it was got: `bootstrap of the samples, 20 times`, `standard error over 100 subsets` and the like.
    """

    low: float
    high: float
    kind: str


@dataclass(frozen=True, kw_only=True)
class Row:
    """The same metric on real samples.

    Arguments:
        values: as in the line.
        real, fake: samples that stood for the real and for the generated ones.
        what: which samples these were.
    """

    values: dict[str, float]
    real: int
    fake: int
    what: str
