"""What an exported file computes: a network with named inputs, its dynamic axes, example inputs, and its
metadata.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sparring.core import rng
from sparring.core.shapes import Labels, Latent, Sample, SampleSpec
from sparring.core.version import __version__
from sparring.export.freeze import freeze
from sparring.models.classifier import ClassifierModel
from sparring.models.generator import GeneratorModel
from sparring.models.model import Model
from sparring.models.translator import TranslatorModel

PARITY_SAMPLES = 64  # that a file is tried on; fewer where they are large images
PARITY_TRUNCATION = 0.7  # of every other batch that a file is tried on


@dataclass(frozen=True, kw_only=True)
class Graph:
    """One file's worth of a model.

    Arguments:
        name: `build_generator_graph`, `encoder`, `classifier`, `a-to-b` or `b-to-a`.
        module: takes the inputs in their order.
        inputs: their names. output: its name.
        free: of each input the sides that may be of any size, as whole multiples of a number.
        probe: inputs to try it on, from a seed and a number of samples.
        scale: what differences are measured in: 1 for images, the data's scale for points.
        samples: how many to try it on.
    """

    name: str
    module: nn.Module
    inputs: tuple[str, ...]
    output: str
    dynamic_axes: tuple[dict[int, int], ...]
    example_inputs: Callable[[int, int], tuple[Tensor, ...]]
    scale: float = 1.0
    samples: int = PARITY_SAMPLES

    @torch.no_grad()
    def __call__(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """What PyTorch makes of it."""
        made: Tensor = self.module(*inputs)
        return made


def build_graphs(model: Model, metadata: Mapping[str, Any]) -> list[Graph]:
    """The files that a model comes to, the main one first.

    A generator (and its encoder, where it has one that needs no labels), a classifier, a translator in each of its directions.

    Arguments:
        kept: in evaluation mode.
        facts: with `units`.
    """
    return GRAPHS[model.kind](model, metadata)


def _generator_graphs(model: GeneratorModel, metadata: Mapping[str, Any]) -> list[Graph]:
    graphs = [build_generator_graph(model, metadata)]
    if model.encoder is not None:
        graphs.append(_build_sample_graph("encoder", freeze(model.encoder), model.spec, "code"))
    return graphs


def _classifier_graphs(model: ClassifierModel, metadata: Mapping[str, Any]) -> list[Graph]:
    network = freeze(ClassifyModule(model))
    return [_build_sample_graph("classifier", network, model.spec, "log_probabilities")]


def _translator_graphs(model: TranslatorModel, metadata: Mapping[str, Any]) -> list[Graph]:
    return [_build_translator_graph(model, direction) for direction in model.directions]


GRAPHS: dict[str, Callable[[Any, Mapping[str, Any]], list[Graph]]] = {
    "generator": _generator_graphs,
    "classifier": _classifier_graphs,
    "translator": _translator_graphs,
}  # by Model.kind


def build_generator_graph(generation: GeneratorModel, metadata: Mapping[str, Any]) -> Graph:
    """From `latent` (b, z), `label` (b,) where the model is conditional, and the scalar `truncation` to `samples` (b, *sample): in
    [-1, 1], or points in the data's own units.
    """
    spec, classes = generation.spec, generation.spec.num_classes
    centre, scale = (torch.zeros(()), torch.ones(()))
    if not spec.is_image:
        centre, scale = (torch.tensor(metadata["units"][name]) for name in ("centre", "scale"))

    def probe(seed: int, count: int) -> tuple[Tensor, ...]:
        z = rng.sample_latents(seed, range(count), generation.latent)
        truncation = torch.tensor(PARITY_TRUNCATION if seed % 2 else 1.0)
        labels = (torch.arange(count) % classes,) if classes else ()
        return (z, *labels, truncation)

    made = SampleModule if not classes else ConditionalSampleModule
    names = ("latent", "label", "truncation") if classes else ("latent", "truncation")
    return Graph(
        name="generator",
        module=made(freeze(generation.without_encoder()), centre, scale),
        inputs=names,
        output="samples",
        dynamic_axes=(*({0: 1} for _ in names[:-1]), {}),
        example_inputs=probe,
        scale=float(scale.max()) or 1.0,
    )


def _build_sample_graph(name: str, network: nn.Module, spec: SampleSpec, output: str) -> Graph:
    """From `sample` (b, *sample) as networks see them, and `label` where the network is told it."""
    told = name == "encoder" and spec.num_classes

    def probe(seed: int, count: int) -> tuple[Tensor, ...]:
        draws = rng.KeyedRandom(seed, (), count)
        x = draws.uniform("export", *spec.shape) * 2 - 1
        return (x, torch.arange(count) % spec.num_classes) if told else (x,)

    inputs = ("sample", "label") if told else ("sample",)
    free: tuple[dict[int, int], ...] = tuple({0: 1} for _ in inputs)
    return Graph(
        name=name, module=network, inputs=inputs, output=output, dynamic_axes=free, example_inputs=probe
    )


def _build_translator_graph(translation: TranslatorModel, direction: str) -> Graph:
    """From `image` (b, c, h, w) in [-1, 1] to `translated`, of any height and width that are whole multiples; only of the size
    that was trained on, where that is the multiple itself.
    """
    shape, network = translation.ends(direction)[0], translation.network(direction)
    multiple = get_size_multiple(network)
    sides = [max(multiple, side - side % multiple) for side in shape[1:]]
    free = {0: 1, 2: multiple, 3: multiple} if min(sides) > multiple else {0: 1}

    def probe(seed: int, count: int) -> tuple[Tensor, ...]:
        wider = [side + multiple * (seed % 2) * (len(free) > 1) for side in sides]
        return (rng.KeyedRandom(seed, (), count).uniform("export", shape[0], *wider) * 2 - 1,)

    return Graph(
        name=direction,
        module=freeze(network),
        inputs=("picture",),
        output="translated",
        dynamic_axes=(free,),
        example_inputs=probe,
        samples=max(5, min(PARITY_SAMPLES, PARITY_SAMPLES * 64**2 // (sides[0] * sides[1]))),
    )


def get_size_multiple(network: nn.Module) -> int:
    """What the sides of a translator's images must be whole multiples of."""
    multiple = network.multiple
    assert isinstance(multiple, int)
    return multiple


class SampleModule(nn.Module):
    """See `build_generator_graph`: without labels."""

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


class ConditionalSampleModule(SampleModule):
    """See `build_generator_graph`: with labels."""

    def forward(self, latent: Latent, label: Labels, truncation: Tensor) -> Sample:  # type: ignore[override]
        return self.made(latent * truncation, label)


class ClassifyModule(nn.Module):
    """From samples to log p(y|x) (b, classes)."""

    def __init__(self, model: ClassifierModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, sample: Sample) -> Tensor:
        return self.model.log_probabilities(sample)


def describe_model(model: Model, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Recipe, classes, units, and what the samples are."""
    spec = model.spec
    about: dict[str, Any] = {
        "sparring": __version__,
        "recipe": metadata["recipe"],
        "images": metadata["images"],
        "shape": list(spec.shape),
        "classes": list(metadata["classes"]) if spec.num_classes else [],
        "units": dict(metadata["units"]),
    }
    if spec.shape_b is not None:
        about["shape_b"] = list(spec.shape_b)
    return about | model.facts()


def describe_graph(model: Model, metadata: Mapping[str, Any], graph: Graph) -> str:
    """The same as JSON, with the names of what goes in and comes out."""
    sides = {
        name: {str(side): many for side, many in free.items()}
        for name, free in zip(graph.inputs, graph.dynamic_axes, strict=True)
    }
    about = {"graph": graph.name, "inputs": list(graph.inputs), "output": graph.output, "multiples": sides}
    return json.dumps({**describe_model(model, metadata), **about}, allow_nan=False)
