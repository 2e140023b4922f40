"""Log-likelihood of latent-variable models by importance sampling, and the parts of the evidence lower bound."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from sparring.core.errors import DataError
from sparring.core.rng import KeyedRandom
from sparring.parts.posteriors import Distribution

SAMPLE_BLOCK, CODE_BLOCK = (
    50,
    100,
)  # samples and codes of each at once; the random numbers are keyed by these blocks
ACTIVE_UNIT_VARIANCE = 1e-2  # of the posterior mean over the data, above which a unit is active

EncodeFn = Callable[[Tensor, Tensor | None], Distribution]
LogLikelihoodFn = Callable[[Tensor, Tensor, Tensor | None], Tensor]


@dataclass(frozen=True, kw_only=True)
class LatentLikelihood:
    """Result of `latent_log_likelihood`, in nats per sample.

    Arguments:
        log_likelihood: mean of log p(x), a lower bound in expectation.
        standard_error: of this mean over the data.
        elbo, re, kl: the evidence lower bound RE - KL, the reconstruction term E log p(x|z) and the KL divergence.
        active_units: number of units of the code that depend on x.
        codes: size of the code.
        samples: number of importance samples per x.
        count: number of x.
    """

    log_likelihood: float
    standard_error: float
    elbo: float
    re: float
    kl: float
    active_units: int
    codes: int
    samples: int
    count: int


@torch.no_grad()
def latent_log_likelihood(
    encode: EncodeFn,
    explain: LogLikelihoodFn,
    x: Tensor,
    y: Tensor | None = None,
    *,
    samples: int = 500,
    seed: int = 0,
) -> LatentLikelihood:
    """Estimate log p(x) of a latent-variable model by importance sampling with k samples of the posterior q.

        log p(x) ~ log (1/k) sum_i p(x|z_i) p(z_i) / q(z_i|x),  z_i ~ q(z|x)

    In expectation it is below log p(x) and rises with k towards it; k = 1 gives the ELBO. The networks compute in their own
    precision, sums of weights in float64. The draws depend only on the seed and on the position of x in the data.

    A unit of the code is active if the variance of its posterior mean over the data is above 0.01.

    References:
        Burda, Grosse & Salakhutdinov 2016, "Importance weighted autoencoders", arXiv 1509.00519, eq. 8 and sec. 5.2 (active
        units); Rezende et al. 2014, arXiv 1401.4082, appendix E.

    Arguments:
        encode: from x (b, *sample) and labels to q(z|x).
        explain: from x, z (k, b, code) and labels to log p(x|z) (k, b), in nats.
        x: data (n, *sample), as the model takes it (binary for a Bernoulli likelihood).
        y: labels (n,) of a conditional model.
        samples: k; 200 to 5,000 are usual.
        seed: of the draws.

    Raises:
        DataError: fewer than 2 samples of data, or no importance samples.
    """
    if len(x) < 2 or samples < 1:
        raise DataError(
            f"{len(x)} samples of data, {samples} importance samples", "2 or more; 1 or more", "raise them"
        )
    each, re, kl, means = [], [], [], []
    for block, start in enumerate(range(0, len(x), SAMPLE_BLOCK)):
        part = x[start : start + SAMPLE_BLOCK]
        labels = None if y is None else y[start : start + SAMPLE_BLOCK]
        posterior = encode(part, labels)
        weights, explained = [], []
        for chunk, first in enumerate(range(0, samples, CODE_BLOCK)):
            draws = KeyedRandom(seed, (block, chunk), len(part), device=part.device)
            z = posterior.sample(draws, "likelihood", min(CODE_BLOCK, samples - first))
            likely = explain(part, z, labels).double()
            weights.append(likely + posterior.prior_log_prob(z).double() - posterior.log_prob(z).double())
            explained.append(likely)
        each.append(torch.cat(weights).logsumexp(0).cpu() - math.log(samples))
        re.append(torch.cat(explained).mean(0).cpu())
        kl.append(posterior.kl().double().cpu())
        means.append(posterior.mean.double().cpu())
    return _summarize(torch.cat(each), torch.cat(re), torch.cat(kl), torch.cat(means), samples)


def _summarize(each: Tensor, re: Tensor, kl: Tensor, means: Tensor, samples: int) -> LatentLikelihood:
    return LatentLikelihood(
        log_likelihood=float(each.mean()),
        standard_error=float(each.std() / len(each) ** 0.5),
        elbo=float(re.mean() - kl.mean()),
        re=float(re.mean()),
        kl=float(kl.mean()),
        active_units=int((means.var(0) > ACTIVE_UNIT_VARIANCE).sum()),
        codes=means.shape[1],
        samples=samples,
        count=len(each),
    )
