"""A step with a non-finite loss or weight is undone, for all players, optimizers and averages.

Checking every step would make the processor wait for each one. Instead a snapshot of the state is renewed
every `SNAPSHOT_INTERVAL` steps if all is finite (a non-finite weight never becomes finite again). If it is
not, the snapshot is restored and the steps are repeated one by one, each checked; as all randomness is keyed,
they are the same steps, bit for bit.
"""

import copy
import math

import torch
from torch import Tensor

from sparring.core.runtime import Runtime
from sparring.training.state import TrainState

SNAPSHOT_INTERVAL = 32  # steps between renewals of the copy
MAX_BAD_STEPS = 3  # bad steps in a row after which a checkpoint must help


class RepeatedNonFiniteError(Exception):
    """`MAX_BAD_STEPS` bad steps in a row: skipping does not help."""


class NaNGuard:
    """Watches over a match.

    Arguments:
        match: what is played.
    """

    def __init__(self, state: TrainState) -> None:
        self.state = state
        self.tensors = list(state.tensors().values())
        self.snapshot = [tensor.clone() for tensor in self.tensors]
        self.clock = copy.copy(state.clock)
        self.pending: list[dict[str, Tensor]] = []
        self.single_step_until = 0
        self.consecutive_bad_steps = 0
        self.skipped_steps: list[int] = []

    @property
    def due(self) -> bool:
        """Whether it is time to settle."""
        return self.state.clock.step < self.single_step_until or len(self.pending) >= SNAPSHOT_INTERVAL

    def add(self, losses: dict[str, Tensor]) -> None:
        """A step was played, and its terms came to this."""
        self.pending.append(losses)

    def commit(self) -> list[dict[str, float]] | None:
        """Confirm all steps since the last time, and return what they came to; or take them back, to be played again one by
        one, and return None. A single step that was bad is skipped, and comes to nothing.

        Raises:
            PersistentlyBadError: skipping bad steps does not help.
        """
        if not self.pending:
            return []
        values = _to_floats(self.pending, self.state.runtime)
        finite = all(math.isfinite(value) for row in values for value in row.values()) and all_finite(
            self.tensors
        )
        if not self.state.runtime.any_process(not finite):
            self._take_snapshot()
            self.consecutive_bad_steps = 0
            return values
        return self._revert(single=len(self.pending) == 1)

    def reset(self) -> None:
        """The match was set to another state from outside: keep that."""
        self.single_step_until = self.consecutive_bad_steps = 0
        self._take_snapshot()

    def _take_snapshot(self) -> None:
        torch._foreach_copy_(self.snapshot, self.tensors)
        self.clock = copy.copy(self.state.clock)
        self.pending.clear()

    def _revert(self, single: bool) -> list[dict[str, float]] | None:
        reached = copy.copy(self.state.clock)
        torch._foreach_copy_(self.tensors, self.snapshot)
        self.state.clock = copy.copy(self.clock)
        self.pending.clear()
        if not single:
            self.single_step_until = max(self.single_step_until, reached.step)
            return None
        self.state.clock, self.clock = (
            copy.copy(reached),
            reached,
        )  # the step did not happen, but its time has passed
        self.skipped_steps.append(reached.step - 1)
        self.consecutive_bad_steps += 1
        if self.consecutive_bad_steps >= MAX_BAD_STEPS:
            raise RepeatedNonFiniteError
        return []


def all_finite(tensors: list[Tensor]) -> bool:
    """Whether every number in every tensor is finite."""
    numbers = [tensor for tensor in tensors if tensor.is_floating_point() and tensor.numel()]
    if not numbers:
        return True
    quick = numbers[0].device.type == "cpu"  # there a sum is found 20 times faster than a norm
    if quick and bool(torch.stack([tensor.sum(dtype=torch.float32) for tensor in numbers]).isfinite().all()):
        return True  # a finite sum has finite terms; one that is not may have overflowed
    return bool(torch.stack(torch._foreach_norm(numbers, ord=math.inf)).isfinite().all())


def _to_floats(rows: list[dict[str, Tensor]], runtime: Runtime) -> list[dict[str, float]]:
    flat = iter(
        runtime.mean_over_processes(torch.stack([value for row in rows for value in row.values()])).tolist()
    )
    return [{name: next(flat) for name in row} for row in rows]
