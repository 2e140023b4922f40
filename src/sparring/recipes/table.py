"""The recipes by name."""

from collections.abc import Callable

from sparring.experiment import Experiment
from sparring.recipes import (
    acgan,
    auto,
    cgan,
    dcgan,
    dragan,
    gan,
    improved,
    lsgan,
    pacgan,
    r3gan,
    sngan,
    wgan,
    wgan_gp,
)
from sparring.recipes.facts import Facts

MODULES = {
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
}

RECIPES: dict[str, Callable[[Facts], Experiment]] = {
    name: module.experiment for name, module in MODULES.items()
}
TINY: dict[str, Callable[[], Experiment]] = {name: module.tiny for name, module in MODULES.items()}
