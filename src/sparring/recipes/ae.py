"""Autoencoder. Hinton & Salakhutdinov 2006, "Reducing the dimensionality of data with neural networks".

New here: one player, and nothing random: the same image gives the same code. Read games/autoencoder.py.
Trained in one go by Adam instead of layer by layer. Samples come from a normal distribution fitted to the
codes (as in Ghosh et al. 2020, arXiv:1903.12436). --set game.latent=2 gives a map of the data in
RUN/codes.png. Run: sparring train --recipe ae Expect: docs/results.md, "Latent-variable models".
"""

from sparring.core.optimizers import Adam
from sparring.experiment import Experiment, TrainingConfig
from sparring.games.autoencoder import AutoencoderConfig
from sparring.recipes.facts import TINY_IMAGES, Facts
from sparring.recipes.shared_autoencoder import encoder_and_decoder, latent_size, tiny_autoencoder


def experiment(facts: Facts) -> Experiment:
    return autoencoder_experiment("ae", facts)


def autoencoder_experiment(recipe: str, facts: Facts, **noise: object) -> Experiment:
    """An autoencoder with or without corruption of what it sees."""
    encoder, decoder = encoder_and_decoder(facts.spec)
    latent = max(32, latent_size(facts.spec)) if facts.spec.is_image else 2
    return Experiment(
        recipe=recipe,
        data=facts.data,
        game=AutoencoderConfig(encoder=encoder, decoder=decoder, latent=latent, **noise),  # type: ignore[arg-type]
        optimizers={"autoencoder": Adam(lr=1e-3, beta1=0.9)},
        training=TrainingConfig(total_images=facts.length(3_000_000), batch=64),
    )


def tiny() -> Experiment:
    return tiny_autoencoder(experiment(TINY_IMAGES))
