"""Normal posterior of the variational autoencoder with diagonal covariance and standard normal prior:
sampling, density, KL.

References: Kingma & Welling 2014, "Auto-encoding variational Bayes", arXiv 1312.6114, appendix B.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from sparring.core.rng import KeyedRandom
from sparring.core.shapes import Latent, PerSample
from sparring.parts.posteriors.base import check_latent, check_outputs


def kl_normal_to_standard(mean: Tensor, log_std: Tensor) -> Tensor:
    """KL(N(mean, std^2) || N(0, 1)) summed over the last axis, in nats: sum (mean^2 + std^2 - 1 - 2 log std) / 2.

    Arguments:
        mean, log_std: (..., d).

    >>> kl_normal_to_standard(torch.tensor([[3.0, 4.0]]), torch.zeros(1, 2)).tolist()
    [12.5]
    """
    return (mean**2 + torch.expm1(2 * log_std) - 2 * log_std).sum(-1) / 2


def kl_normals(mean: Tensor, log_std: Tensor, other_mean: Tensor, other_log_std: Tensor) -> Tensor:
    """KL(N(mean, std^2) || N(other_mean, other_std^2)) summed over the last axis, in nats.

    Arguments:
        mean, log_std, other_mean, other_log_std: (..., d).
    """
    return kl_normal_to_standard((mean - other_mean) * torch.exp(-other_log_std), log_std - other_log_std)


def normal_log_density(z: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
    """log N(z; mean, std^2) summed over the last axis, in nats.

    Arguments:
        z, mean, log_std: (..., d).
    """
    half_log_tau = 0.9189385332046727  # log(2 pi) / 2
    return -(((z - mean) * torch.exp(-log_std)) ** 2 / 2 + log_std + half_log_tau).sum(-1)


MIN_STD = 1e-6  # standard deviation


class NormalDistribution:
    """N(mean, std^2) of one batch, both (b, d)."""

    def __init__(self, mean: Tensor, std: Tensor) -> None:
        self.mean, self.std = mean, std

    def sample(self, rng: KeyedRandom, stream: str, count: int = 1) -> Tensor:
        noise = rng.normal(stream, count, self.mean.shape[1]).transpose(0, 1)
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
        latent: dimension of a code (d), 1 to 65,536.

    >>> Normal(latent=5).code_size, Normal(latent=5).num_parameters
    (5, 10)
    """

    latent: int = 10

    def __post_init__(self) -> None:
        check_latent(self.latent, 65_536)

    @property
    def code_size(self) -> int:
        return self.latent

    @property
    def num_parameters(self) -> int:
        return 2 * self.latent

    @property
    def prior_std(self) -> float:
        return 1.0

    def distribution(self, raw: Tensor) -> NormalDistribution:
        mean, spread = check_outputs(raw, self.num_parameters).chunk(2, dim=1)
        return NormalDistribution(mean, F.softplus(spread) + MIN_STD)

    def prior(self, z: Latent) -> Latent:
        return z
