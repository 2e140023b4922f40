"""A worker thread with a bounded queue of tasks."""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from sparring.serve.http import BusyError

MAX_QUEUED = 24  # running and waiting tasks
T = TypeVar("T")
Task = tuple[Future[Any], Callable[[], Any]]


class Worker:
    """Runs tasks one after another in one thread, so that memory is bounded by that of one task.

    Arguments:
        name: of the thread.
        capacity: running and waiting tasks; more are refused with `BusyError`.
    """

    def __init__(self, name: str, capacity: int = MAX_QUEUED) -> None:
        self.capacity, self.in_flight, self.is_running_pending = capacity, 0, False
        self.queue: SimpleQueue[Task | None] = SimpleQueue()
        self.thread = Thread(target=self._run_queue, name=name, daemon=True)
        self.thread.start()

    async def run(self, function: Callable[[], T]) -> T:
        """The result of a function, called in the thread.

        Raises:
            BusyError: the queue is full.
        """
        if self.in_flight >= self.capacity:
            raise BusyError
        self.in_flight += 1
        future: Future[T] = Future()
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda _: _call_in_loop(loop, self._decrement))
        self.queue.put((future, function))
        return await asyncio.wrap_future(future)

    def run_pending(self) -> None:
        """Run the waiting tasks now. A long task calls this from time to time, so that short ones need not wait for it."""
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
        """End the thread after the queued tasks."""
        self.queue.put(None)

    def _decrement(self) -> None:
        self.in_flight -= 1

    def _run_queue(self) -> None:
        while (task := self.queue.get()) is not None:
            _run_task(task)
            del task  # frees what it refers to before the next one arrives


def _run_task(task: Task) -> None:
    future, function = task
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(function())
    except BaseException as error:
        future.set_exception(error)


def _call_in_loop(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed
        loop.call_soon_threadsafe(callback)
