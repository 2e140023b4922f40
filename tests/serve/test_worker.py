"""The worker thread: a long task lets waiting tasks run, without nesting them."""

import asyncio
import time

from sparring.serve.worker import Worker


def test_long_task_runs_waiting_tasks():
    worker, order = Worker("test"), []

    def long() -> str:
        for part in range(50):
            order.append(f"part {part}")
            worker.run_pending()
            if "quick" in order:
                break
            time.sleep(0.01)
        assert not worker.is_running_pending
        return "long"

    def quick() -> str:
        order.append("quick")
        assert worker.is_running_pending
        return "quick"

    async def both() -> list[str]:
        first = asyncio.create_task(worker.run(long))
        await asyncio.sleep(0.03)
        return [await worker.run(quick), await first]

    assert asyncio.run(both()) == ["quick", "long"]
    assert "quick" in order
    assert order[-1] != "part 49"
    worker.close()
