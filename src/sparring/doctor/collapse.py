"""Mode collapse: near-duplicate samples, missing modes, low diversity, clipped pixels."""

from sparring.doctor import advice
from sparring.doctor.finding import Advice, Finding
from sparring.doctor.history import History, trailing_span
from sparring.protocols.rescue import COLLAPSED_BELOW, LOW_BELOW, MANY_DUPLICATES, WARM_UP_STEPS
from sparring.runs.records import RESCUES

MISSING_BELOW = 0.8  # of the modes that as many real samples would reach
LOW_COVERAGE = 0.3
CLIPPED_EXCESS = 0.2  # share of clipped pixels above that of the data
NUM_SAMPLES = 64  # of a measurement, as in training/diagnostics.py


def detect_collapse(history: History) -> Finding | None:
    """Mode collapse: nearly all samples are the same."""
    diversity = dict(history.diagnostic("diversity"))
    duplicates = dict(history.diagnostic("near_duplicates"))
    series = [
        (images, float(value < COLLAPSED_BELOW or duplicates.get(images, 0.0) > MANY_DUPLICATES))
        for images, value in diversity.items()
    ]
    since, length = trailing_span(series, bool)
    if since is None or length < 2 or (length == len(series) and history.step < WARM_UP_STEPS):
        return None
    last = series[-1][0]
    now, repeated = diversity[last], duplicates.get(last, 0.0)
    before = max((value for images, value in diversity.items() if images < since), default=None)
    message = (
        f"The distance between two samples is {now:.0%} of that between two real ones, and {repeated:.0%} of the "
        "samples have a near-duplicate."
    )
    if before is not None and before < 2:
        message += f" Before, the distance reached {before:.0%}."
    return Finding(
        name="collapse",
        severity="bad",
        title=f"Mode collapse since image {since:,}: the generated samples repeat",
        message=message,
        since=since,
        values={"diversity": now, "near_duplicates": repeated},
        advice=_advise_against_collapse(history),
        checkpoint=history.last_good_checkpoint(since),
    )


def detect_rescue(history: History) -> Finding | None:
    """Training that went back to an earlier checkpoint by itself, and the end of one that had no remedy left."""
    events = [row for row in history.events if isinstance(row.get("images"), int)]
    rescues = {
        (row["images"], str(row.get("level"))): row for row in events if str(row.get("event")) in RESCUES
    }
    last = [row for row in events if row.get("event") == "gave_up"][-1:]
    gave_up = bool(last) and last[0].get("total_images") == history.total_images
    if not rescues and not gave_up:
        return None
    since = min([images for images, _ in rescues] or [last[0]["images"]])
    again = "It failed again and gave up; what it kept is the last healthy checkpoint." if gave_up else ""
    sentences = [str(row.get("message", "")).capitalize() + "." for row in rescues.values()]
    return Finding(
        name="rescued",
        severity="bad" if gave_up else "note",
        title="Training gave up"
        if gave_up
        else f"Training went back and went on with other settings: {len(rescues)}",
        message=" ".join([*dict.fromkeys(sentences), again]).strip(),
        since=since,
        values={"rescues": len(rescues)},
        advice=_advise_against_collapse(history) if gave_up else (),
        checkpoint=history.last_good_checkpoint(since),
    )


def detect_missing_modes(history: History) -> Finding | None:
    """Some modes of a mixture with known modes get no samples."""
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
        name="missing_modes",
        severity="bad" if now <= total / 2 else "warning",
        title=f"Partial mode collapse since image {since:,}: samples in {now:.0f} of {total:.0f} modes",
        message=f"{NUM_SAMPLES} samples reach {now:.0f} modes; as many real ones would reach {expected:.0f}.",
        since=since,
        values={"modes": now, "modes_total": total},
        advice=_advise_against_collapse(history),
        checkpoint=history.last_good_checkpoint(since),
    )


def detect_low_diversity(history: History) -> Finding | None:
    """Samples that differ less than real ones, or that cover only a part of the data."""
    if detect_collapse(history) or detect_missing_modes(history):
        return None
    return _find_low(
        history,
        "diversity",
        LOW_BELOW,
        "The distance between two samples is {:.0%} of that between two real ones.",
    ) or _find_low(
        history,
        "coverage",
        LOW_COVERAGE,
        "Generated samples cover {:.0%} of the real samples that as many real samples cover.",
    )


def _find_low(history: History, name: str, limit: float, message: str) -> Finding | None:
    series = history.diagnostic(name)
    since, length = trailing_span(series, lambda value: value < limit)
    if since is None or length < 3 or history.step < 2 * WARM_UP_STEPS:
        return None
    return Finding(
        name="low_diversity",
        severity="warning",
        title="The generated samples have too little diversity",
        message=message.format(series[-1][1]),
        since=since,
        values={name: series[-1][1]},
        advice=_advise_against_collapse(history),
        checkpoint=history.last_good_checkpoint(since if length < len(series) else None),
    )


def _advise_against_collapse(history: History) -> tuple[Advice, ...]:
    return advice.select(
        advice.add_gradient_penalty(history),
        advice.use_relativistic(history),
        advice.use_packing(history),
        advice.lower_learning_rates(history, 0.5),
        advice.scale_gradient_penalty(history, 10),
    )


def detect_clipped_pixels(history: History) -> Finding | None:
    """Generated images with many more fully black or white pixels than the data."""
    real = history.recent_median("diag/clipped_pixels_real", 1)
    series = history.diagnostic("clipped_pixels")
    if real is None or history.step < WARM_UP_STEPS:
        return None
    since, length = trailing_span(series, lambda value: value > real + CLIPPED_EXCESS)
    if since is None or length < 2:
        return None
    return Finding(
        name="clipped_pixels",
        severity="warning",
        title="Generated images are clipped: too many pixels are fully black or white",
        message=f"{series[-1][1]:.0%} of the pixel values are at an end of the range; in the data {real:.0%}.",
        since=since,
        values={"clipped_pixels": series[-1][1], "clipped_pixels_real": real},
        advice=advice.select(
            advice.lower_learning_rate(history, "generator"), advice.add_gradient_penalty(history)
        ),
        checkpoint=history.last_good_checkpoint(since),
    )
