"""The queue: one thread that computes, and a bounded number of jobs that wait for it."""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from sparring.serve.refused import Busy

CAPACITY = 24  # jobs that run or wait
T = TypeVar("T")
Job = tuple[Future[Any], Callable[[], Any]]


class Worker:
    """Runs jobs one after another, in a thread of its own: torch's memory then stays that of one job.

    Arguments:
        name: of the thread.
        capacity: jobs that run or wait; more are refused with `Busy`.
    """

    def __init__(self, name: str, capacity: int = CAPACITY) -> None:
        self.capacity, self.inside, self.breathing = capacity, 0, False
        self.queue: SimpleQueue[Job | None] = SimpleQueue()
        self.thread = Thread(target=self._work, name=name, daemon=True)
        self.thread.start()

    async def run(self, job: Callable[[], T]) -> T:
        """The result of a job.

        Raises:
            Busy: too many are waiting.
        """
        if self.inside >= self.capacity:
            raise Busy
        self.inside += 1
        future: Future[T] = Future()
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda _: _tell(loop, self._left))
        self.queue.put((future, job))
        return await asyncio.wrap_future(future)

    def breathe(self) -> None:
        """Called by a long job from time to time: do now what waits behind it."""
        outer, self.breathing = self.breathing, True
        try:
            while (waiting := self.queue.get_nowait()) is not None:
                _do(waiting)
            self.queue.put(None)
        except Empty:
            pass
        finally:
            self.breathing = outer

    def close(self) -> None:
        """End the thread, after what it is doing."""
        self.queue.put(None)

    def _left(self) -> None:
        self.inside -= 1

    def _work(self) -> None:
        while (job := self.queue.get()) is not None:
            _do(job)
            del job  # or what it holds would stay until the next one


def _do(job: Job) -> None:
    future, work = job
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(work())
    except BaseException as error:
        future.set_exception(error)


def _tell(loop: asyncio.AbstractEventLoop, what: Callable[[], None]) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody asks any more
        loop.call_soon_threadsafe(what)
