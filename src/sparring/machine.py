"""What to compute on, as people name it."""

from dataclasses import dataclass
from typing import Any, get_args

from sparring import runtime
from sparring.errors import ConfigError, nearest


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What to compute on: see `runtime.start`."""

    device: Any = "auto"
    precision: Any = "auto"
    threads: int | None = None

    def __post_init__(self) -> None:
        known = get_args(runtime.PrecisionName)
        if self.precision not in known:
            raise ConfigError(
                f"precision {self.precision!r}",
                f"one of {', '.join(known)}",
                nearest(str(self.precision), list(known)),
            )
        if self.threads is not None and self.threads < 1:
            raise ConfigError(f"threads {self.threads}", "at least 1", "leave it out to use all")

    def start(self, pictures: bool = True) -> runtime.Runtime:
        return runtime.start(self.device, self.precision, self.threads, pictures=pictures)
