"""What the playground draws: the discriminator's field, generated points, the gradients at them, the latent
grid after the generator.

Rendering changes nothing: no weight, no random number of the game.
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

FIELD_SIDE = 48  # places of the field across
NUM_FAKE_POINTS, NUM_ARROWS, NUM_REAL_POINTS = 500, 90, 900
GRID_LINES = 17  # lines of the latent space's net, each way
NUM_PACK_PARTNERS = 2  # real points with which a judge of packs sees each place
VIEW_MARGIN = 1.45  # of the image's side over the data's
COORDINATE_LIMIT = 1e6


@dataclass(frozen=True)
class ViewBox:
    """The square of the plane that is shown, in the data's units.

    Arguments:
        left, low: of the lower left corner.
        side: of the square.
    """

    left: float
    bottom: float
    side: float

    @classmethod
    def from_samples(cls, samples: np.ndarray) -> "ViewBox":
        """The square around all points (n, 2), but for a few far ones."""
        low, high = np.quantile(samples, [0.002, 0.998], axis=0)
        side = VIEW_MARGIN * float(max((high - low).max(), 1e-6))
        middle = (low + high) / 2
        return cls(float(middle[0]) - side / 2, float(middle[1]) - side / 2, side)

    def cell_centres(self, count: int) -> np.ndarray:
        """The middles of `count` x `count` cells (count^2, 2), float32, row by row from the top."""
        steps = (np.arange(count) + 0.5) / count * self.side
        across, up = np.meshgrid(self.left + steps, (self.bottom + steps)[::-1])
        return np.stack([across.ravel(), up.ravel()], 1).astype(np.float32)

    def count_outside(self, points: np.ndarray) -> int:
        """How many points (n, 2) are not in it."""
        at = (points - [self.left, self.bottom]) / self.side
        return int((~((at >= 0) & (at <= 1)).all(1)).sum())


class FieldRenderer:
    """Looks at a match.

    Arguments:
        match: an adversarial game on points in the plane.
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
        self.net = make_latent_grid(latent).to(device)
        self.plane = self._standard(self.view.cell_centres(FIELD_SIDE))
        rows = np.linspace(0, len(self.data) - 1, min(NUM_REAL_POINTS, len(self.data))).astype(int)
        self.real = np.asarray(self.data.samples[np.unique(rows)])
        self.packing_partners = self._standard(self.real[-NUM_PACK_PARTNERS:])

    def _standard(self, points: np.ndarray) -> Tensor:
        return (
            torch.from_numpy((points - self.data.centre) / self.data.scale)
            .float()
            .to(self.train_state.runtime.device)
        )

    def discriminator_logits(self, x: Tensor) -> Tensor:
        """The discriminator's logit of each point (n,); of packs the mean over some packs of which it is one and the rest real."""
        judge = self.game.discriminator
        if self.packing == 1:
            return judge(x)
        logits = []
        for partner in self.packing_partners:
            packed = torch.stack([x, *[partner.expand_as(x)] * (self.packing - 1)], 1)
            logits.append(judge(pack(packed.flatten(0, 1), self.packing)))
        return torch.stack(logits).mean(0)

    def render(self) -> dict[str, Tensor]:
        """Made points (n, 2), the net (k, 2), logits of the plane (SIDE^2,), of real and made points, gradients at the latter."""
        self.game.eval()
        try:
            with torch.no_grad():
                made, net = self.game.generation(self.noise), self.game.generation(self.net)
                plane, real = (
                    self.discriminator_logits(self.plane),
                    self.discriminator_logits(self._standard(self.real[:NUM_ARROWS])),
                )
            seen = made[:NUM_ARROWS].clone().requires_grad_(True)
            logits = self.discriminator_logits(seen)
            (slopes,) = torch.autograd.grad(logits.sum(), seen)
        finally:
            self.game.train()
        found = {"made": made, "net": net, "plane": plane, "real": real, "logits": logits, "slopes": slopes}
        return {name: value.detach().float().cpu() for name, value in found.items()}

    def encode_field(self, outputs: dict[str, Tensor]) -> str:
        """The field as bytes (SIDE^2), row by row from the top, in base64: 255 is taken for real, 0 for made, 128 undecided."""
        scale = self.game.config.objective.logit_scale
        centre, gain = scale.centre, scale.gain
        if centre is None:
            centre = float(outputs["real"].mean() + outputs["logits"].mean()) / 2
        if gain is None:
            gain = 2.0 / max(float(outputs["plane"].std()), 1e-9)
        shade = (gain * (outputs["plane"].double() - centre)).sigmoid() * 255
        return base64.b64encode(shade.round().to(torch.uint8).numpy().tobytes()).decode()

    def points(self, x: Tensor) -> np.ndarray:
        """Points (n, 2) in the data's units; those far off are brought to the edge of what is told."""
        return self.data.points(x).clip(-COORDINATE_LIMIT, COORDINATE_LIMIT)


def make_latent_grid(latent: int) -> Tensor:
    """A net of latents: of one dimension (SHEET^2, 1), in even shares; of more (SHEET^2, latent) over the first two, the rest 0."""
    if latent == 1:
        shares = (torch.arange(GRID_LINES * GRID_LINES) + 0.5) / (GRID_LINES * GRID_LINES)
        return torch.special.ndtri(shares)[:, None]
    steps = torch.special.ndtri((torch.arange(GRID_LINES) + 0.5) / GRID_LINES)
    net = torch.zeros(GRID_LINES * GRID_LINES, latent)
    net[:, :2] = torch.cartesian_prod(steps, steps)
    return net


def compute_arrows(outputs: dict[str, Tensor], scale: float) -> Tensor:
    """Where the discriminator would find each made point more real (n, 2): its gradient, as long as `scale` where it is steep."""
    slopes = outputs["slopes"]
    steep = slopes.norm(dim=1).quantile(0.9).clamp_min(1e-12)
    lengths = slopes.norm(dim=1, keepdim=True).clamp_min(1e-12)
    return slopes / lengths * (lengths / steep).clamp_max(1.0) * scale
