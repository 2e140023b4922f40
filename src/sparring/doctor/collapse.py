"""Mode collapse: near-duplicate samples, missing modes, low diversity, clipped pixels."""

from sparring.doctor import advice
from sparring.doctor.finding import Advice, Finding
from sparring.doctor.history import History, trailing_span

COLLAPSED_BELOW, LOW_BELOW = 0.1, 0.5  # of the distance between real samples
MANY_DUPLICATES = 0.5
WARM_UP_STEPS = 500  # steps that a game gets to become varied at all; poor variety gets twice as many
MISSING_BELOW = 0.8  # of the modes that as many real samples would reach
LOW_COVERAGE = 0.3
NUM_SAMPLES = 64


def detect_collapse(history: History) -> Finding | None:
    """Samples that are all the same."""
    diversity, repeats = dict(history.diagnostic("diversity")), dict(history.diagnostic("repeats"))
    series = [
        (at, float(value < COLLAPSED_BELOW or repeats.get(at, 0.0) > MANY_DUPLICATES))
        for at, value in diversity.items()
    ]
    since, length = trailing_span(series, bool)
    if since is None or length < 2 or (length == len(series) and history.step < WARM_UP_STEPS):
        return None
    now, copies = diversity[series[-1][0]], repeats.get(series[-1][0], 0.0)
    before = max((value for at, value in diversity.items() if at < since), default=None)
    words = f"Two samples differ by {now:.0%} of what two real ones differ by, and {copies:.0%} of them have a near copy."
    words += f" Before, they differed by up to {before:.0%}." if before is not None and before < 2 else ""
    return Finding(
        name="collapse",
        severity="bad",
        title=f"Samples repeat since image {since:,}: the generator has collapsed",
        message=words,
        since=since,
        values={"diversity": now, "repeats": copies},
        advice=_advise_against_collapse(history),
        checkpoint=history.last_good_checkpoint(since),
    )


def detect_missing_modes(history: History) -> Finding | None:
    """A mixture whose modes are known: some get no samples."""
    total = history.recent_median("diag/modes_total", 1)
    if not total:
        return None
    expected = total * (1 - (1 - 1 / total) ** NUM_SAMPLES)
    series = history.diagnostic("modes")
    since, length = trailing_span(series, lambda value: value < MISSING_BELOW * expected)
    if since is None or length < 2 or (length == len(series) and history.step < 2 * WARM_UP_STEPS):
        return None
    now = series[-1][1]
    return Finding(
        name="modes_missing",
        severity="bad" if now <= total / 2 else "warning",
        title=f"Partial collapse since image {since:,}: samples in {now:.0f} of {total:.0f} modes",
        message=f"{NUM_SAMPLES} samples reach {now:.0f} modes; as many real ones would reach {expected:.0f}.",
        since=since,
        values={"modes": now, "of": total},
        advice=_advise_against_collapse(history),
        checkpoint=history.last_good_checkpoint(since),
    )


def detect_low_diversity(history: History) -> Finding | None:
    """Samples that differ less than real ones, or reach but a part of the data."""
    if detect_collapse(history) or detect_missing_modes(history):
        return None
    for name, limit, words in (
        ("diversity", LOW_BELOW, "Two samples differ by {:.0%} of what two real ones differ by."),
        (
            "reached",
            LOW_COVERAGE,
            "They come near {:.0%} of the real samples that other real samples come near to.",
        ),
    ):
        series = history.diagnostic(name)
        since, length = trailing_span(series, lambda value, limit=limit: value < limit)  # type: ignore[misc]
        if since is None or length < 3 or history.step < 2 * WARM_UP_STEPS:
            continue
        return Finding(
            name="little_variety",
            severity="warning",
            title="Samples have too little variety",
            message=words.format(series[-1][1]),
            since=since,
            values={name: series[-1][1]},
            advice=_advise_against_collapse(history),
            checkpoint=history.last_good_checkpoint(since if length < len(series) else None),
        )
    return None


def _advise_against_collapse(history: History) -> tuple[Advice, ...]:
    return advice.select(
        advice.add_gradient_penalty(history),
        advice.use_relativistic(history),
        advice.use_packing(history),
        advice.lower_learning_rates(history, 0.5),
        advice.scale_gradient_penalty(history, 10),
    )


def detect_clipped_pixels(history: History) -> Finding | None:
    """Images that are black and white where the data is not."""
    real = history.recent_median("diag/clipped_pixels_real", 1)
    series = history.diagnostic("saturated")
    if real is None or history.step < WARM_UP_STEPS:
        return None
    since, length = trailing_span(series, lambda value: value > real + 0.2)
    if since is None or length < 2:
        return None
    return Finding(
        name="saturated",
        severity="warning",
        title="Generated images are over-exposed: too many pixels are fully black or white",
        message=f"{series[-1][1]:.0%} of the values are at an end of the scale; in the data {real:.0%}.",
        since=since,
        values={"saturated": series[-1][1], "in the data": real},
        advice=advice.select(
            advice.lower_learning_rate(history, "generator"), advice.add_gradient_penalty(history)
        ),
        checkpoint=history.last_good_checkpoint(since),
    )
