"""Autoencoder. Hinton & Salakhutdinov 2006, "Reducing the dimensionality of data with neural networks".

New here: one player, and nothing random: the same picture gives the same code. Read games/autoencoder.py. Trained in one go by Adam
instead of layer by layer. Samples come from a normal distribution fitted to the codes (as in Ghosh et al. 2020, arXiv:1903.12436).
--set game.latent=2 gives a map of the data in RUN/codes.png.
Run: sparring train --recipe ae           Expect: docs/results.md, "Latent-variable models".
"""

from sparring.experiment import Experiment, Training
from sparring.games.autoencoder import AutoencoderConfig
from sparring.optim import Adam
from sparring.recipes.facts import TINY, Facts
from sparring.recipes.latent import coders, size, tiny_of


def experiment(facts: Facts) -> Experiment:
    return autoencoder("ae", facts)


def autoencoder(recipe: str, facts: Facts, **noise: object) -> Experiment:
    """An autoencoder with or without corruption of what it sees."""
    encoder, decoder = coders(facts.spec)
    latent = max(32, size(facts.spec)) if facts.spec.is_image else 2
    return Experiment(
        recipe=recipe,
        data=facts.data,
        game=AutoencoderConfig(encoder=encoder, decoder=decoder, latent=latent, **noise),  # type: ignore[arg-type]
        optimizers={"autoencoder": Adam(lr=1e-3, beta1=0.9)},
        training=Training(images=facts.length(3_000_000), batch=64),
    )


def tiny() -> Experiment:
    return tiny_of(experiment(TINY))
