"""The normal posterior of the variational autoencoder, with the standard normal prior."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from sparring.distances.gaussian import kl_normal_to_standard, normal_log_density
from sparring.keyed import Draws
from sparring.posteriors.posterior import check_latent, check_outputs
from sparring.shapes import Latent, PerSample

SMALLEST = 1e-6  # standard deviation


class NormalDistribution:
    """N(mean, std^2) of one batch, both (b, d)."""

    def __init__(self, mean: Tensor, std: Tensor) -> None:
        self.mean, self.std = mean, std

    def sample(self, draws: Draws, stream: str, count: int = 1) -> Tensor:
        noise = draws.normal(stream, count, self.mean.shape[1]).transpose(0, 1)
        return self.mean + self.std * noise.to(self.mean)

    def log_prob(self, z: Tensor) -> Tensor:
        return normal_log_density(z, self.mean, self.std.log())

    def prior_log_prob(self, z: Tensor) -> Tensor:
        return normal_log_density(z, torch.zeros_like(z), torch.zeros_like(z))

    def kl(self) -> PerSample:
        return kl_normal_to_standard(self.mean, self.std.log())


@dataclass(frozen=True, kw_only=True)
class Normal:
    """A normal distribution with its own mean and standard deviation in each of d dimensions: z = mean + std * noise.

    std = softplus(raw) + 1e-6, as in the comparison with the sphere (Davidson et al.), which starts near 0.7 and is linear
    above; the paper's own exp(raw / 2) overflows where the first steps are large.

    References:
        Kingma & Welling 2014, "Auto-encoding variational Bayes", arXiv 1312.6114, Eq. 9-10 and appendix B.
        Davidson et al. 2018, "Hyperspherical variational auto-encoders", arXiv 1804.00891, sec. 5.

    Arguments:
        latent: d.

    >>> Normal(latent=5).code, Normal(latent=5).parameters
    (5, 10)
    """

    latent: int = 10

    def __post_init__(self) -> None:
        check_latent(self.latent, 65_536)

    @property
    def code(self) -> int:
        return self.latent

    @property
    def parameters(self) -> int:
        return 2 * self.latent

    @property
    def spread(self) -> float:
        return 1.0

    def distribution(self, raw: Tensor) -> NormalDistribution:
        mean, spread = check_outputs(raw, self.parameters).chunk(2, dim=1)
        return NormalDistribution(mean, F.softplus(spread) + SMALLEST)

    def prior(self, z: Latent) -> Latent:
        return z
