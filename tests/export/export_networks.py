"""Networks of the recipes' own sizes, with weights that are not at their start."""

import torch

from sparring.games.translation import Translation
from sparring.recipes import SIDES
from sparring.recipes.auto import experiment as auto
from sparring.recipes.facts import TINY as FACTS
from sparring.recipes.facts import TINY_POINTS
from sparring.recipes.table import TINY
from sparring.shapes import Spec
from sparring.translators import TRANSLATORS

UNITS = {"centre": [3.0, -20.0], "scale": [7.0, 7.0]}


def kept_of(name, settle=True):
    """The recipe's network with weights that are not at their start."""
    spec = TINY_POINTS.spec if name == "points" else FACTS.spec
    spec = Spec(shape=(3, 16, 16), other=(1, 16, 16)) if name in SIDES else spec
    game = auto(TINY_POINTS).game if name == "points" else TINY[name]().game
    with torch.random.fork_rng():
        torch.manual_seed(0)  # the same network each time, so that its file can be remembered
        kept = game.kept(spec)
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
    return kept.settled(0) if settle else kept


def facts_of(kept):
    units = {} if kept.spec.is_image else UNITS
    return {
        "recipe": "tiny",
        "images": 64,
        "units": units,
        "classes": [str(n) for n in range(kept.spec.classes)],
    }


def translation(size=16):
    """A translator of colour pictures to grey ones and back, of whatever networks there are."""
    spec = Spec(shape=(3, size, size), other=(1, size, size))
    there = TRANSLATORS["resnet"](width=4, blocks=2)
    kept = Translation(there.build(spec.shape, spec.other), there.build(spec.other, spec.shape), spec)
    return kept.settled(0)
