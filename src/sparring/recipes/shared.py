"""Networks, numbers and test sizes that several recipes share: DCGAN, MLPs on 2-D mixtures, variational
autoencoders, translators.

References: Lin, Khetan, Fanti, Oh 2018, arXiv:1712.04086, sec. 4.1 and Table 1, with the numbers of the
authors' code: latent 2, four layers of 400, maxout of 3 x 200 units with 5 pieces, Adam 1e-4 with beta1 0.8,
batch 100, 400 epochs of 100,000 samples.

The perceptrons are those of Davidson et al. 2018 (arXiv:1804.00891): 784-256-128-z-128-256-784 with ReLU, for
images of at most 32x32 and for points. Larger images get DCGAN's convolutions.
"""

from dataclasses import replace
from typing import Any

from sparring.core.optimizers import Adam, OptimizerConfig
from sparring.core.schedule import LinearSchedule
from sparring.core.shapes import SampleSpec
from sparring.experiment import Experiment, TrainingConfig
from sparring.games.adversarial import AdversarialConfig
from sparring.games.cycle import CycleConfig
from sparring.games.one_sided import OneSidedConfig
from sparring.games.paired import PairedConfig
from sparring.games.variational import VariationalConfig
from sparring.parts.likelihoods import Bernoulli, Gaussian, Likelihood
from sparring.parts.networks import DiscriminatorNetwork, GeneratorNetwork, PatchGAN, ResNetTranslator, UNet
from sparring.parts.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from sparring.parts.networks.mlp import MLPDiscriminator, MLPGenerator
from sparring.parts.objectives import NonSaturating
from sparring.parts.posteriors.base import Posterior
from sparring.recipes.facts import TINY_DOMAINS, TINY_IMAGES, Facts


def dcgan_experiment(
    recipe: str, facts: Facts, optimizer: OptimizerConfig | None = None, batch: int = 64, **rules: Any
) -> Experiment:
    """An adversarial game with DCGAN's networks; `rules` override fields of `AdversarialConfig`."""
    optimizer = optimizer or Adam(lr=2e-4, beta1=0.5)
    parts: dict[str, Any] = {
        "generator": DCGANGenerator(),
        "discriminator": DCGANDiscriminator(),
        "objective": NonSaturating(),
    }
    return Experiment(
        recipe=recipe,
        data=facts.data,
        game=AdversarialConfig(**(parts | rules)),
        optimizers={"generator": optimizer, "discriminator": optimizer},
        training=TrainingConfig(total_images=facts.length(2_000_000), batch=batch),
    )


def tiny_dcgan(whole: Experiment) -> Experiment:
    """A DCGAN experiment with narrow networks and a batch of 16, for tests."""
    assert isinstance(whole.game, AdversarialConfig)
    generator, discriminator = whole.game.generator, whole.game.discriminator
    assert isinstance(generator, DCGANGenerator)
    assert isinstance(discriminator, DCGANDiscriminator)
    game = replace(
        whole.game,
        generator=replace(generator, latent=8, width=4),
        discriminator=replace(discriminator, width=4),
    )
    return replace(
        whole, game=game, training=replace(whole.training, batch=16, total_images=TINY_IMAGES.length(64))
    )


def mixture_experiment(recipe: str, facts: Facts, packing: int) -> Experiment:
    """PacGAN's experiment on points; `packing` 1 is the row GAN of its table."""
    adam = Adam(lr=1e-4, beta1=0.8)
    return Experiment(
        recipe=recipe,
        data=facts.data,
        game=AdversarialConfig(
            generator=MLPGenerator(
                latent=2, hidden=(400,) * 4, activation="relu", norm="batch", init_std=0.02
            ),
            discriminator=MLPDiscriminator(hidden=(200,) * 3, activation="maxout", pieces=5, init_std=0.02),
            objective=NonSaturating(),
            packing=packing,
        ),
        optimizers={"generator": adam, "discriminator": adam},
        training=TrainingConfig(total_images=facts.length(40_000_000), batch=100, ema_half_life=0.0),
    )


MAX_MLP_SIZE = 32  # side up to which images get perceptrons
KL_WARMUP_EPOCHS, KL_WARMUP_SHARE = (
    100,
    0.2,
)  # warm-up of the KL term: in epochs, and at most this share of the run


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


TRANSLATOR_EPOCHS = 200  # the papers'
TRANSLATOR_MIN_IMAGES, TRANSLATOR_MAX_IMAGES = 40_000, 400_000  # images of a run of the recipe's own length


def shorter_side(facts: Facts) -> int:
    """The shorter side of the images, in pixels."""
    return min(facts.spec.shape[1:])


def patch_discriminator(facts: Facts) -> PatchGAN:
    """PatchGAN with patches of a quarter to a half of the side: 70 pixels from 128 on, as in the papers."""
    patch = 70 if shorter_side(facts) >= 128 else 34 if shorter_side(facts) >= 48 else 16
    return PatchGAN(patch_size=patch, width=translator_width(facts), max_width=8 * translator_width(facts))


def translator_width(facts: Facts) -> int:
    """Channels of the first stage: the papers' 64 from 128 pixels on, fewer below."""
    return 64 if shorter_side(facts) >= 128 else 32 if shorter_side(facts) >= 48 else 16


def resnet_translator(facts: Facts) -> ResNetTranslator:
    """CycleGAN's translator: the paper's from 128 pixels on; below with fewer channels, 3 blocks, and nearest-neighbour
    up-sampling, as short runs do not unlearn the checkerboard of transposed convolutions.
    """
    large = shorter_side(facts) >= 128
    return ResNetTranslator(
        width=translator_width(facts), blocks=0 if large else 3, upsample="transposed" if large else "nearest"
    )


def translator_experiment(
    recipe: str, facts: Facts, game: Any, players: tuple[str, ...], **training: Any
) -> Experiment:
    """An image-to-image experiment with the papers' schedule: Adam at 2e-4 times the square root of the batch size, decaying
    linearly to 0 over the second half.
    """
    images = facts.length(
        min(max(TRANSLATOR_EPOCHS * facts.count, TRANSLATOR_MIN_IMAGES), TRANSLATOR_MAX_IMAGES)
    )
    half, batch = max(1, images // 2), 1 if shorter_side(facts) >= 128 else 4
    adam = Adam(
        lr=LinearSchedule(start=2e-4 * batch**0.5, end=0.0, delay=images - half, duration=half), beta1=0.5
    )
    chosen: dict[str, Any] = {"batch": batch, "sample_grid": 8}
    return Experiment(
        recipe=recipe,
        data=replace(facts.data, flip=True, random_crop=0.12),
        game=game,
        optimizers=dict.fromkeys(players, adam),
        training=TrainingConfig(total_images=images, **(chosen | training)),
    )


def tiny_translator(whole: Experiment) -> Experiment:
    """An image-to-image experiment with narrow networks, for tests."""
    game = whole.game
    assert isinstance(game, PairedConfig | CycleConfig | OneSidedConfig)
    thin: Any = (
        UNet(width=4)
        if isinstance(game.translator, UNet)
        else ResNetTranslator(width=4, blocks=1, downsamplings=1)
    )
    game = replace(game, translator=thin, discriminator=PatchGAN(patch_size=7, width=4))
    if isinstance(game, CycleConfig):
        game = replace(game, pool_size=6)
    if isinstance(game, OneSidedConfig):
        game = replace(game, layers=(0, 2, 3), num_patches=16, projection_size=8)
    return replace(
        whole, game=game, training=replace(whole.training, batch=4, total_images=TINY_DOMAINS.length(64))
    )
