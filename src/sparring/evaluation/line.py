"""One result, with all that it takes to judge it: a line of the table. No torch in here."""

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any

from sparring.errors import CorruptFileError, SparringError
from sparring.evaluation.protocol import Protocol
from sparring.evaluation.row import Interval, Row


class ComparisonError(SparringError):
    """Two results that were not got in the same way say nothing about which is better."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A result.

    Arguments:
        protocol: what was measured.
        values: by name; the headline (`value`) is one of them.
        interval: of the headline, or None where there is none to be had.
        real, fake: samples of each side.
        digest, dimension, rule: of the extractor: SHA-256 of its weights, features, how pictures are resized.
        seed: of the samples that were generated, and of what the metric draws.
        floor: real against real; None where real samples can't stand in for generated ones.
        train_against_test: the test set in the place of the generated one; None without either.
        baselines: what costs nothing, in the place of translated pictures: `what` is `identity` or `linear`; `truth` are the
            pictures that they should have become.
        compared: sources, fingerprints, and the checkpoint's images.
        seconds: that it took.
    """

    protocol: Protocol
    values: dict[str, float]
    interval: Interval | None
    real: int
    fake: int
    digest: str
    dimension: int
    rule: str
    seed: int
    floor: Row | None = None
    train_against_test: Row | None = None
    baselines: tuple[Row, ...] = ()
    compared: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def name(self) -> str:
        """The protocol's name."""
        return str(self.protocol)

    @property
    def value(self) -> float:
        """The headline."""
        return self.values[self.protocol.meaning.headline]

    @property
    def lower_is_better(self) -> bool:
        return self.protocol.meaning.better == "lower"

    @property
    def reach(self) -> float:
        """How far the interval reaches from the headline; 0 without one."""
        return max(self.interval.high - self.value, self.value - self.interval.low) if self.interval else 0.0

    def compares(self, row: Row) -> bool:
        """Whether the number of real samples stands for as many, or the metric does not depend on how many they are."""
        return self.protocol.meaning.steady or (self.real, self.fake) == (row.real, row.fake)

    def reaches(self, target: float) -> bool:
        """Whether the headline is at least as good as `target`."""
        return self.value <= target if self.lower_is_better else self.value >= target

    def compare(self, other: "Line") -> "Comparison":
        """How this result stands to another one.

        Raises:
            ComparisonError: they were not got in the same way, so that the numbers can't be compared.
        """
        for what, ours, theirs in _ways(self, other):
            if ours != theirs:
                raise ComparisonError(
                    f"{what}: {ours} here, {theirs} there",
                    "results that were got in the same way",
                    "evaluate both with one --metrics name against the same data",
                )
        difference = self.value - other.value
        sides = [line.interval for line in (self, other)]
        clear = None
        if sides[0] is not None and sides[1] is not None:
            clear = sides[0].low > sides[1].high or sides[1].low > sides[0].high
        better = (difference < 0) == self.lower_is_better and difference != 0
        return Comparison(difference=difference, better=better, clear=clear)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON, from which `from_json` makes an equal one."""
        document = dataclasses.asdict(self)
        document["protocol"] = self.name
        return document

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Line":
        """Raises CorruptFileError where the document is not a line."""
        try:
            values = {name: document[name] for name in _names(cls) if name != "baselines"}
            values["baselines"] = tuple(Row(**row) for row in document.get("baselines", []))
            values["protocol"] = Protocol.parse(values["protocol"])
            values["interval"] = Interval(**values["interval"]) if values["interval"] else None
            for name in ("floor", "train_against_test"):
                values[name] = Row(**values[name]) if values[name] else None
            line = cls(**values)
            if not all(math.isfinite(number) for number in line.values.values()) or not math.isfinite(
                line.value
            ):
                raise ValueError("values that are not finite")
            return line
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise CorruptFileError(
                f"a result that can't be read: {error}", "one written by Sparring", "evaluate anew"
            ) from error


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How one result stands to another.

    Arguments:
        difference: of the headlines, the first minus the second.
        better: whether the first is better.
        clear: whether the intervals do not touch; None where one has none.
    """

    difference: float
    better: bool
    clear: bool | None


def _names(kind: type[Line]) -> list[str]:
    return [one.name for one in dataclasses.fields(kind)]


def _ways(one: Line, other: Line) -> list[tuple[str, Any, Any]]:
    """What must be the same for two results to be compared."""
    return [
        ("metric", one.protocol.metric, other.protocol.metric),
        ("samples", (one.real, one.fake), (other.real, other.fake)),
        ("extractor", one.protocol.extractor, other.protocol.extractor),
        ("the extractor's weights", one.digest or "none", other.digest or "none"),
        ("resize rule", one.rule, other.rule),
        ("split", one.protocol.split, other.protocol.split),
        ("reference", one.compared.get("reference"), other.compared.get("reference")),
        ("direction", one.compared.get("direction"), other.compared.get("direction")),
    ]
