"""A long job lets what waits behind it through, once and not within itself."""

import asyncio
import time

from sparring.serve.worker import Worker


def test_a_long_job_makes_room():
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
