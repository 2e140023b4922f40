"""VAE/GAN. Larsen, Sønderby, Larochelle & Winther 2016, arXiv:1512.09300.

New here: three players. Reconstructions are compared in the features of a discriminator, not value by value,
and so need not blur; and there is an encoder, which a GAN lacks. Read games/vae_gan.py. DCGAN's networks in
place of the paper's similar ones (its code size 128), Adam at 2e-4 in place of RMSProp. --set
game.feature_weight=0.1 gives closer reconstructions and less realistic samples. Run: sparring train
--recipe vae_gan Expect: docs/results.md, "Latent-variable models".
"""

from dataclasses import replace

from sparring.core.optimizers import Adam
from sparring.experiment import Experiment, TrainingConfig
from sparring.games.vae_gan import VAEGANConfig
from sparring.parts.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from sparring.parts.networks.mlp import MLPDiscriminator, MLPGenerator
from sparring.parts.posteriors import Normal
from sparring.recipes.facts import TINY_IMAGES, Facts
from sparring.recipes.shared_autoencoder import tiny_autoencoder


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
        training=TrainingConfig(total_images=facts.length(2_000_000), batch=64),
    )


def tiny() -> Experiment:
    whole = tiny_autoencoder(experiment(TINY_IMAGES))
    assert isinstance(whole.game, VAEGANConfig)
    return replace(whole, game=replace(whole.game, discriminator=MLPDiscriminator(hidden=(8,))))
