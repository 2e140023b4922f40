"""Which recipes are for one set of pictures and which for two, and what follows for the data."""

from dataclasses import replace
from typing import Any

from sparring.data import DataConfig, Dataset
from sparring.errors import ConfigError, nearest
from sparring.recipes import NAMES, SIDES
from sparring.recipes.table import RECIPES


def with_sides(data: DataConfig, recipe: str) -> DataConfig:
    """The settings, with as many domains as the recipe is for; `auto` takes what is there.

    Raises:
        ConfigError: two domains for a recipe for one, or the other way round.
    """
    if recipe not in NAMES or recipe == "auto":
        return data
    wanted: Any = SIDES.get(recipe, "one")
    if wanted == "one" and (data.sides in ("paired", "unpaired") or data.other or data.derive):
        got = f"the recipe {recipe}, which is for one set of pictures, and two domains of them"
        fix = f"leave out the second DATA (data.other, data.derive, data.sides), or --recipe {' or '.join(SIDES)}"
        raise ConfigError(got, "one DATA", fix)
    if wanted != "one" and (data.sides == "one" or (wanted, data.sides) == ("paired", "unpaired")):
        got = f"data.sides={data.sides} for the recipe {recipe}"
        raise ConfigError(got, f"two domains, {wanted}", "leave data.sides out, or choose another recipe")
    return replace(data, sides=wanted) if data.sides == "auto" else data


def recipe_for(dataset: Dataset, recipe: str) -> str:
    """The recipe that was asked for; `auto` is pix2pix for pairs, and cyclegan for two domains without.

    Raises:
        ConfigError: there is no such recipe.
    """
    if recipe not in RECIPES:
        raise ConfigError(f"recipe {recipe!r}", "the name of a recipe", nearest(recipe, list(RECIPES)))
    if recipe == "auto" and dataset.other is not None:
        return "pix2pix" if dataset.paired else "cyclegan"
    if recipe != "auto" and (recipe in SIDES) != (dataset.other is not None):
        sides = "one domain" if dataset.other is None else "two domains"
        raise ConfigError(f"the recipe {recipe} for data of {sides}", "a recipe for it", "leave --recipe out")
    return recipe
