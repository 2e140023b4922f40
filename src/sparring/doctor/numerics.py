"""Numerical failures: divergence, non-finite steps, stalled training, checkpoints that could not be written."""

from sparring.core.errors import ConfigError
from sparring.core.schedule import SCHEDULES
from sparring.doctor import advice
from sparring.doctor.finding import Advice, Finding
from sparring.doctor.history import History, Series

LARGE_LOSS = 25.0  # no loss but Wasserstein's is as large in a game that goes on
GROWTH = 30.0  # times the usual, for a loss without a scale
LARGE_LOGIT = 100.0  # logits
RECENT = 3
STALLED_RATE = 0.01  # of the greatest learning rate
REMAINING = 0.15  # of a run


def detect_divergence(history: History) -> Finding | None:
    """Losses or judgements that explode."""
    culprits = {
        name: exploded
        for name in ("discriminator/adversarial", "generator/adversarial", *_logit_columns(history))
        if (exploded := _exploded(history, name))
    }
    if not culprits:
        return None
    since = min(images for series in culprits.values() for images, _ in series)
    last = [row["images"] for row in history.rows[-RECENT:]]
    lasting = any(series[-1][0] in last for series in culprits.values())
    name, series = max(culprits.items(), key=lambda item: max(abs(value) for _, value in item[1]))
    worst = max(series, key=lambda point: abs(point[1]))
    words = f"{_describe_column(name)} came to {worst[1]:,.0f} at image {worst[0]:,}; a game that goes on stays within a few units."
    if not lasting:
        words += f" It has calmed down since image {series[-1][0]:,}."
    return Finding(
        name="diverged",
        severity="bad" if lasting else "note",
        title="Training diverges: the numbers explode" if lasting else "The numbers exploded for a while",
        message=words,
        since=since,
        values={one: points[-1][1] for one, points in culprits.items()},
        advice=advice.select(
            advice.lower_learning_rates(history, 0.1),
            advice.add_gradient_penalty(history),
            advice.scale_gradient_penalty(history, 10),
        )
        if lasting
        else (),
        checkpoint=history.last_good_checkpoint(since),
    )


def _logit_columns(history: History) -> tuple[str, ...]:
    return () if history.objective == "wasserstein" else ("diag/logit_train", "diag/logit_fake")


def _exploded(history: History, name: str) -> Series:
    series = history.series(name)
    if name.startswith("vitals/"):
        return [point for point in series if abs(point[1]) > LARGE_LOGIT]
    if history.objective != "wasserstein":
        return [point for point in series if abs(point[1]) > LARGE_LOSS]
    found = []
    for number, (images, value) in enumerate(series):
        before = sorted(abs(earlier) for _, earlier in series[:number])
        usual = before[len(before) // 2] if len(before) >= 5 else float("inf")
        if abs(value) > GROWTH * max(usual, 1.0):
            found.append((images, value))
    return found


def _describe_column(name: str) -> str:
    player, _, what = name.partition("/")
    if player != "vitals":
        return f"The {player}'s loss"
    return f"The discriminator's judgement of {'real' if what == 'logit_train' else 'generated'} samples"


def detect_stall(history: History) -> Finding | None:
    """Nothing moves any more, and much of the run is left."""
    left = 1 - history.images / history.total if history.total else 0.0
    rates = _learning_rates(history)
    if left < REMAINING or not history.rows:
        return None
    still = sorted(player for player, (now, greatest) in rates.items() if now <= STALLED_RATE * greatest)
    if still:
        return Finding(
            name="standstill",
            severity="warning",
            title=f"The {' and the '.join(still)} hardly learn{'s' if len(still) == 1 else ''} any more",
            message=f"The learning rate is at most a hundredth of what it was or will be, with {left:.0%} of the run to go.",
            values={f"learning rate of the {player}": rates[player][0] for player in still},
            advice=(Advice("let the learning rate fall later", ()),),
        )
    names = ("discriminator/adversarial", "generator/adversarial")
    last = [[value for _, value in history.series(name)[-RECENT:]] for name in names]
    if all(len(values) == RECENT and max(values) - min(values) <= 1e-6 for values in last):
        return Finding(
            name="standstill",
            severity="bad",
            title="Nothing moves: the losses are the same in every report",
            message=f"{RECENT} reports in a row have the losses {last[0][-1]:.4f} and {last[1][-1]:.4f}.",
            advice=advice.select(advice.lower_learning_rates(history, 0.1)),
        )
    return None


def _learning_rates(history: History) -> dict[str, tuple[float, float]]:
    """The learning rates now, and the greatest of the run."""
    players = history.setting("optimizers")
    found = {}
    for player, one in players.items() if isinstance(players, dict) else ():
        rate = one.get("lr") if isinstance(one, dict) else None
        if isinstance(rate, int | float):
            found[str(player)] = float(rate), float(rate) or 1.0
        elif isinstance(rate, dict) and rate.get("type") in SCHEDULES:
            try:
                schedule = SCHEDULES[rate["type"]](
                    **{name: value for name, value in rate.items() if name != "type"}
                )
                steps = [schedule.value_at(history.total * part // 20) for part in range(21)]
                found[str(player)] = schedule.value_at(history.images), max(steps)
            except (TypeError, ConfigError):
                continue
    return found


def detect_non_finite_steps(history: History) -> Finding | None:
    """Steps that gave non-finite numbers."""
    backs = [row for row in history.events if str(row.get("event", "")).startswith("rolled back")]
    skipped = [row for row in history.events if str(row.get("event", "")).startswith("step skipped")]
    if not backs and not skipped:
        return None
    at = [row["images"] for row in backs or skipped if isinstance(row.get("images"), int)]
    since = min(at, default=None)
    fatal = len(backs) >= 3 and not history.is_finished
    severity = "bad" if fatal else "warning" if backs else "note"
    words = f"{len(skipped):,} steps gave a number that is not finite and were undone"
    words += (
        f"; {len(backs)} times that did not help, and the run went back to a checkpoint." if backs else "."
    )
    return Finding(
        name="not_finite",
        severity=severity,  # type: ignore[arg-type]
        title="Numbers that are not finite" + (", again and again: training gave up" if fatal else ""),
        message=words,
        since=since,
        values={"steps undone": len(skipped), "roll-backs": len(backs)},
        advice=advice.select(advice.lower_learning_rates(history, 0.1), advice.add_gradient_penalty(history))
        if backs
        else (),
        checkpoint=history.last_good_checkpoint(since),
    )


def detect_checkpoint_failure(history: History) -> Finding | None:
    """Checkpoints that could not be written, after the last one that could."""
    last = max(history.checkpoints, default=0)
    failed = [
        row
        for row in history.events
        if row.get("event") == "checkpoint_failed" and isinstance(row.get("images"), int)
    ]
    after = [row for row in failed if row["images"] > last]
    if not after:
        return None
    return Finding(
        name="unsaved",
        severity="bad",
        title="Checkpoints can't be written",
        message=f"{len(after)} in a row failed: {' '.join(str(after[-1].get('why', '')).split())[:200]}",
        since=after[0]["images"],
        advice=(Advice("free some space, or fix the permissions"),),
        checkpoint=last or None,
    )
