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

    Its `mean(decoded)` is the sample that is shown, in [-1, 1]; its `given(x, draws)` is the data as the model takes it
    (a Bernoulli model draws black and white from grey). `decoded(spec)` is what the decoder has to make, without bounds.
    `binary` says whether that data has two values.
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
