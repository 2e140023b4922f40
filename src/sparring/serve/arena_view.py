"""What is to be seen of a game on points: the discriminator's field, the made points, how they are told to move, the warped
latent space. Looking changes nothing: no weight, no random number of the game.
"""

import base64
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sparring import keyed
from sparring.augment.packing import pack
from sparring.data import Dataset
from sparring.games.adversarial import Adversarial
from sparring.match import Match

SIDE = 48  # places of the field across
POINTS, ARROWS, REAL = 500, 90, 900
SHEET = 17  # lines of the latent space's net, each way
PARTNERS = 2  # real points with which a judge of packs sees each place
MARGIN = 1.45  # of the picture's side over the data's
FAR = 1e6

# By which numbers a logit becomes a shade, 1 / (1 + exp(-gain (logit - centre))): of some objectives it has a meaning of its own;
# of the others the centre is between the means of real and made points, and the gain one over the spread.
SHADES: dict[str, tuple[float | None, float | None]] = {
    "minimax": (0.0, 1.0),
    "nonsaturating": (0.0, 1.0),
    "feature_matching": (0.0, 1.0),
    "least_squares": (0.5, 4.0),
    "hinge": (0.0, 2.0),
    "relativistic": (None, 4.0),
    "wasserstein": (None, None),
}


@dataclass(frozen=True)
class View:
    """The square of the plane that is shown, in the data's units.

    Arguments:
        left, low: of the lower left corner.
        side: of the square.
    """

    left: float
    low: float
    side: float

    @classmethod
    def of(cls, samples: np.ndarray) -> "View":
        """The square around all points (n, 2), but for a few far ones."""
        low, high = np.quantile(samples, [0.002, 0.998], axis=0)
        side = MARGIN * float(max((high - low).max(), 1e-6))
        middle = (low + high) / 2
        return cls(float(middle[0]) - side / 2, float(middle[1]) - side / 2, side)

    def places(self, count: int) -> np.ndarray:
        """The middles of `count` x `count` cells (count^2, 2), float32, row by row from the top."""
        steps = (np.arange(count) + 0.5) / count * self.side
        across, up = np.meshgrid(self.left + steps, (self.low + steps)[::-1])
        return np.stack([across.ravel(), up.ravel()], 1).astype(np.float32)

    def outside(self, points: np.ndarray) -> int:
        """How many points (n, 2) are not in it."""
        at = (points - [self.left, self.low]) / self.side
        return int((~((at >= 0) & (at <= 1)).all(1)).sum())


class Looker:
    """Looks at a match.

    Arguments:
        match: an adversarial game on points in the plane.
        objective: the name of its objective, which says what a logit means.
    """

    def __init__(self, match: Match, objective: str) -> None:
        assert isinstance(match.game, Adversarial)
        self.match, self.game, self.objective = match, match.game, objective
        self.data: Dataset = match.dealer.dataset
        self.view = View.of(np.asarray(self.data.samples))
        self.packing = self.game.config.packing
        device, latent = match.runtime.device, self.game.generation.latent
        seed = match.experiment.training.seed
        self.noise = keyed.latents(seed, range(POINTS), latent).to(device)
        self.net = sheet(latent).to(device)
        self.plane = self._standard(self.view.places(SIDE))
        rows = np.linspace(0, len(self.data) - 1, min(REAL, len(self.data))).astype(int)
        self.real = np.asarray(self.data.samples[np.unique(rows)])
        self.partners = self._standard(self.real[-PARTNERS:])

    def _standard(self, points: np.ndarray) -> Tensor:
        return (
            torch.from_numpy((points - self.data.centre) / self.data.scale)
            .float()
            .to(self.match.runtime.device)
        )

    def judged(self, x: Tensor) -> Tensor:
        """The discriminator's logit of each point (n,); of packs the mean over some packs of which it is one and the rest real."""
        judge = self.game.discriminator
        if self.packing == 1:
            return judge(x)
        logits = []
        for partner in self.partners:
            packed = torch.stack([x, *[partner.expand_as(x)] * (self.packing - 1)], 1)
            logits.append(judge(pack(packed.flatten(0, 1), self.packing)))
        return torch.stack(logits).mean(0)

    def look(self) -> dict[str, Tensor]:
        """Made points (n, 2), the net (k, 2), logits of the plane (SIDE^2,), of real and made points, slopes at the latter."""
        self.game.eval()
        try:
            with torch.no_grad():
                made, net = self.game.generation(self.noise), self.game.generation(self.net)
                plane, real = self.judged(self.plane), self.judged(self._standard(self.real[:ARROWS]))
            seen = made[:ARROWS].clone().requires_grad_(True)
            logits = self.judged(seen)
            (slopes,) = torch.autograd.grad(logits.sum(), seen)
        finally:
            self.game.train()
        found = {"made": made, "net": net, "plane": plane, "real": real, "logits": logits, "slopes": slopes}
        return {name: value.detach().float().cpu() for name, value in found.items()}

    def shades(self, found: dict[str, Tensor]) -> str:
        """The field as bytes (SIDE^2), row by row from the top, in base64: 255 is taken for real, 0 for made, 128 undecided."""
        centre, gain = SHADES[self.objective]
        if centre is None:
            centre = float(found["real"].mean() + found["logits"].mean()) / 2
        if gain is None:
            gain = 2.0 / max(float(found["plane"].std()), 1e-9)
        shade = (gain * (found["plane"].double() - centre)).sigmoid() * 255
        return base64.b64encode(shade.round().to(torch.uint8).numpy().tobytes()).decode()

    def points(self, x: Tensor) -> np.ndarray:
        """Points (n, 2) in the data's units; those far off are brought to the edge of what is told."""
        return self.data.points(x).clip(-FAR, FAR)


def sheet(latent: int) -> Tensor:
    """A net of latents: of one dimension (SHEET^2, 1), in even shares; of more (SHEET^2, latent) over the first two, the rest 0."""
    if latent == 1:
        shares = (torch.arange(SHEET * SHEET) + 0.5) / (SHEET * SHEET)
        return torch.special.ndtri(shares)[:, None]
    steps = torch.special.ndtri((torch.arange(SHEET) + 0.5) / SHEET)
    net = torch.zeros(SHEET * SHEET, latent)
    net[:, :2] = torch.cartesian_prod(steps, steps)
    return net


def arrows(found: dict[str, Tensor], scale: float) -> Tensor:
    """Where the discriminator would find each made point more real (n, 2): its slope, as long as `scale` where it is steep."""
    slopes = found["slopes"]
    steep = slopes.norm(dim=1).quantile(0.9).clamp_min(1e-12)
    lengths = slopes.norm(dim=1, keepdim=True).clamp_min(1e-12)
    return slopes / lengths * (lengths / steep).clamp_max(1.0) * scale
