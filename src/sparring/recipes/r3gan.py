"""R3GAN. Huang, Gokaslan, Kuleshov, Tompkin 2024, arXiv:2501.05441.

New here: the relativistic pairing loss with R1 and R2 at every step, which needs none of the usual tricks;
plain residual networks without normalisation. Read parts/objectives/relativistic.py,
parts/penalties/r1_r2.py, parts/networks/r3gan.py. All that varies follows half a cosine over the burn-in
(here a fifth of the run, as in the paper's 10 of 50 million): the learning rate, beta2 0.9 -> 0.99, gamma to
a tenth. Gamma begins at the paper's 0.5 for 32x32 and grows with the number of pixels; the networks are small
configurations of the paper's. Run: sparring train --recipe r3gan
"""

from dataclasses import replace

from sparring.core.optimizers import Adam
from sparring.core.schedule import CosineSchedule
from sparring.experiment import Experiment, TrainingConfig
from sparring.games.adversarial import AdversarialConfig
from sparring.parts.networks.r3gan import R3GANDiscriminator, R3GANGenerator
from sparring.parts.objectives import Relativistic
from sparring.parts.penalties import R1, R2
from sparring.recipes.facts import TINY_IMAGES, Facts


def experiment(facts: Facts) -> Experiment:
    images = facts.length(2_000_000)
    burn_in = max(1, images // 5)
    gamma_0 = 0.5 * facts.spec.numel / facts.spec.shape[0] / (32 * 32)
    gamma = CosineSchedule(start=gamma_0, end=gamma_0 / 10, duration=burn_in)
    adam = Adam(
        lr=CosineSchedule(start=2e-4, end=5e-5, duration=burn_in),
        beta1=0.0,
        beta2=CosineSchedule(start=0.9, end=0.99, duration=burn_in),
    )
    return Experiment(
        recipe="r3gan",
        data=facts.data,
        game=AdversarialConfig(
            generator=R3GANGenerator(),
            discriminator=R3GANDiscriminator(),
            objective=Relativistic(),
            penalties=(R1(gamma=gamma), R2(gamma=gamma)),
        ),
        optimizers={"generator": adam, "discriminator": adam},
        training=TrainingConfig(total_images=images, batch=64, ema_half_life=20_000.0),
    )


def tiny() -> Experiment:
    whole = experiment(TINY_IMAGES)
    assert isinstance(whole.game, AdversarialConfig)
    thin = {"width": 8, "max_width": 8, "blocks": 1, "group_size": 4}
    game = replace(
        whole.game, generator=R3GANGenerator(latent=8, **thin), discriminator=R3GANDiscriminator(**thin)
    )
    return replace(whole, game=game, training=replace(whole.training, batch=8))
