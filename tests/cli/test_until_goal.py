"""`--until "fd<=20"`: its syntax, what is printed, and when training ends."""

import io
import json
from pathlib import Path

import pytest

from sparring import load as open_run
from sparring.core.errors import ConfigError
from sparring.protocols.until import MetricTarget, default_protocol, parse_until
from sparring.runs import checkpoint
from sparring.runs.records import Status
from sparring.runs.request import Request
from sparring.terminal.console import Console
from sparring.terminal.text import evaluation_line
from sparring.training.validation import target_outcome

IMAGES, POINTS = (3, 32, 32), (2,)
RIGHT = {
    "100s": (100.0, None),
    "fd<=20": (None, ("fd", "", 20.0)),
    "2h, kd <= 0.01": (7200.0, ("kd", "", 0.01)),
    "cas>=0.8": (None, ("cas", "", 0.8)),
    "fd1000-pca-train<=1e2": (None, ("fd", "fd1k-pca-train", 100.0)),
}
WRONG = {
    "fd>=20": "lower is better",
    "cas<=0.5": "higher is better",
    "df<=20": "did you mean fd?",
    "fd<20": "fd<=20,2h",
    "fd<=": "fd<=20,2h",
    "fd<=many": "a number",
    "fd<=nan": "a number",
    "fd<=1,kd<=2": "fd<=20,2h",
    "1h,2h": "fd<=20,2h",
    "": "fd<=20,2h",
    "fd1k-pca<=3": "fd1k",
}


@pytest.mark.parametrize("text", RIGHT)
def test_valid_goals(text: str) -> None:
    seconds, goal = RIGHT[text]
    expected = goal and MetricTarget(metric=goal[0], protocol=goal[1], target=goal[2])
    assert parse_until(text) == (seconds, expected)


@pytest.mark.parametrize("text", WRONG)
def test_invalid_goals(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Request(until=text)
    assert WRONG[text] in str(caught.value)


def test_the_default_protocol_is_the_cheap_one() -> None:
    assert default_protocol("fd", IMAGES, (9_500, 500)) == "fd500-pca-test"
    assert default_protocol("fd", IMAGES, (9_970, 30)) == "fd1k-pca-train"
    assert default_protocol("cas", IMAGES, (700, 0)) == "cas500-classifier-train"
    assert default_protocol("swd", POINTS, (100_000, 0)) == "swd1k-points-train"
    assert default_protocol("kd", IMAGES, (60, 0)) == "kd60-pca-train"
    assert default_protocol("nll", IMAGES, (60, 0)) == "nll60-pixels-train"


GAN = ["--recipe", "gan", "--images", "1000", "--batch", "100", "--device", "cpu", "--threads", "1"]
SMALL = ["--set", "game.generator.hidden=[8]", "game.discriminator.hidden=[8]"]


def test_training_ends_at_the_target(sparring, tmp_path: Path) -> None:
    run = tmp_path / "run"
    command = ["train", "ring", *GAN, *SMALL, "--out", run, "--until", "swd<=1e9"]
    code, out, _ = sparring(*command)
    assert code == 0
    assert "metric  swd1k-points-train every 100 images; training ends at <= 1e+09" in out
    assert "reached swd <= 1e+09 at image 100: swd1k-points-train" in out
    assert checkpoint.list_checkpoints(run) == [0, 100]
    assert open_run(run).best_checkpoint == 100
    code, out, _ = sparring(*command)
    assert code == 0
    assert "already finished: reached swd <= 1e+09" in out
    code, out, _ = sparring("train", "--out", run, "--json")
    assert code == 0
    assert json.loads(out)["outcome"] == "reached"


def test_a_target_that_is_not_reached_is_reported(sparring, tmp_path: Path) -> None:
    rarely = [f"training.{name}_every=1000" for name in ("evaluate", "sample", "save")]
    options = [*GAN, *SMALL, *rarely, "--out", tmp_path / "run"]
    code, out, _ = sparring("train", "ring", *options, "--until", "swd<=0")
    assert code == 0
    assert "finished: 1,000 images" in out
    assert "swd <= 0 was not reached: best swd1k-points-train" in out


def test_two_metrics_are_an_error(sparring, tmp_path: Path) -> None:
    metric = "training.metric=kd100-points-train"
    code, _, err = sparring("train", "ring", *GAN, "--until", "swd<=1", "--set", metric, "--out", tmp_path)
    assert code == 2
    assert "one metric" in err


def rows(*values: float) -> list[dict]:
    return [
        {
            "images": 10 * (n + 1),
            "value": value,
            "better": "lower",
            "protocol": "fd1k-pca-test",
            "interval": {"low": value - 0.1, "high": value + 0.1},
        }
        for n, value in enumerate(values)
    ]


def test_lines_about_evaluations() -> None:
    assert evaluation_line([]) == ""
    assert evaluation_line(rows(3.0, 4.0)) == "fd1k-pca-test 4 (can't tell it from 3 at 10)"
    assert evaluation_line(rows(3.0, 9.0)) == "fd1k-pca-test 9 (best 3 at 10)"
    assert target_outcome("fd1k-pca-test", 2.0, []).endswith("nothing was evaluated (fd1k-pca-test)")


def test_a_stalled_metric_is_reported_once() -> None:
    stream = io.StringIO()
    console = Console(stream)
    for count in range(1, 9):
        for images in (10 * count, 10 * count + 5):
            console.update(Status(images, 100, 1.0, 1.0, {}, rows(*([5.0, 2.0] + [4.5] * 7)[:count])))
    assert stream.getvalue().count("clearly worse than at image 20") == 1


def test_the_progress_of_reading_is_shown_every_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("sparring.terminal.console.time.monotonic", lambda: now)
    stream = io.StringIO()
    console = Console(stream)
    console.show_reading(1, 900)
    assert stream.getvalue() == ""
    now += 60
    console.show_reading(450, 900)
    console.show_reading(451, 900)
    assert stream.getvalue() == "450/900 read\n"
