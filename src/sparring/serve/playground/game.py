"""One GAN on two-dimensional points, trained in memory step by step; each step gives a frame with samples,
metrics and a caption. Everything here runs in the compute worker's thread.

References: Kahng, Thorat, Chau, Viegas, Wattenberg 2019, "GAN Lab: understanding complex deep generative
models using interactive visual experimentation", arXiv:1809.01587 (what to draw of a GAN on points). Lin,
Khetan, Fanti & Oh 2018, "PacGAN", arXiv:1712.04086, section 4.1 (high-quality samples).
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
from sparring.protocols.catalogue import METRICS_INFO
from sparring.serve.playground.config import PlaygroundConfig, build_experiment
from sparring.serve.playground.view import NUM_ARROWS, FieldRenderer, compute_arrows
from sparring.training.nan_guard import all_finite
from sparring.training.state import TrainState

MAX_STEPS = 200  # per request
MAX_STEP_SECONDS = 0.06  # per request, after the first step
MIN_POINTS = 16  # in a data set
ARROW_LENGTH = 0.06  # of the view's side


@dataclass
class GameState:
    """The GAN that is being trained.

    Arguments:
        game_id: number of the game; a page names the game that it shows when it asks for the next frame.
        config: its configuration.
        train_state: networks, optimizers, data and clock.
        renderer: computes what a frame shows.
        last_frame: the last frame in which everything was finite.
        diverged_at: the step that gave a non-finite number; None if there was none.
    """

    game_id: int
    config: PlaygroundConfig
    train_state: TrainState
    renderer: FieldRenderer
    last_frame: dict[str, Any] = field(default_factory=dict)
    diverged_at: int | None = None


class Playground:
    """The explorer's playground: one game at a time.

    Arguments:
        runtime: the device to train on.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.num_games = 0
        self.game: GameState | None = None
        self.datasets: dict[str, Dataset] = {}

    def builtin_points(self, name: str) -> Dataset:
        """A built-in set of points, opened once."""
        if name not in self.datasets:
            self.datasets[name] = open_data(DataConfig(source=name))
        return self.datasets[name]

    def begin(self, config: PlaygroundConfig, dataset: Dataset) -> dict[str, Any]:
        """Start a new game, in place of the previous one.

        Returns: the first frame, with what is constant in a game: view box, real points, mode centres, configuration.

        Raises:
            SparringError: the data are not points in the plane, or fewer than `MIN_POINTS`.
        """
        if dataset.spec.shape != (2,) or len(dataset) < MIN_POINTS:
            raise SparringError(
                f"samples of shape {dataset.spec.shape}, {len(dataset)} of them",
                f"at least {MIN_POINTS} points in the plane, (x, y)",
                "choose another data set",
            )
        train_state = TrainState(build_experiment(config), dataset, self.runtime)
        renderer = FieldRenderer(train_state)
        self.num_games += 1
        self.game = GameState(self.num_games, config, train_state, renderer)
        view = renderer.view
        modes = (
            mixture_modes(config.dataset)[0]
            if config.dataset in METRICS_INFO["modes"].sources
            else np.zeros((0, 2))
        )
        constant = {
            "view_box": [round(value, 5) for value in (view.left, view.bottom, view.side)],
            "real": round_points(renderer.real),
            "mode_centres": round_points(modes),
            "config": asdict(config),
        }
        return constant | build_frame(self.game, [], 0)

    def step(self, count: int, seconds: float = MAX_STEP_SECONDS) -> dict[str, Any]:
        """Train for up to `count` steps, at least one, and at most about `seconds`.

        Returns: the next frame.
        """
        game = self.game
        assert game is not None
        start = time.monotonic()
        losses: list[dict[str, Tensor]] = []
        while (
            len(losses) < count
            and game.diverged_at is None
            and (not losses or time.monotonic() - start < seconds)
        ):
            step = game.train_state.clock.step
            row = game.train_state.train_step()
            if torch.stack(list(row.values())).isfinite().all():
                losses.append(row)
            else:
                game.diverged_at = step
        return build_frame(game, losses, time.monotonic() - start)


def build_frame(game: GameState, losses: list[dict[str, Tensor]], seconds: float) -> dict[str, Any]:
    """The current frame; after divergence, the samples and metrics of the last finite one.

    Arguments:
        losses: of the steps since the frame before.
        seconds: that these steps took.
    """
    state = game.train_state
    if game.diverged_at is None:
        outputs = game.renderer.render() if all_finite(list(state.tensors().values())) else None
        if outputs is not None and all_finite(list(outputs.values())):
            game.last_frame = build_frame_content(game, outputs)
        else:
            game.diverged_at = state.clock.step - 1
    progress = {
        "game": game.game_id,
        "step": state.clock.step - (1 if game.diverged_at is not None else 0),
        "images": state.clock.images,
        "steps_taken": len(losses),
        "seconds": round(seconds, 4),
        "diverged_at": game.diverged_at,
        "losses": average_losses(losses),
    }
    frame = game.last_frame | progress
    return frame | {"caption": write_caption(frame)}


def build_frame_content(game: GameState, outputs: dict[str, Tensor]) -> dict[str, Any]:
    """The part of a frame that depends on the networks alone: points, field, arrows, coverage."""
    renderer = game.renderer
    fake = renderer.points(outputs["fake"])
    arrow_length = renderer.view.side * ARROW_LENGTH / float(renderer.data.scale[0])
    arrow_tips = renderer.points(outputs["fake"][:NUM_ARROWS] + compute_arrows(outputs, arrow_length))
    return {
        "fake": round_points(fake),
        "latent_grid": round_points(renderer.points(outputs["latent_grid"])),
        "arrows": round_points(arrow_tips),
        "field": renderer.encode_field(outputs),
        "num_outside": renderer.view.count_outside(fake),
        **measure_coverage(fake, renderer.real, game.config.dataset),
    }


def average_losses(losses: list[dict[str, Tensor]]) -> dict[str, float]:
    """The mean of each loss over some steps, by name."""
    if not losses:
        return {}
    values = torch.stack([torch.stack(list(row.values())) for row in losses]).double().mean(0).tolist()
    return {name: round(value, 5) for name, value in zip(losses[0], values, strict=True)}


def round_points(points: np.ndarray) -> list[list[float]]:
    """Points (n, 2) as lists, for JSON."""
    rows: list[list[float]] = np.asarray(points, np.float64).round(4).tolist()
    return rows


MODE_RADIUS = 0.25  # of the distance to the nearest other mode
MIN_MODE_FRACTION = 0.01  # of the generated points, within that radius of a mode that counts as covered
DIVERSITY_SAMPLES = 128  # points of each kind for diversity and coverage


def measure_coverage(fake: np.ndarray, real: np.ndarray, dataset: str) -> dict[str, Any]:
    """Diversity and coverage of generated points (n, 2) relative to real ones (m, 2); of a mixture also the covered modes
    and the fraction of high-quality points, within 3 standard deviations of a mode.
    """
    first, second = real[::2][:DIVERSITY_SAMPLES], real[1::2][:DIVERSITY_SAMPLES]
    statistics = batch_statistics(
        torch.from_numpy(first), torch.from_numpy(second), torch.from_numpy(fake[:DIVERSITY_SAMPLES])
    )
    metrics: dict[str, Any] = {
        "diversity": round(statistics["diversity"], 3),
        "coverage": round(statistics["coverage"], 3),
    }
    if dataset in METRICS_INFO["modes"].sources:
        centres, std = mixture_modes(dataset)
        covered = find_covered_modes(fake, centres)
        metrics |= {
            "num_covered": int(covered.sum()),
            "num_modes": len(centres),
            "covered_modes": covered.astype(int).tolist(),
            "high_quality": round(mode_coverage(fake.astype(np.float64), centres, std)["high_quality"], 3),
        }
    return metrics


def find_covered_modes(fake: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Which modes (k,) are covered: at least `MIN_MODE_FRACTION` of the points (n, 2) are within a quarter of the distance
    between neighbouring modes.
    """
    between_modes = np.linalg.norm(centres[:, None] - centres[None], axis=2)
    radius = MODE_RADIUS * between_modes[between_modes > 0].min()
    distances = np.linalg.norm(fake[:, None] - centres[None], axis=2)
    return np.asarray((distances < radius).mean(0) >= MIN_MODE_FRACTION)


EARLY_STEPS = 60  # steps before the caption says anything about collapse or coverage
MAX_OUTSIDE = 250  # generated points outside the view before the caption says so
HIGH_COVERAGE, LOW_DIVERSITY = 0.85, 0.35


def write_caption(frame: dict[str, Any]) -> str:
    """One or two sentences about a frame."""
    if frame["diverged_at"] is not None:
        return (
            f"Diverged: step {frame['diverged_at']} gave numbers that are not finite. Lower the learning rates, or choose a "
            "penalty that keeps the discriminator's gradients small, and restart."
        )
    if frame["step"] == 0:
        return (
            "The generator maps noise to points and is untrained. Press Play: the discriminator learns where the real points are, "
            "and the generated ones follow its gradients."
        )
    if frame.get("num_outside", 0) > MAX_OUTSIDE:
        return (
            "Most generated points have left the view: the updates are too large. Try a lower learning rate or a penalty on the "
            "discriminator."
        )
    if frame["step"] < EARLY_STEPS:
        return "The discriminator is learning where the real points are; the generated points begin to follow the arrows."
    return _mixture_caption(frame) if "num_covered" in frame else _general_caption(frame)


def _mixture_caption(frame: dict[str, Any]) -> str:
    """Of ring and grid, whose modes are known."""
    covered, modes, high_quality = frame["num_covered"], frame["num_modes"], frame["high_quality"]
    if covered == modes:
        if high_quality > 0.5:
            return f"All {modes} modes are covered, and most points are of high quality. Watch whether it stays so."
        return f"All {modes} modes are covered; {high_quality:.0%} of the points are as close to a mode as real ones are."
    if frame["diversity"] < (0.6 if covered <= modes / 4 else LOW_DIVERSITY):
        return (
            f"Mode collapse: the generated points crowd together and cover {covered} of {modes} modes. The discriminator will "
            "learn to classify that region as fake, and the points will move elsewhere."
        )
    if covered >= modes / 2:
        return f"{covered} of {modes} modes are covered. Will the missing ones be found, or covered ones be lost again?"
    return f"{covered} of {modes} modes are covered. The points spread or oscillate: watch the arrows."


def _general_caption(frame: dict[str, Any]) -> str:
    """Of data without known modes."""
    if frame["diversity"] < LOW_DIVERSITY:
        return (
            "Collapse: the generated points crowd together, much less diverse than the real ones. The discriminator will "
            "that, and they will move elsewhere."
        )
    if frame["coverage"] > HIGH_COVERAGE:
        return "The generated points cover as much of the data as held-out real points do. Watch whether it stays so."
    return f"The generated points cover {frame['coverage']:.0%} of what held-out real points cover."
