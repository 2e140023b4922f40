"""Networks, likelihoods and experiments that the recipes of autoencoders share, by the size of the samples.

The perceptrons are those of Davidson et al. 2018 (arXiv:1804.00891): 784-256-128-z-128-256-784 with ReLU, for images of at
most 32x32 and for points. Larger images get DCGAN's convolutions.
"""

from dataclasses import replace

from sparring.core.optimizers import Adam
from sparring.core.schedule import LinearSchedule
from sparring.core.shapes import SampleSpec
from sparring.experiment import Experiment, TrainingConfig
from sparring.games.variational import VariationalConfig
from sparring.parts.likelihoods import Bernoulli, Gaussian, Likelihood
from sparring.parts.networks import DiscriminatorNetwork, GeneratorNetwork
from sparring.parts.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from sparring.parts.networks.mlp import MLPDiscriminator, MLPGenerator
from sparring.parts.posteriors.base import Posterior
from sparring.recipes.facts import TINY_IMAGES, Facts

MAX_MLP_SIZE = 32  # side up to which images get perceptrons
KL_WARMUP_EPOCHS = 100  # warm-up of the KL term
KL_WARMUP_SHARE = 0.2  # at most this share of the run


def encoder_and_decoder(spec: SampleSpec) -> tuple[DiscriminatorNetwork, GeneratorNetwork]:
    """Settings of the encoder's body and of the decoder, by the size of the samples."""
    if spec.is_image and max(spec.shape[1:]) > MAX_MLP_SIZE:
        return DCGANDiscriminator(), DCGANGenerator()
    return (
        MLPDiscriminator(hidden=(256, 128), activation="relu"),
        MLPGenerator(hidden=(128, 256), activation="relu"),
    )


def latent_size(spec: SampleSpec) -> int:
    """Size of a code: 10 for small images (the paper's tables have 2 to 40), 128 for larger ones, 2 for points."""
    if not spec.is_image:
        return 2
    return 128 if max(spec.shape[1:]) > MAX_MLP_SIZE else 10


def default_likelihood(spec: SampleSpec) -> Likelihood:
    """Bernoulli with dynamic binarisation for small grey images, such as MNIST; otherwise normal with a learned variance,
    which also sets the weight of the reconstruction.
    """
    grey = spec.is_image and spec.shape[0] == 1 and max(spec.shape[1:]) <= MAX_MLP_SIZE
    return Bernoulli(binarise="dynamic") if grey else Gaussian()


def vae_experiment(recipe: str, facts: Facts, posterior: Posterior, **rules: object) -> Experiment:
    """A variational autoencoder; `rules` override fields of `VariationalConfig`."""
    encoder, decoder = encoder_and_decoder(facts.spec)
    images = facts.length(6_000_000)
    warm_up = max(1, min(KL_WARMUP_EPOCHS * facts.count, int(KL_WARMUP_SHARE * images)))
    parts = {
        "likelihood": default_likelihood(facts.spec),
        "beta": LinearSchedule(start=0.0, end=1.0, duration=warm_up),
    }
    return Experiment(
        recipe=recipe,
        data=facts.data,
        game=VariationalConfig(encoder=encoder, decoder=decoder, posterior=posterior, **(parts | rules)),  # type: ignore[arg-type]
        optimizers={"autoencoder": Adam(lr=1e-3, beta1=0.9)},
        training=TrainingConfig(total_images=images, batch=64),
    )


def tiny_autoencoder(whole: Experiment) -> Experiment:
    """An experiment of an autoencoder with narrow layers and a batch of 16, for tests."""
    game = replace(whole.game, encoder=MLPDiscriminator(hidden=(8,)), decoder=MLPGenerator(hidden=(8,)))  # type: ignore[type-var]
    return replace(
        whole, game=game, training=replace(whole.training, batch=16, total_images=TINY_IMAGES.length(64))
    )
