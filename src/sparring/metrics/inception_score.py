"""Inception score: confident and diverse class predictions."""

import torch
from torch import Tensor

from sparring.core.errors import ConfigError, DataError
from sparring.metrics.checks import ArrayLike, check_feature_matrix

TOLERANCE = 1e-3  # of a row of probabilities' sum


def inception_score(logits: ArrayLike, splits: int = 10, probabilities: bool = False) -> tuple[float, float]:
    """How sure a classifier is of each sample, and how evenly the samples fall into classes: from 1 to the number of classes.

        IS = exp( E KL( p(y|x) || p(y) ) ),     p(y) = E p(y|x)

    It knows nothing of the real samples, and says nothing about copies or about variety within a class. The samples are
    split in the order in which they come: they must not be sorted by class.

    >>> inception_score(torch.eye(4).repeat(5, 1), splits=5, probabilities=True)
    (4.0, 0.0)

    References: Salimans, Goodfellow, Zaremba, Cheung, Radford, Chen 2016, "Improved techniques for training GANs",
        arXiv 1606.03498, section 4.

    Arguments:
        logits: of the classifier for generated samples (m, k), before the softmax.
        splits: parts of which each gives a score (default 10, as in the paper; 5,000 samples each there).
        probabilities: `logits` are probabilities already.

    Result: mean and standard deviation over the splits (of the splits themselves, without correction, as usual).
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
    looks = bool((rows >= 0).all() and ((rows.sum(1) - 1).abs() < TOLERANCE).all())
    if probabilities and not looks:
        raise DataError(
            "rows that are no probabilities", "0 or more, with sum 1", "leave probabilities=True out"
        )
    if looks and not probabilities:
        raise DataError("probabilities in place of logits", "logits", "say probabilities=True")
