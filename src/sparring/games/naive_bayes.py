"""Naive Bayes: values that are independent given the class. A minimal generative model and classifier.

    p(x, y) = p(y) prod_i p(x_i | y)
    bernoulli:  p(x_i = white | y) = (white pixels + a) / (n_y + 2 a)
    gaussian:   p(x_i | y) = N(mean of class y, its variance + floor)
    both:       p(y) = (n_y + a) / (n + a classes)

No gradients: one pass over the data accumulates counts and sums, which are the model; later passes change nothing.
Samples are a function of normal numbers z: white where z_i < Phi^-1(p_i) (bernoulli), mean_i + deviation_i z_i (gaussian).

References: Ng & Jordan 2001, "On discriminative vs. generative classifiers: a comparison of logistic
regression and naive Bayes", sec. 2 (the fit, with a = 1); Zheng et al. 2023, arXiv:2302.02334 (several
classes). Deviation: `variance_floor`, for pixels that are constant within a class.
"""

import math
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sparring.core.errors import ConfigError
from sparring.core.game import Batch, Game, Terms, Turn
from sparring.core.shapes import Labels, Latent, PerSample, Sample, SampleSpec
from sparring.models.generator import GeneratorModel


@dataclass(frozen=True, kw_only=True)
class NaiveBayesConfig:
    """Naive Bayes.

    Arguments:
        family: distribution of each value: `bernoulli` (values above mid-grey are white) or `gaussian`.
        smoothing: a, pseudo-counts (1 is Laplace smoothing).
        variance_floor: added to each variance, in units of [-1, 1] squared.
        shared_variance: one variance per pixel for all classes; the decision boundaries are then hyperplanes, as in logistic
            regression.

    Raises:
        ConfigError: smoothing or variance_floor not above 0.
    """

    family: Literal["bernoulli", "gaussian"] = "bernoulli"
    smoothing: float = 1.0
    variance_floor: float = 0.1
    shared_variance: bool = False

    def __post_init__(self) -> None:
        if self.smoothing <= 0 or self.variance_floor <= 0:
            got = f"smoothing {self.smoothing}, variance_floor {self.variance_floor}"
            raise ConfigError(
                got, "both above 0, so that no value has probability 0", "1.0 and 0.1 are usual"
            )

    def build_model(self, spec: SampleSpec) -> GeneratorModel:
        """The model before any data."""
        return GeneratorModel(ClassStatistics(self, spec), spec.numel, spec)

    def build(self, spec: SampleSpec) -> "NaiveBayes":
        """The game for samples of this shape; without labels there is one class.

        Raises:
            ConfigError: the family `bernoulli` for points.
        """
        if self.family == "bernoulli" and not spec.is_image:
            raise ConfigError("the family bernoulli for points", "images", "set game.family=gaussian")
        return NaiveBayes(self, spec)


class ClassStatistics(nn.Module):
    """The sufficient statistics of naive Bayes: per class the number of samples, and the sums of values and squares.

    Arguments:
        config: family, smoothing and variances.
        spec: of the samples.

    Shape: normal numbers (b, size) and labels (b,) to samples (b, *sample).
    """

    number: Tensor
    sums: Tensor
    squares: Tensor

    def __init__(self, config: NaiveBayesConfig, spec: SampleSpec) -> None:
        super().__init__()
        self.config, self.shape, self.classes = config, spec.shape, max(1, spec.num_classes)
        size = (self.classes, spec.numel)
        self.register_buffer("number", torch.zeros(self.classes, dtype=torch.float64))
        self.register_buffer("sums", torch.zeros(size, dtype=torch.float64))
        self.register_buffer("squares", torch.zeros(size, dtype=torch.float64))

    @torch.no_grad()
    def update(self, x: Sample, y: Labels | None) -> None:
        """Add samples (b, *sample) with labels (b,) to the statistics."""
        values, labels = self._values(x), self._labels(len(x), y)
        belongs = F.one_hot(labels, self.classes).double()
        self.number.add_(belongs.sum(0))
        self.sums.addmm_(belongs.T, values)
        self.squares.addmm_(belongs.T, values.square())

    def log_priors(self) -> Tensor:
        """log p(y) (classes,)."""
        smoothed = self.number + self.config.smoothing
        return (smoothed / smoothed.sum()).log()

    def white_probability(self) -> Tensor:
        """p(x_i = white | y) (classes, size), from values of 0 and 1."""
        a = self.config.smoothing
        return (self.sums + a) / (self.number[:, None] + 2 * a)

    def mean_and_variance(self) -> tuple[Tensor, Tensor]:
        """Mean and variance of p(x_i | y), both (classes, size)."""
        count = self.number.clamp_min(1)[:, None]
        mean = self.sums / count
        within = (self.squares / count - mean.square()).clamp_min(0)
        if self.config.shared_variance:
            shares = self.number[:, None] / self.number.sum().clamp_min(1)
            within = (shares * within).sum(0, keepdim=True).expand_as(mean)
        return mean, within + self.config.variance_floor

    def log_joint(self, x: Sample) -> Tensor:
        """log p(x, y) (b, classes), in float64."""
        values = self._values(x)
        if self.config.family == "bernoulli":
            white = self.white_probability()
            odds, black = white.log() - (-white).log1p(), (-white).log1p().sum(1)
            return values @ odds.T + black + self.log_priors()
        mean, variance = self.mean_and_variance()
        quadratic = values.square() @ (1 / variance).T - 2 * values @ (mean / variance).T
        constant = (mean.square() / variance + (2 * math.pi * variance).log()).sum(1)
        return -(quadratic + constant) / 2 + self.log_priors()

    def log_probabilities(self, x: Sample) -> Tensor:
        """log p(y|x) (b, classes), in float64."""
        return self.log_joint(x).log_softmax(1)

    def negative_log_joint(self, x: Sample, y: Labels | None) -> PerSample:
        """-log p(x, y) (b,)."""
        return -self.log_joint(x).gather(1, self._labels(len(x), y)[:, None]).squeeze(1)

    def forward(self, z: Latent, y: Labels | None = None) -> Sample:
        labels = self._labels(len(z), y)
        if self.config.family == "bernoulli":
            flat = torch.where(z < torch.special.ndtri(self.white_probability())[labels], 1.0, -1.0)
        else:
            mean, variance = self.mean_and_variance()
            flat = mean[labels] + variance.sqrt()[labels] * z
        return flat.to(z.dtype).view(-1, *self.shape)

    def _values(self, x: Sample) -> Tensor:
        flat = x.flatten(1)
        return (flat > 0).double() if self.config.family == "bernoulli" else flat.double()

    def _labels(self, count: int, y: Labels | None) -> Tensor:
        one_class = torch.zeros(count, dtype=torch.int64, device=self.number.device)
        return y if y is not None and self.classes > 1 else one_class


class NaiveBayes(Game):
    """Accumulates the statistics; no player is trained by gradients."""

    def __init__(self, config: NaiveBayesConfig, spec: SampleSpec) -> None:
        super().__init__()
        self.counts = ClassStatistics(config, spec)
        self.generation = GeneratorModel(self.counts, spec.numel, spec)

    @property
    def model(self) -> GeneratorModel:
        return self.generation

    def players(self) -> dict[str, nn.Module]:
        return {}

    def turns(self) -> list[Turn]:
        return [Turn(name="counts", players=(), terms=self._terms)]

    def _terms(self, batch: Batch) -> Terms:
        left = batch.count - batch.images - batch.rng.rows.start  # samples of the first pass from this row on
        new = max(0, min(len(batch.x), left))
        self.counts.update(batch.x[:new], None if batch.y is None else batch.y[:new])
        return Terms({"negative_log_likelihood": self.counts.negative_log_joint(batch.x, batch.y)}, {})
