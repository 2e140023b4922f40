"""What the playground draws: the discriminator's output over the plane, generated points, the gradients at them,
and the image of a latent grid under the generator.

Rendering has no side effects: it changes no weight and uses no random number of the training.
"""

import base64
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sparring.core import rng
from sparring.data import Dataset
from sparring.games.adversarial import Adversarial
from sparring.parts.augmentation.packing import pack
from sparring.training.state import TrainState

FIELD_SIDE = 48  # cells of the field along each side
NUM_FAKE_POINTS, NUM_ARROWS, NUM_REAL_POINTS = 500, 90, 900
GRID_LINES = 17  # lines of the latent grid in each direction
NUM_PACK_PARTNERS = 2  # real points with which a discriminator of packs sees each cell
VIEW_MARGIN = 1.45  # side of the view, relative to the data's extent
COORDINATE_LIMIT = 1e6


@dataclass(frozen=True)
class ViewBox:
    """The square of the plane that is drawn, in the data's units.

    Arguments:
        left, bottom: the lower left corner.
        side: length of a side.
    """

    left: float
    bottom: float
    side: float

    @classmethod
    def from_samples(cls, samples: np.ndarray) -> "ViewBox":
        """The square around points (n, 2), without outliers."""
        low, high = np.quantile(samples, [0.002, 0.998], axis=0)
        side = VIEW_MARGIN * float(max((high - low).max(), 1e-6))
        middle = (low + high) / 2
        return cls(float(middle[0]) - side / 2, float(middle[1]) - side / 2, side)

    def cell_centres(self, count: int) -> np.ndarray:
        """The centres of `count` x `count` cells, (count^2, 2) in float32, row by row from the top."""
        steps = (np.arange(count) + 0.5) / count * self.side
        x, y = np.meshgrid(self.left + steps, (self.bottom + steps)[::-1])
        return np.stack([x.ravel(), y.ravel()], 1).astype(np.float32)

    def count_outside(self, points: np.ndarray) -> int:
        """How many of the points (n, 2) are outside."""
        relative = (points - [self.left, self.bottom]) / self.side
        return int((~((relative >= 0) & (relative <= 1)).all(1)).sum())


class FieldRenderer:
    """Computes what a frame shows.

    Arguments:
        train_state: of an adversarial game on points in the plane.
    """

    def __init__(self, train_state: TrainState) -> None:
        assert isinstance(train_state.game, Adversarial)
        self.train_state, self.game = train_state, train_state.game
        self.data: Dataset = train_state.stream.dataset
        self.view = ViewBox.from_samples(np.asarray(self.data.samples))
        self.packing = self.game.config.packing
        device, latent = train_state.runtime.device, self.game.generation.latent
        seed = train_state.experiment.training.seed
        self.noise = rng.sample_latents(seed, range(NUM_FAKE_POINTS), latent).to(device)
        self.latent_grid = make_latent_grid(latent).to(device)
        self.plane = self._standardise(self.view.cell_centres(FIELD_SIDE))
        rows = np.linspace(0, len(self.data) - 1, min(NUM_REAL_POINTS, len(self.data))).astype(int)
        self.real = np.asarray(self.data.samples[np.unique(rows)])
        self.packing_partners = self._standardise(self.real[-NUM_PACK_PARTNERS:])

    def _standardise(self, points: np.ndarray) -> Tensor:
        return (
            torch.from_numpy((points - self.data.centre) / self.data.scale)
            .float()
            .to(self.train_state.runtime.device)
        )

    def discriminator_logits(self, x: Tensor) -> Tensor:
        """The discriminator's logits (n,) of points (n, 2). With packing: the mean over packs of the point and real partners."""
        discriminator = self.game.discriminator
        if self.packing == 1:
            return discriminator(x)
        logits = []
        for partner in self.packing_partners:
            packed = torch.stack([x, *[partner.expand_as(x)] * (self.packing - 1)], 1)
            logits.append(discriminator(pack(packed.flatten(0, 1), self.packing)))
        return torch.stack(logits).mean(0)

    def render(self) -> dict[str, Tensor]:
        """Network outputs for a frame, by name: `fake` points (n, 2), `latent_grid` (k, 2), logits of the `field` (FIELD_SIDE^2,),
        `real_logits` and `fake_logits` (m,), and `gradient` (m, 2) of the fake logits with respect to the points.
        """
        self.game.eval()
        try:
            with torch.no_grad():
                fake, latent_grid = self.game.generation(self.noise), self.game.generation(self.latent_grid)
                field = self.discriminator_logits(self.plane)
                real_logits = self.discriminator_logits(self._standardise(self.real[:NUM_ARROWS]))
            x = fake[:NUM_ARROWS].clone().requires_grad_(True)
            fake_logits = self.discriminator_logits(x)
            (gradient,) = torch.autograd.grad(fake_logits.sum(), x)
        finally:
            self.game.train()
        outputs = {
            "fake": fake,
            "latent_grid": latent_grid,
            "field": field,
            "real_logits": real_logits,
            "fake_logits": fake_logits,
            "gradient": gradient,
        }
        return {name: value.detach().float().cpu() for name, value in outputs.items()}

    def encode_field(self, outputs: dict[str, Tensor]) -> str:
        """The field as base64 of FIELD_SIDE^2 bytes, row by row from the top: 255 is real, 0 fake, 128 the decision boundary."""
        scale = self.game.config.objective.logit_scale
        centre, gain = scale.centre, scale.gain
        if centre is None:
            centre = float(outputs["real_logits"].mean() + outputs["fake_logits"].mean()) / 2
        if gain is None:
            gain = 2.0 / max(float(outputs["field"].std()), 1e-9)
        grey = (gain * (outputs["field"].double() - centre)).sigmoid() * 255
        return base64.b64encode(grey.round().to(torch.uint8).numpy().tobytes()).decode()

    def points(self, x: Tensor) -> np.ndarray:
        """Points (n, 2) in the data's units, clipped to `COORDINATE_LIMIT`."""
        return self.data.points(x).clip(-COORDINATE_LIMIT, COORDINATE_LIMIT)


def make_latent_grid(latent: int) -> Tensor:
    """A grid of latents (GRID_LINES^2, latent) at equal quantiles of the prior, over the first two dimensions; the others are
    0. With one dimension, all GRID_LINES^2 quantiles of it.
    """
    if latent == 1:
        probabilities = (torch.arange(GRID_LINES * GRID_LINES) + 0.5) / (GRID_LINES * GRID_LINES)
        return torch.special.ndtri(probabilities)[:, None]
    quantiles = torch.special.ndtri((torch.arange(GRID_LINES) + 0.5) / GRID_LINES)
    grid = torch.zeros(GRID_LINES * GRID_LINES, latent)
    grid[:, :2] = torch.cartesian_prod(quantiles, quantiles)
    return grid


def compute_arrows(outputs: dict[str, Tensor], scale: float) -> Tensor:
    """Arrows (m, 2) along the gradient of the discriminator's logit; `scale` is the length at the 90th percentile of the gradient
    norms, and the greatest.
    """
    gradient = outputs["gradient"]
    norms = gradient.norm(dim=1, keepdim=True).clamp_min(1e-12)
    large_norm = norms.quantile(0.9)
    return gradient / norms * (norms / large_norm).clamp_max(1.0) * scale
