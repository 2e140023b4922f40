"""Results in sentences: for the terminal, Markdown and the page. No torch in here."""

from sparring.evaluation.figures import SHOWN, number
from sparring.evaluation.line import Line
from sparring.evaluation.row import Row

DRAWN = {"nll": "importance samples", "ppl": "paths"}  # what the count counts, where it is not samples
PLACES = {
    "alike": "as real samples, as far as these can tell; they get {}",
    "better": "better than real samples, which get {}",
    "worse": "real samples get {}",
}
COSTLESS = {
    "identity": "the input itself gets",
    "linear": "a linear map of its colours",
    "truth": "the truth",
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


def verdict(line: Line) -> str:
    """What the result says beside that of real samples, in a sentence."""
    if line.protocol.meaning.pairs:
        return _beside_costless(line)
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


def _beside_costless(line: Line) -> str:
    """How a number of translated pictures stands to what costs nothing."""
    name = line.protocol.meaning.headline
    title = line.protocol.meaning.title
    text = f"{title[:1].upper()}{title[1:]} {number(line.value)}"
    parts = [
        f"{COSTLESS[row.what]} {number(row.values[name])}" for row in line.baselines if name in row.values
    ]
    return f"{text}; {', '.join(parts)}." if parts else f"{text}."


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
    seen = f"{line.protocol.extractor}, {line.dimension:,} of them, weights {weights}"
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
        *_way(line),
        *([] if line.protocol.meaning.exact else [("features", seen)]),
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


def _way(line: Line) -> list[tuple[str, str]]:
    """What was translated, and how what costs nothing was made."""
    found = line.compared
    rows = [("direction", str(found["direction"]))] if found.get("direction") else []
    if "paired" in found:
        compared = (
            "each picture with its own truth" if found["paired"] else "pictures without a truth of their own"
        )
        rows.append(("compared", compared))
    rows += [("inputs", str(found["inputs"]))] if found.get("inputs") else []
    rows += [("linear", f"colours by least squares on {found['linear']}")] if found.get("linear") else []
    return rows
