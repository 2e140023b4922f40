"""Inception score: confident and diverse class predictions."""

import torch
from torch import Tensor

from sparring.core.errors import ConfigError, DataError
from sparring.metrics.checks import ArrayLike, check_feature_matrix

TOLERANCE = 1e-3  # of the sum of a row of probabilities


def inception_score(logits: ArrayLike, splits: int = 10, probabilities: bool = False) -> tuple[float, float]:
    """Inception score: high where a classifier is confident of each sample and the samples are spread over the classes.

        IS = exp( E KL( p(y|x) || p(y) ) ),     p(y) = E p(y|x)

    It lies between 1 and the number of classes. It does not use real samples, and is blind to copies and to the diversity
    within a class. The samples are split in their order: they must not be sorted by class.

    >>> inception_score(torch.eye(4).repeat(5, 1), splits=5, probabilities=True)
    (4.0, 0.0)

    References: Salimans, Goodfellow, Zaremba, Cheung, Radford, Chen 2016, "Improved techniques for training GANs",
        arXiv 1606.03498, section 4.

    Arguments:
        logits: of the classifier for generated samples (m, k), before the softmax.
        splits: number of parts that are scored separately (default 10, as in the paper; 5,000 samples each there).
        probabilities: whether `logits` are probabilities instead.

    Returns:
        Mean and standard deviation over the splits (without Bessel's correction, as usual).

    Raises:
        ConfigError: no splits. DataError: too few samples, or probabilities in place of logits and the reverse.
    """
    if splits < 1:
        raise ConfigError(f"{splits} splits", "1 or more", "10 is usual")
    rows = check_feature_matrix(
        logits, "classifier's", splits, f"an inception score in {splits} splits"
    ).double()
    _check_logits(rows, probabilities)
    log_p = rows.log() if probabilities else rows.log_softmax(1)
    bounds = [part * len(rows) // splits for part in range(splits + 1)]
    scores = torch.stack([_score(log_p[a:b]) for a, b in zip(bounds, bounds[1:], strict=False)])
    return scores.mean().item(), scores.std(correction=0).item()


def _score(log_p: Tensor) -> Tensor:
    p = log_p.exp()
    entropy = -torch.special.entr(p).sum(1).mean()
    return (entropy + torch.special.entr(p.mean(0)).sum()).exp()


def _check_logits(rows: Tensor, probabilities: bool) -> None:
    are_probabilities = bool((rows >= 0).all() and ((rows.sum(1) - 1).abs() < TOLERANCE).all())
    if probabilities and not are_probabilities:
        raise DataError(
            "rows that are not probabilities", "values of at least 0 with sum 1", "omit probabilities=True"
        )
    if are_probabilities and not probabilities:
        raise DataError("probabilities in place of logits", "logits", "pass probabilities=True")
