"""SIGINT and SIGTERM: the first one sets a flag that every long loop polls, the second one exits at once."""

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Interrupt:
    """A context in which the first signal only sets a flag; call the object to read it. The second one exits the process.

    Outside the main thread it does nothing, as Python handles signals in the main thread only.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self._previous_handlers: dict[int, Callable[..., Any] | int | None] = {}

    def __call__(self) -> bool:
        return self.signal is not None

    @property
    def exit_code(self) -> int:
        """130 after Ctrl-C, 143 after SIGTERM."""
        return 128 + (self.signal or 0)

    def __enter__(self) -> "Interrupt":
        if threading.current_thread() is threading.main_thread():
            handled = [
                number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN
            ]  # not under nohup
            self._previous_handlers = {number: signal.signal(number, self._on_signal) for number in handled}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous_handlers.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.signal is not None:
            os._exit(self.exit_code)
        self.signal = number
