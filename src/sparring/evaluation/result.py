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

RESULTS_FOLDER, RESULTS_FILE = "evaluation", "results.jsonl"


@dataclass(frozen=True, kw_only=True)
class ConfidenceInterval:
    """An approximate 95 % interval of the headline value.

    Arguments:
        low, high: the bounds.
        method: how the standard error was estimated, such as `spread over 100 subsets of 1,000`.
    """

    low: float
    high: float
    method: str


@dataclass(frozen=True, kw_only=True)
class ComparisonRow:
    """The same metric on other samples: real ones, or trivial translations.

    Arguments:
        values: by name, as in the result.
        real, fake: the number of samples of each side.
        description: which samples are in the place of the generated ones.
    """

    values: dict[str, float]
    real: int
    fake: int
    description: str


class ComparisonError(SparringError):
    """Two results were measured in different ways, so that their difference means nothing."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """The value of one protocol, with all that is needed to reproduce and compare it.

    Arguments:
        protocol: what was measured.
        values: by name; the headline (`value`) is one of them.
        interval: of the headline; None if there is no estimate.
        real, fake: the number of samples of each side.
        digest: SHA-256 of the extractor's weights; empty without weights.
        dimension: features per sample.
        preprocessing: how the extractor resizes and scales images.
        seed: of the generated samples and of the metric's random draws.
        floor: the metric between two parts of the real set; None if it is not defined.
        train_against_test: the other split in the place of the generated samples; None without one.
        baselines: trivial translations in the place of translated images. Their descriptions are `identity` and
            `linear`; `truth` are the target images.
        provenance: sources and fingerprints of both sides, and the training images seen by the generator.
        seconds: duration of the measurement.
        blocks: the value of each block of samples (the jackknife's pseudo-values), to compare it with results on the same
            samples; empty where they were not computed.
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
    blocks: tuple[float, ...] = ()

    @property
    def name(self) -> str:
        """The name of the protocol."""
        return str(self.protocol)

    @property
    def value(self) -> float:
        """The headline value."""
        return self.values[self.protocol.info.headline]

    @property
    def lower_is_better(self) -> bool:
        return self.protocol.info.better == "lower"

    @property
    def half_width(self) -> float:
        """Half of the interval's width (the larger side); 0 without one."""
        return max(self.interval.high - self.value, self.value - self.interval.low) if self.interval else 0.0

    def is_comparable_to(self, row: ComparisonRow) -> bool:
        """Whether the counts are equal, or the metric does not depend on them."""
        return self.protocol.info.size_invariant or (self.real, self.fake) == (row.real, row.fake)

    def compare(self, other: "Result") -> "Comparison":
        """Compare the headlines of two results.

        Raises:
            ComparisonError: they were measured in different ways.
        """
        for name, ours, theirs in _comparability_keys(self, other):
            if ours != theirs:
                raise ComparisonError(
                    f"{name}: {ours} here, {theirs} there",
                    "results measured in the same way",
                    "evaluate both with one --metrics name against the same data",
                )
        difference = self.value - other.value
        a, b = self.interval, other.interval
        is_clear = None
        if a is not None and b is not None:
            is_clear = a.low > b.high or b.low > a.high
        is_better = (difference < 0) == self.lower_is_better and difference != 0
        return Comparison(difference=difference, is_better=is_better, is_clear=is_clear)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, the inverse of `from_json`."""
        document = dataclasses.asdict(self)
        document["protocol"] = self.name
        return document

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Result":
        """The result that `to_json` wrote; further entries are ignored.

        Raises:
            CorruptFileError: entries are missing, of another kind, or not finite.
        """
        try:
            document = {"blocks": (), **document}  # absent in results of earlier versions
            values = {field.name: document[field.name] for field in dataclasses.fields(cls)}
            values["blocks"] = tuple(values["blocks"])
            values["baselines"] = tuple(ComparisonRow(**row) for row in values["baselines"])
            values["protocol"] = EvaluationProtocol.parse(values["protocol"])
            values["interval"] = ConfidenceInterval(**values["interval"]) if values["interval"] else None
            for name in ("floor", "train_against_test"):
                values[name] = ComparisonRow(**values[name]) if values[name] else None
            result = cls(**values)
            if not all(map(math.isfinite, [*result.values.values(), result.value])):
                raise ValueError("values that are not finite")
            return result
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise CorruptFileError(
                f"a result that can't be read: {error}", "one written by Sparring", "evaluate again"
            ) from error


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The difference of two results.

    Arguments:
        difference: of the headlines, the first minus the second.
        is_better: whether the first is better.
        is_clear: whether the intervals do not overlap; None if one is missing.
    """

    difference: float
    is_better: bool
    is_clear: bool | None


def _comparability_keys(one: Result, other: Result) -> list[tuple[str, Any, Any]]:
    """What must be equal for two results to be compared: its name, and both values."""
    return [
        ("metric", one.protocol.metric, other.protocol.metric),
        ("samples", (one.real, one.fake), (other.real, other.fake)),
        ("extractor", one.protocol.extractor, other.protocol.extractor),
        ("weights of the extractor", one.digest or "none", other.digest or "none"),
        ("preprocessing", one.preprocessing, other.preprocessing),
        ("split", one.protocol.split, other.protocol.split),
        ("reference", one.provenance.get("reference"), other.provenance.get("reference")),
        ("direction", one.provenance.get("direction"), other.provenance.get("direction")),
    ]


def append_result(run: Path, result: Result) -> None:
    """Add a result to `evaluation/results.jsonl` of a run, with the images that the generator had seen."""
    row: dict[str, Any] = {"images": result.provenance.get("images"), **result.to_json()}
    storage.make_folder(run / RESULTS_FOLDER)
    storage.append(run / RESULTS_FOLDER / RESULTS_FILE, json.dumps(row, allow_nan=False))


def read_results(run: Path) -> list[Result]:
    """The readable results of a run, oldest first."""
    results = []
    for row in records.read_jsonl(run / RESULTS_FOLDER / RESULTS_FILE):
        try:
            results.append(Result.from_json(row))
        except SparringError:
            continue
    return results
