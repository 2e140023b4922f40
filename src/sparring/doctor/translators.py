"""What goes wrong with translators: a judge that is always right, outputs that copy their inputs, nothing learned.

Limits were chosen from what these signs mean; how often they are right was not measured, as it was for generators.
"""

from sparring.doctor import advice
from sparring.doctor.finding import Advice, Finding
from sparring.doctor.history import History, trailing

GAMES = ("paired", "cycle", "one_sided")
SURE = 0.995  # how often the judge is right
STILL = 0.05  # of the distance between inputs and real pictures of the other domain
FIRST_STEPS, LATER_STEPS = 500, 2_000
LEARNED = 0.9  # of the first distance to the truth


def translates(history: History) -> bool:
    """Whether pictures are translated, by the settings."""
    return history.setting("game", "type") in GAMES


def judge_wins(history: History) -> Finding | None:
    """A judge of patches that is always right: its gradient tells little."""
    names = [name for name in ("accuracy", "accuracy_a", "accuracy_b") if history.series(name)]
    if not translates(history) or history.step < FIRST_STEPS:
        return None
    for name in names:
        since, length = trailing(history.series(name), lambda share: share > SURE)
        if since is None or length < 5:
            continue
        now = history.series(name)[-1][1]
        end = f" of {name[-1].upper()}" if "_" in name else ""
        leans = history.setting("game", "type") == "paired" and history.setting("game", "reconstruction")
        return Finding(
            name="judge_wins",
            severity="warning",
            title=f"The judge{end} always tells real pictures from translated ones since image {since:,}",
            words=f"It is right on {now:.1%} of the patches; the translator learns little from it"
            + (", and goes on by the distance to the truth alone." if leans else "."),
            since=since,
            figures={name: now},
            advice=advice.chosen(_slope(history), advice.slower(history, _judge(history)), _smaller(history)),
            checkpoint=history.good_checkpoint(since),
        )
    return None


def copies_input(history: History) -> Finding | None:
    """Outputs that are the inputs: cycle consistency and contrast are then perfect, and nothing is translated."""
    since, length = trailing(history.vital("moved"), lambda share: share < STILL)
    if since is None or length < 2 or history.step < LATER_STEPS:
        return None
    now = history.vital("moved")[-1][1]
    return Finding(
        name="copies_input",
        severity="bad",
        title="The translator copies its input",
        words=f"Its pictures differ from their inputs by {now:.1%} of what real pictures of the other domain differ from them by.",
        since=since,
        figures={"moved": now},
        advice=advice.chosen(
            _lighter(history, "identity", "keep less to what is there already"),
            _lighter(history, "cycle", "ask for less consistency"),
            Advice("see whether the two domains differ at this size: sparring inspect DATA"),
        ),
    )


def learns_nothing(history: History) -> Finding | None:
    """Pairs, and no nearer to the truth than at the start."""
    series = history.series("l1")
    if not translates(history) or history.step < LATER_STEPS or len(series) < 10:
        return None
    first, now = series[0][1], history.recent("l1", 5)
    if now is None or now < LEARNED * first:
        return None
    return Finding(
        name="learns_nothing",
        severity="warning",
        title="The translator comes no nearer to the truth",
        words=f"Its pictures were {first:.3f} from their truth at first and are {now:.3f} now (of 2, the whole scale).",
        figures={"at first": first, "now": now},
        advice=advice.chosen(
            Advice("see whether the pairs belong together: sparring inspect DATA"),
            advice.slower(history, "translator"),
            _lighter(history, "adversarial", "let the judge count for less"),
        ),
    )


def _slope(history: History) -> Advice | None:
    if history.setting("game", "penalties"):
        return advice.gamma(history, 10)
    words = "add a gradient penalty (R1), which keeps the judge smooth"
    return Advice(words, ("game.penalties=[{type: r1, gamma: 1.0}]",))


def _smaller(history: History) -> Advice | None:
    patch = history.setting("game", "discriminator", "patch")
    smaller = {0: 70, 286: 70, 70: 34, 34: 16, 16: 7}.get(patch) if isinstance(patch, int) else None
    words = "judge smaller patches, which are harder to tell apart"
    return Advice(words, (f"game.discriminator.patch={smaller}",)) if smaller else None


def _judge(history: History) -> str:
    return "discriminators" if history.setting("game", "type") == "cycle" else "discriminator"


def _lighter(history: History, name: str, words: str) -> Advice | None:
    settings = advice.scaled(history, ("game", name), 0.2)
    return Advice(words, tuple(settings)) if settings else None
