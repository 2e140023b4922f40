"""A step is a transaction: one that gives a non-finite number did not happen, to any player, optimizer or average.

No step is checked by itself, which would make the processor wait for each one. A copy of everything is kept instead, renewed every
`INTERVAL` steps if all is finite (a non-finite weight never becomes finite again, so nothing can slip through). If it is not, the
copy is restored and the steps are played again, one by one, each checked; as all randomness is keyed, they are the same steps, and
those before the bad one come out bit for bit as before.
"""

import copy
import math

import torch
from torch import Tensor

from sparring.match import Match
from sparring.runtime import Runtime

INTERVAL = 32  # steps between renewals of the copy
PATIENCE = 3  # bad steps in a row after which a checkpoint must help


class PersistentlyBadError(Exception):
    """`PATIENCE` bad steps in a row: skipping does not help."""


class Guard:
    """Watches over a match.

    Arguments:
        match: what is played.
    """

    def __init__(self, match: Match) -> None:
        self.match = match
        self.live = list(match.tensors().values())
        self.kept = [tensor.clone() for tensor in self.live]
        self.clock = copy.copy(match.clock)
        self.pending: list[dict[str, Tensor]] = []
        self.careful_until = 0
        self.bad_in_a_row = 0
        self.skipped: list[int] = []

    @property
    def due(self) -> bool:
        """Whether it is time to settle."""
        return self.match.clock.step < self.careful_until or len(self.pending) >= INTERVAL

    def note(self, noted: dict[str, Tensor]) -> None:
        """A step was played, and its terms came to this."""
        self.pending.append(noted)

    def settle(self) -> list[dict[str, float]] | None:
        """Confirm all steps since the last time, and return what they came to; or take them back, to be played again one by
        one, and return None. A single step that was bad is skipped, and comes to nothing.

        Raises:
            PersistentlyBadError: skipping bad steps does not help.
        """
        if not self.pending:
            return []
        values = _to_numbers(self.pending, self.match.runtime)
        finite = all(math.isfinite(value) for row in values for value in row.values()) and all_finite(
            self.live
        )
        if not self.match.runtime.any(not finite):
            self._renew()
            self.bad_in_a_row = 0
            return values
        return self._take_back(single=len(self.pending) == 1)

    def restart(self) -> None:
        """The match was set to another state from outside: keep that."""
        self.careful_until = self.bad_in_a_row = 0
        self._renew()

    def _renew(self) -> None:
        torch._foreach_copy_(self.kept, self.live)
        self.clock = copy.copy(self.match.clock)
        self.pending.clear()

    def _take_back(self, single: bool) -> list[dict[str, float]] | None:
        reached = copy.copy(self.match.clock)
        torch._foreach_copy_(self.live, self.kept)
        self.match.clock = copy.copy(self.clock)
        self.pending.clear()
        if not single:
            self.careful_until = max(self.careful_until, reached.step)
            return None
        self.match.clock, self.clock = (
            copy.copy(reached),
            reached,
        )  # the step did not happen, but its time has passed
        self.skipped.append(reached.step - 1)
        self.bad_in_a_row += 1
        if self.bad_in_a_row >= PATIENCE:
            raise PersistentlyBadError
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


def _to_numbers(rows: list[dict[str, Tensor]], runtime: Runtime) -> list[dict[str, float]]:
    flat = iter(runtime.mean(torch.stack([value for row in rows for value in row.values()])).tolist())
    return [{name: next(flat) for name in row} for row in rows]
