"""Likelihoods: log p(x|z) of a sample given the decoder's output, in nats."""

from typing import ClassVar, Protocol, runtime_checkable

from torch import nn

from sparring.core.shapes import SampleSpec
from sparring.parts.likelihoods.bernoulli import Bernoulli
from sparring.parts.likelihoods.gaussian import Gaussian
from sparring.parts.likelihoods.logistic import DiscretisedLogistic


@runtime_checkable
class Likelihood(Protocol):
    """Settings of a module `forward(x (b, *sample), decoded) -> log p(x | decoded) (b,)`, in nats.

    The module's `mean(decoder_output)` is the mean sample, in [-1, 1]; its `prepare_data(x, rng)` is the data that the model is
    fitted to (a Bernoulli likelihood binarises grey values). `decoder_output(spec)` is the spec of the decoder's unbounded output.
    `binary`: whether prepared data has the values -1 and 1 only.
    """

    binary: ClassVar[bool]

    def decoder_output(self, spec: SampleSpec) -> SampleSpec: ...

    def build(self, spec: SampleSpec) -> nn.Module: ...


LIKELIHOODS: dict[str, type[Likelihood]] = {
    "bernoulli": Bernoulli,
    "gaussian": Gaussian,
    "discretised_logistic": DiscretisedLogistic,
}

__all__ = ["LIKELIHOODS", "Bernoulli", "DiscretisedLogistic", "Gaussian", "Likelihood"]
