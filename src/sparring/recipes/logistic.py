"""Logistic regression. Cox 1958, "The regression analysis of binary sequences"; as the partner of naive Bayes in Ng & Jordan 2001,
"On discriminative vs. generative classifiers"; several classes as in Zheng et al. 2023, arXiv:2302.02334.

New here: p(y|x) and nothing else, so there is nothing to sample. While it is trained, samples.png shows what it looks for in each
class. The weights start at 0, the problem is convex, and Adam's rate falls to 0, so that all seeds end alike. Read
games/discriminative.py. --set game.network=mlp puts a perceptron before it. Needs labelled data.
Run: sparring train --recipe logistic, then sparring classify RUN IMAGES    Expect: docs/generative-discriminative.md.
"""

from sparring.experiment import Experiment, Training
from sparring.games.discriminative import DiscriminativeConfig
from sparring.optim import Adam
from sparring.recipes.facts import TINY, Facts
from sparring.schedule import Linear

STEPS, EPOCHS, BATCH = 1_000, 10, 64  # at least so many steps, and so many passes


def experiment(facts: Facts) -> Experiment:
    images = facts.length(max(STEPS * BATCH, EPOCHS * facts.count))
    return Experiment(
        recipe="logistic",
        data=facts.data,
        game=DiscriminativeConfig(),
        optimizers={"classifier": Adam(lr=Linear(start=1e-3, end=0.0, over=images), beta1=0.9)},
        training=Training(images=images, batch=BATCH, half_life=0.0),
    )


def tiny() -> Experiment:
    return experiment(TINY)
