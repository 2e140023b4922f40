"""Files that are left out of a set, in words."""

from sparring.data import Dataset


def left_out(dataset: Dataset) -> list[str]:
    """What was skipped, in words."""
    skipped = dataset.report.skipped
    if not skipped:
        return []
    names = ", ".join(f"{name} ({why})" for name, why in skipped[:3])
    more = f" and {len(skipped) - 3:,} more" if len(skipped) > 3 else ""
    return [f"{dataset.config.source}: {len(skipped):,} skipped: {names}{more}"]
