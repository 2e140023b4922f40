"""What is said of a metric. No torch in here."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """What a metric is.

    Arguments:
        title: its name in words.
        headline: the value that stands for the whole, in `Line.values`.
        better: which way is better.
        least: the fewest samples that it makes sense for.
        good: what is good, for somebody who reads the number for the first time.
        labels: whether both sets must have labels.
        generation: whether it needs the generator itself, not only samples.
        whole: whether all samples of the real set are looked at; the count is that of the generated ones.
        steady: whether its mean does not depend on the number of samples.
        pairs: whether each sample is compared with a partner of its own; then real samples can't stand in for others.
        needs: what it is measured of, beside samples: `truth` (what each should have become), `input` (what it was made from) or
            `way back` (a translator in the other direction).
        extractors: the only ones that it is defined for; none given: all.
    """

    title: str
    headline: str
    better: Literal["lower", "higher"]
    good: str
    least: int = 2
    labels: bool = False
    generation: bool = False
    whole: bool = False
    steady: bool = False
    pairs: bool = False
    needs: Literal["", "truth", "input", "way back"] = ""
    extractors: tuple[str, ...] = ()

    @property
    def exact(self) -> bool:
        """Whether it looks at the pixels of the pictures themselves, and not at features of theirs."""
        return self.pairs and self.extractors == ("pixels",)
