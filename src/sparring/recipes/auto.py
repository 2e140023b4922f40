"""`auto`, the default: the fastest well-behaved recipe for the data and the machine at hand.

Pictures: DCGAN's networks at half the width, in small batches at a high learning rate that falls to 0 over
the second half of the run, an averaged generator, and labels told to both players where there are any
(projection). Fast to good pictures on few cores.
Points: the relativistic loss with R1 and R2 (Huang et al. 2024, arXiv:2501.05441), waves of the coordinates in
the discriminator and of the latent in the generator (Tancik et al. 2020, arXiv:2006.10739), and penalties,
learning rates and averages that settle down.
How these were found: docs/log.md. Expect: docs/results.md, "Time to quality" and "Ring and grid".
Run: sparring train DATA
"""

from dataclasses import replace

from sparring.conditioning import Linear as LinearHead
from sparring.conditioning import Projection
from sparring.experiment import Experiment, Training
from sparring.games.adversarial import AdversarialConfig
from sparring.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from sparring.networks.mlp import MLPDiscriminator, MLPGenerator
from sparring.objectives import NonSaturating, Relativistic
from sparring.optim import Adam
from sparring.penalties import R1, R2
from sparring.recipes.convolutional import tiny_of
from sparring.recipes.facts import TINY, TINY_POINTS, Facts
from sparring.schedule import Cosine, Geometric, Linear


def experiment(facts: Facts) -> Experiment:
    return pictures(facts) if facts.spec.is_image else points(facts)


def tiny() -> Experiment:
    return tiny_of(pictures(TINY))


def tiny_points() -> Experiment:
    whole = points(TINY_POINTS)
    assert isinstance(whole.game, AdversarialConfig)
    game = replace(
        whole.game,
        generator=MLPGenerator(latent=2, hidden=(8,), fourier=2),
        discriminator=MLPDiscriminator(hidden=(8,), fourier=2),
    )
    return replace(whole, game=game, training=replace(whole.training, batch=16))


def pictures(facts: Facts) -> Experiment:
    images = facts.length(400_000)
    half = max(1, images // 2)
    adam = Adam(lr=Linear(start=1e-3, end=0.0, begin=images - half, over=half))
    groups = min(30, facts.count // 100) if facts.spec.classes < 2 else 0
    labelled = facts.spec.classes > 1 or groups > 1
    return Experiment(
        recipe="auto",
        data=replace(facts.data, groups=groups),
        game=AdversarialConfig(
            generator=DCGANGenerator(width=32),
            discriminator=DCGANDiscriminator(width=32),
            objective=NonSaturating(),
            head=Projection() if labelled else LinearHead(),
            conditional=labelled,
            shared_fakes=True,
        ),
        optimizers={"generator": adam, "discriminator": adam},
        training=Training(images=images, batch=16, half_life=10_000.0, ramp=0.1),
    )


def points(facts: Facts) -> Experiment:
    images = facts.length(2_048_000)
    gamma = Geometric(start=0.1, end=2e-4, over=max(1, int(0.7 * images)))
    begin = images // 5
    adam = Adam(
        lr=Cosine(start=2e-3, end=0.0, begin=begin, over=max(1, images - begin), warm_up=images // 50),
        beta1=0.0,
        beta2=Cosine(start=0.9, end=0.99, over=max(1, int(0.7 * images))),
    )
    return Experiment(
        recipe="auto",
        data=facts.data,
        game=AdversarialConfig(
            generator=MLPGenerator(latent=2, hidden=(128,) * 5, activation="relu", fourier=4, init_gain=1.4),
            discriminator=MLPDiscriminator(
                hidden=(128,) * 3, activation="leaky_relu", fourier=7, init_gain=1.4
            ),
            objective=Relativistic(),
            head=LinearHead(init_gain=1.4),
            penalties=(R1(gamma=gamma), R2(gamma=gamma)),
            joint=True,
        ),
        optimizers={"generator": adam, "discriminator": adam},
        training=Training(images=images, batch=256, half_life=1e12, ramp=0.03),
    )
