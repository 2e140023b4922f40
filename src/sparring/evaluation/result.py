"""Results: values, confidence intervals, comparison of two results, and `RUN/evaluation/results.jsonl`.

No torch.
"""

import dataclasses
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sparring.core import storage
from sparring.core.errors import CorruptFileError, SparringError
from sparring.protocols.protocol import EvaluationProtocol
from sparring.runs import records


@dataclass(frozen=True, kw_only=True)
class ConfidenceInterval:
    """Where the headline value lies with about 95 %.

    Arguments:
        low, high: the bounds.
        kind: how it was got: `bootstrap of the samples, 20 times`, `standard error over 100 subsets` and the like.
    """

    low: float
    high: float
    kind: str


@dataclass(frozen=True, kw_only=True)
class ComparisonRow:
    """The same metric on real samples.

    Arguments:
        values: as in the line.
        real, fake: samples that stood for the real and for the generated ones.
        what: which samples these were.
    """

    values: dict[str, float]
    real: int
    fake: int
    description: str


class ComparisonError(SparringError):
    """Two results that were not got in the same way say nothing about which is better."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """A result.

    Arguments:
        protocol: what was measured.
        values: by name; the headline (`value`) is one of them.
        interval: of the headline, or None where there is none to be had.
        real, fake: samples of each side.
        digest, dimension, rule: of the extractor: SHA-256 of its weights, features, how images are resized.
        seed: of the samples that were generated, and of what the metric draws.
        floor: real against real; None where real samples can't stand in for generated ones.
        train_against_test: the test set in the place of the generated one; None without either.
        baselines: what costs nothing, in the place of translated images: `what` is `identity` or `linear`; `truth` are the
            images that they should have become.
        compared: sources, fingerprints, and the checkpoint's images.
        seconds: that it took.
    """

    protocol: EvaluationProtocol
    values: dict[str, float]
    interval: ConfidenceInterval | None
    real: int
    fake: int
    digest: str
    dimension: int
    preprocessing: str
    seed: int
    floor: ComparisonRow | None = None
    train_against_test: ComparisonRow | None = None
    baselines: tuple[ComparisonRow, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def name(self) -> str:
        """The protocol's name."""
        return str(self.protocol)

    @property
    def value(self) -> float:
        """The headline."""
        return self.values[self.protocol.info.headline]

    @property
    def lower_is_better(self) -> bool:
        return self.protocol.info.better == "lower"

    @property
    def half_width(self) -> float:
        """How far the interval reaches from the headline; 0 without one."""
        return max(self.interval.high - self.value, self.value - self.interval.low) if self.interval else 0.0

    def compares(self, row: ComparisonRow) -> bool:
        """Whether the number of real samples stands for as many, or the metric does not depend on how many they are."""
        return self.protocol.info.size_invariant or (self.real, self.fake) == (row.real, row.fake)

    def reaches(self, target: float) -> bool:
        """Whether the headline is at least as good as `target`."""
        return self.value <= target if self.lower_is_better else self.value >= target

    def compare(self, other: "Result") -> "Comparison":
        """How this result stands to another one.

        Raises:
            ComparisonError: they were not got in the same way, so that the numbers can't be compared.
        """
        for what, ours, theirs in _comparability_keys(self, other):
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
    def from_json(cls, document: dict[str, Any]) -> "Result":
        """Raises CorruptFileError where the document is not a line."""
        try:
            values = {name: document[name] for name in _field_names(cls) if name != "baselines"}
            values["baselines"] = tuple(ComparisonRow(**row) for row in document.get("baselines", []))
            values["protocol"] = EvaluationProtocol.parse(values["protocol"])
            values["interval"] = ConfidenceInterval(**values["interval"]) if values["interval"] else None
            for name in ("floor", "train_against_test"):
                values[name] = ComparisonRow(**values[name]) if values[name] else None
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


def _field_names(kind: type[Result]) -> list[str]:
    return [one.name for one in dataclasses.fields(kind)]


def _comparability_keys(one: Result, other: Result) -> list[tuple[str, Any, Any]]:
    """What must be the same for two results to be compared."""
    return [
        ("metric", one.protocol.metric, other.protocol.metric),
        ("samples", (one.real, one.fake), (other.real, other.fake)),
        ("extractor", one.protocol.extractor, other.protocol.extractor),
        ("the extractor's weights", one.digest or "none", other.digest or "none"),
        ("resize rule", one.preprocessing, other.preprocessing),
        ("split", one.protocol.split, other.protocol.split),
        ("reference", one.provenance.get("reference"), other.provenance.get("reference")),
        ("direction", one.provenance.get("direction"), other.provenance.get("direction")),
    ]


RESULTS_FOLDER, RESULTS_FILE = "evaluation", "results.jsonl"


def append_result(run: Path, line: Result) -> None:
    """Write a result down, with the images that the generator had seen."""
    row: dict[str, Any] = {"images": line.provenance.get("images"), **line.to_json()}
    storage.make_folder(run / RESULTS_FOLDER)
    storage.append(run / RESULTS_FOLDER / RESULTS_FILE, json.dumps(row, allow_nan=False))


def read_results(run: Path) -> list[Result]:
    """The results that can be read, in the order in which they were written."""
    found = []
    for row in records.read_jsonl(run / RESULTS_FOLDER / RESULTS_FILE):
        try:
            found.append(Result.from_json(row))
        except SparringError:
            continue
    return found
