"""Generative adversarial nets. Goodfellow et al. 2014, arXiv:1406.2661.

New here: the game itself. Read parts/objectives/minimax.py, parts/objectives/nonsaturating.py,
games/adversarial.py, parts/networks/mlp.py. Two multilayer perceptrons: rectifiers against maxout with
dropout; the generator raises log D(G(z)) (sec. 3). Deviation: Adam in place of momentum with a decaying rate.
For points: the networks and numbers of Lin et al. 2018 (arXiv:1712.04086, Table 1, row GAN). Run: sparring
train --recipe gan Expect: docs/results.md, "Ring and grid".
"""

from sparring.core.optimizers import Adam
from sparring.experiment import Experiment, TrainingConfig
from sparring.games.adversarial import AdversarialConfig
from sparring.parts.networks.mlp import MLPDiscriminator, MLPGenerator
from sparring.parts.objectives import NonSaturating
from sparring.recipes.facts import TINY_IMAGES, Facts
from sparring.recipes.shared_gan import mixture_experiment


def experiment(facts: Facts) -> Experiment:
    if not facts.spec.is_image:
        return mixture_experiment("gan", facts, packing=1)
    return _mlp_experiment(facts, generator=(1200, 1200), discriminator=(240, 240))


def tiny() -> Experiment:
    return _mlp_experiment(TINY_IMAGES, generator=(16,), discriminator=(8,), batch=16)


def _mlp_experiment(
    facts: Facts, generator: tuple[int, ...], discriminator: tuple[int, ...], batch: int = 100
) -> Experiment:
    return Experiment(
        recipe="gan",
        data=facts.data,
        game=AdversarialConfig(
            generator=MLPGenerator(latent=100, hidden=generator, activation="relu"),
            discriminator=MLPDiscriminator(hidden=discriminator, activation="maxout", pieces=5, dropout=0.3),
            objective=NonSaturating(),
            joint_batch=True,
        ),
        optimizers={"generator": Adam(lr=2e-4, beta1=0.5), "discriminator": Adam(lr=2e-4, beta1=0.5)},
        training=TrainingConfig(total_images=facts.length(2_000_000), batch=batch),
    )
