"""Attribute scorers: differentiable functions from samples to attributes (log-odds of classes, image
statistics).

Directions are found and measured by them.
"""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from sparring.core.errors import SparringError, did_you_mean
from sparring.core.shapes import Sample, SampleSpec
from sparring.features.classifier import IMAGE_SIZE, ClassifierExtractor
from sparring.features.resize import resize
from sparring.inference.latent.decoding import decode
from sparring.models.generator import GeneratorModel


class AttributeScorer(Protocol):
    """From samples (n, *sample), as a generator makes them, to attributes (n, k) float32, with gradients.

    `names` of the attributes. `classes`: the first so many are the log-odds of classes, log p / (1 - p); the others are numbers.
    """

    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def classes(self) -> int: ...
    def __call__(self, x: Sample) -> Tensor: ...


def attribute_index(scorer: AttributeScorer, attribute: str | int) -> int:
    """The number of an attribute given by name or number.

    Raises:
        SparringError: there is none.
    """
    names = list(scorer.names)
    if str(attribute) in names:
        return names.index(str(attribute))
    if str(attribute).isdigit() and int(attribute) < len(names):
        return int(attribute)
    raise SparringError(
        f"attribute {attribute!r}", f"one of: {', '.join(names)}", did_you_mean(str(attribute), names)
    )


class ClassScorer:
    """Log-odds of the classes of a labelled set, by a small classifier of it.

    Arguments:
        classifier: see `features.classifier`.
    """

    def __init__(self, classifier: ClassifierExtractor) -> None:
        self.classifier = classifier
        self.names, self.classes = tuple(classifier.classes), len(classifier.classes)

    def __call__(self, x: Sample) -> Tensor:
        shown = (composite(x).clamp(-1, 1) + 1) * 127.5
        seen = resize(shown.expand(-1, self.classifier.channels, -1, -1), IMAGE_SIZE, IMAGE_SIZE) / 127.5 - 1
        logits = self.classifier.network(seen).logits.float()
        return log_odds(logits)


def log_odds(logits: Tensor) -> Tensor:
    """log p_k / (1 - p_k) of softmax (n, k), without loss where p is near 1.

    >>> [round(float(v), 3) for v in log_odds(torch.tensor([[2.0, 0.0]]))[0]]
    [2.0, -2.0]
    """
    count = logits.shape[1]
    others = (
        logits[:, None]
        .expand(-1, count, -1)
        .masked_fill(torch.eye(count, device=logits.device) > 0, -torch.inf)
    )
    return logits - others.logsumexp(2)


class StatisticsScorer:
    """Plain numbers of a image, from its values v in [0, 1] and their weight w = v / sum v:

        brightness  mean v                       contrast  standard deviation of v
        width, height  deviation of w across and down, as a share of the side      x, y  its centre, right and downwards
        redness, blueness  mean of red (blue) less green, where there is colour

    Transparent images lie on black. A point's numbers are its coordinates.

    Arguments:
        spec: of the samples.
    """

    classes = 0

    def __init__(self, spec: SampleSpec) -> None:
        self.spec = spec
        colour = ("redness", "blueness") if spec.is_image and spec.shape[0] >= 3 else ()
        shapes = ("brightness", "contrast", "width", "height", "x", "y", *colour)
        self.names = shapes if spec.is_image else tuple(f"coordinate {k}" for k in range(spec.shape[0]))

    def __call__(self, x: Sample) -> Tensor:
        if not self.spec.is_image:
            return x.float()
        shown = (composite(x, -1.0).float().clamp(-1, 1) + 1) / 2
        v = shown.mean(1)
        flat = v.flatten(1)
        columns = [flat.mean(1), flat.std(1, unbiased=False)]
        across, down = _centroid_and_spread(v.sum(1)), _centroid_and_spread(v.sum(2))
        columns += [across[1], down[1], across[0], down[0]]
        if shown.shape[1] == 3:
            red, green, blue = shown.mean((2, 3)).unbind(1)
            columns += [red - green, blue - green]
        return torch.stack(columns, 1)


class CombinedScorer:
    """Several judges as one, those of classes first."""

    def __init__(self, scorers: Sequence[AttributeScorer]) -> None:
        assert all(judge.classes == 0 for judge in scorers[1:])
        self.scorers, self.classes = list(scorers), scorers[0].classes
        self.names = tuple(name for judge in scorers for name in judge.names)

    def __call__(self, x: Sample) -> Tensor:
        return torch.cat([judge(x) for judge in self.scorers], 1)


def composite(x: Sample, background: float = 1.0) -> Sample:
    """Images of 4 channels on paper of this shade; others as they are."""
    if x.shape[1] != 4:
        return x
    alpha = (x[:, 3:].clamp(-1, 1) + 1) / 2
    return x[:, :3] * alpha + background * (1 - alpha)


def _centroid_and_spread(mass: Tensor) -> tuple[Tensor, Tensor]:
    """Centre and deviation (n,) of masses (n, side), as shares of the side."""
    side = mass.shape[1]
    places = (torch.arange(side, device=mass.device) + 0.5) / side
    weights = mass / mass.sum(1, keepdim=True).clamp_min(1e-6)
    centre = (weights * places).sum(1)
    spread = (weights * (places - centre[:, None]).square()).sum(1)
    return centre, (spread + 1e-12).sqrt()


@torch.no_grad()
def score_latents(
    generation: GeneratorModel, scorer: AttributeScorer, z: Tensor, y: Tensor | None = None
) -> Tensor:
    """What the judge sees in the samples of latents: float32 (n, attributes), on the CPU."""
    device = generation.shares.device
    parts = [
        scorer(decode(generation, z[rows], None if y is None else y[rows]).to(device)).float().cpu()
        for rows in torch.arange(len(z)).split(256)
    ]
    return torch.cat(parts)
