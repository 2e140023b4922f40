"""A finding of the doctor: its severity, the numbers behind it, and advice."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Severity = Literal["bad", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("bad", "warning", "note")  # the worst first


@dataclass(frozen=True)
class Advice:
    """A suggested change.

    Arguments:
        message: what to do, and why.
        settings: for `--set`, of the form `path=value`; each path is one of the run's own settings.
    """

    message: str
    settings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that a detector found.

    Arguments:
        name: the detector's key in `DETECTORS`, for scripts.
        severity: `bad` spoils the run, a `warning` may, a `note` is worth knowing.
        title: the finding in one line.
        message: the measurements that it rests on, as a sentence.
        since: the first image at which it held; None where it has no beginning.
        values: the measurements by name.
        advice: what to do, the most promising first.
        checkpoint: images of the newest checkpoint from before the problem that still exists; None where there is none.
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
        """The fields as plain JSON types."""
        return asdict(self)
