"""What can be counted of a game on points.

References: Lin et al. 2018, arXiv:1712.04086, section 4.1 (high quality); `metrics/signs.py` (the doctor's vital signs).
"""

from typing import Any

import numpy as np
import torch

from sparring.data.points import modes
from sparring.metrics.modes import mode_coverage
from sparring.metrics.signs import of_samples

MIXTURES = ("ring", "grid")
NEAR, SHARE = 0.25, 0.01  # of the way to the next mode; of all points: so many so near hold a mode
SIGNS = 128  # points of each kind for the variety


def counted(made: np.ndarray, real: np.ndarray, points: str) -> dict[str, Any]:
    """How varied made points (n, 2) are beside real ones (m, 2), and of a mixture how many modes they hold and how many of them are
    of high quality, within 3 standard deviations of a mode.
    """
    again, first = real[1::2][:SIGNS], real[::2][:SIGNS]
    signs = of_samples(torch.from_numpy(first), torch.from_numpy(again), torch.from_numpy(made[:SIGNS]))
    told: dict[str, Any] = {name: round(signs[name], 3) for name in ("diversity", "reached")}
    if points in MIXTURES:
        centres, std = modes(points)
        told |= {"modes": int(holding(made, centres).sum()), "modes_of": len(centres)}
        told["on_target"] = round(mode_coverage(made.astype(np.float64), centres, std)["high_quality"], 3)
        told["holding"] = holding(made, centres).astype(int).tolist()
    return told


def holding(made: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Which modes (k,) are held: a hundredth of the points or more is within a quarter of the way to the next mode."""
    apart = np.linalg.norm(centres[:, None] - centres[None], axis=2)
    near = NEAR * apart[apart > 0].min()
    distances = np.linalg.norm(made[:, None] - centres[None], axis=2)
    return np.asarray((distances < near).mean(0) >= SHARE)
