"""What the recipes on DCGAN's networks share: the networks, the optimizer, the length; and how they are made tiny."""

from dataclasses import replace
from typing import Any

from sparring.experiment import Experiment, Training
from sparring.games.adversarial import AdversarialConfig
from sparring.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from sparring.objectives import NonSaturating
from sparring.optim import Adam, OptimizerConfig
from sparring.recipes.facts import TINY, Facts


def convolutional(
    recipe: str, facts: Facts, optimizer: OptimizerConfig | None = None, batch: int = 64, **rules: Any
) -> Experiment:
    """A game of DCGAN's two networks; `rules` are fields of `AdversarialConfig` that differ from the paper's."""
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
        training=Training(images=facts.length(2_000_000), batch=batch),
    )


def tiny_of(whole: Experiment) -> Experiment:
    """The same with the thinnest networks and a batch of 16, for tests."""
    assert isinstance(whole.game, AdversarialConfig)
    generator, discriminator = whole.game.generator, whole.game.discriminator
    assert isinstance(generator, DCGANGenerator)
    assert isinstance(discriminator, DCGANDiscriminator)
    game = replace(
        whole.game,
        generator=replace(generator, latent=8, width=4),
        discriminator=replace(discriminator, width=4),
    )
    return replace(whole, game=game, training=replace(whole.training, batch=16, images=TINY.length(64)))
