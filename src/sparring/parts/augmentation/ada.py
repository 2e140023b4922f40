"""Adaptive discriminator augmentation (ADA): as much augmentation as keeps the discriminator from overfitting."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sparring.core.adversarial_batch import AdversarialBatch
from sparring.core.errors import ConfigError
from sparring.core.interfaces import Augmentation, LogitScale
from sparring.core.logit_statistics import StepMean
from sparring.core.rng import KeyedRandom
from sparring.core.schedule import Schedule, value_at
from sparring.core.shapes import Sample
from sparring.parts.augmentation.image_transforms import (
    COLOUR,
    GEOMETRY,
    TransformName,
    transform_images,
)


@dataclass(frozen=True, kw_only=True)
class ADA(Augmentation):
    """Random transforms of all inputs of the discriminator, each with a probability p that a controller adapts.

    As an image is left as it is with probability 1 - p, the generator learns the distribution of images without transforms
    (for p up to about 0.8). p rises while the discriminator is surer of the training images than `target`, as it is when it
    memorises them, and falls otherwise:

        r = E_x sign D(x)        p <- clip(p + sign(r - target) images / adjust_images, 0, max_probability)

        flip         mirrored left to right, with probability 1/2
        rotate90     turned by 0, 90, 180 or 270 degrees (0 or 180 if the image is not square)
        translation  moved by up to 1/8 of each side, in whole pixels
        scale        by 2^N(0, 0.2^2)
        rotation     by any angle
        stretch      by 2^N(0, 0.2^2) along an axis at any angle, and by the inverse across
        cutout       a rectangle of half of each side is set to 0 (grey)
        brightness   + N(0, 0.2^2)
        contrast     * 2^N(0, 0.5^2)
        hue          turned by any angle; images of three colours only
        saturation   * 2^N(0, 1)
        luma_flip    light and dark are exchanged, with probability 1/2

    Deviations: images are resampled bilinearly, not by wavelets; translations are in whole pixels only; colours change with
    probability `colour_share` p, as they leak most in short runs; D(x) counts from the logit at which the objective is
    undecided, or from the middle of the mean logits of real and generated samples where it has none. An alpha channel (the
    last of 2 or 4) follows the geometry, but its values are not changed.

    Called itself, it transforms with `initial_probability`; a game calls its state.

    References:
        Karras, Aittala, Hellsten, Laine, Lehtinen, Aila 2020, "Training generative adversarial networks with limited data",
            arXiv 2006.06676, sec. 3 and appendix B.

    Arguments:
        transforms: those that are used. Default: all but rotate90, cutout and luma_flip.
        target: of r (0.6), from -1 to 1; higher augments less.
        initial_probability: p at the start. max_probability: greatest p (0.8; the paper finds leaks above).
        adjust_images: images in which p can move by 1. The paper's 500,000 suits its 25 million images; 100,000, our default,
            reaches any p within a run of 400,000, and moves slowly against the discriminator's response, of some thousand.
        interval: steps between changes of p (4), over which r is averaged.
        colour_share: probability of the colour transforms, relative to p. Default 0.5; 1 is the paper's.
        strength: scales all ranges, from 0 to 1, the paper's.

    Shape: that of the samples, which must be images (b, c, h, w).
    """

    transforms: tuple[TransformName, ...] = (
        "flip", "translation", "scale", "rotation", "stretch", "brightness", "contrast", "hue", "saturation",
    )  # fmt: skip
    target: float = 0.6
    initial_probability: float = 0.0
    max_probability: float = 0.8
    adjust_images: int = 100_000
    interval: int = 4
    colour_share: float = 0.5
    strength: Schedule = 1.0

    def __post_init__(self) -> None:
        names = set(self.transforms)
        if names - {*GEOMETRY, *COLOUR} or len(names) < len(self.transforms):
            expected = f"some of {', '.join((*GEOMETRY, *COLOUR))}, each once"
            raise ConfigError(f"transforms {', '.join(self.transforms)}", expected, "fix the list")
        if not 0 <= self.initial_probability <= self.max_probability <= 1:
            got = f"initial_probability={self.initial_probability}, max_probability={self.max_probability}"
            raise ConfigError(got, "0 <= initial_probability <= max_probability <= 1", "0 and 0.8 are usual")
        ends = value_at(self.strength, 0), value_at(self.strength, 10**18)
        if not (min(ends) >= 0 and max(ends) <= 1 and 0 <= self.colour_share <= 1 and -1 < self.target < 1):
            got = f"strength {self.strength}, colour_share={self.colour_share}, target={self.target}"
            raise ConfigError(
                got, "strength and share from 0 to 1, a target between -1 and 1", "0.6 is the paper's target"
            )
        if self.adjust_images < 1 or self.interval < 1:
            got = f"adjust_images={self.adjust_images}, interval={self.interval}"
            raise ConfigError(got, "both at least 1", "100,000 images and 4 steps are usual")

    def build_state(self, logit_scale: LogitScale) -> "ADAState":
        return ADAState(self, logit_scale.centre)

    def __call__(self, samples: Sample, rng: KeyedRandom, stream: str, images: int) -> Sample:
        return self.transform(samples, rng, stream, images, torch.tensor(self.initial_probability))

    def transform(
        self, samples: Sample, rng: KeyedRandom, stream: str, images: int, probability: Tensor
    ) -> Sample:
        """The samples with each transform at this probability (), a scalar on their device."""
        if samples.ndim != 4:
            got = f"ADA of samples {tuple(samples.shape[1:])}"
            raise ConfigError(got, "images (c, h, w)", "leave it out for points")
        shares = {name: 1.0 if name in GEOMETRY else self.colour_share for name in self.transforms}
        strength = value_at(self.strength, images)
        return transform_images(samples, rng, stream, probability, shares=shares, strength=strength)


class ADAState(nn.Module):
    """The probability of a game's ADA and its controller, which reads the logits of real samples.

    Nothing here waits for the device: p is a buffer, and changes of it are computed whether or not they are due.

    Arguments:
        config: the settings.
        centre: logit at which the discriminator is undecided; None for the middle of the mean logits.
    """

    p: Tensor
    totals: Tensor

    def __init__(self, config: ADA, centre: float | None) -> None:
        super().__init__()
        self.config, self.centre, self.signs = config, centre, StepMean(1)
        self.register_buffer("p", torch.tensor(config.initial_probability))
        self.register_buffer("totals", torch.zeros(3))  # since the last change: sum of signs, images, steps

    def forward(self, samples: Sample, rng: KeyedRandom, stream: str, images: int) -> Sample:
        """The augmented samples."""
        return self.config.transform(samples, rng, stream, images, self.p)

    @torch.no_grad()
    def observe(self, batch: AdversarialBatch) -> dict[str, Tensor]:
        """Take note of the signs of the real samples' logits; p and their mean, for the record."""
        real, fake = batch.real_logits.detach(), batch.fake_logits.detach()
        centre = (real.mean() + fake.mean()) / 2 if self.centre is None else self.centre
        mean_sign = (real - centre).sign().mean()
        self.signs.add(mean_sign[None], len(batch.x))
        return {"ada_p": self.p, "ada_r": mean_sign}

    @torch.no_grad()
    def update(self) -> None:
        """Count the step, and move p if `interval` steps are full."""
        config, (mean_sign, images) = self.config, self.signs.take()
        self.totals += torch.stack([mean_sign[0] * images, images, torch.ones_like(images)])
        sign_sum, images, steps = self.totals.unbind()
        change = (sign_sum / images.clamp_min(1) - config.target).sign() * images / config.adjust_images
        due = steps >= config.interval
        self.p.copy_(torch.where(due, (self.p + change).clamp(0, config.max_probability), self.p))
        self.totals.mul_(~due)
