"""Progress reporting and cancellation: what every long loop polls."""

from collections.abc import Callable

ProgressCallback = Callable[[int, int], None]


class StopRequested(Exception):
    """The caller's `stop` said so while the data was being read; nothing half-written is left behind."""


class ProgressMonitor:
    """Counts what is done of `total` and polls `stop`.

    Arguments:
        progress: called with (done, total), at most about 200 times and at the end.
        stop: polled often; when it says true, `StopRequested` is raised.
    """

    def __init__(
        self, progress: ProgressCallback | None = None, stop: Callable[[], bool] | None = None
    ) -> None:
        self.progress, self.stop = progress, stop
        self.done = self.total = 0

    def poll(self) -> None:
        if self.stop is not None and self.stop():
            raise StopRequested("stopped while the data was being read")

    def begin(self, total: int) -> None:
        """A new phase of `total` steps."""
        self.done, self.total = 0, total

    def step(self) -> None:
        """One more is done."""
        self.poll()
        self.done += 1
        if self.progress is not None and (
            self.done % max(self.total // 200, 1) == 0 or self.done == self.total
        ):
            self.progress(self.done, max(self.total, self.done))
