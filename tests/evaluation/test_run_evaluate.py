"""`Run.evaluate`, with the metrics as the README and the command line write them."""

import sparring
from tests.helpers import toy


def test_metrics_are_split_at_commas(toy_data, tmp_path):
    toy.train(toy.request(toy_data, steps=4), tmp_path / "run")
    run = sparring.load(tmp_path / "run", device="cpu")
    together = run.evaluate(metrics="fd20-pixels-train, auth20-pixels-train")
    assert [result.name for result in together] == ["fd20-pixels-train", "auth20-pixels-train"]
    apart = run.evaluate(metrics=["fd20-pixels-train", "auth20-pixels-train"])
    assert [result.value for result in apart] == [result.value for result in together]


def test_short_names_are_split_too(toy_data, tmp_path):
    toy.train(toy.request(toy_data, steps=4), tmp_path / "run")
    run = sparring.load(tmp_path / "run", device="cpu")
    results = run.evaluate(metrics="fd,auth", n=20)
    assert [result.name.partition("20-")[0] for result in results] == ["fd", "auth"]
