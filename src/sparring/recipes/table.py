"""The recipes by name, and which recipe fits which data."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sparring.core.errors import ConfigError, did_you_mean
from sparring.data import DataConfig, Dataset
from sparring.experiment import Experiment
from sparring.recipes import (
    RECIPE_DESCRIPTIONS,
    RECIPE_PAIRING,
    acgan,
    ae,
    auto,
    beta_vae,
    cgan,
    cut,
    cvae,
    cyclegan,
    dae,
    dcgan,
    dragan,
    gan,
    improved,
    iwae,
    logistic,
    lsgan,
    naive_bayes,
    pacgan,
    pix2pix,
    r3gan,
    sngan,
    svae,
    two_stage_vae,
    vae,
    vae_gan,
    wgan,
    wgan_gp,
)
from sparring.recipes.facts import Facts

RECIPE_MODULES = {
    "auto": auto,
    "gan": gan,
    "cgan": cgan,
    "dcgan": dcgan,
    "improved": improved,
    "acgan": acgan,
    "lsgan": lsgan,
    "wgan": wgan,
    "wgan_gp": wgan_gp,
    "dragan": dragan,
    "sngan": sngan,
    "pacgan": pacgan,
    "r3gan": r3gan,
    "ae": ae,
    "dae": dae,
    "vae": vae,
    "beta_vae": beta_vae,
    "iwae": iwae,
    "svae": svae,
    "vae_gan": vae_gan,
    "two_stage_vae": two_stage_vae,
    "cvae": cvae,
    "naive_bayes": naive_bayes,
    "logistic": logistic,
    "pix2pix": pix2pix,
    "cyclegan": cyclegan,
    "cut": cut,
}

RECIPES: dict[str, Callable[[Facts], Experiment]] = {
    name: module.experiment for name, module in RECIPE_MODULES.items()
}
TINY_RECIPES: dict[str, Callable[[], Experiment]] = {
    name: module.tiny for name, module in RECIPE_MODULES.items()
}


def resolve_pairing(data: DataConfig, recipe: str) -> DataConfig:
    """The data settings with the recipe's pairing in place of `auto`; the recipe `auto` leaves them unchanged.

    Raises:
        ConfigError: two domains for a recipe for one, or one for a recipe for two.
    """
    if recipe not in RECIPE_DESCRIPTIONS or recipe == "auto":
        return data
    required: Any = RECIPE_PAIRING.get(recipe, "one")
    if required == "one" and (data.pairing in ("paired", "unpaired") or data.source_b or data.derive_input):
        got = f"the recipe {recipe}, which is for one set of images, and two domains of them"
        recipes = " or ".join(RECIPE_PAIRING)
        fix = f"leave out the second DATA (data.source_b, data.derive_input, data.pairing), or --recipe {recipes}"
        raise ConfigError(got, "one DATA", fix)
    if required != "one" and (data.pairing == "one" or (required, data.pairing) == ("paired", "unpaired")):
        got = f"data.pairing={data.pairing} for the recipe {recipe}"
        raise ConfigError(got, f"two domains, {required}", "leave data.pairing out, or choose another recipe")
    return replace(data, pairing=required) if data.pairing == "auto" else data


def resolve_recipe(dataset: Dataset, recipe: str) -> str:
    """The name of the recipe; `auto` resolves to pix2pix for pairs and to cyclegan for two unpaired domains.

    Raises:
        ConfigError: there is no such recipe.
    """
    if recipe not in RECIPES:
        raise ConfigError(f"recipe {recipe!r}", "the name of a recipe", did_you_mean(recipe, list(RECIPES)))
    if recipe == "auto" and dataset.domain_b is not None:
        return "pix2pix" if dataset.paired else "cyclegan"
    if recipe != "auto" and (recipe in RECIPE_PAIRING) != (dataset.domain_b is not None):
        sides = "one domain" if dataset.domain_b is None else "two domains"
        raise ConfigError(f"the recipe {recipe} for data of {sides}", "a recipe for it", "leave --recipe out")
    return recipe
