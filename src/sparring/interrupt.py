"""Ctrl-C and SIGTERM: the first sets a flag that every long loop looks at, the second leaves at once."""

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Interrupt:
    """While entered, signals do no work but set `signal`; calling it tells whether one came.

    Used outside the main thread it watches nothing.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self._before: dict[int, Callable[..., Any] | int | None] = {}

    def __call__(self) -> bool:
        return self.signal is not None

    @property
    def exit_code(self) -> int:
        """130 after Ctrl-C, 143 after SIGTERM."""
        return 128 + (self.signal or 0)

    def __enter__(self) -> "Interrupt":
        if threading.current_thread() is threading.main_thread():
            wanted = [
                number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN
            ]  # as under nohup
            self._before = {number: signal.signal(number, self._note) for number in wanted}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.signal is not None:
            os._exit(self.exit_code)
        self.signal = number
