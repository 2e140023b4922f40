"""Naive Bayes. Ng & Jordan 2001, "On discriminative vs. generative classifiers: a comparison of logistic
regression and naive Bayes", sec. 2; Zheng et al. 2023, arXiv:2302.02334 (several classes).

New here: a model that generates without anything to learn by gradients. One pass over the data counts how
often each pixel is white in each class; from the same counts come samples and classes. Read
games/naive_bayes.py. Small grey images are taken as black and white, all else as normal: --set
game.family=gaussian. Without labels there is one class. Run: sparring train --recipe naive_bayes, then
sparring classify RUN IMAGES Expect: docs/generative-discriminative.md.
"""

from dataclasses import replace

from sparring.experiment import Experiment, TrainingConfig
from sparring.games.naive_bayes import NaiveBayesConfig
from sparring.parts.likelihoods import Bernoulli
from sparring.recipes.facts import TINY_IMAGES, Facts
from sparring.recipes.shared_autoencoder import default_likelihood

BATCH = 256


def experiment(facts: Facts) -> Experiment:
    binary = isinstance(default_likelihood(facts.spec), Bernoulli)
    return Experiment(
        recipe="naive_bayes",
        data=facts.data,
        game=NaiveBayesConfig(family="bernoulli" if binary else "gaussian"),
        optimizers={},
        training=TrainingConfig(
            total_images=facts.length(facts.count), batch=min(BATCH, facts.count), ema_half_life=0.0
        ),
    )


def tiny() -> Experiment:
    whole = experiment(TINY_IMAGES)
    return replace(whole, training=replace(whole.training, batch=8))
