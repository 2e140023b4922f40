"""Networks as exporters take them: on the CPU, without encoder, without data-dependent branches, with
parametrizations removed.
"""

import copy
import math

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from sparring.core.shapes import Labels, Latent, Sample
from sparring.games.autoencoder import FittedNormal
from sparring.games.naive_bayes import ClassStatistics
from sparring.games.two_stage import SecondStagePrior


def freeze(network: nn.Module) -> nn.Module:
    """A copy in evaluation mode that computes the same.

    What a trained model decides or computes once (a covariance's root, whether a second stage has begun, an odds' threshold) is
    put in as a number; weights that are normalised on the way are put in as they come out.
    """
    copied = copy.deepcopy(network).cpu().eval().requires_grad_(False)
    folded = _replace_modules(copied)
    for module in folded.modules():
        if parametrize.is_parametrized(module):
            _remove_parametrizations(module)
    return folded.requires_grad_(False)


def _remove_parametrizations(module: nn.Module) -> None:
    """Weights as they come out of their normalisation. (torch's own removal changes the class, which copies share.)"""
    parametrized = module._modules["parametrizations"]
    assert isinstance(parametrized, nn.ModuleDict)
    weights = {name: getattr(module, name).detach().clone() for name in parametrized}
    module.__class__ = type(module).__mro__[1]
    del module._modules["parametrizations"]
    for name, weight in weights.items():
        module.register_parameter(name, nn.Parameter(weight))


def _replace_modules(network: nn.Module) -> nn.Module:
    for name, child in network.named_children():
        setattr(network, name, _replace_modules(child))
    if isinstance(network, FittedNormal):
        return Affine(network.mean, network.factor())
    if isinstance(network, ClassStatistics):
        return _freeze_naive_bayes(network)
    return FrozenSecondStage(network) if isinstance(network, SecondStagePrior) else network


def _freeze_naive_bayes(counts: ClassStatistics) -> nn.Module:
    if counts.config.family == "bernoulli":
        return FrozenBernoulliNaiveBayes(torch.special.ndtri(counts.white_probability()), counts.shape)
    mean, variance = counts.mean_and_variance()
    return FrozenGaussianNaiveBayes(mean, variance.sqrt(), counts.shape)


class Affine(nn.Module):
    """z -> mean + L z."""

    mean: Tensor
    factor: Tensor

    def __init__(self, mean: Tensor, factor: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean.clone())
        self.register_buffer("factor", factor.clone())

    def forward(self, z: Latent) -> Latent:
        return self.mean + z @ self.factor.T


class FrozenSecondStage(nn.Module):
    """A second stage that has begun, or has not."""

    def __init__(self, stage: SecondStagePrior) -> None:
        super().__init__()
        self.decoder, self.size, self.begun = stage.decoder, stage.size, bool(stage.begun)

    def forward(self, z: Latent) -> Latent:
        start, noise = z.split(self.size, 1)
        if not self.begun:
            return start
        mean, scale = self.decoder.likelihood.mean_and_scale(self.decoder.network(start))
        codes: Tensor = mean + scale * noise
        return codes


class FrozenBernoulliNaiveBayes(nn.Module):
    """Naive Bayes of black and white: a pixel is white where z is below its class's threshold (compared in float64)."""

    bound: Tensor

    def __init__(self, bound: Tensor, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape
        self.register_buffer("bound", bound.clone())

    def forward(self, z: Latent, y: Labels | None = None) -> Sample:
        bound = self.bound[:1] if y is None or len(self.bound) == 1 else self.bound[y]
        return ((z.double() < bound).to(z.dtype) * 2 - 1).reshape(-1, *self.shape)


class FrozenGaussianNaiveBayes(nn.Module):
    """Naive Bayes of normal values: mean and deviation of each in each class."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, mean: Tensor, deviation: Tensor, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape, self.several = shape, len(mean) > 1
        self.register_buffer("mean", mean.float())
        self.register_buffer("deviation", deviation.float())

    def forward(self, z: Latent, y: Labels | None = None) -> Sample:
        if y is None or not self.several:
            flat = self.mean + self.deviation * z
        else:
            flat = self.mean[y] + self.deviation[y] * z
        return flat.reshape(-1, math.prod(self.shape)).reshape(-1, *self.shape)
