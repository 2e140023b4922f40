"""Logistic regression. Cox 1958, "The regression analysis of binary sequences"; as the counterpart of naive Bayes
in Ng & Jordan 2001, "On discriminative vs. generative classifiers"; several classes as in Zheng et al. 2023,
arXiv:2302.02334.

New here: p(y|x) and nothing else, so there is nothing to sample. While it is trained, samples.png shows the
template of each class. The weights start at 0, the problem is convex, and Adam's rate falls to 0, so that
all seeds end alike. Read games/classifier.py. --set game.network=mlp puts a perceptron before it. Needs
labelled data. Run: sparring train --recipe logistic, then sparring classify RUN IMAGES Expect:
docs/generative-discriminative.md.
"""

from sparring.core.optimizers import Adam
from sparring.core.schedule import LinearSchedule
from sparring.experiment import Experiment, TrainingConfig
from sparring.games.classifier import ClassifierConfig
from sparring.recipes.facts import TINY_IMAGES, Facts

MIN_STEPS, MIN_EPOCHS, BATCH = 1_000, 10, 64  # at least so many steps, and so many passes


def experiment(facts: Facts) -> Experiment:
    images = facts.length(max(MIN_STEPS * BATCH, MIN_EPOCHS * facts.count))
    return Experiment(
        recipe="logistic",
        data=facts.data,
        game=ClassifierConfig(),
        optimizers={"classifier": Adam(lr=LinearSchedule(start=1e-3, end=0.0, duration=images), beta1=0.9)},
        training=TrainingConfig(total_images=images, batch=BATCH, ema_half_life=0.0),
    )


def tiny() -> Experiment:
    return experiment(TINY_IMAGES)
