"""Failures of image-to-image translators: a patch discriminator that is always right, outputs that copy their
inputs, no progress.

The thresholds follow from the meaning of the values. Unlike those for generators, they were not calibrated on
runs with known failures.
"""

from sparring.doctor import advice
from sparring.doctor.finding import Advice, Finding
from sparring.doctor.history import History, trailing_span

ACCURACY_COLUMNS = (  # of metrics.jsonl: one patch discriminator, or one of each domain
    "discriminator/accuracy",
    "discriminators/accuracy_a",
    "discriminators/accuracy_b",
)
CERTAIN = 0.995  # accuracy
COPIED_BELOW = 0.05  # of the distance between inputs and real images of the other domain
FIRST_STEPS, LATER_STEPS = 500, 2_000
MIN_REPORTS = 10
NO_PROGRESS_ABOVE = 0.9  # of the first distance from the target
SMALLER_PATCHES = {0: 70, 286: 70, 70: 34, 34: 16, 16: 7}  # pixels


def is_translator(history: History) -> bool:
    """Whether the game is one of image-to-image translation."""
    return history.setting("game", "translator") is not None


def detect_patch_discriminator_wins(history: History) -> Finding | None:
    """A patch discriminator that is always right: its gradient carries little information."""
    if not is_translator(history) or history.step < FIRST_STEPS:
        return None
    for name in ACCURACY_COLUMNS:
        series = history.series(name)
        since, length = trailing_span(series, lambda accuracy: accuracy > CERTAIN)
        if since is None or length < 5:
            continue
        domain = f" of domain {name[-1].upper()}" if "accuracy_" in name else ""
        has_target = history.setting("game", "type") == "paired" and history.setting("game", "reconstruction")
        rest = " and is trained by the distance from the target alone" if has_target else ""
        return Finding(
            name="patch_discriminator_wins",
            severity="warning",
            title=f"The discriminator{domain} is always right since image {since:,}",
            message=f"Its accuracy is {series[-1][1]:.1%} of the patches; the translator learns little from it{rest}.",
            since=since,
            values={name: series[-1][1]},
            advice=advice.select(
                _strengthen_penalty(history),
                advice.lower_learning_rate(history, name.partition("/")[0]),
                _use_smaller_patches(history),
            ),
            checkpoint=history.last_good_checkpoint(since),
        )
    return None


def detect_copied_input(history: History) -> Finding | None:
    """Outputs that equal their inputs: cycle consistency is then perfect, and nothing is translated."""
    series = history.diagnostic("input_change")
    since, length = trailing_span(series, lambda change: change < COPIED_BELOW)
    if since is None or length < 2 or history.step < LATER_STEPS:
        return None
    now = series[-1][1]
    return Finding(
        name="copies_input",
        severity="bad",
        title="The translator copies its input",
        message=f"Outputs differ from their inputs by {now:.1%} of the distance between the two domains.",
        since=since,
        values={"input_change": now},
        advice=advice.select(
            _lower_weight(history, "identity", "lower the weight of the identity loss"),
            _lower_weight(history, "cycle", "lower the weight of cycle consistency"),
            Advice("check that the two domains differ at this size: sparring inspect DATA"),
        ),
    )


def detect_no_progress(history: History) -> Finding | None:
    """A translator of pairs whose outputs are no nearer to their targets than at the start."""
    series = history.series("translator/l1")
    if not is_translator(history) or history.step < LATER_STEPS or len(series) < MIN_REPORTS:
        return None
    first, now = series[0][1], history.recent_median("translator/l1", 5)
    if now is None or now < NO_PROGRESS_ABOVE * first:
        return None
    return Finding(
        name="no_progress",
        severity="warning",
        title="The translator makes no progress towards its targets",
        message=f"The mean absolute difference from the targets was {first:.3f} at first and is {now:.3f} now (pixels in [-1, 1]).",
        values={"first": first, "now": now},
        advice=advice.select(
            Advice("check that the pairs belong together: sparring inspect DATA"),
            advice.lower_learning_rate(history, "translator"),
            _lower_weight(history, "adversarial", "lower the weight of the adversarial loss"),
        ),
    )


def _strengthen_penalty(history: History) -> Advice | None:
    if history.setting("game", "penalties"):
        return advice.scale_gradient_penalty(history, 10)
    message = "add a gradient penalty (R1), which keeps the discriminator smooth"
    return Advice(message, ("game.penalties=[{type: r1, gamma: 1.0}]",))


def _use_smaller_patches(history: History) -> Advice | None:
    size = history.setting("game", "discriminator", "patch_size")
    smaller = SMALLER_PATCHES.get(size) if isinstance(size, int) else None
    message = "use a discriminator of smaller patches, which are harder to tell apart"
    return Advice(message, (f"game.discriminator.patch_size={smaller}",)) if smaller else None


def _lower_weight(history: History, name: str, message: str) -> Advice | None:
    settings = advice.scale_setting(history, ("game", name), 0.2)
    return Advice(message, tuple(settings)) if settings else None
