"""Bernoulli likelihood of binary data: one probability per value."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sparring.core.errors import ConfigError, DataError
from sparring.core.rng import KeyedRandom
from sparring.core.shapes import DecoderOutput, PerSample, Sample, SampleSpec

Binarise = Literal["dynamic", "threshold", "none"]


@dataclass(frozen=True, kw_only=True)
class Bernoulli:
    """Each value is 1 with probability sigmoid(l) of the decoder's logit l, else 0.

        log p(x | l) = sum_i t_i l_i - log(1 + e^l_i),  t = (x + 1) / 2 in {0, 1}

    A likelihood of binary data only: on grey values the same sum is a cross-entropy, which can't be compared with a
    log-likelihood. Grey data is therefore binarised first by the rule `binarise`; with `none` it is refused.

    References:
        Kingma & Welling 2014, "Auto-encoding variational Bayes", arXiv 1312.6114, appendix C.1.
        Salakhutdinov & Murray 2008, "On the quantitative analysis of deep belief networks" (stochastic binarisation of MNIST).

    Arguments:
        binarise: `dynamic` draws each value anew every time, 1 with probability t; `threshold` sets values above mid-grey to 1;
            `none` expects values of -1 and 1.

    Shape: x (b, *sample) in [-1, 1] and logits of the same shape to (b,).

    >>> module = Bernoulli().build(SampleSpec(shape=(2,) * 3))
    >>> round(float(module(torch.ones(1, 2, 2, 2), torch.zeros(1, 2, 2, 2))) / 8, 4)  # log(1/2)
    -0.6931
    """

    binary: ClassVar[bool] = True
    binarise: Binarise = "dynamic"

    def decoder_output(self, spec: SampleSpec) -> SampleSpec:
        """One logit per value."""
        return spec

    def build(self, spec: SampleSpec) -> nn.Module:
        if not spec.is_image:
            raise ConfigError(
                "a Bernoulli likelihood of points",
                "images, whose values are bounded",
                "set game.likelihood=gaussian",
            )
        return BernoulliLikelihood(self.binarise)


class BernoulliLikelihood(nn.Module):
    """See `Bernoulli`."""

    def __init__(self, binarise: Binarise) -> None:
        super().__init__()
        self.binarise = binarise

    def prepare_data(self, x: Sample, rng: KeyedRandom) -> Sample:
        """Binarised data: values of -1 and 1."""
        if self.binarise == "threshold":
            return _to_binary(x > 0, x)
        if self.binarise == "dynamic":
            return _to_binary(rng.uniform("binarise", *x.shape[1:]).mul_(2).sub_(1) < x, x)
        self.check(x)
        return x

    def check(self, x: Sample) -> None:
        """Raises DataError for grey values where `binarise` is `none`."""
        if self.binarise == "none" and bool((x.abs() != 1).any()):
            raise DataError(
                "grey values for a Bernoulli likelihood with binarise=none",
                "binary data: cross-entropy on grey values is not a likelihood",
                "set game.likelihood.binarise=dynamic (or threshold), or game.likelihood=gaussian",
            )

    def forward(self, x: Sample, decoder_output: DecoderOutput) -> PerSample:
        nll = F.binary_cross_entropy_with_logits(decoder_output, x.add(1).mul_(0.5), reduction="none")
        return -nll.flatten(1).sum(1)

    def mean(self, decoder_output: DecoderOutput) -> Sample:
        """The probability of 1, as a value in [-1, 1]."""
        return 2 * torch.sigmoid(decoder_output) - 1

    def sample_data(self, decoder_output: Tensor, rng: KeyedRandom) -> Tensor:
        """A sample of x: values of -1 and 1."""
        white = rng.uniform("observation", *decoder_output.shape[1:]) < torch.sigmoid(decoder_output)
        return _to_binary(white, decoder_output)


def _to_binary(white: Tensor, like: Tensor) -> Tensor:
    return torch.where(white, 1.0, -1.0).to(like.dtype)
