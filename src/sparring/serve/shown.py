"""What is shown: a generator as it was read, the class that is wanted, mixes of latents."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch  # noqa: F401 (for the example)
from torch import Tensor

from sparring import generatorfile
from sparring.games.generation import Generation
from sparring.serve.refused import Refused


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The class that is wanted.

    Arguments:
        label: of the picture; None is the sample's own.
        towards: another class that is blended in.
        share: of that, 0 to 1.
    """

    label: int | None = None
    towards: int | None = None
    share: float = 0.0


@dataclass(frozen=True)
class Shown:
    """A generator file as it was read.

    Arguments:
        loaded: what was in it.
        digest: SHA-256 of it, the first 16 digits.
        directions: that were found for it, by their names: vectors (latent,).
        sheets: what was said of them, by kind.
    """

    loaded: generatorfile.Loaded
    digest: str
    directions: dict[str, Tensor] = field(default_factory=dict)
    sheets: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def generation(self) -> Generation:
        """The generator; refused where there is none."""
        if not isinstance(self.loaded.kept, Generation):
            raise Refused(409, "this run has no generator of samples")
        return self.loaded.kept


def mixed(parts: Tensor, weights: Tensor) -> Tensor:
    """The weighted sum (latent,) of latents (n, latent), as long as they are on average by the weights' sizes.

    >>> mixed(torch.eye(2), torch.tensor([1.0, 1.0])).norm().round(decimals=4)
    tensor(1.)
    """
    total = weights @ parts
    length = (weights.abs() @ parts.norm(dim=1)) / weights.abs().sum().clamp_min(1e-12)
    return total * (length / total.norm().clamp_min(1e-6))


def strip(images: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
    """Pictures (n, h, w, c) below each other (n h, w, c): the page cuts them apart."""
    return np.concatenate(list(images))
