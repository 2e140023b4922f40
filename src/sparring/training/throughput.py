"""What a run would cost: images per second, memory and parameters, measured in a few steps; and the
inspection of data before training.
"""

import math
import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from sparring.core.runtime import Runtime, synchronize
from sparring.data import Dataset, add_pseudo_classes, open_data
from sparring.experiment import Experiment
from sparring.runs.request import Request, build_data_config, resolve_experiment
from sparring.terminal.text import (
    describe_data,
    format_duration,
    histogram_lines,
    names_by_reason,
    settings_lines,
)
from sparring.training.state import TrainState


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


def measure_cost(experiment: Experiment, dataset: Dataset, runtime: Runtime, seconds: float = 3.0) -> Cost:
    """Play for about `seconds` and take the mean step, the first ones left out."""
    match = TrainState(experiment, add_pseudo_classes(dataset, experiment.data.pseudo_classes), runtime)
    needed = _seconds_per_image(match, seconds)
    parameters = sum(p.numel() for player in match.game.players().values() for p in player.parameters())
    return Cost(1 / needed, peak_memory(), parameters)


def choose_threads(experiment: Experiment, dataset: Dataset, runtime: Runtime, seconds: float = 0.7) -> None:
    """Set the number of threads with which a step is fastest here and now, if it was left open.

    Small networks gain little from more threads, and on a machine with other work threads wait for each other.
    """
    most = torch.get_num_threads()
    if not runtime.auto_threads or most == 1:
        return
    match = TrainState(experiment, add_pseudo_classes(dataset, experiment.data.pseudo_classes), runtime)
    best, best_time = most, math.inf
    for threads in sorted({1, most, *(2**power for power in range(1, most.bit_length() - 1))}):
        torch.set_num_threads(threads)
        needed = _seconds_per_image(match, seconds)
        if needed < 0.95 * best_time:
            best, best_time = threads, needed
    torch.set_num_threads(best)


def _seconds_per_image(state: TrainState, seconds: float) -> float:
    for _ in range(2):
        state.train_step()
    synchronize(state.runtime.device)
    times: list[float] = []
    end = time.monotonic() + seconds
    while len(times) < 3 or (time.monotonic() < end and len(times) < 200):
        begin, before = time.monotonic(), state.clock.images
        state.train_step()
        synchronize(state.runtime.device)
        times.append((time.monotonic() - begin) / (state.clock.images - before))
    return statistics.fmean(times)


def peak_memory() -> int:
    """The most memory that this process has held, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


@dataclass(frozen=True)
class Inspection:
    """What was found.

    Arguments:
        dataset: the data, opened.
        experiment: what would be played.
        cost: as measured.
    """

    dataset: Dataset
    experiment: Experiment
    cost: Cost

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        images = self.experiment.training.total_images
        return {
            "data": self.dataset.report.as_dict(),
            "shape": list(self.dataset.spec.shape),
            **self._second_domain(),
            "fingerprint": self.dataset.fingerprint,
            "experiment": self.experiment.to_json(),
            "cost": {
                "images": images,
                "images_per_second": round(self.cost.images_per_second, 1),
                "seconds": round(self.cost.seconds(images), 1),
                "peak_bytes": self.cost.peak_bytes,
                "parameters": self.cost.parameters,
            },
        }

    def _second_domain(self) -> dict[str, Any]:
        """What is to be said of the second domain."""
        spec, held = self.dataset.spec, self.dataset.test_set
        if spec.shape_b is None:
            return {}
        sides = {"shape_b": list(spec.shape_b), "paired": self.dataset.paired}
        return {**sides, "held_out": len(held) if held is not None else 0}

    def lines(self) -> list[str]:
        """For people."""
        report, cost, images = self.dataset.report, self.cost, self.experiment.training.total_images
        lines = [
            describe_data(self.dataset),
            *histogram_lines("sizes", report.sizes),
            *histogram_lines("classes", report.classes),
        ]
        lines += [f"  {why}" for why in report.remarks]
        if report.duplicates:
            lines.append(f"  {report.duplicates:,} are copies of others, and are kept")
        lines += names_by_reason("skipped", report.skipped) + names_by_reason("converted", report.converted)
        lines += ["", "settings", *(f"  {line}" for line in settings_lines(self.experiment.to_json()))]
        memory = f"{cost.peak_bytes / 2**20:,.0f} MiB of memory, {cost.parameters:,} parameters"
        duration = format_duration(cost.seconds(images))
        speed = f"{cost.images_per_second:,.0f} images/s, so {images:,} images take about {duration}"
        return [*lines, "", "cost (measured here and now)", f"  {speed}", f"  {memory}"]


def inspect(request: Request, runtime: Callable[[bool], Runtime], seconds: float = 3.0) -> Inspection:
    """Open the data, choose the settings and measure a few steps.

    Arguments:
        request: what would be asked of `train`.
        runtime: starts the machine, told whether the data is images.
        seconds: to measure for.
    """
    dataset = open_data(build_data_config(request, max_size=64))
    machine = runtime(dataset.spec.is_image)
    experiment = resolve_experiment(request, dataset, machine)
    choose_threads(experiment, dataset, machine)
    return Inspection(dataset, experiment, measure_cost(experiment, dataset, machine, seconds))
