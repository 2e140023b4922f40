"""Two-stage VAE. Dai & Wipf 2019, arXiv:1903.05789.

New here: the width of the likelihood is learned, and a second VAE learns how the codes of the first are
distributed: samples come from there, no longer from the normal prior. Read games/two_stage.py. Codes of 64
numbers, three layers of 1024 in the second stage, batches of 100, as in the paper; half of the run for each
stage (there 400 and 800 epochs); Adam's rate falls along half a cosine from 1e-3 (there from 1e-4, halved on
the way). The networks of the first stage: see recipes/shared_autoencoder.py. --set game.switch=N sets the change of
stages to image N. Run: sparring train --recipe two_stage_vae Expect: docs/results.md, "Latent-variable
models".
"""

from dataclasses import replace

from sparring.core.optimizers import Adam
from sparring.core.schedule import CosineSchedule
from sparring.experiment import Experiment, TrainingConfig
from sparring.games.two_stage import TwoStageConfig
from sparring.parts.networks.mlp import MLPDiscriminator, MLPGenerator
from sparring.recipes.facts import TINY_IMAGES, Facts
from sparring.recipes.shared_autoencoder import encoder_and_decoder, tiny_autoencoder


def experiment(facts: Facts) -> Experiment:
    encoder, decoder = encoder_and_decoder(facts.spec)
    images = facts.length(6_000_000)
    switch = max(1, images // 2)
    first = CosineSchedule(start=1e-3, end=1e-5, duration=switch)
    second = CosineSchedule(start=1e-3, end=1e-5, duration=switch, delay=switch)
    return Experiment(
        recipe="two_stage_vae",
        data=facts.data,
        game=TwoStageConfig(
            encoder=encoder,
            decoder=decoder,
            second_encoder=MLPDiscriminator(hidden=(1024,) * 3, activation="relu"),
            second_decoder=MLPGenerator(hidden=(1024,) * 3, activation="relu"),
            switch=switch,
            latent=64 if facts.spec.is_image else 2,
        ),
        optimizers={"first": Adam(lr=first, beta1=0.9), "second": Adam(lr=second, beta1=0.9)},
        training=TrainingConfig(total_images=images, batch=100),
    )


def tiny() -> Experiment:
    whole = tiny_autoencoder(experiment(TINY_IMAGES))
    assert isinstance(whole.game, TwoStageConfig)
    thin = {"second_encoder": MLPDiscriminator(hidden=(8,)), "second_decoder": MLPGenerator(hidden=(8,))}
    return replace(whole, game=replace(whole.game, switch=48, latent=6, **thin))  # type: ignore[arg-type]
