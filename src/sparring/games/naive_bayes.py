"""Naive Bayes: in each class every value is drawn by itself. The smallest generative model, which can also tell classes.

    p(x, y) = p(y) prod_i p(x_i | y)
    bernoulli:  p(x_i = white | y) = (white pixels + a) / (n_y + 2 a)
    gaussian:   p(x_i | y) = N(mean of class y, its variance + floor)
    both:       p(y) = (n_y + a) / (n + a classes)

Nothing descends a slope: one pass over the data counts, and the counts are the model. Later passes change nothing.
Sampling maps normal numbers z: a pixel is white where z_i < Phi^-1(p_i); mean_i + deviation_i z_i.

References: Ng & Jordan 2001, "On discriminative vs. generative classifiers: a comparison of logistic regression and naive Bayes",
sec. 2 (the fit, with a = 1); Zheng et al. 2023, arXiv:2302.02334 (several classes).
Deviation: `floor`, for pixels that never change.
"""

import math
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sparring.errors import ConfigError
from sparring.game import Batch, Game, Terms, Turn
from sparring.games.generation import Generation
from sparring.shapes import Labels, Latent, PerSample, Sample, Spec


@dataclass(frozen=True, kw_only=True)
class NaiveBayesConfig:
    """Naive Bayes.

    Arguments:
        family: of each value: `bernoulli` (above mid-grey is white) or `gaussian`.
        smoothing: a, samples of each kind that are taken for seen beforehand.
        floor: variance added to each normal distribution, in units of [-1, 1] squared.
        shared: one variance a pixel for all classes, which then are divided by planes, as by logistic regression.
    """

    family: Literal["bernoulli", "gaussian"] = "bernoulli"
    smoothing: float = 1.0
    floor: float = 0.1
    shared: bool = False

    def __post_init__(self) -> None:
        if self.smoothing <= 0 or self.floor <= 0:
            got = f"smoothing {self.smoothing}, floor {self.floor}"
            raise ConfigError(
                got, "both above 0, or what was never seen is impossible", "1.0 and 0.1 are usual"
            )

    def kept(self, spec: Spec) -> Generation:
        """The model, which has seen nothing."""
        return Generation(Counts(self, spec), spec.size, spec)

    def build(self, spec: Spec) -> "NaiveBayes":
        """The game for samples of this kind; without labels all are of one class."""
        if self.family == "bernoulli" and not spec.is_image:
            raise ConfigError(
                "naive Bayes of black and white, for points", "pictures", "set game.family=gaussian"
            )
        return NaiveBayes(self, spec)


class Counts(nn.Module):
    """The model: how many samples of each class there were, and the sums of their values and squares.

    Arguments:
        config: the rules.
        spec: of the samples.

    Shape: normal numbers (b, size) and labels (b,) to samples (b, *sample).
    """

    number: Tensor
    sums: Tensor
    squares: Tensor

    def __init__(self, config: NaiveBayesConfig, spec: Spec) -> None:
        super().__init__()
        self.config, self.shape, self.classes = config, spec.shape, max(1, spec.classes)
        size = (self.classes, spec.size)
        self.register_buffer("number", torch.zeros(self.classes, dtype=torch.float64))
        self.register_buffer("sums", torch.zeros(size, dtype=torch.float64))
        self.register_buffer("squares", torch.zeros(size, dtype=torch.float64))

    @torch.no_grad()
    def take_in(self, x: Sample, y: Labels | None) -> None:
        """Count samples."""
        values, labels = self._values(x), self._labels(len(x), y)
        belongs = F.one_hot(labels, self.classes).double()
        self.number.add_(belongs.sum(0))
        self.sums.addmm_(belongs.T, values)
        self.squares.addmm_(belongs.T, values.square())

    def priors(self) -> Tensor:
        """log p(y) (classes,)."""
        smoothed = self.number + self.config.smoothing
        return (smoothed / smoothed.sum()).log()

    def white(self) -> Tensor:
        """p(x_i = white | y) (classes, size), from values of 0 and 1."""
        a = self.config.smoothing
        return (self.sums + a) / (self.number[:, None] + 2 * a)

    def normal(self) -> tuple[Tensor, Tensor]:
        """Mean and variance of p(x_i | y), both (classes, size)."""
        seen = self.number.clamp_min(1)[:, None]
        mean = self.sums / seen
        within = (self.squares / seen - mean.square()).clamp_min(0)
        if self.config.shared:
            shares = self.number[:, None] / self.number.sum().clamp_min(1)
            within = (shares * within).sum(0, keepdim=True).expand_as(mean)
        return mean, within + self.config.floor

    def joint(self, x: Sample) -> Tensor:
        """log p(x, y) (b, classes), in float64."""
        values = self._values(x)
        if self.config.family == "bernoulli":
            white = self.white()
            odds, black = white.log() - (-white).log1p(), (-white).log1p().sum(1)
            return values @ odds.T + black + self.priors()
        mean, variance = self.normal()
        quadratic = values.square() @ (1 / variance).T - 2 * values @ (mean / variance).T
        constant = (mean.square() / variance + (2 * math.pi * variance).log()).sum(1)
        return -(quadratic + constant) / 2 + self.priors()

    def log_probabilities(self, x: Sample) -> Tensor:
        return self.joint(x).log_softmax(1)

    def explained(self, x: Sample, y: Labels | None) -> PerSample:
        """-log p(x, y) (b,)."""
        return -self.joint(x).gather(1, self._labels(len(x), y)[:, None]).squeeze(1)

    def forward(self, z: Latent, y: Labels | None = None) -> Sample:
        labels = self._labels(len(z), y)
        if self.config.family == "bernoulli":
            flat = torch.where(z < torch.special.ndtri(self.white())[labels], 1.0, -1.0)
        else:
            mean, variance = self.normal()
            flat = mean[labels] + variance.sqrt()[labels] * z
        return flat.to(z.dtype).view(-1, *self.shape)

    def _values(self, x: Sample) -> Tensor:
        flat = x.flatten(1)
        return (flat > 0).double() if self.config.family == "bernoulli" else flat.double()

    def _labels(self, count: int, y: Labels | None) -> Tensor:
        alike = torch.zeros(count, dtype=torch.int64, device=self.number.device)
        return y if y is not None and self.classes > 1 else alike


class NaiveBayes(Game):
    """The game of none: the data is counted."""

    def __init__(self, config: NaiveBayesConfig, spec: Spec) -> None:
        super().__init__()
        self.counts = Counts(config, spec)
        self.generation = Generation(self.counts, spec.size, spec)

    @property
    def kept(self) -> Generation:
        return self.generation

    def players(self) -> dict[str, nn.Module]:
        return {}

    def turns(self) -> list[Turn]:
        return [Turn(name="counts", players=(), terms=self._terms)]

    def _terms(self, batch: Batch) -> Terms:
        new = max(0, min(len(batch.x), batch.count - batch.images - batch.draws.rows.start))
        self.counts.take_in(batch.x[:new], None if batch.y is None else batch.y[:new])
        return Terms({"surprise": self.counts.explained(batch.x, batch.y)}, {})
