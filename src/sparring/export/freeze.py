"""Networks in the form that exporters need: on the CPU, without data-dependent branches, with parametrizations
removed.
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
    """A copy in evaluation mode with the same outputs.

    Values that a trained model computes once (the root of a covariance, whether the second stage has begun, the thresholds of
    naive Bayes) become constants, and normalised weights are stored after normalisation.
    """
    frozen = _replace_modules(copy.deepcopy(network).cpu().eval().requires_grad_(False))
    for module in frozen.modules():
        if parametrize.is_parametrized(module):
            _remove_parametrizations(module)
    return frozen.requires_grad_(False)


def _remove_parametrizations(module: nn.Module) -> None:
    """Replace parametrized weights by their current values. (torch's own removal changes the class, which copies share.)"""
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
    """The second stage of a two-stage VAE, with the decision whether it has begun as a constant."""

    def __init__(self, stage: SecondStagePrior) -> None:
        super().__init__()
        self.decoder, self.size, self.has_begun = stage.decoder, stage.size, bool(stage.begun)

    def forward(self, z: Latent) -> Latent:
        start, noise = z.split(self.size, 1)
        if not self.has_begun:
            return start
        mean, scale = self.decoder.likelihood.mean_and_scale(self.decoder.network(start))
        codes: Tensor = mean + scale * noise
        return codes


class FrozenBernoulliNaiveBayes(nn.Module):
    """Bernoulli naive Bayes: a pixel is white where z is below the threshold of its class (compared in float64)."""

    thresholds: Tensor

    def __init__(self, thresholds: Tensor, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape
        self.register_buffer("thresholds", thresholds.clone())

    def forward(self, z: Latent, y: Labels | None = None) -> Sample:
        thresholds = self.thresholds[:1] if y is None or len(self.thresholds) == 1 else self.thresholds[y]
        return ((z.double() < thresholds).to(z.dtype) * 2 - 1).reshape(-1, *self.shape)


class FrozenGaussianNaiveBayes(nn.Module):
    """Gaussian naive Bayes: samples are mean + std * z, with the mean and std of each value in each class."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Tensor, std: Tensor, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape, self.is_conditional = shape, len(mean) > 1
        self.register_buffer("mean", mean.float())
        self.register_buffer("std", std.float())

    def forward(self, z: Latent, y: Labels | None = None) -> Sample:
        if y is None or not self.is_conditional:
            flat = self.mean + self.std * z
        else:
            flat = self.mean[y] + self.std[y] * z
        return flat.reshape(-1, math.prod(self.shape)).reshape(-1, *self.shape)
