"""Progress out, the wish to stop in: what every long loop over data polls."""

from collections.abc import Callable

from sparring.data.report import Progress, Stopped


class Watch:
    """Counts what is done of `total` and polls `stop`.

    Arguments:
        progress: called with (done, total), at most about 200 times and at the end.
        stop: polled often; when it says true, `Stopped` is raised.
    """

    def __init__(self, progress: Progress | None = None, stop: Callable[[], bool] | None = None) -> None:
        self.progress, self.stop = progress, stop
        self.done = self.total = 0

    def poll(self) -> None:
        if self.stop is not None and self.stop():
            raise Stopped("stopped while the data was being read")

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
