"""Instance noise: both distributions are blurred until they overlap, and sharpened as training goes on."""

from dataclasses import dataclass

from sparring.errors import ConfigError
from sparring.keyed import Draws
from sparring.schedule import Schedule, at
from sparring.shapes import Sample


@dataclass(frozen=True, kw_only=True)
class InstanceNoise:
    """Gaussian noise on what the discriminator sees, real and generated.

        x -> x + sigma n,  n ~ N(0, I)

    Distributions on thin manifolds can be told apart perfectly, which leaves the generator no gradient; with
    noise they can't.

    References:
        Sonderby et al. 2017, "Amortised MAP inference for image super-resolution", arXiv 1610.04490.
        Arjovsky & Bottou 2017, "Towards principled methods for training GANs", arXiv 1701.04862, sec. 3.

    Arguments:
        sigma: standard deviation, in the units of the samples (pictures: [-1, 1]); a `Linear` schedule from
            0.1 to 0 over the run anneals it. Default 0.1.

    Shape: that of the samples.
    """

    sigma: Schedule = 0.1

    def __post_init__(self) -> None:
        if not min(at(self.sigma, 0), at(self.sigma, 10**18)) >= 0:
            raise ConfigError(f"noise of {self.sigma}", "a standard deviation of 0 or more", "0.1 is usual")

    def __call__(self, samples: Sample, draws: Draws, stream: str, images: int) -> Sample:
        sigma = at(self.sigma, images)
        if sigma == 0:
            return samples
        noise = draws.normal(f"{stream}.noise", *samples.shape[1:])[: len(samples)]
        return samples + sigma * noise
