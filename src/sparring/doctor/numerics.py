"""Numerical failures: divergence, non-finite steps, stalled training, checkpoints that could not be written."""

from collections.abc import Mapping
from typing import Any

from sparring.core.errors import ConfigError
from sparring.core.schedule import SCHEDULES
from sparring.doctor import advice
from sparring.doctor.finding import Advice, Finding, Severity
from sparring.doctor.history import History, Series

LARGE_LOSS = 25.0  # except for Wasserstein losses, which have no scale
GROWTH = 30.0  # of a Wasserstein loss, relative to its median until then
MIN_REPORTS = 5  # for such a median
LARGE_LOGIT = 100.0
RECENT = 3  # reports
STALLED_RATE = 0.01  # relative to the largest learning rate of the run
REMAINING = 0.15  # of the run
CONSTANT_WITHIN = 1e-6  # losses that differ by less are equal
MAX_ROLLBACKS = 3  # as in training/loop.py
LOSSES = ("discriminator/adversarial", "generator/adversarial")
LOGITS = {
    "diag/logit_train": "The discriminator's mean logit of real samples",
    "diag/logit_fake": "The discriminator's mean logit of generated samples",
}


def detect_divergence(history: History) -> Finding | None:
    """Losses or logits that grow beyond all usual values."""
    names = LOSSES if history.objective == "wasserstein" else (*LOSSES, *LOGITS)
    exploded = {name: series for name in names if (series := _exploded_values(history, name))}
    if not exploded:
        return None
    since = min(series[0][0] for series in exploded.values())
    recent = [row["images"] for row in history.rows[-RECENT:]]
    is_lasting = any(series[-1][0] in recent for series in exploded.values())
    name, series = max(exploded.items(), key=lambda item: max(abs(value) for _, value in item[1]))
    images, value = max(series, key=lambda point: abs(point[1]))
    message = f"{_describe_column(name)} reached {value:,.0f} at image {images:,}; a few units are usual."
    if not is_lasting:
        message += f" It has been normal again since image {series[-1][0]:,}."
    return Finding(
        name="divergence",
        severity="bad" if is_lasting else "note",
        title="Training diverges: losses or logits explode"
        if is_lasting
        else "Training diverged for a while",
        message=message,
        since=since,
        values={column: points[-1][1] for column, points in exploded.items()},
        advice=advice.select(
            advice.lower_learning_rates(history, 0.1),
            advice.add_gradient_penalty(history),
            advice.scale_gradient_penalty(history, 10),
        )
        if is_lasting
        else (),
        checkpoint=history.last_good_checkpoint(since),
    )


def _exploded_values(history: History, name: str) -> Series:
    series = history.series(name)
    if name in LOGITS:
        return [point for point in series if abs(point[1]) > LARGE_LOGIT]
    if history.objective != "wasserstein":
        return [point for point in series if abs(point[1]) > LARGE_LOSS]
    exploded = []
    for index, (images, value) in enumerate(series[MIN_REPORTS:], MIN_REPORTS):
        median = sorted(abs(earlier) for _, earlier in series[:index])[index // 2]
        if abs(value) > GROWTH * max(median, 1.0):
            exploded.append((images, value))
    return exploded


def _describe_column(name: str) -> str:
    return LOGITS.get(name) or f"The {name.partition('/')[0]}'s loss"


def detect_stall(history: History) -> Finding | None:
    """Learning rates near 0, or losses that do not change, with much of the run left."""
    remaining = 1 - history.images / history.total_images if history.total_images else 0.0
    if remaining < REMAINING or not history.rows:
        return None
    rates = _learning_rates(history)
    stalled = sorted(player for player, (now, largest) in rates.items() if now <= STALLED_RATE * largest)
    if stalled:
        return Finding(
            name="stalled_training",
            severity="warning",
            title=f"The learning rate of the {' and the '.join(stalled)} is almost 0",
            message=f"It is at most 1% of its largest value, with {remaining:.0%} of the run left.",
            values={f"learning_rate_{player}": rates[player][0] for player in stalled},
            advice=(Advice("let the learning rate decay later", ()),),
        )
    last = [[value for _, value in history.series(name)[-RECENT:]] for name in LOSSES]
    if all(len(values) == RECENT and max(values) - min(values) <= CONSTANT_WITHIN for values in last):
        return Finding(
            name="stalled_training",
            severity="bad",
            title="Training has stalled: the losses do not change",
            message=f"The last {RECENT} reports all have the losses {last[0][-1]:.4f} and {last[1][-1]:.4f}.",
            advice=advice.select(advice.lower_learning_rates(history, 0.1)),
        )
    return None


def _learning_rates(history: History) -> dict[str, tuple[float, float]]:
    """The present and the largest learning rate of each player; a player whose setting can't be read is left out."""
    players = history.setting("optimizers")
    rates = {}
    for player, settings in players.items() if isinstance(players, dict) else ():
        rate = settings.get("lr") if isinstance(settings, dict) else None
        if isinstance(rate, int | float):
            rates[str(player)] = float(rate), float(rate) or 1.0
        elif isinstance(rate, dict) and rate.get("type") in SCHEDULES:
            arguments = {name: value for name, value in rate.items() if name != "type"}
            try:
                schedule = SCHEDULES[rate["type"]](**arguments)
                values = [schedule.value_at(history.total_images * part // 20) for part in range(21)]
                rates[str(player)] = schedule.value_at(history.images), max(values)
            except (TypeError, ConfigError):
                continue
    return rates


def detect_non_finite_steps(history: History) -> Finding | None:
    """Steps with non-finite losses or weights, which were undone, and roll-backs to a checkpoint."""
    rollbacks, skipped = _events(history, "rolled_back"), _events(history, "step_skipped")
    if not rollbacks and not skipped:
        return None
    since = min(row["images"] for row in rollbacks or skipped)
    has_failed = len(rollbacks) >= MAX_ROLLBACKS and not history.is_finished
    severity: Severity = "bad" if has_failed else "warning" if rollbacks else "note"
    steps = "1 step" if len(skipped) == 1 else f"{len(skipped):,} steps"
    message = f"{steps} with a non-finite loss or weight undone"
    message += f"; {len(rollbacks)} roll-backs to an earlier checkpoint." if rollbacks else "."
    fixes = advice.select(advice.lower_learning_rates(history, 0.1), advice.add_gradient_penalty(history))
    return Finding(
        name="non_finite_steps",
        severity=severity,
        title="Non-finite losses or weights" + (": training gave up" if has_failed else ""),
        message=message,
        since=since,
        values={"steps_undone": len(skipped), "rollbacks": len(rollbacks)},
        advice=fixes if rollbacks else (),
        checkpoint=history.last_good_checkpoint(since),
    )


def detect_checkpoint_failure(history: History) -> Finding | None:
    """Checkpoints that could not be written, after the last one that could."""
    last = max(history.checkpoints, default=0)
    failed = [row for row in _events(history, "checkpoint_failed") if row["images"] > last]
    if not failed:
        return None
    attempts = "The last attempt" if len(failed) == 1 else f"The last {len(failed)} attempts"
    reason = " ".join(str(failed[-1].get("message", "")).split())[:200]
    return Finding(
        name="checkpoint_failed",
        severity="bad",
        title="Checkpoints can't be written",
        message=f"{attempts} failed: {reason}",
        since=failed[0]["images"],
        advice=(Advice("free some disk space, or fix the permissions of the run folder"),),
        checkpoint=last or None,
    )


def _events(history: History, code: str) -> list[Mapping[str, Any]]:
    return [row for row in history.events if row.get("event") == code and isinstance(row.get("images"), int)]
