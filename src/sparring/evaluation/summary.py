"""Results as a table, in sentences, as JSON and as Markdown."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sparring.core.version import __version__
from sparring.evaluation.evaluate import Evaluation
from sparring.evaluation.result import ComparisonRow, Result

BASELINE_COLUMNS = ("identity", "linear", "truth")
TABLE_HEADER = ("metric", "value", "95 %", *BASELINE_COLUMNS, "floor (real samples)", "train against test")
SENTENCES = {
    "alike": "not distinguishable from real samples, which get {}",
    "better": "better than real samples, which get {}",
    "worse": "real samples get {}",
}
COUNTS_DIFFER = "real samples get {}, which is not comparable, as the counts differ"
BASELINE_PHRASES = {
    "identity": "the input itself gets",
    "linear": "a linear map of its colours",
    "truth": "the ground truth",
}


@dataclass(frozen=True, kw_only=True)
class TableRow:
    """One number of the table with its comparisons, as plain text; empty cells where there is none."""

    label: str
    value: str
    interval: str
    floor: str
    train_against_test: str
    baselines: tuple[str, ...] = ("", "", "")

    @property
    def cells(self) -> tuple[str, ...]:
        """In the order of `TABLE_HEADER`."""
        return self.label, self.value, self.interval, *self.baselines, self.floor, self.train_against_test


def format_number(value: float) -> str:
    """A number with four significant digits.

    >>> format_number(12.34567), format_number(1234567.0), format_number(0.00001234), format_number(0.5)
    ('12.35', '1,234,567', '1.234e-05', '0.5')
    """
    if value and abs(value) < 1e-3:
        return f"{value:.3e}"
    return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.4g}"


def table_rows(result: Result) -> list[TableRow]:
    """One row for each shown value of a result (see `MetricInfo.shown_values`)."""
    info = result.protocol.info
    names = [name for name in info.shown_values if name in result.values]
    rows = []
    for name in names or [info.headline]:
        interval = ""
        if name == info.headline and result.interval is not None:
            interval = f"{format_number(result.interval.low)} to {format_number(result.interval.high)}"
        baselines = {row.description: row for row in result.baselines}
        rows.append(
            TableRow(
                label=f"{result.name} {name}" if names else result.name,
                value=format_number(result.values[name]),
                interval=interval,
                floor=_format_value(result.floor, name),
                train_against_test=_format_value(result.train_against_test, name),
                baselines=tuple(_format_value(baselines.get(column), name) for column in BASELINE_COLUMNS),
            )
        )
    return rows


def _format_value(row: ComparisonRow | None, name: str) -> str:
    return format_number(row.values[name]) if row is not None and name in row.values else ""


def format_table(results: Sequence[Result]) -> list[str]:
    """The results as lines of aligned text, without empty columns."""
    rows = [TABLE_HEADER, *(row.cells for result in results for row in table_rows(result))]
    columns = [at for at in range(len(TABLE_HEADER)) if at == 0 or any(row[at] for row in rows[1:])]
    widths = {at: max(len(row[at]) for row in rows) for at in columns}
    return [
        "  ".join(
            row[at].ljust(widths[at]) if at == 0 else row[at].rjust(widths[at]) for at in columns
        ).rstrip()
        for row in rows
    ]


def summarize(result: Result) -> str:
    """A sentence that compares a result with the score of real samples, or with trivial translations."""
    info = result.protocol.info
    if info.paired:
        return _summarize_with_baselines(result)
    rows = [row for row in (result.train_against_test, result.floor) if row is not None]
    row = next((row for row in rows if result.is_comparable_to(row)), rows[0] if rows else None)
    if info.shown_values:
        text = _list_values(result, result.values)
        if row is not None:
            text += f"; real samples get {_list_values(result, row.values)} {_describe_row(row)}"
        return f"{_capitalize(text)}."
    text = f"{_capitalize(info.title)} {format_number(result.value)}"
    if row is None or info.headline not in row.values:
        return f"{text}."
    real = row.values[info.headline]
    sentence = _comparison_sentence(result, real) if result.is_comparable_to(row) else COUNTS_DIFFER
    return f"{text}: {sentence.format(f'{format_number(real)} {_describe_row(row)}')}."


def _summarize_with_baselines(result: Result) -> str:
    info = result.protocol.info
    parts = [
        f"{BASELINE_PHRASES[row.description]} {format_number(row.values[info.headline])}"
        for row in result.baselines
        if info.headline in row.values
    ]
    text = f"{_capitalize(info.title)} {format_number(result.value)}"
    return f"{text}; {', '.join(parts)}." if parts else f"{text}."


def _comparison_sentence(result: Result, real: float) -> str:
    """The sentence for a headline next to that of real samples; `{}` stands for the latter."""
    info = result.protocol.info
    if abs(result.value - real) <= 2**0.5 * result.half_width:
        outcome = "alike"
    else:
        outcome = "better" if (result.value < real) == result.lower_is_better else "worse"
    if outcome in info.sentences:
        return info.sentences[outcome]
    if outcome == "worse" and result.lower_is_better and real > 0:
        return f"{result.value / real:.3g} times that of real samples, which get {{}}"
    if outcome == "better" and result.protocol.split == "train" and "better_on_train" in info.sentences:
        return info.sentences["better_on_train"]
    return SENTENCES[outcome]


def _list_values(result: Result, values: dict[str, float]) -> str:
    return ", ".join(
        f"{name.replace('_', ' ')} {format_number(values[name])}"
        for name in result.protocol.info.shown_values
        if name in values
    )


def _describe_row(row: ComparisonRow) -> str:
    return f"({row.description}, {row.fake:,} of them)"


def _capitalize(text: str) -> str:
    """`str.capitalize` without lowering the rest."""
    return f"{text[:1].upper()}{text[1:]}"


def explain_metric(result: Result) -> str:
    """Which direction is better, and what a good value is."""
    direction = "Lower is better" if result.lower_is_better else "Higher is better"
    return f"{direction}: {result.protocol.info.interpretation}."


def measurement_details(result: Result) -> list[tuple[str, str]]:
    """How the value was measured, as (name, text) pairs: what must be cited with the number."""
    info, provenance = result.protocol.info, result.provenance
    samples = f"{result.fake:,} of {provenance.get('samples') or 'unnamed samples'}"
    reference = provenance.get("reference_source") or "unnamed data"
    extractor = (
        f"{result.protocol.extractor}, {result.dimension:,} features, weights {result.digest[:16] or 'none'}"
    )
    details = [
        (info.count_noun, samples),
        ("against", f"{result.real:,} of {reference} ({result.protocol.split})"),
        *_translation_details(provenance),
        *([] if info.on_pixels else [("features", extractor)]),
        ("images", result.preprocessing),
        ("seed", str(result.seed)),
    ]
    if result.interval is not None:
        details.append(("95 %", f"1.96 standard errors to each side; {result.interval.method}"))
    for name, row in (("real against real", result.floor), ("train against test", result.train_against_test)):
        if row is not None:
            is_biased = row.fake != result.fake and result.lower_is_better
            bias = ", fewer than generated: the value is biased upwards" if is_biased else ""
            details.append((name, f"{row.description}: {row.real:,} against {row.fake:,}{bias}"))
    return [*details, ("time", f"{result.seconds:.1f} s")]


def _translation_details(provenance: dict[str, Any]) -> list[tuple[str, str]]:
    """Direction, pairing, inputs and baselines of translated images; empty for other samples."""
    details = [("direction", str(provenance["direction"]))] if provenance.get("direction") else []
    if "paired" in provenance:
        details.append(
            ("ground truth", "one for each image" if provenance["paired"] else "none: unpaired images")
        )
    if provenance.get("inputs"):
        details.append(("inputs", str(provenance["inputs"])))
    if provenance.get("linear"):
        details.append(("linear", f"colour map by least squares on {provenance['linear']}"))
    return details


def to_json(evaluation: Evaluation) -> dict[str, Any]:
    """The evaluation as plain JSON; `Result.from_json` reads the entries of `results`."""
    return {
        "sparring": __version__,
        "subject": str(evaluation.request.subject),
        "images": evaluation.images,
        "stopped": evaluation.is_interrupted,
        "notes": list(evaluation.notes),
        "results": [result.to_json() for result in evaluation.results],
    }


def to_json_bytes(evaluation: Evaluation) -> bytes:
    return json.dumps(to_json(evaluation), allow_nan=False, indent=1).encode()


def to_markdown(evaluation: Evaluation) -> str:
    """A table, a sentence per result, the notes, and how it was measured."""
    lines = [
        f"# {_escape_markdown(evaluation_title(evaluation))}",
        "",
        f"| {' | '.join(TABLE_HEADER)} |",
        f"|---|{'---:|' * (len(TABLE_HEADER) - 1)}",
    ]
    for row in (row for result in evaluation.results for row in table_rows(result)):
        lines.append(f"| {' | '.join(map(_escape_markdown, row.cells))} |")
    lines += ["", "## Interpretation", ""]
    for result in evaluation.results:
        lines.append(f"- {_escape_markdown(f'{summarize(result)} {explain_metric(result)}')}")
    if evaluation.notes:
        lines += ["", "## Notes", "", *(f"- {_escape_markdown(note)}" for note in evaluation.notes)]
    lines += ["", "## How it was measured"]
    for result in evaluation.results:
        lines += ["", f"**{result.name}**", ""]
        lines += [f"- {name}: {_escape_markdown(text)}" for name, text in measurement_details(result)]
    return "\n".join([*lines, ""])


def evaluation_title(evaluation: Evaluation) -> str:
    """The subject, with the training images seen by a model."""
    checkpoint = f" at image {evaluation.images:,}" if evaluation.images is not None else ""
    return f"{evaluation.request.subject}{checkpoint}"


def _escape_markdown(text: str) -> str:
    """Text without Markdown or HTML syntax, on one line."""
    for sign in "\\|<>*`[]":
        text = text.replace(sign, f"\\{sign}")
    return text.replace("\n", " ")
