"""Models of the tiny recipes with perturbed weights, and their metadata."""

import torch

from sparring.core.shapes import SampleSpec
from sparring.models.translator import TranslatorModel
from sparring.parts.networks import TRANSLATORS
from sparring.recipes import RECIPE_PAIRING
from sparring.recipes.auto import experiment as auto
from sparring.recipes.facts import TINY_IMAGES as FACTS
from sparring.recipes.facts import TINY_POINTS
from sparring.recipes.table import TINY_RECIPES

UNITS = {"centre": [3.0, -20.0], "scale": [7.0, 7.0]}


def build_model(name):
    """The model of a tiny recipe (or `points`) for inference, with reproducible weights other than the initial ones."""
    spec = TINY_POINTS.spec if name == "points" else FACTS.spec
    spec = SampleSpec(shape=(3, 16, 16), shape_b=(1, 16, 16)) if name in RECIPE_PAIRING else spec
    game = auto(TINY_POINTS).game if name == "points" else TINY_RECIPES[name]().game
    with torch.random.fork_rng():
        torch.manual_seed(0)  # the same model each time, so that its ONNX file can be cached
        model = game.build_model(spec)
    draws = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=draws))
    for key, tensor in dict(model.named_buffers()).items():
        if key.endswith(("number", "sums", "squares")):
            tensor.copy_(
                torch.rand(tensor.shape, generator=draws) * (50 if key.endswith("number") else 25) + 1
            )
        if key.endswith("begun"):
            tensor.fill_(1)
    return model.for_inference(0)


def make_metadata(model):
    """Metadata as in a generator file."""
    units = {} if model.spec.is_image else UNITS
    return {
        "recipe": "tiny",
        "images": 64,
        "units": units,
        "classes": [str(n) for n in range(model.spec.num_classes)],
    }


def build_translator(size=16):
    """A translator of colour images to grey ones and back."""
    spec = SampleSpec(shape=(3, size, size), shape_b=(1, size, size))
    network = TRANSLATORS["resnet"](width=4, blocks=2)
    a_to_b, b_to_a = network.build(spec.shape, spec.shape_b), network.build(spec.shape_b, spec.shape)
    return TranslatorModel(a_to_b, b_to_a, spec).for_inference(0)
