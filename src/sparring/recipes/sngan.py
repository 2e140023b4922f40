"""SNGAN. Miyato, Kataoka, Koyama, Yoshida 2018, arXiv:1802.05957.

New here: every weight of the discriminator divided by its largest singular value. Read
parts/networks/layers/spectral_norm.py, parts/networks/resnet.py, parts/objectives/hinge.py. Residual
networks, hinge, five discriminator steps, Adam (0, 0.9) with a rate that falls to 0. With labels: `--set
game.conditional=true --set game.head=projection` (Miyato & Koyama 2018, arXiv:1802.05637). Run: sparring
train --recipe sngan
"""

from dataclasses import replace

from sparring.core.optimizers import Adam
from sparring.core.schedule import LinearSchedule
from sparring.experiment import Experiment, TrainingConfig
from sparring.games.adversarial import AdversarialConfig
from sparring.parts.networks.resnet import ResNetDiscriminator, ResNetGenerator
from sparring.parts.objectives import Hinge
from sparring.recipes.facts import TINY_IMAGES, Facts


def experiment(facts: Facts) -> Experiment:
    images = facts.length(2_000_000)
    adam = Adam(lr=LinearSchedule(start=2e-4, end=0.0, duration=images), beta1=0.0, beta2=0.9)
    return Experiment(
        recipe="sngan",
        data=facts.data,
        game=AdversarialConfig(
            generator=ResNetGenerator(),
            discriminator=ResNetDiscriminator(),
            objective=Hinge(),
            critic_steps=5,
        ),
        optimizers={"generator": adam, "discriminator": adam},
        training=TrainingConfig(total_images=images, batch=64),
    )


def tiny() -> Experiment:
    whole = experiment(TINY_IMAGES)
    assert isinstance(whole.game, AdversarialConfig)
    game = replace(
        whole.game, generator=ResNetGenerator(latent=8, width=4), discriminator=ResNetDiscriminator(width=4)
    )
    return replace(whole, game=game, training=replace(whole.training, batch=8))
