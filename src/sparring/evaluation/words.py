"""Results as words and tables: for the terminal, Markdown and the page. No torch in here."""

from collections.abc import Sequence
from dataclasses import dataclass

from sparring.evaluation.line import Line, Row

SHOWN = {
    "prdc": ("precision", "recall", "density", "coverage"),
    "pcfd": ("mean", "worst"),
    "modes": ("modes", "high_quality", "reverse_kl", "spread"),
}
DRAWN = {"nll": "importance samples", "ppl": "paths"}  # what the count counts, where it is not samples
PLACES = {
    "alike": "as real samples, as far as these can tell; they get {}",
    "better": "better than real samples, which get {}",
    "worse": "real samples get {}",
}
OTHER_COUNTS = "real samples get {}, which can't be compared, as the counts differ"
SPECIAL = {
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
HEAD = ("metric", "value", "95 %", "floor (real samples)", "train against test")


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number of the table, with what stands beside it; all in plain text, empty where there is nothing."""

    label: str
    value: str
    interval: str
    floor: str
    beside: str

    @property
    def cells(self) -> tuple[str, ...]:
        return self.label, self.value, self.interval, self.floor, self.beside


def number(value: float) -> str:
    """A number with four figures.

    >>> number(12.34567), number(1234567.0), number(0.00001234), number(0.5)
    ('12.35', '1,234,567', '1.234e-05', '0.5')
    """
    if value and abs(value) < 1e-3:
        return f"{value:.3e}"
    return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.4g}"


def figures(line: Line) -> list[Figure]:
    """The numbers of a result that are shown, one a row."""
    names = [name for name in SHOWN.get(line.protocol.metric, ()) if name in line.values]
    headline = line.protocol.meaning.headline
    found = []
    for name in names or [headline]:
        interval = ""
        if name == headline and line.interval is not None:
            interval = f"{number(line.interval.low)} to {number(line.interval.high)}"
        found.append(
            Figure(
                label=f"{line.name} {name}" if names else line.name,
                value=number(line.values[name]),
                interval=interval,
                floor=_of(line.floor, name),
                beside=_of(line.train_against_test, name),
            )
        )
    return found


def _of(row: Row | None, name: str) -> str:
    return number(row.values[name]) if row is not None and name in row.values else ""


def table(lines: Sequence[Line]) -> list[str]:
    """The results as aligned text; columns in which nothing stands are left out."""
    rows = [HEAD, *(figure.cells for line in lines for figure in figures(line))]
    kept = [at for at in range(len(HEAD)) if at == 0 or any(row[at] for row in rows[1:])]
    widths = {at: max(len(row[at]) for row in rows) for at in kept}
    return [
        "  ".join(row[at].ljust(widths[at]) if at == 0 else row[at].rjust(widths[at]) for at in kept).rstrip()
        for row in rows
    ]


def verdict(line: Line) -> str:
    """What the result says beside that of real samples, in a sentence."""
    rows = [row for row in (line.train_against_test, line.floor) if row is not None]
    row = next((row for row in rows if line.compares(row)), rows[0] if rows else None)
    metric, name = line.protocol.metric, line.protocol.meaning.headline
    if metric in SHOWN:
        beside = f"; real samples get {_several(metric, row.values)} {_who(row)}" if row is not None else ""
        text = _several(metric, line.values)
        return f"{text[:1].upper()}{text[1:]}{beside}."
    title = line.protocol.meaning.title
    value = f"{title[:1].upper()}{title[1:]} {number(line.value)}"
    if row is None or name not in row.values:
        return f"{value}."
    words = _words(line, row.values[name]) if line.compares(row) else OTHER_COUNTS
    return f"{value}: {words.format(f'{number(row.values[name])} {_who(row)}')}."


def _several(metric: str, values: dict[str, float]) -> str:
    """The values of a metric that has several, as a list."""
    return ", ".join(
        f"{one.replace('_', ' ')} {number(values[one])}" for one in SHOWN[metric] if one in values
    )


def _who(row: Row) -> str:
    return f"({row.what}, {row.fake:,} of them)"


def _words(line: Line, real: float) -> str:
    """How the headline stands to that of real samples, which goes into the braces."""
    metric = line.protocol.metric
    if abs(line.value - real) <= 2**0.5 * line.reach:
        place = "alike"
    else:
        place = "better" if (line.value < real) == line.lower_is_better else "worse"
    if metric in SPECIAL:
        return SPECIAL[metric][place]
    if place == "worse" and line.lower_is_better and real > 0:
        return f"{line.value / real:.3g} times as far as real samples, which get {{}}"
    if place == "better" and line.protocol.split == "train" and metric in ("fd", "fdinf", "kd"):
        return "nearer to the training set than real samples, which get {}: look for copies"
    return PLACES[place]


def explained(line: Line) -> str:
    """What is good, and which way."""
    way = "Lower is better" if line.lower_is_better else "Higher is better"
    return f"{way}: {line.protocol.meaning.good}."


def circumstances(line: Line) -> list[tuple[str, str]]:
    """How it was measured: what must be told when the number is."""
    weights = line.digest[:16] or "none"
    pairs = [
        (
            DRAWN.get(line.protocol.metric, "samples"),
            f"{line.fake:,} of {line.compared.get('samples') or 'those given'}",
        ),
        (
            "against",
            f"{line.real:,} of {line.compared.get('reference_source') or 'the reference'} "
            f"({line.protocol.split})",
        ),
        ("features", f"{line.protocol.extractor}, {line.dimension:,} of them, weights {weights}"),
        ("pictures", line.rule),
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
                    f"{row.what}: {row.real:,} against {row.fake:,}{fewer if line.lower_is_better else ''}",
                )
            )
    return [*pairs, ("time", f"{line.seconds:.1f} s")]
