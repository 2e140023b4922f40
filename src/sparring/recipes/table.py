"""The recipes by name."""

from collections.abc import Callable

from sparring.experiment import Experiment
from sparring.recipes import (
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
    name: module.experiment for name, module in MODULES.items()
}
TINY: dict[str, Callable[[], Experiment]] = {name: module.tiny for name, module in MODULES.items()}
