"""A finding of the doctor: its severity, the numbers behind it, and advice."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Severity = Literal["bad", "warning", "note"]
ORDER: tuple[Severity, ...] = ("bad", "warning", "note")


@dataclass(frozen=True)
class Advice:
    """Something to do.

    Arguments:
        words: what and why.
        settings: of the form `path=value`, for `--set`; each path is one of the run's own.
    """

    message: str
    settings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A verdict.

    Arguments:
        name: short, for scripts: `collapse`, `diverged` and the like.
        severity: `bad` spoils the run, a `warning` may, a `note` is worth knowing.
        title: the verdict in one line.
        words: what it was seen by.
        since: image from which on it holds; None where it has no beginning.
        figures: the numbers behind it, by what they are.
        advice: what to do, the likeliest first.
        checkpoint: the last good checkpoint that is still on the disk, in images.
    """

    name: str
    severity: Severity
    title: str
    message: str
    since: int | None = None
    values: dict[str, float] = field(default_factory=dict)
    advice: tuple[Advice, ...] = ()
    checkpoint: int | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
