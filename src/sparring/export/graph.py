"""The computation of an exported file: a network with named inputs, its dynamic axes, example inputs and
metadata.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sparring.core import rng
from sparring.core.shapes import Labels, Latent, Sample, SampleSpec
from sparring.core.transparency import ALPHA_CHANNELS, premultiply, unpremultiply
from sparring.core.version import __version__
from sparring.export.freeze import freeze
from sparring.models.classifier import ClassifierModel
from sparring.models.generator import GeneratorModel
from sparring.models.model import Model
from sparring.models.translator import TranslatorModel

PARITY_SAMPLES = 64  # that a file is tested on; fewer for large images
PARITY_TRUNCATION = 0.7  # of every other batch of the test


@dataclass(frozen=True, kw_only=True)
class Graph:
    """The part of a model that becomes one file.

    Arguments:
        name: `generator`, `encoder`, `classifier`, `a-to-b` or `b-to-a`.
        module: takes the inputs in their order.
        inputs: names of the inputs.
        output: name of the output.
        dynamic_axes: for each input, the axes of any size, and the number that the size must be a multiple of.
        example_inputs: makes inputs from a seed and a number of samples.
        output_scale: unit of differences: 1 for images, the data's scale for points.
        num_samples: to test the file on.
    """

    name: str
    module: nn.Module
    inputs: tuple[str, ...]
    output: str
    dynamic_axes: tuple[dict[int, int], ...]
    example_inputs: Callable[[int, int], tuple[Tensor, ...]]
    output_scale: float = 1.0
    num_samples: int = PARITY_SAMPLES

    @torch.no_grad()
    def __call__(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """The output of PyTorch."""
        output: Tensor = self.module(*inputs)
        return output


def build_graphs(model: Model, metadata: Mapping[str, Any]) -> list[Graph]:
    """The graphs of a model, the main one first: the generator and its encoder, the classifier, or the translator in each of its
    directions.

    Arguments:
        model: in evaluation mode.
        metadata: with `units`.
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
    """The generator: from `latent` (b, z), `label` (b,) where the model is conditional, and the scalar `truncation` to `samples`
    (b, *sample): images in [-1, 1], or points in the data's units.
    """
    spec, classes = generation.spec, generation.spec.num_classes
    centre, scale = (torch.zeros(()), torch.ones(()))
    if not spec.is_image:
        centre, scale = (torch.tensor(metadata["units"][name]) for name in ("centre", "scale"))

    def example_inputs(seed: int, count: int) -> tuple[Tensor, ...]:
        z = rng.sample_latents(seed, range(count), generation.latent)
        truncation = torch.tensor(PARITY_TRUNCATION if seed % 2 else 1.0)
        labels = (torch.arange(count) % classes,) if classes else ()
        return (z, *labels, truncation)

    module = SampleModule if not classes else ConditionalSampleModule
    names = ("latent", "label", "truncation") if classes else ("latent", "truncation")
    return Graph(
        name="generator",
        module=module(freeze(generation.without_encoder()), centre, scale),
        inputs=names,
        output="samples",
        dynamic_axes=(*({0: 1} for _ in names[:-1]), {}),
        example_inputs=example_inputs,
        output_scale=float(scale.max()) or 1.0,
    )


def _build_sample_graph(name: str, network: nn.Module, spec: SampleSpec, output: str) -> Graph:
    """A network whose input is `sample` (b, *sample) in [-1, 1]; a conditional encoder also gets `label` (b,)."""
    has_label = name == "encoder" and spec.num_classes

    def example_inputs(seed: int, count: int) -> tuple[Tensor, ...]:
        draws = rng.KeyedRandom(seed, (), count)
        x = draws.uniform("export", *spec.shape) * 2 - 1
        return (x, torch.arange(count) % spec.num_classes) if has_label else (x,)

    inputs = ("sample", "label") if has_label else ("sample",)
    return Graph(
        name=name,
        module=with_plain_colours(network, (spec.shape,)),
        inputs=inputs,
        output=output,
        dynamic_axes=tuple({0: 1} for _ in inputs),
        example_inputs=example_inputs,
    )


def _build_translator_graph(translation: TranslatorModel, direction: str) -> Graph:
    """A translator: from `image` (b, c, h, w) in [-1, 1] to `translated`, for heights and widths that are multiples of the
    network's total stride; only for the size of training where that is the stride itself.
    """
    shape, network = translation.ends(direction)[0], translation.network(direction)
    multiple = get_size_multiple(network)
    sides = [max(multiple, side - side % multiple) for side in shape[1:]]
    axes = {0: 1, 2: multiple, 3: multiple} if min(sides) > multiple else {0: 1}

    def example_inputs(seed: int, count: int) -> tuple[Tensor, ...]:
        size = [side + multiple * (seed % 2) * (len(axes) > 1) for side in sides]
        return (rng.KeyedRandom(seed, (), count).uniform("export", shape[0], *size) * 2 - 1,)

    return Graph(
        name=direction,
        module=with_plain_colours(freeze(network), translation.ends(direction)),
        inputs=("image",),
        output="translated",
        dynamic_axes=(axes,),
        example_inputs=example_inputs,
        num_samples=max(5, min(PARITY_SAMPLES, PARITY_SAMPLES * 64**2 // (sides[0] * sides[1]))),
    )


def get_size_multiple(network: nn.Module) -> int:
    """The number that height and width of a translator's images must be multiples of."""
    multiple = network.multiple
    assert isinstance(multiple, int)
    return multiple


class SampleModule(nn.Module):
    """An unconditional generator, with truncation and output units; see `build_generator_graph`."""

    centre: Tensor
    scale: Tensor

    def __init__(self, generation: nn.Module, centre: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.generation = generation
        self.register_buffer("centre", centre)
        self.register_buffer("scale", scale)

    def generate(self, z: Latent, y: Labels | None) -> Sample:
        samples: Tensor = self.generation(z, y)
        return samples * self.scale + self.centre if self.scale.dim() else unpremultiply(samples)

    def forward(self, latent: Latent, truncation: Tensor) -> Sample:
        return self.generate(latent * truncation, None)


class ConditionalSampleModule(SampleModule):
    """A conditional generator, with truncation and output units; see `build_generator_graph`."""

    def forward(self, latent: Latent, label: Labels, truncation: Tensor) -> Sample:  # type: ignore[override]
        return self.generate(latent * truncation, label)


class PlainColours(nn.Module):
    """A network whose transparent images have colours that are not multiplied by alpha, as files have them."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Sample, *labels: Labels) -> Tensor:
        return unpremultiply(self.network(premultiply(x), *labels))


def with_plain_colours(network: nn.Module, shapes: Sequence[tuple[int, ...]]) -> nn.Module:
    """The network for images as files have them, given the shapes of its samples; itself where none is transparent."""
    return (
        PlainColours(network)
        if any(len(shape) == 3 and shape[0] == ALPHA_CHANNELS for shape in shapes)
        else network
    )


class ClassifyModule(nn.Module):
    """Log-probabilities log p(y|x), (b, classes), of samples."""

    def __init__(self, model: ClassifierModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, sample: Sample) -> Tensor:
        return self.model.log_probabilities(sample)


def describe_model(model: Model, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata of an exported model: recipe, images seen, sample shape, class names, units."""
    spec = model.spec
    document: dict[str, Any] = {
        "sparring": __version__,
        "recipe": metadata["recipe"],
        "images": metadata["images"],
        "shape": list(spec.shape),
        "classes": list(metadata["classes"]) if spec.num_classes else [],
        "units": dict(metadata["units"]),
    }
    if spec.shape_b is not None:
        document["shape_b"] = list(spec.shape_b)
    return document | model.facts()


def describe_graph(model: Model, metadata: Mapping[str, Any], graph: Graph) -> str:
    """`describe_model` and the names of the graph's inputs and output, as JSON."""
    multiples = {
        name: {str(axis): multiple for axis, multiple in axes.items()}
        for name, axes in zip(graph.inputs, graph.dynamic_axes, strict=True)
    }
    interface = {
        "graph": graph.name,
        "inputs": list(graph.inputs),
        "output": graph.output,
        "size_multiples": multiples,
    }
    return json.dumps({**describe_model(model, metadata), **interface}, allow_nan=False)
