"""`auto`, the default: the fastest stable recipe for the data and the machine at hand.

Images: auto_images.py; what was chosen and why is printed, and stands in run.json (`reasons`). Points: the
relativistic loss with R1 and R2 (Huang et al. 2024, arXiv:2501.05441), waves of the coordinates in the
discriminator and of the latent in the generator (Tancik et al. 2020, arXiv:2006.10739), and penalties, learning
rates and averages that settle down. Evaluation: of 400 images or more a twentieth (at most 500) is held out, and
of 2,000 or more the kernel distance is taken now and then, by features that the run's length can afford
(`choose_validation`): EfficientNet-Lite0, a network trained on the data without labels, or for the shortest runs
pixels. It costs at most about 5 % of the run. Points are evaluated by the sliced Wasserstein distance. These are
for comparing checkpoints of one run only. How these were found: docs/log.md. Expect: docs/results.md, "What
`auto` makes of images", "Time to quality" and "Ring and grid". Run: sparring train DATA
"""

import math
from dataclasses import replace

from sparring.core.optimizers import Adam
from sparring.core.schedule import CosineSchedule, GeometricSchedule
from sparring.experiment import Experiment, TrainingConfig
from sparring.games.adversarial import AdversarialConfig
from sparring.parts.conditioning import Unconditional
from sparring.parts.networks.mlp import MLPDiscriminator, MLPGenerator
from sparring.parts.objectives import Relativistic
from sparring.parts.penalties import R1, R2
from sparring.protocols.defaults import choose_validation
from sparring.recipes import auto_images
from sparring.recipes.facts import TINY_IMAGES, TINY_POINTS, Facts
from sparring.recipes.shared_gan import tiny_dcgan

MIN_EVALUATION_INTERVAL = (
    4_000  # images between evaluations at least: one costs as much as training on about 100
)


def experiment(facts: Facts) -> Experiment:
    return image_experiment(facts) if facts.spec.is_image else point_experiment(facts)


def tiny() -> Experiment:
    return tiny_dcgan(image_experiment(TINY_IMAGES))


def tiny_points() -> Experiment:
    whole = point_experiment(TINY_POINTS)
    assert isinstance(whole.game, AdversarialConfig)
    game = replace(
        whole.game,
        generator=MLPGenerator(latent=2, hidden=(8,), fourier=2),
        discriminator=MLPDiscriminator(hidden=(8,), fourier=2),
    )
    return replace(whole, game=game, training=replace(whole.training, batch=16))


def image_experiment(facts: Facts) -> Experiment:
    chosen = auto_images.experiment(facts)
    training = with_metric(chosen.training, "kd", "pixels-test", chosen.data.held_out, facts.spec.shape)
    return replace(chosen, training=training)


def with_metric(
    training: TrainingConfig, metric: str, name: str, count: int, shape: tuple[int, ...] = ()
) -> TrainingConfig:
    """The training settings with a metric on a round number of samples, at most `count`, evaluated with the sample grids; unchanged
    for fewer than 100 samples.

    Arguments:
        name: the cheapest features and the split; see `choose_validation`.
        shape: of one sample.
    """
    chosen = choose_validation(metric, name, count, training.total_images, shape)
    if chosen is None:
        return training
    grids = max(1, training.total_images // 10)
    fewest = math.ceil(MIN_EVALUATION_INTERVAL / grids)  # grids between two evaluations, at least
    every = grids * max(fewest, math.ceil(10 / chosen.evaluations))
    return replace(training, metric=str(chosen.protocol), evaluate_every=every)


def point_experiment(facts: Facts) -> Experiment:
    images = facts.length(2_048_000)
    gamma = GeometricSchedule(start=0.1, end=2e-4, duration=max(1, int(0.7 * images)))
    begin = images // 5
    adam = Adam(
        lr=CosineSchedule(
            start=2e-3, end=0.0, delay=begin, duration=max(1, images - begin), warmup=images // 50
        ),
        beta1=0.0,
        beta2=CosineSchedule(start=0.9, end=0.99, duration=max(1, int(0.7 * images))),
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
            head=Unconditional(init_gain=1.4),
            penalties=(R1(gamma=gamma), R2(gamma=gamma)),
            joint_batch=True,
        ),
        optimizers={"generator": adam, "discriminator": adam},
        training=with_metric(
            TrainingConfig(total_images=images, batch=256, ema_half_life=1e12, ema_ramp=0.03),
            "swd",
            "points-train",
            facts.count,
        ),
    )
