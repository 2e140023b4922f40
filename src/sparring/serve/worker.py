"""A worker thread with a bounded queue of tasks."""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from sparring.serve.http import BusyError

MAX_QUEUED = 24  # jobs that run or wait
T = TypeVar("T")
Task = tuple[Future[Any], Callable[[], Any]]


class Worker:
    """Runs jobs one after another, in a thread of its own: torch's memory then stays that of one job.

    Arguments:
        name: of the thread.
        capacity: jobs that run or wait; more are refused with `BusyError`.
    """

    def __init__(self, name: str, capacity: int = MAX_QUEUED) -> None:
        self.capacity, self.in_flight, self.is_running_pending = capacity, 0, False
        self.queue: SimpleQueue[Task | None] = SimpleQueue()
        self.thread = Thread(target=self._work, name=name, daemon=True)
        self.thread.start()

    async def run(self, job: Callable[[], T]) -> T:
        """The result of a job.

        Raises:
            Busy: too many are waiting.
        """
        if self.in_flight >= self.capacity:
            raise BusyError
        self.in_flight += 1
        future: Future[T] = Future()
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda _: _call_in_loop(loop, self._left))
        self.queue.put((future, job))
        return await asyncio.wrap_future(future)

    def run_pending(self) -> None:
        """Called by a long job from time to time: do now what waits behind it."""
        outer, self.is_running_pending = self.is_running_pending, True
        try:
            while (waiting := self.queue.get_nowait()) is not None:
                _run_task(waiting)
            self.queue.put(None)
        except Empty:
            pass
        finally:
            self.is_running_pending = outer

    def close(self) -> None:
        """End the thread, after what it is doing."""
        self.queue.put(None)

    def _left(self) -> None:
        self.in_flight -= 1

    def _work(self) -> None:
        while (job := self.queue.get()) is not None:
            _run_task(job)
            del job  # or what it holds would stay until the next one


def _run_task(job: Task) -> None:
    future, work = job
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(work())
    except BaseException as error:
        future.set_exception(error)


def _call_in_loop(loop: asyncio.AbstractEventLoop, what: Callable[[], None]) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody asks any more
        loop.call_soon_threadsafe(what)
