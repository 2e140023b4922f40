"""Which evaluation of a run is the best, and whether the metric can tell: one verdict for the loop, the
checkpoints, the terminal, the doctor, the report and `--checkpoint best`. No torch.

All evaluations of a run see the same real samples, and samples from the same latents. So two of them are compared block by
block: with the values u_i and v_i of the same blocks of samples, the difference u - v is clear where its 99 % interval

    mean(u_i - v_i) -+ t std(u_i - v_i) / sqrt(B),   t = 3.25 for B = 10 (Student's t with 9 degrees of freedom)

excludes 0. 99 %, because one best of several evaluations is compared with each of the others. Without values of blocks the
difference is clear where the two intervals are disjoint; without intervals it is never clear.

Much smaller differences can be clear than matter: towards the end of a run two generators are nearly the same network, and
so are their samples. A difference also has to be 5 % of the larger value, and half of it with features that see layout and
colour but little detail (`ExtractorInfo.is_coarse`), whose small differences contradict features that see.

References: Student 1908, doi:10.1093/biomet/6.1.1 (paired comparison).
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from sparring.core.errors import ConfigError
from sparring.protocols.catalogue import EXTRACTORS_INFO, METRICS_INFO
from sparring.protocols.protocol import EvaluationProtocol

Row = Mapping[str, Any]  # of evaluations.jsonl
MIN_DIFFERENCE, MIN_COARSE_DIFFERENCE = 0.05, 0.5  # relative to the larger of the two values
T_99 = {9: 3.250}  # by degrees of freedom
T_99_OTHER = 4.032  # for 5 degrees of freedom, on the safe side for more
MIN_BLOCKS = 6
MAX_VALUE = 1e100
STALL_PATIENCE = (
    5  # evaluations that are clearly worse than the best, after which the metric counts as stalled
)


@dataclass(frozen=True)
class Verdict:
    """What the evaluations of a run say.

    Arguments:
        best: the row with the best value, the earliest of equal ones.
        newest: the last row.
        ties: the other rows whose value can't be told from the best, ascending; among them the newest, unless it is worse.
        is_worse: whether the newest is clearly worse than the best.
    """

    best: Row
    newest: Row
    ties: tuple[Row, ...]
    is_worse: bool

    @property
    def choice(self) -> Row:
        """The row whose generator to use: the newest, unless it is clearly worse than the best."""
        return self.best if self.is_worse else self.newest

    @property
    def sentence(self) -> str:
        """The verdict in words, without the protocol's name."""
        newest, best = format_value(self.newest), format_value(self.best)
        if self.newest is self.best:
            others = f"; {len(self.ties)} earlier can't be told from it" if self.ties else ""
            return f"{newest} at image {self.newest['images']:,}, the best{others}"
        relation = "clearly worse than" if self.is_worse else "can't be told from"
        at = f"at image {self.newest['images']:,}"
        return f"{newest} {at}, {relation} the best, {best} at image {self.best['images']:,}"


def compare_evaluations(rows: Sequence[Row]) -> Verdict | None:
    """The verdict on the evaluations of a run; None without any.

    Arguments:
        rows: of evaluations.jsonl, ascending in images; those of another protocol or extractor than the last are left out.

    >>> rows = [{"images": n, "protocol": "fd1k-pca-test", "value": v, "better": "lower",
    ...          "interval": {"low": v - 1, "high": v + 1}} for n, v in ((10, 9.0), (20, 8.5), (30, 30.0))]
    >>> compare_evaluations(rows[:2]).sentence
    "8.5 [7.5, 9.5] at image 20, the best; 1 earlier can't be told from it"
    >>> compare_evaluations(rows).choice["images"], compare_evaluations(rows).is_worse
    (20, True)
    """
    same = [row for row in rows if all(row.get(key) == rows[-1].get(key) for key in ("protocol", "digest"))]
    best = best_evaluation(same)
    if best is None:
        return None
    ties = tuple(row for row in same if row is not best and not is_clearly_worse(row, best))
    return Verdict(best, same[-1], ties, is_clearly_worse(same[-1], best))


def best_evaluation(rows: Sequence[Row]) -> Row | None:
    """The evaluation with the best value, the earliest of equal ones; None without evaluations.

    >>> best_evaluation([{"value": 3.0, "better": "lower"}, {"value": 2.0, "better": "lower"}])["value"]
    2.0
    """
    return min(rows, key=lambda row: _sign(row) * row["value"], default=None)


def is_clearly_worse(row: Row, other: Row) -> bool:
    """Whether `row` is worse than `other` by more than chance and by more than a trifle."""
    difference = _sign(row) * (row["value"] - other["value"])
    margin = MIN_COARSE_DIFFERENCE if _is_coarse(row) else MIN_DIFFERENCE
    if difference <= 0 or difference < margin * max(abs(row["value"]), abs(other["value"])):
        return False
    ours, theirs = _blocks(row), _blocks(other)
    if len(ours) == len(theirs) >= MIN_BLOCKS and _is_same_measurement(row, other):
        differences = [_sign(row) * (a - b) for a, b in zip(ours, theirs, strict=True)]
        t = T_99.get(len(ours) - 1, T_99_OTHER)
        return statistics.fmean(differences) > t * statistics.stdev(differences) / len(differences) ** 0.5
    mine, its = interval(row), interval(other)
    if mine is None or its is None:
        return False
    return mine[0] > its[1] if _sign(row) > 0 else mine[1] < its[0]


def stalled_since(rows: Sequence[Row]) -> int | None:
    """When the metric was best, in images, if exactly the last `STALL_PATIENCE` evaluations are clearly worse; else None."""
    verdict = compare_evaluations(rows)
    if verdict is None:
        return None
    later = [row for row in rows if row["images"] > verdict.best["images"]]
    worse = [is_clearly_worse(row, verdict.best) for row in later]
    num_worse = next((age for age, is_worse in enumerate(reversed(worse)) if not is_worse), len(worse))
    return int(verdict.best["images"]) if num_worse == STALL_PATIENCE else None


def format_value(row: Row) -> str:
    """The value of an evaluation with its interval, where it has one.

    >>> format_value({"value": 0.31234, "interval": {"low": 0.3, "high": 0.33}}), format_value({"value": 2.0})
    ('0.3123 [0.3, 0.33]', '2')
    """
    bounds = interval(row)
    return f"{row['value']:.4g}" + (f" [{bounds[0]:.3g}, {bounds[1]:.3g}]" if bounds is not None else "")


def interval(row: Row) -> tuple[float, float] | None:
    """The 95 % interval of an evaluation; None where there is none."""
    found = row.get("interval")
    low, high = (found.get("low"), found.get("high")) if isinstance(found, Mapping) else (None, None)
    return (float(low), float(high)) if _is_number(low) and _is_number(high) else None


def _blocks(row: Row) -> list[float]:
    blocks = row.get("blocks")
    is_valid = isinstance(blocks, Sequence) and not isinstance(blocks, str) and all(map(_is_number, blocks))
    return [float(value) for value in blocks] if is_valid and blocks is not None else []


def _is_number(value: Any) -> TypeGuard[float]:
    """Whether a value of a damaged or foreign record can be computed with: its sums don't overflow."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= MAX_VALUE


def _is_same_measurement(row: Row, other: Row) -> bool:
    """Whether the blocks of both hold the same real samples, and samples from the same latents."""
    keys = ("protocol", "digest", "seed", "real", "fake")
    return all(row.get(key) == other.get(key) for key in keys)


def _sign(row: Row) -> int:
    """1 where a lower value is better, else -1."""
    return 1 if row.get("better") == "lower" else -1


def _is_coarse(row: Row) -> bool:
    try:
        protocol = EvaluationProtocol.parse(str(row.get("protocol", "")))
    except ConfigError:
        return False
    return EXTRACTORS_INFO[protocol.extractor].is_coarse and not METRICS_INFO[protocol.metric].on_pixels
