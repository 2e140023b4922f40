"""Experiments of an adversarial game that several recipes share: DCGAN's networks for images, perceptrons for 2-D mixtures.

References: Radford, Metz & Chintala 2016, arXiv:1511.06434 (DCGAN; Adam at 2e-4 with beta1 0.5). Lin, Khetan, Fanti, Oh 2018,
arXiv:1712.04086, sec. 4.1 and Table 1, with the numbers of the authors' code: latent 2, four layers of 400, maxout of
3 x 200 units with 5 pieces, Adam 1e-4 with beta1 0.8, batch 100, 400 epochs of 100,000 samples.
"""

from dataclasses import replace
from typing import Any

from sparring.core.optimizers import Adam, OptimizerConfig
from sparring.experiment import Experiment, TrainingConfig
from sparring.games.adversarial import AdversarialConfig
from sparring.parts.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from sparring.parts.networks.mlp import MLPDiscriminator, MLPGenerator
from sparring.parts.objectives import NonSaturating
from sparring.recipes.facts import TINY_IMAGES, Facts


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
