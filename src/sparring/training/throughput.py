"""The cost of a run: images per second, memory and parameters, measured in a few steps; and the inspection of
data before training.
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
from sparring.data import Dataset, MirrorTest, add_pseudo_classes, open_data, run_mirror_test
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
    """The measured cost of training.

    Arguments:
        images_per_second: of training steps.
        peak_bytes: largest memory of the process so far.
        parameters: number, of all players together.
    """

    images_per_second: float
    peak_bytes: int
    parameters: int

    def seconds(self, images: int) -> float:
        """Seconds for this many images."""
        return images / self.images_per_second


def measure_cost(experiment: Experiment, train_set: Dataset, runtime: Runtime, seconds: float = 3.0) -> Cost:
    """Train for about `seconds` and take the mean time of a step, without the first ones.

    Arguments:
        train_set: with the pseudo-classes that the experiment wants.
    """
    state = TrainState(experiment, train_set, runtime)
    seconds_per_image = _seconds_per_image(state, seconds)
    parameters = sum(p.numel() for player in state.game.players().values() for p in player.parameters())
    return Cost(1 / seconds_per_image, peak_memory(), parameters)


def choose_threads(
    experiment: Experiment, train_set: Dataset, runtime: Runtime, seconds: float = 0.7
) -> None:
    """Set the number of CPU threads with which a training step is fastest, unless it was given.

    Small networks gain little from more threads, and on a machine with other work threads wait for each other.

    Arguments:
        train_set: with the pseudo-classes that the experiment wants.
        seconds: to measure each number of threads.
    """
    most = torch.get_num_threads()
    if not runtime.auto_threads or most == 1:
        return
    state = TrainState(experiment, train_set, runtime)
    best, best_time = most, math.inf
    for threads in sorted({1, most, *(2**power for power in range(1, most.bit_length() - 1))}):
        torch.set_num_threads(threads)
        seconds_per_image = _seconds_per_image(state, seconds)
        if seconds_per_image < 0.95 * best_time:
            best, best_time = threads, seconds_per_image
    torch.set_num_threads(best)


def _seconds_per_image(state: TrainState, seconds: float) -> float:
    for _ in range(2):
        state.train_step()
    synchronize(state.runtime.device)
    times: list[float] = []
    end = time.monotonic() + seconds
    while len(times) < 3 or (time.monotonic() < end and len(times) < 200):
        start, before = time.monotonic(), state.clock.images
        state.train_step()
        synchronize(state.runtime.device)
        times.append((time.monotonic() - start) / (state.clock.images - before))
    return statistics.fmean(times)


def peak_memory() -> int:
    """The largest memory that this process has used, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


@dataclass(frozen=True)
class Inspection:
    """The data, the resolved settings and the measured cost of a run that was not started.

    Arguments:
        dataset: opened.
        experiment: as `train` would resolve it.
        cost: measured on this machine.
        mirror_test: whether the images may be mirrored; None where that was not tested (points, two domains, few images).
    """

    dataset: Dataset
    experiment: Experiment
    cost: Cost
    mirror_test: MirrorTest | None = None

    def to_json(self) -> dict[str, Any]:
        """The inspection as JSON objects, for `--json`."""
        images = self.experiment.training.total_images
        return {
            "data": self.dataset.report.as_dict(),
            "shape": list(self.dataset.spec.shape),
            **self._second_domain(),
            "fingerprint": self.dataset.fingerprint,
            "mirror_test": self.mirror_test.to_json() if self.mirror_test is not None else None,
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
        """The entries of two-domain data; none of other data."""
        spec, held_out = self.dataset.spec, self.dataset.test_set
        if spec.shape_b is None:
            return {}
        return {
            "shape_b": list(spec.shape_b),
            "paired": self.dataset.paired,
            "held_out": len(held_out) if held_out is not None else 0,
        }

    def lines(self) -> list[str]:
        """The inspection as lines of text."""
        report, cost, images = self.dataset.report, self.cost, self.experiment.training.total_images
        lines = [
            describe_data(self.dataset),
            *histogram_lines("sizes", report.sizes),
            *histogram_lines("classes", report.classes),
        ]
        lines += [f"  {remark}" for remark in report.why]
        if self.mirror_test is not None:
            lines.append(f"  mirroring: {self.mirror_test.reason()}")
        if report.duplicates:
            lines.append(f"  {report.duplicates:,} are duplicates of others; they are not removed")
        lines += names_by_reason("skipped", report.skipped) + names_by_reason("converted", report.converted)
        lines += ["", "settings", *(f"  {line}" for line in settings_lines(self.experiment.to_json()))]
        memory = f"{cost.peak_bytes / 2**20:,.0f} MiB of memory, {cost.parameters:,} parameters"
        duration = format_duration(cost.seconds(images))
        speed = f"{cost.images_per_second:,.0f} images/s, so {images:,} images take about {duration}"
        return [*lines, "", "cost (measured here and now)", f"  {speed}", f"  {memory}"]


def inspect(request: Request, start_runtime: Callable[[bool], Runtime], seconds: float = 3.0) -> Inspection:
    """Open the data, resolve the settings and measure a few steps, without starting a run.

    Arguments:
        request: as for `run_training`.
        start_runtime: starts the device; called with whether the data is images.
        seconds: to measure for.
    """
    dataset = open_data(build_data_config(request, max_size=64))
    runtime = start_runtime(dataset.spec.is_image)
    experiment = resolve_experiment(request, dataset, runtime)
    train_set = add_pseudo_classes(dataset, experiment.data.pseudo_classes)
    choose_threads(experiment, train_set, runtime)
    cost = measure_cost(experiment, train_set, runtime, seconds)
    return Inspection(dataset, experiment, cost, run_mirror_test(dataset))
