"""What the loop wrote down as unusual: undone steps, roll-backs, checkpoints that could not be written."""

from sparring.doctor import advice
from sparring.doctor.finding import Advice, Finding
from sparring.doctor.history import History


def rolled_back(history: History) -> Finding | None:
    """Steps that gave non-finite numbers."""
    backs = [row for row in history.events if str(row.get("event", "")).startswith("rolled back")]
    skipped = [row for row in history.events if str(row.get("event", "")).startswith("step skipped")]
    if not backs and not skipped:
        return None
    at = [row["images"] for row in backs or skipped if isinstance(row.get("images"), int)]
    since = min(at, default=None)
    fatal = len(backs) >= 3 and not history.finished
    severity = "bad" if fatal else "warning" if backs else "note"
    words = f"{len(skipped):,} steps gave a number that is not finite and were undone"
    words += (
        f"; {len(backs)} times that did not help, and the run went back to a checkpoint." if backs else "."
    )
    return Finding(
        name="not_finite",
        severity=severity,  # type: ignore[arg-type]
        title="Numbers that are not finite" + (", again and again: training gave up" if fatal else ""),
        words=words,
        since=since,
        figures={"steps undone": len(skipped), "roll-backs": len(backs)},
        advice=advice.chosen(advice.both_slower(history, 0.1), advice.penalty(history)) if backs else (),
        checkpoint=history.good_checkpoint(since),
    )


def unsaved(history: History) -> Finding | None:
    """Checkpoints that could not be written, after the last one that could."""
    last = max(history.checkpoints, default=0)
    failed = [
        row
        for row in history.events
        if row.get("event") == "checkpoint not written" and isinstance(row.get("images"), int)
    ]
    after = [row for row in failed if row["images"] > last]
    if not after:
        return None
    return Finding(
        name="unsaved",
        severity="bad",
        title="Checkpoints can't be written",
        words=f"{len(after)} in a row failed: {' '.join(str(after[-1].get('why', '')).split())[:200]}",
        since=after[0]["images"],
        advice=(Advice("free some space, or mend the permissions"),),
        checkpoint=last or None,
    )
