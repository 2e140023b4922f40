"""A few steps of a run, to learn what the whole would cost. Nothing is written."""

import resource
import statistics
import sys
import time
from dataclasses import dataclass

from sparring.data import Dataset, grouped
from sparring.experiment import Experiment
from sparring.match import Match
from sparring.runtime import Runtime, synchronize


@dataclass(frozen=True)
class Cost:
    """What was measured.

    Arguments:
        images_per_second: in training.
        peak_bytes: of the process's memory.
        parameters: of all players.
    """

    images_per_second: float
    peak_bytes: int
    parameters: int

    def seconds(self, images: int) -> float:
        """Time for so many images."""
        return images / self.images_per_second


def measure(experiment: Experiment, dataset: Dataset, runtime: Runtime, seconds: float = 3.0) -> Cost:
    """Play for about `seconds` and take the median step, the first ones left out."""
    match = Match(experiment, grouped(dataset, experiment.data.groups), runtime)
    for _ in range(2):
        match.step()
    synchronize(runtime.device)
    times: list[float] = []
    end = time.monotonic() + seconds
    while len(times) < 3 or (time.monotonic() < end and len(times) < 200):
        begin, before = time.monotonic(), match.clock.images
        match.step()
        synchronize(runtime.device)
        times.append((time.monotonic() - begin) / (match.clock.images - before))
    parameters = sum(p.numel() for player in match.game.players().values() for p in player.parameters())
    return Cost(1 / statistics.median(times), peak_memory(), parameters)


def peak_memory() -> int:
    """The most memory that this process has held, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
