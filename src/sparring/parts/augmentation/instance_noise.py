"""Instance noise: Gaussian noise on real and generated samples, annealed during training."""

from dataclasses import dataclass

from sparring.core.errors import ConfigError
from sparring.core.interfaces import Augmentation
from sparring.core.rng import KeyedRandom
from sparring.core.schedule import Schedule, value_at
from sparring.core.shapes import Sample


@dataclass(frozen=True, kw_only=True)
class InstanceNoise(Augmentation):
    """Gaussian noise on all inputs of the discriminator.

        x -> x + sigma n,  n ~ N(0, I)

    Distributions on low-dimensional manifolds can be separated perfectly, which leaves the generator no gradient; noise makes
    their supports overlap.

    References:
        Sonderby et al. 2017, "Amortised MAP inference for image super-resolution", arXiv 1610.04490.
        Arjovsky & Bottou 2017, "Towards principled methods for training GANs", arXiv 1701.04862, sec. 3.

    Arguments:
        sigma: standard deviation, in the units of the samples (images: [-1, 1]); a `linear` schedule from
            0.1 to 0 over the run anneals it. Default 0.1.

    Shape: that of the samples.
    """

    sigma: Schedule = 0.1

    def __post_init__(self) -> None:
        if not min(value_at(self.sigma, 0), value_at(self.sigma, 10**18)) >= 0:
            raise ConfigError(f"sigma {self.sigma}", "a standard deviation of 0 or more", "0.1 is usual")

    def __call__(self, samples: Sample, rng: KeyedRandom, stream: str, images: int) -> Sample:
        sigma = value_at(self.sigma, images)
        if sigma == 0:
            return samples
        noise = rng.normal(f"{stream}.noise", *samples.shape[1:])[: len(samples)]
        return samples + sigma * noise
