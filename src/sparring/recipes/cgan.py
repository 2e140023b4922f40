"""Conditional generative adversarial nets. Mirza & Osindero 2014, arXiv:1411.1784.

New here: both networks are conditioned on the label. Read parts/networks/layers/label_embedding.py,
parts/conditioning/concatenation.py. Deviation: Adam, and LeakyReLU in the discriminator's joint layer. Needs
labelled data. Run: sparring train --recipe cgan Expect: docs/results.md, "Labels obeyed".
"""

from dataclasses import replace

from sparring.core.optimizers import Adam
from sparring.experiment import Experiment, TrainingConfig
from sparring.games.adversarial import AdversarialConfig
from sparring.parts.conditioning import Concatenation
from sparring.parts.networks.mlp import MLPDiscriminator, MLPGenerator
from sparring.parts.objectives import NonSaturating
from sparring.recipes.facts import TINY_IMAGES, Facts


def experiment(facts: Facts) -> Experiment:
    adam = Adam(lr=2e-4, beta1=0.5)
    return Experiment(
        recipe="cgan",
        data=facts.data,
        game=AdversarialConfig(
            generator=MLPGenerator(
                latent=100, hidden=(1200, 1200), activation="relu", norm="batch", embedding=50
            ),
            discriminator=MLPDiscriminator(hidden=(240, 240), activation="maxout", pieces=5, dropout=0.3),
            objective=NonSaturating(),
            head=Concatenation(embedding=50, width=240),
            conditional=True,
        ),
        optimizers={"generator": adam, "discriminator": adam},
        training=TrainingConfig(total_images=facts.length(2_000_000), batch=100),
    )


def tiny() -> Experiment:
    whole = experiment(TINY_IMAGES)
    assert isinstance(whole.game, AdversarialConfig)
    game = replace(
        whole.game,
        generator=MLPGenerator(latent=8, hidden=(16,), activation="relu", norm="batch", embedding=4),
        discriminator=MLPDiscriminator(hidden=(8,), activation="maxout", pieces=2, dropout=0.3),
        head=Concatenation(embedding=4, width=8),
    )
    return replace(whole, game=game, training=replace(whole.training, batch=16))
