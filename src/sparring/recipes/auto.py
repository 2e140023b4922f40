"""`auto`, the default: the fastest well-behaved recipe for the data and the machine at hand.

Pictures: DCGAN's networks at half the width, in small batches at a high learning rate that falls to 0 over
the second half of the run, an averaged generator, and labels told to both players where there are any
(projection). Fast to good pictures on few cores.
Points: the relativistic loss with R1 and R2 (Huang et al. 2024, arXiv:2501.05441), waves of the coordinates in
the discriminator and of the latent in the generator (Tancik et al. 2020, arXiv:2006.10739), and penalties,
learning rates and averages that settle down.
Judging: of 400 pictures or more a twentieth (at most 500) is held out, and of 2,000 or more the kernel distance of pixels
is taken now and then, which costs less than 3 % of a run of half a minute and finds the best checkpoint; points are judged by
the sliced Wasserstein distance. Both are cheap, and for comparing moments of one run only.
How these were found: docs/log.md. Expect: docs/results.md, "Time to quality" and "Ring and grid".
Run: sparring train DATA
"""

import math
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

APART = 4_000  # images between evaluations at least: one costs as much as training on about 100


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
    held_out = min(500, facts.count // 20) if facts.count >= 400 else 0
    training = Training(images=images, batch=16, half_life=10_000.0, ramp=0.1)
    return Experiment(
        recipe="auto",
        data=replace(facts.data, groups=groups, held_out=held_out),
        game=AdversarialConfig(
            generator=DCGANGenerator(width=32),
            discriminator=DCGANDiscriminator(width=32),
            objective=NonSaturating(),
            head=Projection() if labelled else LinearHead(),
            conditional=labelled,
            shared_fakes=True,
        ),
        optimizers={"generator": adam, "discriminator": adam},
        training=judged(training, "kd", "pixels-test", held_out),
    )


def judged(training: Training, metric: str, name: str, count: int) -> Training:
    """The same, judged on as many of `count` samples as make a round number, at the times of sample grids; not, if they are few."""
    used = max((number for number in (100, 200, 500, 1000) if number <= count), default=0)
    if not used:
        return training
    grids = max(1, training.images // 10)
    every = grids * math.ceil(APART / grids)
    return replace(training, metric=f"{metric}{used}-{name}".replace("1000", "1k"), evaluate_every=every)


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
        training=judged(
            Training(images=images, batch=256, half_life=1e12, ramp=0.03), "swd", "points-train", facts.count
        ),
    )
