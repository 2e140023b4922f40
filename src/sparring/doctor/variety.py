"""Collapse: samples that repeat, modes that are missing, pixels at the ends of the scale."""

from sparring.doctor import advice
from sparring.doctor.finding import Advice, Finding
from sparring.doctor.history import History, trailing

DEAD, POOR = 0.1, 0.5  # of the distance between real samples
COPIES = 0.5
NEVER = 500  # steps that a game gets to become varied at all; poor variety gets twice as many
MISSING = 0.8  # of the modes that as many real samples would reach
REACHED = 0.3
SAMPLES = 64


def collapsed(history: History) -> Finding | None:
    """Samples that are all the same."""
    diversity, repeats = dict(history.vital("diversity")), dict(history.vital("repeats"))
    series = [(at, float(value < DEAD or repeats.get(at, 0.0) > COPIES)) for at, value in diversity.items()]
    since, length = trailing(series, bool)
    if since is None or length < 2 or (length == len(series) and history.step < NEVER):
        return None
    now, copies = diversity[series[-1][0]], repeats.get(series[-1][0], 0.0)
    before = max((value for at, value in diversity.items() if at < since), default=None)
    words = f"Two samples differ by {now:.0%} of what two real ones differ by, and {copies:.0%} of them have a near copy."
    words += f" Before, they differed by up to {before:.0%}." if before is not None and before < 2 else ""
    return Finding(
        name="collapse",
        severity="bad",
        title=f"Samples repeat since image {since:,}: the generator has collapsed",
        words=words,
        since=since,
        figures={"diversity": now, "repeats": copies},
        advice=_against_collapse(history),
        checkpoint=history.good_checkpoint(since),
    )


def modes_missing(history: History) -> Finding | None:
    """A mixture whose modes are known: some get no samples."""
    total = history.recent("vitals/modes_of", 1)
    if not total:
        return None
    expected = total * (1 - (1 - 1 / total) ** SAMPLES)
    series = history.vital("modes")
    since, length = trailing(series, lambda value: value < MISSING * expected)
    if since is None or length < 2 or (length == len(series) and history.step < 2 * NEVER):
        return None
    now = series[-1][1]
    return Finding(
        name="modes_missing",
        severity="bad" if now <= total / 2 else "warning",
        title=f"Partial collapse since image {since:,}: samples in {now:.0f} of {total:.0f} modes",
        words=f"{SAMPLES} samples reach {now:.0f} modes; as many real ones would reach {expected:.0f}.",
        since=since,
        figures={"modes": now, "of": total},
        advice=_against_collapse(history),
        checkpoint=history.good_checkpoint(since),
    )


def little_variety(history: History) -> Finding | None:
    """Samples that differ less than real ones, or reach but a part of the data."""
    if collapsed(history) or modes_missing(history):
        return None
    for name, limit, words in (
        ("diversity", POOR, "Two samples differ by {:.0%} of what two real ones differ by."),
        (
            "reached",
            REACHED,
            "They come near {:.0%} of the real samples that other real samples come near to.",
        ),
    ):
        series = history.vital(name)
        since, length = trailing(series, lambda value, limit=limit: value < limit)  # type: ignore[misc]
        if since is None or length < 3 or history.step < 2 * NEVER:
            continue
        return Finding(
            name="little_variety",
            severity="warning",
            title="Samples have too little variety",
            words=words.format(series[-1][1]),
            since=since,
            figures={name: series[-1][1]},
            advice=_against_collapse(history),
            checkpoint=history.good_checkpoint(since if length < len(series) else None),
        )
    return None


def _against_collapse(history: History) -> tuple[Advice, ...]:
    return advice.chosen(
        advice.penalty(history),
        advice.relativistic(history),
        advice.packing(history),
        advice.both_slower(history, 0.5),
        advice.gamma(history, 10),
    )


def saturated(history: History) -> Finding | None:
    """Pictures that are black and white where the data is not."""
    real = history.recent("vitals/saturated_real", 1)
    series = history.vital("saturated")
    if real is None or history.step < NEVER:
        return None
    since, length = trailing(series, lambda value: value > real + 0.2)
    if since is None or length < 2:
        return None
    return Finding(
        name="saturated",
        severity="warning",
        title="Generated pictures are over-exposed: too many pixels are fully black or white",
        words=f"{series[-1][1]:.0%} of the values are at an end of the scale; in the data {real:.0%}.",
        since=since,
        figures={"saturated": series[-1][1], "in the data": real},
        advice=advice.chosen(advice.slower(history, "generator"), advice.penalty(history)),
        checkpoint=history.good_checkpoint(since),
    )
