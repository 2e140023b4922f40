"""What the recipes with codes share: the networks by the size of the picture, the likelihood by the kind of data.

The perceptrons are those of Davidson et al. 2018 (arXiv:1804.00891): 784-256-128-z-128-256-784 with ReLU, for pictures of at most
32x32 and for points. Larger pictures get DCGAN's convolutions.
"""

from dataclasses import replace

from sparring.experiment import Experiment, Training
from sparring.games.variational import VariationalConfig
from sparring.likelihoods import Bernoulli, Gaussian, Likelihood
from sparring.networks import DiscriminatorNetwork, GeneratorNetwork
from sparring.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from sparring.networks.mlp import MLPDiscriminator, MLPGenerator
from sparring.optim import Adam
from sparring.posteriors.posterior import Posterior
from sparring.recipes.facts import TINY, Facts
from sparring.schedule import Linear
from sparring.shapes import Spec

LONGEST = 32  # side of a picture that perceptrons see whole
WARM_EPOCHS, WARM_SHARE = 100, 0.2  # of the KL term: so many epochs, but no more than a share of the run


def coders(spec: Spec) -> tuple[DiscriminatorNetwork, GeneratorNetwork]:
    """Encoder's body and decoder."""
    if spec.is_image and max(spec.shape[1:]) > LONGEST:
        return DCGANDiscriminator(), DCGANGenerator()
    return (
        MLPDiscriminator(hidden=(256, 128), activation="relu"),
        MLPGenerator(hidden=(128, 256), activation="relu"),
    )


def size(spec: Spec) -> int:
    """Of a code: 10 for small pictures, as in the paper's tables between its 2 and 40; 128 for larger ones, 2 for points."""
    if not spec.is_image:
        return 2
    return 128 if max(spec.shape[1:]) > LONGEST else 10


def likelihood(spec: Spec) -> Likelihood:
    """Drawn black and white for small grey pictures, such as MNIST; else normal, of a width that is learned.

    Colours are not near black or white; and a learned width sets the weight of the reconstruction by itself.
    """
    grey = spec.is_image and spec.shape[0] == 1 and max(spec.shape[1:]) <= LONGEST
    return Bernoulli(binarise="dynamic") if grey else Gaussian()


def variational(recipe: str, facts: Facts, posterior: Posterior, **rules: object) -> Experiment:
    """A variational autoencoder; `rules` are fields of `VariationalConfig` that differ."""
    encoder, decoder = coders(facts.spec)
    images = facts.length(6_000_000)
    warm_up = max(1, min(WARM_EPOCHS * facts.count, int(WARM_SHARE * images)))
    parts = {"likelihood": likelihood(facts.spec), "beta": Linear(start=0.0, end=1.0, over=warm_up)}
    return Experiment(
        recipe=recipe,
        data=facts.data,
        game=VariationalConfig(encoder=encoder, decoder=decoder, posterior=posterior, **(parts | rules)),  # type: ignore[arg-type]
        optimizers={"autoencoder": Adam(lr=1e-3, beta1=0.9)},
        training=Training(images=images, batch=64),
    )


def tiny_of(whole: Experiment) -> Experiment:
    """The same with thin layers and a batch of 16, for tests."""
    game = replace(whole.game, encoder=MLPDiscriminator(hidden=(8,)), decoder=MLPGenerator(hidden=(8,)))  # type: ignore[type-var]
    return replace(whole, game=game, training=replace(whole.training, batch=16, images=TINY.length(64)))
