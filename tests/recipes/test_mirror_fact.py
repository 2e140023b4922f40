"""Recipes can ask whether images may be mirrored, and only those that ask pay for the answer."""

from dataclasses import replace

import pytest

from sparring.data import DataConfig, open_data
from sparring.experiment import Experiment
from sparring.recipes import dcgan
from sparring.recipes.facts import Facts
from sparring.runs import request as requests
from sparring.runs.request import Request, resolve_experiment
from tests.helpers.toy import cpu


def flipping(facts: Facts) -> Experiment:
    """A recipe that flips where the images allow it."""
    tests = [facts.mirror_test() for _ in range(2)]
    experiment = dcgan.experiment(facts)
    return replace(
        experiment, data=replace(experiment.data, flip=tests[0] is not None and tests[0].allows_flips)
    )


def test_recipe_that_asks_gets_one_measurement_and_the_user_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset, calls = open_data(DataConfig(source="animals")), []

    def counted(*arguments: object) -> object:
        calls.append(arguments)
        return measured(*arguments)

    measured = requests.run_mirror_test
    monkeypatch.setattr(requests, "run_mirror_test", counted)
    assert not resolve_experiment(Request(recipe="dcgan", images=64), dataset, cpu()).data.flip
    assert not calls
    monkeypatch.setitem(requests.RECIPES, "dcgan", flipping)
    assert resolve_experiment(Request(recipe="dcgan", images=64), dataset, cpu()).data.flip
    assert len(calls) == 1
    explicit = Request(recipe="dcgan", images=64, settings=("data.flip=false",))
    assert not resolve_experiment(explicit, dataset, cpu()).data.flip


def test_without_data_nothing_is_known() -> None:
    facts = Facts(spec=open_data(DataConfig(source="ring")).spec, count=10)
    assert facts.mirror_test() is None
