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

BATCH = 128  # latents optimised together


@dataclass(frozen=True, kw_only=True)
class InversionOptions:
    """Settings of the search.

    Arguments:
        steps: of Adam.
        learning_rate: at the first step; it falls to 0 along a cosine.
        starts: initial latents for each image, the first of which is the prediction of an encoder, if there is one.
        pixel: weight of the mean squared error.
        perceptual: weight of the perceptual distance.
        prior: weight of the penalty on latents that are longer than typical.
        seed: of the random starts.
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
                f"steps {self.steps}, starts {self.starts}, learning_rate {self.learning_rate}",
                "0 or more, 1 or more, above 0",
                "fix the value",
            )
        if min(self.pixel, self.perceptual, self.prior) < 0 or not self.pixel + self.perceptual:
            raise ConfigError(
                f"pixel {self.pixel}, perceptual {self.perceptual}, prior {self.prior}",
                "none below 0, and one of the first two above 0",
                "fix the weights",
            )


@dataclass(frozen=True)
class LatentSearch:
    """The search for the latents of one batch of images.

    Arguments:
        generation: the generator.
        options: settings of the search.
        encoder: predicts the first start; None starts at random only.
        perceptual: distance of two batches of samples (b,).
    """

    generation: GeneratorModel
    options: InversionOptions
    encoder: LatentEncoder | None
    perceptual: Callable[[Sample, Sample], PerSample]

    def run(
        self, x: Sample, y: Tensor | None, rows: Tensor, progress: StepCallback | None
    ) -> tuple[Tensor, Tensor | None]:
        """Latents (b, z) and classes (or their weights) of images (b, *sample), on the CPU.

        Arguments:
            y: their classes (b,); None searches for them, where the generator has classes.
            rows: indices (b,) of the images among all, which key the random starts.
            progress: see `StepCallback`.
        """
        device, options = self.generation.shares.device, self.options
        x, y = x.to(device), None if y is None else y.to(device)
        z, logits = self._initial_latents(x, y, rows)
        trial_steps = options.steps // 4 if options.starts > 1 else 0
        if options.starts > 1:
            targets = _repeat(x, options.starts), y
            z, logits = self._optimise(z, logits, targets, range(trial_steps), progress)
            z, logits = self._select_best(z, logits, x, y)
        z, logits = self._optimise(z, logits, (x, y), range(trial_steps, options.steps), progress)
        classes = y if logits is None else logits.softmax(1)
        return z.cpu(), None if classes is None else classes.cpu()

    def _initial_latents(self, x: Sample, y: Tensor | None, rows: Tensor) -> tuple[Tensor, Tensor | None]:
        """Latents (b starts, z), start by start, and logits of the classes where these are searched for."""
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
            labels = torch.cat([_sample_label(self.generation, seed, number) for number in numbers])
            logits = 3 * F.one_hot(labels, classes).float().to(x.device)
        if self.encoder is not None:
            z[: len(x)], predicted_logits = self.encoder(x, y)
            if logits is not None and predicted_logits is not None:
                logits[: len(x)] = predicted_logits.clamp(-5, 5)
        return z, logits

    def _optimise(
        self,
        z: Tensor,
        logits: Tensor | None,
        target: tuple[Sample, Tensor | None],
        steps: range,
        progress: StepCallback | None,
    ) -> tuple[Tensor, Tensor | None]:
        """Adam on latents and logits, for some of the steps of the whole search."""
        variables = [variable.clone().requires_grad_() for variable in (z, logits) if variable is not None]
        optimizer = torch.optim.Adam(variables, self.options.learning_rate)
        for step in steps:
            decay = (1 + torch.cos(torch.tensor(torch.pi * step / max(1, self.options.steps)))) / 2
            optimizer.param_groups[0]["lr"] = self.options.learning_rate * float(decay)
            with torch.enable_grad():
                loss = self._loss(variables[0], variables[1] if logits is not None else None, *target).sum()
                gradients = torch.autograd.grad(loss, variables)
            for variable, gradient in zip(variables, gradients, strict=True):
                variable.grad = gradient
            optimizer.step()
            if progress is not None and progress(step + 1, self.options.steps):
                break
        return variables[0].detach(), variables[1].detach() if logits is not None else None

    def _loss(self, z: Tensor, logits: Tensor | None, x: Sample, y: Tensor | None) -> PerSample:
        labels = logits.softmax(1) if logits is not None else y if y is None else y.repeat(len(z) // len(y))
        samples, options = forward(self.generation, z, labels), self.options
        if not samples.requires_grad and torch.is_grad_enabled():
            raise SparringError(
                "samples without a gradient with respect to their latents",
                "a differentiable generator",
                "use another generator",
            )
        loss = options.pixel * mean_squared_error(samples, x)
        loss = loss + options.perceptual * self.perceptual(samples, x)
        excess = (z.square().mean(1) - 1).clamp_min(0)
        return loss + options.prior * excess.square()

    @torch.no_grad()
    def _select_best(
        self, z: Tensor, logits: Tensor | None, x: Sample, y: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """Of the starts of each image, the latent with the lowest loss."""
        losses = self._loss(z, logits, _repeat(x, self.options.starts), y).view(-1, len(x))
        rows = losses.argmin(0) * len(x) + torch.arange(len(x), device=x.device)
        return z[rows], None if logits is None else logits[rows]


def _repeat(x: Sample, count: int) -> Sample:
    return x.repeat(count, *[1] * (x.ndim - 1))


def _sample_label(generation: GeneratorModel, seed: int, number: int) -> Tensor:
    label = generation.draw_labels(seed, range(number, number + 1))
    assert label is not None
    return label


@dataclass(frozen=True, kw_only=True)
class Inversion:
    """The latents of n images, on the CPU.

    Arguments:
        z: latents (n, z).
        y: classes (n,), or weights of a blend of classes (n, classes); None without classes.
        x: the samples of these latents (n, *sample).
        psnr: of the samples against the images (n,), in dB.
        perceptual: distance of the samples from the images (n,).
        seconds: total time of the search.
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
    """Search for the latents whose samples are closest to images.

    Arguments:
        generation: the generator.
        x: images (n, *sample) in [-1, 1]; see `sparring.inference.sampling.to_model_input`.
        y: their classes (n,); None searches for them, where the generator can blend classes.
        encoder: for the first start: `model_encoder(generation)` or `fit_encoder(generation)`.
        options: settings of the search.
        perceptual: the distance that is optimised beside the mean squared error, and reported.
        progress: called with (steps done, total); return true to stop.

    Raises:
        SparringError: images of another shape, classes that are missing, or a generator without gradients.
    """
    start = time.monotonic()
    if x.shape[1:] != generation.spec.shape or not len(x):
        raise SparringError(
            f"samples {tuple(x.shape)}",
            f"(n, {', '.join(map(str, generation.spec.shape))})",
            "resize the images",
        )
    if y is None and generation.spec.num_classes and not can_blend(generation):
        raise SparringError("images without classes", "the class of each", "give labels")
    search = LatentSearch(generation, options, encoder, perceptual)
    step = max(1, BATCH // options.starts)
    parts: list[tuple[Tensor, Tensor | None]] = []
    for rows in torch.arange(len(x)).split(step):
        done = len(parts) / -(-len(x) // step)
        part_progress = _part_progress(progress, done, min(1.0, step / len(x)))
        parts.append(search.run(x[rows], None if y is None else y[rows], rows, part_progress))
    z = torch.cat([latents for latents, _ in parts])
    classes = [each for _, each in parts if each is not None]
    labels = torch.cat(classes) if classes else None
    samples = decode(generation, z, labels)
    device = generation.shares.device
    with torch.no_grad():
        distances = perceptual(samples.to(device), x.to(device)).cpu()
    return Inversion(
        z=z,
        y=labels,
        x=samples,
        psnr=psnr(samples, x),
        perceptual=distances,
        seconds=time.monotonic() - start,
    )


def _part_progress(progress: StepCallback | None, done: float, share: float) -> StepCallback | None:
    """The callback for one batch of images, which reports the progress of all in thousandths.

    Arguments:
        done: fraction of all images before this batch.
        share: fraction of all images in this batch.
    """
    if progress is None:
        return None
    callback = progress
    return lambda step, total: callback(round(1000 * (done + share * step / max(1, total))), 1000)


def with_hard_labels(inversion: Inversion) -> Inversion:
    """Replace blends of classes by the most likely class of each image."""
    y = inversion.y
    return inversion if y is None or not y.is_floating_point() else replace(inversion, y=y.argmax(1))
