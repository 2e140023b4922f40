"""What an exported file computes: a network with named inputs, which of their sides are free, and numbers to try it on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sparring import keyed
from sparring.export.settle import settled
from sparring.games.classification import Classification, Kept
from sparring.games.coding import Encoder
from sparring.games.generation import Generation
from sparring.games.translation import Translation
from sparring.shapes import Labels, Latent, Sample, Spec

SAMPLES = 64  # that a file is tried on; fewer where they are large pictures
TRUNCATION = 0.7  # of every other batch that a file is tried on


@dataclass(frozen=True, kw_only=True)
class Graph:
    """One file's worth of a model.

    Arguments:
        name: `generator`, `encoder`, `classifier`, `a-to-b` or `b-to-a`.
        module: takes the inputs in their order.
        inputs: their names. output: its name.
        free: of each input the sides that may be of any size, as whole multiples of a number.
        probe: inputs to try it on, from a seed and a number of samples.
        scale: what differences are measured in: 1 for pictures, the data's scale for points.
        samples: how many to try it on.
    """

    name: str
    module: nn.Module
    inputs: tuple[str, ...]
    output: str
    free: tuple[dict[int, int], ...]
    probe: Callable[[int, int], tuple[Tensor, ...]]
    scale: float = 1.0
    samples: int = SAMPLES

    @torch.no_grad()
    def __call__(self, given: tuple[Tensor, ...]) -> Tensor:
        """What PyTorch makes of it."""
        made: Tensor = self.module(*given)
        return made


def graphs(kept: Kept, facts: Mapping[str, Any]) -> list[Graph]:
    """The files that a model comes to, the main one first.

    A generator (and its encoder, where it has one that needs no labels), a classifier, a translator in each of its directions.

    Arguments:
        kept: in evaluation mode.
        facts: with `units`.
    """
    if isinstance(kept, Translation):
        return [_translator(kept, direction) for direction in kept.directions]
    if isinstance(kept, Classification):
        return [_of_samples("classifier", settled(Telling(kept)), kept.spec, "log_probabilities")]
    found = [generator(kept, facts)]
    if isinstance(kept.encoder, Encoder):
        network = settled(kept.encoder)
        found.append(_of_samples("encoder", network, kept.spec, "code"))
    return found


def generator(generation: Generation, facts: Mapping[str, Any]) -> Graph:
    """From `latent` (b, z), `label` (b,) where the model is conditional, and the scalar `truncation` to `samples` (b, *sample): in
    [-1, 1], or points in the data's own units.
    """
    spec, classes = generation.spec, generation.spec.classes
    centre, scale = (torch.zeros(()), torch.ones(()))
    if not spec.is_image:
        centre, scale = (torch.tensor(facts["units"][name]) for name in ("centre", "scale"))

    def probe(seed: int, count: int) -> tuple[Tensor, ...]:
        z = keyed.latents(seed, range(count), generation.latent)
        truncation = torch.tensor(TRUNCATION if seed % 2 else 1.0)
        labels = (torch.arange(count) % classes,) if classes else ()
        return (z, *labels, truncation)

    made = Making if not classes else MakingOfClass
    names = ("latent", "label", "truncation") if classes else ("latent", "truncation")
    return Graph(
        name="generator",
        module=made(settled(generation.alone()), centre, scale),
        inputs=names,
        output="samples",
        free=(*({0: 1} for _ in names[:-1]), {}),
        probe=probe,
        scale=float(scale.max()) or 1.0,
    )


def _of_samples(name: str, network: nn.Module, spec: Spec, output: str) -> Graph:
    """From `sample` (b, *sample) as networks see them, and `label` where the network is told it."""
    told = name == "encoder" and spec.classes

    def probe(seed: int, count: int) -> tuple[Tensor, ...]:
        draws = keyed.Draws(seed, (), count)
        x = draws.uniform("export", *spec.shape) * 2 - 1
        return (x, torch.arange(count) % spec.classes) if told else (x,)

    inputs = ("sample", "label") if told else ("sample",)
    free: tuple[dict[int, int], ...] = tuple({0: 1} for _ in inputs)
    return Graph(name=name, module=network, inputs=inputs, output=output, free=free, probe=probe)


def _translator(translation: Translation, direction: str) -> Graph:
    """From `picture` (b, c, h, w) in [-1, 1] to `translated`, of any height and width that are whole multiples; only of the size
    that was trained on, where that is the multiple itself.
    """
    shape, network = translation.ends(direction)[0], translation.network(direction)
    multiple = multiple_of(network)
    sides = [max(multiple, side - side % multiple) for side in shape[1:]]
    free = {0: 1, 2: multiple, 3: multiple} if min(sides) > multiple else {0: 1}

    def probe(seed: int, count: int) -> tuple[Tensor, ...]:
        wider = [side + multiple * (seed % 2) * (len(free) > 1) for side in sides]
        return (keyed.Draws(seed, (), count).uniform("export", shape[0], *wider) * 2 - 1,)

    return Graph(
        name=direction,
        module=settled(network),
        inputs=("picture",),
        output="translated",
        free=(free,),
        probe=probe,
        samples=max(5, min(SAMPLES, SAMPLES * 64**2 // (sides[0] * sides[1]))),
    )


def multiple_of(network: nn.Module) -> int:
    """What the sides of a translator's pictures must be whole multiples of."""
    multiple = network.multiple
    assert isinstance(multiple, int)
    return multiple


class Making(nn.Module):
    """See `generator`: without labels."""

    centre: Tensor
    scale: Tensor

    def __init__(self, generation: nn.Module, centre: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.generation = generation
        self.register_buffer("centre", centre)
        self.register_buffer("scale", scale)

    def made(self, z: Latent, y: Labels | None) -> Sample:
        samples: Tensor = self.generation(z, y)
        return samples * self.scale + self.centre if self.scale.dim() else samples

    def forward(self, latent: Latent, truncation: Tensor) -> Sample:
        return self.made(latent * truncation, None)


class MakingOfClass(Making):
    """See `generator`: with labels."""

    def forward(self, latent: Latent, label: Labels, truncation: Tensor) -> Sample:  # type: ignore[override]
        return self.made(latent * truncation, label)


class Telling(nn.Module):
    """From samples to log p(y|x) (b, classes)."""

    def __init__(self, kept: Classification) -> None:
        super().__init__()
        self.kept = kept

    def forward(self, sample: Sample) -> Tensor:
        return self.kept.log_probabilities(sample)
