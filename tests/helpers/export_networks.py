"""Networks of the recipes' own sizes, with weights that are not at their start."""

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


def kept_of(name, settle=True):
    """The recipe's network with weights that are not at their start."""
    spec = TINY_POINTS.spec if name == "points" else FACTS.spec
    spec = SampleSpec(shape=(3, 16, 16), shape_b=(1, 16, 16)) if name in RECIPE_PAIRING else spec
    game = auto(TINY_POINTS).game if name == "points" else TINY_RECIPES[name]().game
    with torch.random.fork_rng():
        torch.manual_seed(0)  # the same network each time, so that its file can be remembered
        kept = game.build_model(spec)
    draws = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in kept.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=draws))
    counts = dict(kept.named_buffers())
    for key, tensor in counts.items():
        if key.endswith(("number", "sums", "squares")):
            tensor.copy_(
                torch.rand(tensor.shape, generator=draws) * (50 if key.endswith("number") else 25) + 1
            )
        if key.endswith("begun"):
            tensor.fill_(1)
    return kept.for_inference(0) if settle else kept


def facts_of(kept):
    units = {} if kept.spec.is_image else UNITS
    return {
        "recipe": "tiny",
        "images": 64,
        "units": units,
        "classes": [str(n) for n in range(kept.spec.num_classes)],
    }


def translation(size=16):
    """A translator of colour images to grey ones and back, of whatever networks there are."""
    spec = SampleSpec(shape=(3, size, size), shape_b=(1, size, size))
    there = TRANSLATORS["resnet"](width=4, blocks=2)
    kept = TranslatorModel(there.build(spec.shape, spec.shape_b), there.build(spec.shape_b, spec.shape), spec)
    return kept.for_inference(0)
