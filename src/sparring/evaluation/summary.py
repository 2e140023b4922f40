"""Results as a table, in sentences, as JSON and as Markdown."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sparring.core.version import __version__
from sparring.evaluation.request import Evaluation
from sparring.evaluation.result import ComparisonRow, Result

SHOWN_VALUES = {
    "prdc": ("precision", "recall", "density", "coverage"),
    "pcfd": ("mean", "worst"),
    "modes": ("modes", "high_quality", "reverse_kl", "spread"),
}
BASELINE_COLUMNS = ("identity", "linear", "truth")
TABLE_HEADER = ("metric", "value", "95 %", *BASELINE_COLUMNS, "floor (real samples)", "train against test")


@dataclass(frozen=True, kw_only=True)
class TableRow:
    """One number of the table, with what stands beside it; all in plain text, empty where there is nothing."""

    label: str
    value: str
    interval: str
    floor: str
    train_against_test: str
    baselines: tuple[str, ...] = ("", "", "")

    @property
    def cells(self) -> tuple[str, ...]:
        return self.label, self.value, self.interval, *self.baselines, self.floor, self.train_against_test


def format_number(value: float) -> str:
    """A number with four figures.

    >>> format_number(12.34567), format_number(1234567.0), format_number(0.00001234), format_number(0.5)
    ('12.35', '1,234,567', '1.234e-05', '0.5')
    """
    if value and abs(value) < 1e-3:
        return f"{value:.3e}"
    return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.4g}"


def table_rows(line: Result) -> list[TableRow]:
    """The numbers of a result that are shown, one a row."""
    names = [name for name in SHOWN_VALUES.get(line.protocol.metric, ()) if name in line.values]
    headline = line.protocol.info.headline
    found = []
    for name in names or [headline]:
        interval = ""
        if name == headline and line.interval is not None:
            interval = f"{format_number(line.interval.low)} to {format_number(line.interval.high)}"
        found.append(
            TableRow(
                label=f"{line.name} {name}" if names else line.name,
                value=format_number(line.values[name]),
                interval=interval,
                floor=_format_value(line.floor, name),
                train_against_test=_format_value(line.train_against_test, name),
                baselines=tuple(_format_value(_baseline_row(line, one), name) for one in BASELINE_COLUMNS),
            )
        )
    return found


def _baseline_row(line: Result, name: str) -> ComparisonRow | None:
    return next((row for row in line.baselines if row.description == name), None)


def _format_value(row: ComparisonRow | None, name: str) -> str:
    return format_number(row.values[name]) if row is not None and name in row.values else ""


def format_table(lines: Sequence[Result]) -> list[str]:
    """The results as aligned text; columns in which nothing stands are left out."""
    rows = [TABLE_HEADER, *(figure.cells for line in lines for figure in table_rows(line))]
    kept = [at for at in range(len(TABLE_HEADER)) if at == 0 or any(row[at] for row in rows[1:])]
    widths = {at: max(len(row[at]) for row in rows) for at in kept}
    return [
        "  ".join(row[at].ljust(widths[at]) if at == 0 else row[at].rjust(widths[at]) for at in kept).rstrip()
        for row in rows
    ]


COUNT_NOUNS = {"nll": "importance samples", "ppl": "paths"}  # what the count counts, where it is not samples
COMPARISON_SENTENCES = {
    "alike": "as real samples, as far as these can tell; they get {}",
    "better": "better than real samples, which get {}",
    "worse": "real samples get {}",
}
BASELINE_PHRASES = {
    "identity": "the input itself gets",
    "linear": "a linear map of its colours",
    "truth": "the truth",
}
COUNTS_DIFFER = "real samples get {}, which can't be compared, as the counts differ"
METRIC_SENTENCES = {
    "msssim": {
        "alike": "two samples are as alike as two real ones; these get {}",
        "better": "two samples are less alike than two real ones, which get {}: more variety, or noise",
        "worse": "two samples are more alike than two real ones, which get {}: too little variety",
    },
    "auth": {
        "alike": "no more near copies than chance makes; real samples get {}",
        "better": "no sign of copying (samples far from all real ones get 1, too); real samples get {}",
        "worse": "more near copies than chance makes; real samples get {}: it memorises",
    },
}


def summarize(line: Result) -> str:
    """What the result says beside that of real samples, in a sentence."""
    if line.protocol.info.paired:
        return _summarize_with_baselines(line)
    rows = [row for row in (line.train_against_test, line.floor) if row is not None]
    row = next((row for row in rows if line.compares(row)), rows[0] if rows else None)
    metric, name = line.protocol.metric, line.protocol.info.headline
    if metric in SHOWN_VALUES:
        beside = (
            f"; real samples get {_list_values(metric, row.values)} {_describe_row(row)}"
            if row is not None
            else ""
        )
        text = _list_values(metric, line.values)
        return f"{text[:1].upper()}{text[1:]}{beside}."
    title = line.protocol.info.title
    value = f"{title[:1].upper()}{title[1:]} {format_number(line.value)}"
    if row is None or name not in row.values:
        return f"{value}."
    words = _comparison_sentence(line, row.values[name]) if line.compares(row) else COUNTS_DIFFER
    return f"{value}: {words.format(f'{format_number(row.values[name])} {_describe_row(row)}')}."


def _summarize_with_baselines(line: Result) -> str:
    """How a number of translated images stands to what costs nothing."""
    name = line.protocol.info.headline
    title = line.protocol.info.title
    text = f"{title[:1].upper()}{title[1:]} {format_number(line.value)}"
    parts = [
        f"{BASELINE_PHRASES[row.description]} {format_number(row.values[name])}"
        for row in line.baselines
        if name in row.values
    ]
    return f"{text}; {', '.join(parts)}." if parts else f"{text}."


def _list_values(metric: str, values: dict[str, float]) -> str:
    """The values of a metric that has several, as a list."""
    return ", ".join(
        f"{one.replace('_', ' ')} {format_number(values[one])}"
        for one in SHOWN_VALUES[metric]
        if one in values
    )


def _describe_row(row: ComparisonRow) -> str:
    return f"({row.description}, {row.fake:,} of them)"


def _comparison_sentence(line: Result, real: float) -> str:
    """How the headline stands to that of real samples, which goes into the braces."""
    metric = line.protocol.metric
    if abs(line.value - real) <= 2**0.5 * line.half_width:
        place = "alike"
    else:
        place = "better" if (line.value < real) == line.lower_is_better else "worse"
    if metric in METRIC_SENTENCES:
        return METRIC_SENTENCES[metric][place]
    if place == "worse" and line.lower_is_better and real > 0:
        return f"{line.value / real:.3g} times as far as real samples, which get {{}}"
    if place == "better" and line.protocol.split == "train" and metric in ("fd", "fdinf", "kd"):
        return "nearer to the training set than real samples, which get {}: look for copies"
    return COMPARISON_SENTENCES[place]


def explain_metric(line: Result) -> str:
    """What is good, and which way."""
    way = "Lower is better" if line.lower_is_better else "Higher is better"
    return f"{way}: {line.protocol.info.interpretation}."


def measurement_details(line: Result) -> list[tuple[str, str]]:
    """How it was measured: what must be told when the number is."""
    weights = line.digest[:16] or "none"
    seen = f"{line.protocol.extractor}, {line.dimension:,} of them, weights {weights}"
    pairs = [
        (
            COUNT_NOUNS.get(line.protocol.metric, "samples"),
            f"{line.fake:,} of {line.provenance.get('samples') or 'those given'}",
        ),
        (
            "against",
            f"{line.real:,} of {line.provenance.get('reference_source') or 'the reference'} "
            f"({line.protocol.split})",
        ),
        *_translation_details(line),
        *([] if line.protocol.info.on_pixels else [("features", seen)]),
        ("pictures", line.preprocessing),
        ("seed", str(line.seed)),
    ]
    if line.interval is not None:
        pairs.append(("95 %", f"1.96 standard errors to each side; {line.interval.kind}"))
    for title, row in (("real against real", line.floor), ("train against test", line.train_against_test)):
        if row is not None:
            fewer = "" if row.fake == line.fake else ", fewer than generated: it reads too high"
            pairs.append(
                (
                    title,
                    f"{row.description}: {row.real:,} against {row.fake:,}{fewer if line.lower_is_better else ''}",
                )
            )
    return [*pairs, ("time", f"{line.seconds:.1f} s")]


def _translation_details(line: Result) -> list[tuple[str, str]]:
    """What was translated, and how what costs nothing was made."""
    found = line.provenance
    rows = [("direction", str(found["direction"]))] if found.get("direction") else []
    if "paired" in found:
        compared = (
            "each image with its own truth" if found["paired"] else "images without a truth of their own"
        )
        rows.append(("compared", compared))
    rows += [("inputs", str(found["inputs"]))] if found.get("inputs") else []
    rows += [("linear", f"colours by least squares on {found['linear']}")] if found.get("linear") else []
    return rows


def to_json(done: Evaluation) -> dict[str, Any]:
    """All of it as plain JSON; `results` are read again by `Result.from_json`."""
    return {
        "sparring": __version__,
        "subject": str(done.request.subject),
        "images": done.images,
        "stopped": done.stopped,
        "notes": done.notes,
        "lines": [line.to_json() for line in done.results],
    }


def to_json_bytes(done: Evaluation) -> bytes:
    return json.dumps(to_json(done), allow_nan=False, indent=1).encode()


def to_markdown(done: Evaluation) -> str:
    """A table, what it says, and how it was measured."""
    head = [f"| {' | '.join(TABLE_HEADER)} |", f"|---|{'---:|' * (len(TABLE_HEADER) - 1)}"]
    rows = [
        f"| {' | '.join(_escape_markdown(cell) for cell in figure.cells)} |"
        for line in done.results
        for figure in table_rows(line)
    ]
    said = [
        f"- {_escape_markdown(summarize(line))} {_escape_markdown(explain_metric(line))}"
        for line in done.results
    ]
    how = [text for line in done.results for text in ["", f"**{line.name}**", "", *_details_list(line)]]
    notes = (
        ["", "## Notes", "", *(f"- {_escape_markdown(note)}" for note in done.notes)] if done.notes else []
    )
    text = [
        f"# {_escape_markdown(evaluation_title(done))}",
        "",
        *head,
        *rows,
        "",
        "## What it says",
        "",
        *said,
        *notes,
    ]
    return "\n".join([*text, "", "## How it was measured", *how, ""])


def evaluation_title(done: Evaluation) -> str:
    """What was judged."""
    at = f" at image {done.images:,}" if done.images is not None else ""
    return f"{done.request.subject}{at}"


def _details_list(line: Result) -> list[str]:
    return [f"- {name}: {_escape_markdown(value)}" for name, value in measurement_details(line)]


def _escape_markdown(text: str) -> str:
    """Text that Markdown takes as it is."""
    for sign in "\\|<>*`[]":
        text = text.replace(sign, f"\\{sign}")
    return text.replace("\n", " ")
