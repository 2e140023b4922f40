"""`auto`, the default: the fastest well-behaved recipe for the data and the machine at hand."""

from sparring.experiment import Experiment
from sparring.recipes import dcgan, gan
from sparring.recipes.facts import Facts


def experiment(facts: Facts) -> Experiment:
    return dcgan.experiment(facts) if facts.spec.is_image else gan.experiment(facts)


def tiny() -> Experiment:
    return dcgan.tiny()
