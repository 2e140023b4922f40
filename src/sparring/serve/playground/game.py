"""One GAN on two-dimensional points, trained step by step; each step gives a frame with samples, metrics and
a caption. Nothing is written; all of it runs in the worker's thread.

References: Kahng, Thorat, Chau, Viegas, Wattenberg 2019, "GAN Lab: understanding complex deep generative
models using interactive visual experimentation", arXiv:1809.01587 (what to show of a game on points). Lin et
al. 2018, arXiv:1712.04086, section 4.1 (high quality).
"""

import time
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sparring.core.errors import SparringError
from sparring.core.runtime import Runtime
from sparring.data import DataConfig, Dataset, open_data
from sparring.data.readers.points import mixture_modes
from sparring.metrics.batch_statistics import batch_statistics
from sparring.metrics.mode_coverage import mode_coverage
from sparring.serve.playground.config import PlaygroundConfig, build_experiment
from sparring.serve.playground.view import NUM_ARROWS, FieldRenderer, compute_arrows
from sparring.training.nan_guard import all_finite
from sparring.training.state import TrainState

MAX_STEPS = 200  # that a request may ask for
MAX_STEP_SECONDS = 0.06  # that a request may take; it plays one step at least
MIN_POINTS = 16  # points to play with
ARROW_LENGTH = 0.06  # of the image's side


@dataclass
class GameState:
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
    rules: PlaygroundConfig
    train_state: TrainState
    renderer: FieldRenderer
    last_frame: dict[str, Any] = field(default_factory=dict)
    diverged_at: int | None = None


class Playground:
    """The one game of an explorer.

    Arguments:
        runtime: the machine.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.number = 0
        self.game: GameState | None = None

    def begin(self, rules: PlaygroundConfig, dataset: Dataset) -> dict[str, Any]:
        """Start anew; the game before is forgotten. The first frame, with all that stays as it is."""
        if dataset.spec.shape != (2,) or len(dataset) < MIN_POINTS:
            raise SparringError(
                "these are not points in the plane", f"{MIN_POINTS} points (x, y) or more", "take another set"
            )
        match = TrainState(build_experiment(rules), dataset, self.runtime)
        looker = FieldRenderer(match)
        self.number += 1
        self.game = GameState(self.number, rules, match, looker)
        view = looker.view
        still = {
            "view": [round(value, 5) for value in (view.left, view.bottom, view.side)],
            "real": round_points(looker.real),
            "centres": round_points(mixture_modes(rules.points)[0]) if rules.points in MIXTURE_NAMES else [],
            "rules": asdict(rules),
        }
        return still | build_frame(self.game, [], 0)

    def step(self, count: int, seconds: float = MAX_STEP_SECONDS) -> dict[str, Any]:
        """Play up to `count` steps, at least one, until the time is over; the frame that follows."""
        playing = self.game
        assert playing is not None
        began = time.monotonic()
        noted: list[dict[str, Tensor]] = []
        while (
            len(noted) < count
            and playing.diverged_at is None
            and (not noted or time.monotonic() - began < seconds)
        ):
            before = playing.train_state.clock.step
            row = playing.train_state.train_step()
            if torch.stack(list(row.values())).isfinite().all():
                noted.append(row)
            else:
                playing.diverged_at = before
        return build_frame(playing, noted, time.monotonic() - began)


def build_frame(game: GameState, losses: list[dict[str, Tensor]], seconds: float) -> dict[str, Any]:
    """What is to be seen now. Of a game that was lost, the last frame before that."""
    match = game.train_state
    if game.diverged_at is None:
        if all_finite(list(match.tensors().values())):
            found = game.renderer.render()
            if all_finite(list(found.values())):
                game.last_frame = build_frame_content(game, found)
            else:
                game.diverged_at = match.clock.step - 1
        else:
            game.diverged_at = match.clock.step - 1
    numbers = {
        "game": game.number,
        "step": match.clock.step - (1 if game.diverged_at is not None else 0),
        "images": match.clock.images,
        "played": len(losses),
        "seconds": round(seconds, 4),
        "lost": game.diverged_at,
        "terms": average_losses(losses),
    }
    whole = game.last_frame | numbers
    return whole | {"words": write_caption(whole, game.rules)}


def build_frame_content(game: GameState, outputs: dict[str, Tensor]) -> dict[str, Any]:
    """The image, and what can be counted in it."""
    looker = game.renderer
    made, net = looker.points(outputs["made"]), looker.points(outputs["net"])
    moved = looker.points(
        outputs["made"][:NUM_ARROWS]
        + compute_arrows(outputs, looker.view.side * ARROW_LENGTH / float(looker.data.scale[0]))
    )
    return {
        "points": round_points(made),
        "net": round_points(net),
        "arrows": round_points(moved),
        "field": looker.encode_field(outputs),
        "outside": looker.view.count_outside(made),
        **measure_coverage(made, looker.real, game.rules.points),
    }


def average_losses(losses: list[dict[str, Tensor]]) -> dict[str, float]:
    """What the terms came to, on average over these steps."""
    if not losses:
        return {}
    values = torch.stack([torch.stack(list(row.values())) for row in losses]).double().mean(0).tolist()
    return {name: round(value, 5) for name, value in zip(losses[0], values, strict=True)}


def round_points(points: np.ndarray) -> list[list[float]]:
    """Points as they are sent."""
    rows: list[list[float]] = np.asarray(points, np.float64).round(4).tolist()
    return rows


def open_builtin_points(name: str) -> Dataset:
    """A set of points that comes along."""
    return open_data(DataConfig(source=name))


MIXTURE_NAMES = ("ring", "grid")
MODE_RADIUS, MIN_MODE_FRACTION = (
    0.25,
    0.01,
)  # of the way to the next mode; of all points: so many so near hold a mode
DIVERSITY_SAMPLES = 128  # points of each kind for the variety


def measure_coverage(made: np.ndarray, real: np.ndarray, points: str) -> dict[str, Any]:
    """How varied made points (n, 2) are beside real ones (m, 2), and of a mixture how many modes they hold and how many of them are
    of high quality, within 3 standard deviations of a mode.
    """
    again, first = real[1::2][:DIVERSITY_SAMPLES], real[::2][:DIVERSITY_SAMPLES]
    signs = batch_statistics(
        torch.from_numpy(first), torch.from_numpy(again), torch.from_numpy(made[:DIVERSITY_SAMPLES])
    )
    told: dict[str, Any] = {"diversity": round(signs["diversity"], 3), "reached": round(signs["coverage"], 3)}
    if points in MIXTURE_NAMES:
        centres, std = mixture_modes(points)
        told |= {"modes": int(find_covered_modes(made, centres).sum()), "modes_of": len(centres)}
        told["on_target"] = round(mode_coverage(made.astype(np.float64), centres, std)["high_quality"], 3)
        told["holding"] = find_covered_modes(made, centres).astype(int).tolist()
    return told


def find_covered_modes(made: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Which modes (k,) are held: a hundredth of the points or more is within a quarter of the way to the next mode."""
    apart = np.linalg.norm(centres[:, None] - centres[None], axis=2)
    near = MODE_RADIUS * apart[apart > 0].min()
    distances = np.linalg.norm(made[:, None] - centres[None], axis=2)
    return np.asarray((distances < near).mean(0) >= MIN_MODE_FRACTION)


EARLY_STEPS = 60  # steps before which nothing is said of the outcome


def write_caption(frame: dict[str, Any], rules: PlaygroundConfig) -> str:
    """One or two sentences on a frame."""
    if frame["lost"] is not None:
        return (
            f"Diverged: step {frame['lost']} gave numbers that are not finite, so the game is over. Lower the learning rates, or "
            "take a penalty that keeps the judge's gradients small, and start anew."
        )
    if frame["step"] == 0:
        return (
            "The generator turns noise into points, and knows nothing yet. Press play: the judge learns where the real points are, "
            "and the made ones follow its gradients."
        )
    if frame.get("outside", 0) > 250:
        return (
            "Most of the made points have left the image: the steps are too large for this judge. A lower learning rate or a "
            "penalty brings them back."
        )
    if frame["step"] < EARLY_STEPS:
        return "The judge is learning where the real points are; the made points begin to follow the arrows."
    return _mixture_caption(frame) if "modes" in frame else _general_caption(frame)


def _mixture_caption(frame: dict[str, Any]) -> str:
    """Of ring and grid, whose modes can be counted."""
    held, of, sharp = frame["modes"], frame["modes_of"], frame["on_target"]
    if held == of:
        if sharp > 0.5:
            return f"All {of} modes are held, and most points are on target. Watch whether it stays so."
        return f"All {of} modes are held; now the points have to gather: {sharp:.0%} are as close to a mode as real ones are."
    if frame["diversity"] < (0.6 if held <= of / 4 else 0.35):
        return (
            f"Mode collapse: the made points crowd together and hold {held} of {of} modes. The judge will learn to call that "
            "place made, and they will all run elsewhere."
        )
    if held >= of / 2:
        return f"{held} of {of} modes are held. Will the missing ones be found, or those that were found be lost again?"
    return f"{held} of {of} modes are held. The points spread, or wander: look at the arrows."


def _general_caption(frame: dict[str, Any]) -> str:
    """Of sets without modes."""
    reached = frame["reached"]
    if frame["diversity"] < 0.35:
        return (
            "Collapse: the made points crowd together, far less varied than the real ones. The judge will learn that, and they "
            "will run elsewhere."
        )
    if reached > 0.85:
        return "The made points reach as many places as fresh real points do. Watch whether it stays so."
    return f"The made points reach {reached:.0%} of the places that fresh real points reach."
