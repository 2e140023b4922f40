"""Attribute scorers: differentiable functions from samples to attributes (log-odds of classes, image
statistics), by which directions are found and measured.
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
    """A differentiable function from samples (n, *sample) of a generator to attributes (n, k) float32.

    `names` are those of the k attributes. The first `num_classes` of them are log-odds of classes, log p / (1 - p).
    """

    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def num_classes(self) -> int: ...
    def __call__(self, x: Sample) -> Tensor: ...


def attribute_index(scorer: AttributeScorer, attribute: str | int) -> int:
    """The index of an attribute.

    Arguments:
        attribute: its name or index.

    Raises:
        SparringError: the scorer has no such attribute.
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
    """Log-odds of the classes of a labelled data set, by a small classifier that was fitted to it.

    Arguments:
        classifier: see `features.classifier`.
    """

    def __init__(self, classifier: ClassifierExtractor) -> None:
        self.classifier = classifier
        self.names, self.num_classes = tuple(classifier.classes), len(classifier.classes)

    def __call__(self, x: Sample) -> Tensor:
        pixels = (composite(x).clamp(-1, 1) + 1) * 127.5
        resized = resize(pixels.expand(-1, self.classifier.channels, -1, -1), IMAGE_SIZE, IMAGE_SIZE)
        logits = self.classifier.network(resized / 127.5 - 1).logits.float()
        return log_odds(logits)


def log_odds(logits: Tensor) -> Tensor:
    """log p_k / (1 - p_k) of a softmax, from its logits (n, k); accurate also where p is close to 1.

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
    """Statistics of an image, from its values v in [0, 1] and their weights w = v / sum v:

        brightness         mean of v
        contrast           standard deviation of v
        x, y               mean of w to the right and down, as a fraction of the side
        width, height      standard deviation of w across and down, as a fraction of the side
        redness, blueness  mean of red (blue) minus green, for colour images

    Transparent images are composited on black. The attributes of a point are its coordinates.

    Arguments:
        spec: of the samples.
    """

    num_classes = 0

    def __init__(self, spec: SampleSpec) -> None:
        self.spec = spec
        colour = ("redness", "blueness") if spec.is_image and spec.shape[0] >= 3 else ()
        names = ("brightness", "contrast", "width", "height", "x", "y", *colour)
        self.names = names if spec.is_image else tuple(f"coordinate {k}" for k in range(spec.shape[0]))

    def __call__(self, x: Sample) -> Tensor:
        if not self.spec.is_image:
            return x.float()
        pixels = (composite(x, -1.0).float().clamp(-1, 1) + 1) / 2
        v = pixels.mean(1)
        flat = v.flatten(1)
        columns = [flat.mean(1), flat.std(1, unbiased=False)]
        across, down = _centroid_and_spread(v.sum(1)), _centroid_and_spread(v.sum(2))
        columns += [across[1], down[1], across[0], down[0]]
        if pixels.shape[1] == 3:
            red, green, blue = pixels.mean((2, 3)).unbind(1)
            columns += [red - green, blue - green]
        return torch.stack(columns, 1)


class CombinedScorer:
    """The attributes of several scorers together; only the first one may have classes."""

    def __init__(self, scorers: Sequence[AttributeScorer]) -> None:
        assert all(scorer.num_classes == 0 for scorer in scorers[1:])
        self.scorers, self.num_classes = list(scorers), scorers[0].num_classes
        self.names = tuple(name for scorer in scorers for name in scorer.names)

    def __call__(self, x: Sample) -> Tensor:
        return torch.cat([scorer(x) for scorer in self.scorers], 1)


def composite(x: Sample, background: float = 1.0) -> Sample:
    """Composite images with an alpha channel, whose colours are multiplied by it, on a background of one grey level; others are
    returned unchanged.
    """
    if x.shape[1] != 4:
        return x
    alpha = (x[:, 3:].clamp(-1, 1) + 1) / 2
    return x[:, :3] + background * (1 - alpha)


def _centroid_and_spread(mass: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (n,) of distributions `mass` (n, side), as fractions of the side."""
    side = mass.shape[1]
    positions = (torch.arange(side, device=mass.device) + 0.5) / side
    weights = mass / mass.sum(1, keepdim=True).clamp_min(1e-6)
    centre = (weights * positions).sum(1)
    variance = (weights * (positions - centre[:, None]).square()).sum(1)
    return centre, (variance + 1e-12).sqrt()


@torch.no_grad()
def score_latents(
    generation: GeneratorModel, scorer: AttributeScorer, z: Tensor, y: Tensor | None = None
) -> Tensor:
    """The attributes of the samples of latents (n, z): float32 (n, attributes), on the CPU."""
    device = generation.shares.device
    parts = [
        scorer(decode(generation, z[rows], None if y is None else y[rows]).to(device)).float().cpu()
        for rows in torch.arange(len(z)).split(256)
    ]
    return torch.cat(parts)
