"""The search for latents of pictures: starts, steps of Adam, and which start goes on. See `inversion.py`."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from sparring import keyed
from sparring.errors import ConfigError, SparringError
from sparring.games.generation import Generation
from sparring.latent.decoding import forward
from sparring.latent.guessing import Guess, Watch
from sparring.latent.likeness import squared
from sparring.shapes import PerSample, Sample


@dataclass(frozen=True, kw_only=True)
class Inverting:
    """How pictures are sought.

    Arguments:
        steps: of Adam. rate: of it at first; it falls to 0 along a cosine.
        starts: latents tried for each picture, one of which may be an encoder's guess.
        pixel, perceptual, prior: weights of the three terms.
        seed: of the starts.
    """

    steps: int = 200
    rate: float = 0.1
    starts: int = 4
    pixel: float = 1.0
    perceptual: float = 0.5
    prior: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.steps < 0 or self.starts < 1 or not self.rate > 0:
            raise ConfigError(
                f"steps {self.steps}, starts {self.starts}, rate {self.rate}",
                "0 or more, 1 or more, above 0",
                "mend the numbers",
            )
        if min(self.pixel, self.perceptual, self.prior) < 0 or not self.pixel + self.perceptual:
            raise ConfigError(
                f"weights {self.pixel}, {self.perceptual}, {self.prior}",
                "none below 0, and one of the first two above",
                "mend them",
            )


@dataclass(frozen=True)
class Search:
    """One search: a generator, how, where it starts, and by which distance."""

    generation: Generation
    settings: Inverting
    encoder: Guess | None
    perceptual: Callable[[Sample, Sample], PerSample]

    def run(
        self, x: Sample, y: Tensor | None, rows: Tensor, watch: Watch | None
    ) -> tuple[Tensor, Tensor | None]:
        device, settings = self.generation.shares.device, self.settings
        x, y = x.to(device), None if y is None else y.to(device)
        z, logits = self._starts(x, y, rows)
        first = settings.steps // 4 if settings.starts > 1 else 0
        keep = range(0, first), range(first, settings.steps)
        if settings.starts > 1:
            z, logits = self._climb(z, logits, (_repeated(x, settings.starts), y), keep[0], watch)
            z, logits = self._best(z, logits, x, y)
        z, logits = self._climb(z, logits, (x, y), keep[1], watch)
        found = y if logits is None else logits.softmax(1)
        return z.cpu(), None if found is None else found.cpu()

    def _starts(self, x: Sample, y: Tensor | None, rows: Tensor) -> tuple[Tensor, Tensor | None]:
        """Latents (n starts, z), start by start, and logits of classes where these are sought."""
        starts, seed, classes = self.settings.starts, self.settings.seed, self.generation.spec.classes
        numbers = [int(row) * starts + start for start in range(starts) for row in rows]
        z = torch.cat(
            [keyed.latents(seed, range(number, number + 1), self.generation.latent) for number in numbers]
        )
        z = z.to(x.device)
        logits = None
        if classes and y is None:
            drawn = torch.cat([_one(self.generation, seed, number) for number in numbers])
            logits = 3 * F.one_hot(drawn, classes).float().to(x.device)
        if self.encoder is not None:
            guessed, seen = self.encoder(x, y)
            z[: len(x)] = guessed
            if logits is not None and seen is not None:
                logits[: len(x)] = seen.clamp(-5, 5)
        return z, logits

    def _climb(
        self,
        z: Tensor,
        logits: Tensor | None,
        target: tuple[Sample, Tensor | None],
        steps: range,
        watch: Watch | None,
    ) -> tuple[Tensor, Tensor | None]:
        moved = [part.clone().requires_grad_() for part in (z, logits) if part is not None]
        optimizer = torch.optim.Adam(moved, self.settings.rate)
        for step in steps:
            falling = (1 + torch.cos(torch.tensor(torch.pi * step / max(1, self.settings.steps)))) / 2
            optimizer.param_groups[0]["lr"] = self.settings.rate * float(falling)
            with torch.enable_grad():
                cost = self._cost(moved[0], moved[1] if logits is not None else None, *target).sum()
                slopes = torch.autograd.grad(cost, moved)
            for part, slope in zip(moved, slopes, strict=True):
                part.grad = slope
            optimizer.step()
            if watch is not None and watch(step + 1, self.settings.steps):
                break
        return moved[0].detach(), moved[1].detach() if logits is not None else None

    def _cost(self, z: Tensor, logits: Tensor | None, x: Sample, y: Tensor | None) -> PerSample:
        labels = logits.softmax(1) if logits is not None else y if y is None else y.repeat(len(z) // len(y))
        made, settings = forward(self.generation, z, labels), self.settings
        if not made.requires_grad and torch.is_grad_enabled():
            raise SparringError(
                "samples that do not change smoothly with their latents",
                "a generator with slopes",
                "use another",
            )
        cost = settings.pixel * squared(made, x) + settings.perceptual * self.perceptual(made, x)
        long = (z.square().mean(1) - 1).clamp_min(0)
        return cost + settings.prior * long.square()

    @torch.no_grad()
    def _best(
        self, z: Tensor, logits: Tensor | None, x: Sample, y: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        costs = self._cost(z, logits, _repeated(x, self.settings.starts), y).view(-1, len(x))
        rows = costs.argmin(0) * len(x) + torch.arange(len(x), device=x.device)
        return z[rows], None if logits is None else logits[rows]


def _repeated(x: Sample, count: int) -> Sample:
    return x.repeat(count, *[1] * (x.ndim - 1))


def _one(generation: Generation, seed: int, number: int) -> Tensor:
    drawn = generation.draw_labels(seed, range(number, number + 1))
    assert drawn is not None
    return drawn
