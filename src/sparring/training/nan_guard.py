"""Undo steps with a non-finite loss or weight, for all players, optimizers and averages.

Checking every step would make the CPU wait for the device each time. Instead a snapshot of the state is
renewed every `SNAPSHOT_INTERVAL` steps if all numbers are finite (a non-finite weight never becomes finite
again). If one is not, the snapshot is restored and the steps are repeated one by one, each checked; as all
randomness is keyed, they are the same steps, bit for bit.
"""

import copy
import math

import torch
from torch import Tensor

from sparring.core.runtime import Runtime
from sparring.training.state import TrainState

SNAPSHOT_INTERVAL = 32  # steps
MAX_BAD_STEPS = 3  # non-finite steps in a row before the loop goes back to a checkpoint


class RepeatedNonFiniteError(Exception):
    """`MAX_BAD_STEPS` non-finite steps in a row: skipping them does not help."""


class NaNGuard:
    """Makes steps transactions: after `add`, a `commit` confirms them or undoes them.

    Arguments:
        state: the training state, finite now; its tensors are copied.
    """

    def __init__(self, state: TrainState) -> None:
        self.state = state
        self.tensors = list(state.tensors().values())
        self.snapshot = [tensor.clone() for tensor in self.tensors]
        self.clock = copy.copy(state.clock)
        self.pending: list[dict[str, Tensor]] = []
        self.single_step_until = 0
        self.consecutive_bad_steps = 0
        self.skipped_step: int | None = None  # the step that the last `commit` skipped

    @property
    def due(self) -> bool:
        """Whether the steps must be committed now: the interval is full, or steps are repeated one by one."""
        return self.state.clock.step < self.single_step_until or len(self.pending) >= SNAPSHOT_INTERVAL

    def add(self, losses: dict[str, Tensor]) -> None:
        """Add a step that is not committed yet, by its losses."""
        self.pending.append(losses)

    def commit(self) -> list[dict[str, float]] | None:
        """Confirm the steps since the last commit, or undo them.

        If a loss or weight is not finite, several steps are undone to be repeated one by one; a single step is skipped:
        its images count as seen, and `skipped_step` is its number.

        Returns:
            The losses of the confirmed steps, one dict a step; None if the steps must be repeated.

        Raises:
            RepeatedNonFiniteError: `MAX_BAD_STEPS` steps in a row were skipped.
        """
        self.skipped_step = None
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
        """Take a new snapshot, after the state was restored from a checkpoint."""
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
        self.state.clock, self.clock = copy.copy(reached), reached  # undone, but its images count as seen
        self.skipped_step = reached.step - 1
        self.consecutive_bad_steps += 1
        if self.consecutive_bad_steps >= MAX_BAD_STEPS:
            raise RepeatedNonFiniteError
        return []


def all_finite(tensors: list[Tensor]) -> bool:
    """Whether all floating-point numbers in all tensors are finite."""
    floats = [tensor for tensor in tensors if tensor.is_floating_point() and tensor.numel()]
    if not floats:
        return True
    if floats[0].device.type == "cpu":  # there a sum is 20 times faster than a norm
        sums = torch.stack([tensor.sum(dtype=torch.float32) for tensor in floats])
        if bool(sums.isfinite().all()):  # a non-finite sum may also be an overflow
            return True
    return bool(torch.stack(torch._foreach_norm(floats, ord=math.inf)).isfinite().all())


def _to_floats(rows: list[dict[str, Tensor]], runtime: Runtime) -> list[dict[str, float]]:
    flat = iter(
        runtime.mean_over_processes(torch.stack([value for row in rows for value in row.values()])).tolist()
    )
    return [{name: next(flat) for name in row} for row in rows]
