"""The queue: one thread that computes, and a bounded number of jobs that wait for it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sparring.serve.refused import Busy

CAPACITY = 24  # jobs that run or wait
T = TypeVar("T")


class Worker:
    """Runs jobs one after another, in a thread of its own: torch's memory then stays that of one job.

    Arguments:
        name: of the thread.
        capacity: jobs that run or wait; more are refused with `Busy`.
    """

    def __init__(self, name: str, capacity: int = CAPACITY) -> None:
        self.capacity, self.waiting = capacity, 0
        self.pool = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def run(self, job: Callable[[], T]) -> T:
        """The result of a job.

        Raises:
            Busy: too many are waiting.
        """
        if self.waiting >= self.capacity:
            raise Busy
        self.waiting += 1
        future = self.pool.submit(job)
        future.add_done_callback(self._done(asyncio.get_running_loop()))
        return await asyncio.wrap_future(future)

    def _done(self, loop: asyncio.AbstractEventLoop) -> Callable[[object], None]:
        def leave() -> None:
            self.waiting -= 1

        def done(_: object) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(leave)

        return done

    def close(self) -> None:
        """Take no more jobs, and drop those that wait."""
        self.pool.shutdown(wait=False, cancel_futures=True)
