"""The arena: one game on points, played in memory step by step, to be watched. Nothing is written; all of it runs in the worker's
thread.

References: Kahng, Thorat, Chau, Viegas, Wattenberg 2019, "GAN Lab: understanding complex deep generative models using interactive
visual experimentation", arXiv:1809.01587 (what to show of a game on points).
"""

import time
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sparring.data import DataConfig, Dataset, open_data
from sparring.data.points import modes
from sparring.errors import SparringError
from sparring.guard import all_finite
from sparring.match import Match
from sparring.runtime import Runtime
from sparring.serve.arena_count import MIXTURES, counted
from sparring.serve.arena_rules import Rules, experiment
from sparring.serve.arena_view import ARROWS, Looker, arrows
from sparring.serve.arena_words import said

STEPS = 200  # that a request may ask for
SECONDS = 0.06  # that a request may take; it plays one step at least
FEWEST = 16  # points to play with
ARROW = 0.06  # of the picture's side


@dataclass
class Playing:
    """A game in the arena.

    Arguments:
        number: of the game; a page asks for the next frame of the game that it shows.
        rules: that it is played by.
        match: the game itself.
        looker: that looks at it.
        last: the frame before.
        lost: the step that gave a number that is not finite; None if all went well.
    """

    number: int
    rules: Rules
    match: Match
    looker: Looker
    last: dict[str, Any] = field(default_factory=dict)
    lost: int | None = None


class Arena:
    """The one game of an explorer.

    Arguments:
        runtime: the machine.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.number = 0
        self.playing: Playing | None = None

    def begin(self, rules: Rules, dataset: Dataset) -> dict[str, Any]:
        """Start anew; the game before is forgotten. The first frame, with all that stays as it is."""
        if dataset.spec.shape != (2,) or len(dataset) < FEWEST:
            raise SparringError(
                "these are not points in the plane", f"{FEWEST} points (x, y) or more", "take another set"
            )
        match = Match(experiment(rules), dataset, self.runtime)
        looker = Looker(match, rules.objective)
        self.number += 1
        self.playing = Playing(self.number, rules, match, looker)
        view = looker.view
        still = {
            "view": [round(value, 5) for value in (view.left, view.low, view.side)],
            "real": rounded(looker.real),
            "centres": rounded(modes(rules.points)[0]) if rules.points in MIXTURES else [],
            "rules": asdict(rules),
        }
        return still | frame(self.playing, [], 0)

    def step(self, count: int, seconds: float = SECONDS) -> dict[str, Any]:
        """Play up to `count` steps, at least one, until the time is over; the frame that follows."""
        playing = self.playing
        assert playing is not None
        began = time.monotonic()
        noted: list[dict[str, Tensor]] = []
        while (
            len(noted) < count and playing.lost is None and (not noted or time.monotonic() - began < seconds)
        ):
            before = playing.match.clock.step
            row = playing.match.step()
            if torch.stack(list(row.values())).isfinite().all():
                noted.append(row)
            else:
                playing.lost = before
        return frame(playing, noted, time.monotonic() - began)


def frame(playing: Playing, noted: list[dict[str, Tensor]], seconds: float) -> dict[str, Any]:
    """What is to be seen now. Of a game that was lost, the last frame before that."""
    match = playing.match
    if playing.lost is None:
        if all_finite(list(match.tensors().values())):
            found = playing.looker.look()
            if all_finite(list(found.values())):
                playing.last = seen(playing, found)
            else:
                playing.lost = match.clock.step - 1
        else:
            playing.lost = match.clock.step - 1
    numbers = {
        "game": playing.number,
        "step": match.clock.step - (1 if playing.lost is not None else 0),
        "images": match.clock.images,
        "played": len(noted),
        "seconds": round(seconds, 4),
        "lost": playing.lost,
        "terms": means(noted),
    }
    whole = playing.last | numbers
    return whole | {"words": said(whole, playing.rules)}


def seen(playing: Playing, found: dict[str, Tensor]) -> dict[str, Any]:
    """The picture, and what can be counted in it."""
    looker = playing.looker
    made, net = looker.points(found["made"]), looker.points(found["net"])
    moved = looker.points(
        found["made"][:ARROWS] + arrows(found, looker.view.side * ARROW / float(looker.data.scale[0]))
    )
    return {
        "points": rounded(made),
        "net": rounded(net),
        "arrows": rounded(moved),
        "field": looker.shades(found),
        "outside": looker.view.outside(made),
        **counted(made, looker.real, playing.rules.points),
    }


def means(noted: list[dict[str, Tensor]]) -> dict[str, float]:
    """What the terms came to, on average over these steps."""
    if not noted:
        return {}
    values = torch.stack([torch.stack(list(row.values())) for row in noted]).double().mean(0).tolist()
    return {name: round(value, 5) for name, value in zip(noted[0], values, strict=True)}


def rounded(points: np.ndarray) -> list[list[float]]:
    """Points as they are sent."""
    rows: list[list[float]] = np.asarray(points, np.float64).round(4).tolist()
    return rows


def builtin(name: str) -> Dataset:
    """A set of points that comes along."""
    return open_data(DataConfig(source=name))
