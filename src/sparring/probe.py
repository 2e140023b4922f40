"""A few steps of a run, to learn what the whole would cost. Nothing is written."""

import math
import resource
import statistics
import sys
import time
from dataclasses import dataclass

import torch

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
    """Play for about `seconds` and take the mean step, the first ones left out."""
    match = Match(experiment, grouped(dataset, experiment.data.groups), runtime)
    needed = _seconds_an_image(match, seconds)
    parameters = sum(p.numel() for player in match.game.players().values() for p in player.parameters())
    return Cost(1 / needed, peak_memory(), parameters)


def choose_threads(experiment: Experiment, dataset: Dataset, runtime: Runtime, seconds: float = 0.7) -> None:
    """Set the number of threads with which a step is fastest here and now, if it was left open.

    Small networks gain little from more threads, and on a machine with other work threads wait for each other.
    """
    most = torch.get_num_threads()
    if not runtime.free_threads or most == 1:
        return
    match = Match(experiment, grouped(dataset, experiment.data.groups), runtime)
    best, best_time = most, math.inf
    for threads in sorted({1, most, *(2**power for power in range(1, most.bit_length() - 1))}):
        torch.set_num_threads(threads)
        needed = _seconds_an_image(match, seconds)
        if needed < 0.95 * best_time:
            best, best_time = threads, needed
    torch.set_num_threads(best)


def _seconds_an_image(match: Match, seconds: float) -> float:
    for _ in range(2):
        match.step()
    synchronize(match.runtime.device)
    times: list[float] = []
    end = time.monotonic() + seconds
    while len(times) < 3 or (time.monotonic() < end and len(times) < 200):
        begin, before = time.monotonic(), match.clock.images
        match.step()
        synchronize(match.runtime.device)
        times.append((time.monotonic() - begin) / (match.clock.images - before))
    return statistics.fmean(times)


def peak_memory() -> int:
    """The most memory that this process has held, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
