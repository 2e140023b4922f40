"""A look at data before training: what is in it, what is skipped and why, and what training would cost."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from sparring import probe
from sparring.data import Dataset, open_data
from sparring.experiment import Experiment
from sparring.request import Request, data_config, resolve
from sparring.runtime import Runtime
from sparring.shapes import Spec
from sparring.wording import clock, compact, counted, data_line, grouped


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
    cost: probe.Cost

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        images = self.experiment.training.images
        return {
            "data": self.dataset.report.as_dict(),
            "shape": list(self.dataset.spec.shape),
            **self._other(),
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

    def _other(self) -> dict[str, Any]:
        """What is to be said of the second domain."""
        spec, held = self.dataset.spec, self.dataset.held
        if spec.other is None:
            return {}
        sides = {"other": list(spec.other), "paired": self.dataset.paired}
        return {**sides, "held_out": len(held) if held is not None else 0}

    def lines(self) -> list[str]:
        """For people."""
        report, cost, images = self.dataset.report, self.cost, self.experiment.training.images
        lines = [
            data_line(self.dataset),
            *counted("sizes", report.sizes),
            *counted("classes", report.classes),
        ]
        lines += [f"  {why}" for why in report.why]
        if report.duplicates:
            lines.append(f"  {report.duplicates:,} are copies of others, and are kept")
        lines += grouped("skipped", report.skipped) + grouped("converted", report.converted)
        lines += ["", "settings", *(f"  {line}" for line in compact(self.experiment.to_json()))]
        memory = f"{cost.peak_bytes / 2**20:,.0f} MiB of memory, {cost.parameters:,} parameters"
        duration = clock(cost.seconds(images))
        speed = f"{cost.images_per_second:,.0f} images/s, so {images:,} images take about {duration}"
        return [*lines, "", "cost (measured here and now)", f"  {speed}", f"  {memory}"]


def inspect(request: Request, runtime: Callable[[bool], Runtime], seconds: float = 3.0) -> Inspection:
    """Open the data, choose the settings and measure a few steps.

    Arguments:
        request: what would be asked of `train`.
        runtime: starts the machine, told whether the data is pictures.
        seconds: to measure for.
    """
    dataset = open_data(data_config(request, largest=64))
    machine = runtime(dataset.spec.is_image)
    experiment = resolve(request, dataset, machine)
    probe.choose_threads(experiment, dataset, machine)
    return Inspection(dataset, experiment, probe.measure(experiment, dataset, machine, seconds))


def parameters(experiment: Experiment, spec: Spec) -> dict[str, int]:
    """How many numbers each player learns."""
    with torch.device("meta"):
        players = experiment.game.build(spec).players()
    return {name: sum(p.numel() for p in player.parameters()) for name, player in players.items()}
