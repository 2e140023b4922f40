"""Progress reports and requests to stop, polled by every long loop over data; and which process reports.

No torch.
"""

import os
from collections.abc import Callable

ProgressCallback = Callable[[int, int], None]


class StopRequested(Exception):
    """The caller's `stop` returned true; nothing half-written is left behind."""


def process_rank() -> int:
    """The number of this process under `torchrun`, 0 without it; only process 0 reports and writes."""
    return int(os.environ.get("RANK", 0))


class ProgressMonitor:
    """Counts the steps of a long loop and polls `stop`.

    Arguments:
        progress: called with (done, total), at most about 200 times and at the end.
        stop: polled at every step; `StopRequested` is raised when it returns true.
    """

    def __init__(
        self, progress: ProgressCallback | None = None, stop: Callable[[], bool] | None = None
    ) -> None:
        self.progress, self.stop = progress, stop
        self.done = self.total = 0

    def poll(self) -> None:
        """Raise StopRequested if `stop` returns true."""
        if self.stop is not None and self.stop():
            raise StopRequested("stopped on request")

    def begin(self, total: int) -> None:
        """Start a new phase of `total` steps."""
        self.done, self.total = 0, total

    def step(self) -> None:
        """Count one step, report it, and poll."""
        self.poll()
        self.done += 1
        if self.progress is not None and (
            self.done % max(self.total // 200, 1) == 0 or self.done == self.total
        ):
            self.progress(self.done, max(self.total, self.done))
