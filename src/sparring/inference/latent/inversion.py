"""GAN inversion: the latent whose sample is closest to a given image.

    min_z  |G(z) - x|^2 / size + perceptual d(G(z), x) + prior max(0, |z|^2 / z - 1)^2

by Adam from several starts, of which the best continues after a quarter of the steps; the first start is an
encoder's prediction where there is one. Where the class is unknown it is optimised too, as a blend
softmax(u).

References:
    Zhu, Kraehenbuehl, Shechtman & Efros 2016, arXiv 1609.03552, section 3.1.
    Creswell & Bharath 2018, arXiv 1611.05644 (inverting a GAN, batches of images).
    Abdal, Qin & Wonka 2019, arXiv 1904.03189 (pixels and perceptual distance together); Kingma & Ba 2015, arXiv 1412.6980.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from sparring.core import rng
from sparring.core.errors import ConfigError, SparringError
from sparring.core.shapes import PerSample, Sample
from sparring.inference.latent.decoding import can_blend, decode, forward
from sparring.inference.latent.encoder import LatentEncoder, StepCallback
from sparring.inference.latent.image_distance import laplacian_pyramid_distance, mean_squared_error, psnr
from sparring.models.generator import GeneratorModel


@dataclass(frozen=True, kw_only=True)
class InversionOptions:
    """How images are sought.

    Arguments:
        steps: of Adam. rate: of it at first; it falls to 0 along a cosine.
        starts: latents tried for each image, one of which may be an encoder's guess.
        pixel, perceptual, prior: weights of the three terms.
        seed: of the starts.
    """

    steps: int = 200
    learning_rate: float = 0.1
    starts: int = 4
    pixel: float = 1.0
    perceptual: float = 0.5
    prior: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.steps < 0 or self.starts < 1 or not self.learning_rate > 0:
            raise ConfigError(
                f"steps {self.steps}, starts {self.starts}, rate {self.learning_rate}",
                "0 or more, 1 or more, above 0",
                "fix the numbers",
            )
        if min(self.pixel, self.perceptual, self.prior) < 0 or not self.pixel + self.perceptual:
            raise ConfigError(
                f"weights {self.pixel}, {self.perceptual}, {self.prior}",
                "none below 0, and one of the first two above",
                "fix them",
            )


@dataclass(frozen=True)
class LatentSearch:
    """One search: a generator, how, where it starts, and by which distance."""

    generation: GeneratorModel
    options: InversionOptions
    encoder: LatentEncoder | None
    perceptual: Callable[[Sample, Sample], PerSample]

    def run(
        self, x: Sample, y: Tensor | None, rows: Tensor, progress: StepCallback | None
    ) -> tuple[Tensor, Tensor | None]:
        device, settings = self.generation.shares.device, self.options
        x, y = x.to(device), None if y is None else y.to(device)
        z, logits = self._initial_latents(x, y, rows)
        first = settings.steps // 4 if settings.starts > 1 else 0
        keep = range(0, first), range(first, settings.steps)
        if settings.starts > 1:
            z, logits = self._optimise(z, logits, (_repeat(x, settings.starts), y), keep[0], progress)
            z, logits = self._select_best(z, logits, x, y)
        z, logits = self._optimise(z, logits, (x, y), keep[1], progress)
        found = y if logits is None else logits.softmax(1)
        return z.cpu(), None if found is None else found.cpu()

    def _initial_latents(self, x: Sample, y: Tensor | None, rows: Tensor) -> tuple[Tensor, Tensor | None]:
        """Latents (n starts, z), start by start, and logits of classes where these are sought."""
        starts, seed, classes = self.options.starts, self.options.seed, self.generation.spec.num_classes
        numbers = [int(row) * starts + start for start in range(starts) for row in rows]
        z = torch.cat(
            [
                rng.sample_latents(seed, range(number, number + 1), self.generation.latent)
                for number in numbers
            ]
        )
        z = z.to(x.device)
        logits = None
        if classes and y is None:
            drawn = torch.cat([_sample_label(self.generation, seed, number) for number in numbers])
            logits = 3 * F.one_hot(drawn, classes).float().to(x.device)
        if self.encoder is not None:
            guessed, seen = self.encoder(x, y)
            z[: len(x)] = guessed
            if logits is not None and seen is not None:
                logits[: len(x)] = seen.clamp(-5, 5)
        return z, logits

    def _optimise(
        self,
        z: Tensor,
        logits: Tensor | None,
        target: tuple[Sample, Tensor | None],
        steps: range,
        progress: StepCallback | None,
    ) -> tuple[Tensor, Tensor | None]:
        moved = [part.clone().requires_grad_() for part in (z, logits) if part is not None]
        optimizer = torch.optim.Adam(moved, self.options.learning_rate)
        for step in steps:
            falling = (1 + torch.cos(torch.tensor(torch.pi * step / max(1, self.options.steps)))) / 2
            optimizer.param_groups[0]["lr"] = self.options.learning_rate * float(falling)
            with torch.enable_grad():
                cost = self._loss(moved[0], moved[1] if logits is not None else None, *target).sum()
                slopes = torch.autograd.grad(cost, moved)
            for part, slope in zip(moved, slopes, strict=True):
                part.grad = slope
            optimizer.step()
            if progress is not None and progress(step + 1, self.options.steps):
                break
        return moved[0].detach(), moved[1].detach() if logits is not None else None

    def _loss(self, z: Tensor, logits: Tensor | None, x: Sample, y: Tensor | None) -> PerSample:
        labels = logits.softmax(1) if logits is not None else y if y is None else y.repeat(len(z) // len(y))
        made, settings = forward(self.generation, z, labels), self.options
        if not made.requires_grad and torch.is_grad_enabled():
            raise SparringError(
                "samples that do not change smoothly with their latents",
                "a generator with gradients",
                "use another",
            )
        cost = settings.pixel * mean_squared_error(made, x) + settings.perceptual * self.perceptual(made, x)
        long = (z.square().mean(1) - 1).clamp_min(0)
        return cost + settings.prior * long.square()

    @torch.no_grad()
    def _select_best(
        self, z: Tensor, logits: Tensor | None, x: Sample, y: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        costs = self._loss(z, logits, _repeat(x, self.options.starts), y).view(-1, len(x))
        rows = costs.argmin(0) * len(x) + torch.arange(len(x), device=x.device)
        return z[rows], None if logits is None else logits[rows]


def _repeat(x: Sample, count: int) -> Sample:
    return x.repeat(count, *[1] * (x.ndim - 1))


def _sample_label(generation: GeneratorModel, seed: int, number: int) -> Tensor:
    drawn = generation.draw_labels(seed, range(number, number + 1))
    assert drawn is not None
    return drawn


BATCH = 128  # latents optimised together


@dataclass(frozen=True, kw_only=True)
class Inversion:
    """What was found, on the CPU.

    Arguments:
        z: latents (n, z). y: classes (n,), or blends of them (n, classes); None without.
        x: the samples that they give (n, *sample).
        psnr: of these against the images (n,), in dB. perceptual: their distance (n,).
        seconds: that it took, in all.
    """

    z: Tensor
    y: Tensor | None
    x: Sample
    psnr: PerSample
    perceptual: PerSample
    seconds: float


def invert(
    generation: GeneratorModel,
    x: Sample,
    y: Tensor | None = None,
    *,
    encoder: LatentEncoder | None = None,
    options: InversionOptions = InversionOptions(),  # noqa: B008 (frozen)
    perceptual: Callable[[Sample, Sample], PerSample] = laplacian_pyramid_distance,
    progress: StepCallback | None = None,
) -> Inversion:
    """The latents of images.

    Arguments:
        x: images (n, *sample) in [-1, 1]; see `samples.inputs`.
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
    if y is None and generation.spec.num_classes and not can_blend(generation):
        raise SparringError("images without their class", "the class of each", "give labels")
    search = LatentSearch(generation, options, encoder, perceptual)
    step = max(1, BATCH // options.starts)
    found: list[tuple[Tensor, Tensor | None]] = []
    for rows in torch.arange(len(x)).split(step):
        done = len(found) / -(-len(x) // step)
        found.append(
            search.run(
                x[rows], None if y is None else y[rows], rows, _part_progress(progress, done, len(x), step)
            )
        )
    z = torch.cat([each for each, _ in found])
    classes = [each for _, each in found if each is not None]
    labels = torch.cat(classes) if classes else None
    made = decode(generation, z, labels)
    device = generation.shares.device
    with torch.no_grad():
        far = perceptual(made.to(device), x.to(device)).cpu()
    return Inversion(
        z=z, y=labels, x=made, psnr=psnr(made, x), perceptual=far, seconds=time.monotonic() - began
    )


def _part_progress(progress: StepCallback | None, done: float, count: int, step: int) -> StepCallback | None:
    """A watch of one of several parts, that tells of the whole in thousandths."""
    if progress is None:
        return None
    told, part = progress, min(1.0, step / count)
    return lambda at, total: told(round(1000 * (done + part * at / max(1, total))), 1000)


def with_hard_labels(found: Inversion) -> Inversion:
    """The same, with the likeliest class of each in place of a blend."""
    y = found.y
    return found if y is None or not y.is_floating_point() else replace(found, y=y.argmax(1))
