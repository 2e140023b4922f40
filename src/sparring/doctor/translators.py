"""Failures of image-to-image translators: a patch discriminator that is always right, outputs that copy their
inputs, no progress.

Thresholds were chosen from the meaning of the numbers; how often they are right was not measured, as it was
for generators.
"""

from sparring.doctor import advice
from sparring.doctor.finding import Advice, Finding
from sparring.doctor.history import History, trailing_span

GAMES = ("paired", "cycle", "one_sided")
CERTAIN = 0.995  # how often the judge is right
COPIED_BELOW = 0.05  # of the distance between inputs and real images of the other domain
FIRST_STEPS, LATER_STEPS = 500, 2_000
NO_PROGRESS_ABOVE = 0.9  # of the first distance to the truth


def is_translator(history: History) -> bool:
    """Whether images are translated, by the settings."""
    return history.setting("game", "type") in GAMES


def detect_patch_discriminator_wins(history: History) -> Finding | None:
    """A judge of patches that is always right: its gradient tells little."""
    names = [
        name
        for name in ("discriminator/accuracy", "discriminators/accuracy_a", "discriminators/accuracy_b")
        if history.series(name)
    ]
    if not is_translator(history) or history.step < FIRST_STEPS:
        return None
    for name in names:
        since, length = trailing_span(history.series(name), lambda share: share > CERTAIN)
        if since is None or length < 5:
            continue
        now = history.series(name)[-1][1]
        end = f" of {name[-1].upper()}" if "_" in name else ""
        leans = history.setting("game", "type") == "paired" and history.setting("game", "reconstruction")
        return Finding(
            name="judge_wins",
            severity="warning",
            title=f"The judge{end} always tells real images from translated ones since image {since:,}",
            message=f"It is right on {now:.1%} of the patches; the translator learns little from it"
            + (", and goes on by the distance to the truth alone." if leans else "."),
            since=since,
            values={name: now},
            advice=advice.select(
                _strengthen_penalty(history),
                advice.lower_learning_rate(history, _discriminator_name(history)),
                _smaller_patch(history),
            ),
            checkpoint=history.last_good_checkpoint(since),
        )
    return None


def detect_copied_input(history: History) -> Finding | None:
    """Outputs that are the inputs: cycle consistency and contrast are then perfect, and nothing is translated."""
    since, length = trailing_span(history.diagnostic("moved"), lambda share: share < COPIED_BELOW)
    if since is None or length < 2 or history.step < LATER_STEPS:
        return None
    now = history.diagnostic("moved")[-1][1]
    return Finding(
        name="copies_input",
        severity="bad",
        title="The translator copies its input",
        message=f"Its images differ from their inputs by {now:.1%} of what real images of the other domain differ from them by.",
        since=since,
        values={"moved": now},
        advice=advice.select(
            _lower_weight(history, "identity", "keep less to what is there already"),
            _lower_weight(history, "cycle", "ask for less consistency"),
            Advice("see whether the two domains differ at this size: sparring inspect DATA"),
        ),
    )


def detect_no_progress(history: History) -> Finding | None:
    """Pairs, and no nearer to the truth than at the start."""
    series = history.series("translator/l1")
    if not is_translator(history) or history.step < LATER_STEPS or len(series) < 10:
        return None
    first, now = series[0][1], history.recent_median("translator/l1", 5)
    if now is None or now < NO_PROGRESS_ABOVE * first:
        return None
    return Finding(
        name="learns_nothing",
        severity="warning",
        title="The translator comes no nearer to the truth",
        message=f"Its images were {first:.3f} from their truth at first and are {now:.3f} now (of 2, the whole scale).",
        values={"at first": first, "now": now},
        advice=advice.select(
            Advice("see whether the pairs belong together: sparring inspect DATA"),
            advice.lower_learning_rate(history, "translator"),
            _lower_weight(history, "adversarial", "let the judge count for less"),
        ),
    )


def _strengthen_penalty(history: History) -> Advice | None:
    if history.setting("game", "penalties"):
        return advice.scale_gradient_penalty(history, 10)
    words = "add a gradient penalty (R1), which keeps the judge smooth"
    return Advice(words, ("game.penalties=[{type: r1, gamma: 1.0}]",))


def _smaller_patch(history: History) -> Advice | None:
    patch = history.setting("game", "discriminator", "patch_size")
    smaller = {0: 70, 286: 70, 70: 34, 34: 16, 16: 7}.get(patch) if isinstance(patch, int) else None
    words = "judge smaller patches, which are harder to tell apart"
    return Advice(words, (f"game.discriminator.patch_size={smaller}",)) if smaller else None


def _discriminator_name(history: History) -> str:
    return "discriminators" if history.setting("game", "type") == "cycle" else "discriminator"


def _lower_weight(history: History, name: str, message: str) -> Advice | None:
    settings = advice.scale_setting(history, ("game", name), 0.2)
    return Advice(message, tuple(settings)) if settings else None
