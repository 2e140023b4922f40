"""Classification accuracy score (CAS): a classifier trained on generated samples, tested on real ones."""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from sparring.core.errors import ConfigError, DataError
from sparring.metrics.checks import ArrayLike, check_features
from sparring.metrics.mode_coverage import check_class_indices

MAX_ITERATIONS = 1_000  # about twice what 784 features of 5,000 samples need


class ClassificationAccuracy(NamedTuple):
    """Result of `classification_accuracy_score`.

    Arguments:
        accuracy: share of the real samples that are classified correctly.
        standard_error: of `accuracy`, sqrt(a (1 - a) / n).
        per_class: accuracy by class; low for classes that the generator renders badly or not at all.
    """

    accuracy: float
    standard_error: float
    per_class: dict[int, float]


def classification_accuracy_score(
    real: ArrayLike,
    real_labels: ArrayLike,
    fake: ArrayLike,
    fake_labels: ArrayLike,
    *,
    weight_decay: float = 1.0,
) -> ClassificationAccuracy:
    """Accuracy on real samples of a classifier that was trained on generated ones (CAS); higher is better.

    Deviation: the paper trains a ResNet on images. Here the classifier is multinomial logistic regression on features,
    which is convex, so that the same samples give the same number:

        min_{W, b} sum_i -log softmax(W f_i + b)[y_i] + weight_decay / 2 |W|^2

    with features f standardised by the mean and standard deviation of the generated ones. Compare with the score of as
    many *real* training samples, which is the upper limit: good-looking samples are often far below it.

    References: Ravuri & Vinyals 2019, "Classification accuracy score for conditional generative models",
        arXiv 1905.10887.

    Arguments:
        real: features of held-out real samples (n, d).
        real_labels: their classes (n,).
        fake: features of generated samples (m, d).
        fake_labels: the classes that they were generated for (m,). A class without any is never predicted.
        weight_decay: L2 penalty (1.0: a standard normal prior on the weights).

    Raises:
        ConfigError: a weight decay that is not positive. DataError: features or labels that do not fit, or one class only.
    """
    if not 0 < weight_decay < math.inf:
        raise ConfigError(f"weight_decay {weight_decay}", "a positive number", "1.0 is usual")
    test, train = check_features(real, fake, need=2, what="classification accuracy score")
    y, fake_y = _check_labels(real_labels, test, "real"), _check_labels(fake_labels, train, "fake")
    present, targets = fake_y.unique(return_inverse=True)
    if len(present) < 2:
        raise DataError(
            f"generated samples of class {present[0].item()} alone",
            "two classes or more",
            "generate samples of all classes",
        )
    mean, std = train.mean(0), train.std(0)
    scale = torch.where(std > 0, 1 / std, 0.0)
    w, b = fit_logistic_regression((train - mean) * scale, targets, weight_decay)
    is_correct = present[((test - mean) * scale @ w + b).argmax(1)] == y
    accuracy = is_correct.double().mean().item()
    per_class = {int(label): is_correct[y == label].double().mean().item() for label in y.unique()}
    return ClassificationAccuracy(accuracy, math.sqrt(accuracy * (1 - accuracy) / len(y)), per_class)


def _check_labels(labels: ArrayLike, samples: Tensor, name: str) -> Tensor:
    numbers = check_class_indices(labels, name=name)
    if len(numbers) != len(samples):
        raise DataError(
            f"{len(numbers):,} labels for {len(samples):,} {name} samples",
            "one label per sample",
            "pass the labels of these samples",
        )
    return numbers


def fit_logistic_regression(features: Tensor, targets: Tensor, weight_decay: float) -> tuple[Tensor, Tensor]:
    """Weights (d, k) and biases (k,) of multinomial logistic regression; the biases are not decayed.

    Arguments:
        features: float64 (n, d), roughly standardised.
        targets: classes (n,) from 0 to k - 1, each of which occurs.
        weight_decay: L2 penalty, relative to the sum (not the mean) of the losses of the samples.
    """
    count, classes = len(targets), int(targets.max()) + 1
    w = torch.zeros(features.shape[1], classes, dtype=features.dtype, requires_grad=True)
    b = torch.zeros(classes, dtype=features.dtype, requires_grad=True)
    solver = torch.optim.LBFGS(
        [w, b],
        max_iter=MAX_ITERATIONS,
        history_size=20,
        tolerance_grad=1e-5,
        tolerance_change=1e-12,
        line_search_fn="strong_wolfe",
    )

    def loss() -> Tensor:
        solver.zero_grad()
        value = F.cross_entropy(features @ w + b, targets) + weight_decay / (2 * count) * w.square().sum()
        value.backward()
        return value

    with torch.enable_grad():
        solver.step(loss)
    return w.detach(), b.detach()
