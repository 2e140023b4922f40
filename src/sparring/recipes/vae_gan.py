"""VAE/GAN. Larsen, Sønderby, Larochelle & Winther 2016, arXiv:1512.09300.

New here: three players. Reconstructions are compared in the features of a discriminator, not value by value, and so need not blur;
and there is an encoder, which a GAN lacks. Read games/vae_gan.py. DCGAN's networks in place of the paper's similar ones (its code
size 128), Adam at 2e-4 in place of RMSProp.
--set game.style=0.1 asks for closer reconstructions and less realistic samples.
Run: sparring train --recipe vae_gan      Expect: docs/results.md, "Latent-variable models".
"""

from dataclasses import replace

from sparring.experiment import Experiment, Training
from sparring.games.vae_gan import VAEGANConfig
from sparring.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from sparring.networks.mlp import MLPDiscriminator, MLPGenerator
from sparring.optim import Adam
from sparring.posteriors import Normal
from sparring.recipes.facts import TINY, Facts
from sparring.recipes.latent import tiny_of


def experiment(facts: Facts) -> Experiment:
    bodies = DCGANDiscriminator() if facts.spec.is_image else MLPDiscriminator()
    decoder = DCGANGenerator() if facts.spec.is_image else MLPGenerator()
    latent = 128 if facts.spec.is_image else 2
    adam = Adam(lr=2e-4, beta1=0.5)
    return Experiment(
        recipe="vae_gan",
        data=facts.data,
        game=VAEGANConfig(
            encoder=bodies, decoder=decoder, discriminator=bodies, posterior=Normal(latent=latent)
        ),
        optimizers={"encoder": adam, "decoder": adam, "discriminator": adam},
        training=Training(images=facts.length(2_000_000), batch=64),
    )


def tiny() -> Experiment:
    whole = tiny_of(experiment(TINY))
    assert isinstance(whole.game, VAEGANConfig)
    return replace(whole, game=replace(whole.game, discriminator=MLPDiscriminator(hidden=(8,))))
