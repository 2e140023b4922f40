"""From pictures back to latents: which latent gives the picture that is nearest to a given one?

    min_z  |G(z) - x|^2 / size + perceptual d(G(z), x) + prior max(0, |z|^2 / z - 1)^2

by Adam from several starts, of which the best goes on after a quarter of the steps; the first start is an encoder's guess where
there is one. Where the class is not known it is sought with it, as a blend softmax(u).

References:
    Zhu, Kraehenbuehl, Shechtman & Efros 2016, arXiv 1609.03552, section 3.1. Creswell & Bharath 2018, arXiv 1611.05644 (GANs, batches).
    Abdal, Qin & Wonka 2019, arXiv 1904.03189 (pixels and perception together); Kingma & Ba 2015, arXiv 1412.6980.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from sparring import keyed
from sparring.errors import ConfigError, SparringError
from sparring.games.generation import Generation
from sparring.latent.decoding import can_blend, decode, forward
from sparring.latent.guessing import Guess, Watch
from sparring.latent.likeness import decibels, pyramid, squared
from sparring.shapes import PerSample, Sample

AT_ONCE = 128  # latents optimised together


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


@dataclass(frozen=True, kw_only=True)
class Inversion:
    """What was found, on the CPU.

    Arguments:
        z: latents (n, z). y: classes (n,), or blends of them (n, classes); None without.
        x: the samples that they give (n, *sample).
        psnr: of these against the pictures (n,), in dB. perceptual: their distance (n,).
        seconds: that it took, in all.
    """

    z: Tensor
    y: Tensor | None
    x: Sample
    psnr: PerSample
    perceptual: PerSample
    seconds: float


def invert(
    generation: Generation,
    x: Sample,
    y: Tensor | None = None,
    *,
    encoder: Guess | None = None,
    settings: Inverting = Inverting(),  # noqa: B008 (frozen)
    perceptual: Callable[[Sample, Sample], PerSample] = pyramid,
    watch: Watch | None = None,
) -> Inversion:
    """The latents of pictures.

    Arguments:
        x: pictures (n, *sample) in [-1, 1]; see `samples.inputs`.
        y: their classes (n,); None seeks them, where the generator has classes that can be mixed.
        encoder: `own_encoder(generation)` or `fit_encoder(generation)`, for the first start.
        perceptual: the distance that is optimised beside the pixels', and reported.
        watch: told (steps done, of); true ends the search there.

    Raises:
        SparringError: another shape, or a generator that can't be searched.
    """
    began = time.monotonic()
    if x.shape[1:] != generation.spec.shape or not len(x):
        raise SparringError(
            f"samples {tuple(x.shape)}", f"(n, {', '.join(map(str, generation.spec.shape))})", "resize them"
        )
    if y is None and generation.spec.classes and not can_blend(generation):
        raise SparringError("pictures without their class", "the class of each", "give labels")
    search = _Search(generation, settings, encoder, perceptual)
    step = max(1, AT_ONCE // settings.starts)
    found: list[tuple[Tensor, Tensor | None]] = []
    for rows in torch.arange(len(x)).split(step):
        done = len(found) / -(-len(x) // step)
        found.append(
            search.run(x[rows], None if y is None else y[rows], rows, _part(watch, done, len(x), step))
        )
    z = torch.cat([each for each, _ in found])
    classes = [each for _, each in found if each is not None]
    labels = torch.cat(classes) if classes else None
    made = decode(generation, z, labels)
    device = generation.shares.device
    with torch.no_grad():
        far = perceptual(made.to(device), x.to(device)).cpu()
    return Inversion(
        z=z, y=labels, x=made, psnr=decibels(made, x), perceptual=far, seconds=time.monotonic() - began
    )


def _part(watch: Watch | None, done: float, count: int, step: int) -> Watch | None:
    """A watch of one of several parts, that tells of the whole in thousandths."""
    if watch is None:
        return None
    told, part = watch, min(1.0, step / count)
    return lambda at, total: told(round(1000 * (done + part * at / max(1, total))), 1000)


@dataclass(frozen=True)
class _Search:
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
            logits = 3 * torch.nn.functional.one_hot(drawn, classes).float().to(x.device)
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


def hardened(found: Inversion) -> Inversion:
    """The same, with the likeliest class of each in place of a blend."""
    y = found.y
    return found if y is None or not y.is_floating_point() else replace(found, y=y.argmax(1))
