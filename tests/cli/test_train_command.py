"""`sparring train`: exit codes, resuming, and the text on the terminal."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import sparring as package
from sparring.core.errors import ConfigError, DivergedError
from sparring.runs.records import Status
from sparring.runs.request import Request, default_run_folder, parse_size
from sparring.terminal.console import Console


def test_a_run_folder_holds_all_documented_files(run: Path) -> None:
    documented = [
        "run.json",
        "metrics.jsonl",
        "samples.png",
        "generator.safetensors",
        "report.html",
        "data.json",
        "data.png",
    ]
    assert [name for name in documented if not (run / name).exists()] == []
    assert sorted((run / "samples").iterdir())[-1].name == f"{64:012d}.png"


def test_the_same_command_on_a_finished_run_says_so_and_changes_nothing(sparring, run: Path) -> None:
    before = (run / "generator.safetensors").read_bytes()
    code, out, err = sparring("train", "--out", run, "--json")
    document = json.loads(out)
    assert code == 0
    assert "already finished" in err
    assert {name: document[name] for name in ("run", "outcome", "images")} == {
        "run": str(run),
        "outcome": "finished",
        "images": 64,
    }
    assert (run / "generator.safetensors").read_bytes() == before


def test_other_options_for_the_same_folder_are_an_error_with_both_values(sparring, run: Path) -> None:
    code, out, err = sparring("train", "--out", run, "--seed", 128)
    assert code == 2
    assert "128" in err
    assert "None" in err
    assert "another --out" in err


def test_quiet_prints_nothing(sparring, run: Path) -> None:
    assert sparring("train", "--out", run, "--quiet") == (0, "", "")


def test_progress_without_a_terminal_is_plain_lines(
    sparring, messy: Path, tiny_settings: Path, tmp_path: Path
) -> None:
    out_folder = tmp_path / "new"
    options = ["--images", 32, "--size", 8, "--config", tiny_settings, "--out", out_folder, "--device", "cpu"]
    code, out, _ = sparring("train", messy, "--recipe", "cgan", *options)
    assert code == 0
    for fact in (
        "24 images of 8x8 grey",
        "2 classes",
        "3 skipped",
        "cgan, parameters: ",
        "device  cpu",
        "32 images in batches of 16",
    ):
        assert fact in out
    assert "32/32 images" in out
    assert "loss: generator " in out
    assert f"sparring sample {out_folder}" in out
    assert out.count("images/") < 1
    assert len(out.splitlines()) < 20
    assert "\x1b" not in out


MISTAKES = {
    "no such data": (["nowhere/at/all"], "does not exist"),
    "three data": (["a", "b", "c"], "3 DATA"),
    "recipe": (["--recipe", "dcgna"], "did you mean dcgan"),
    "setting": (["ring", "--set", "training.bacth=3", "--images", "100"], "did you mean batch"),
    "no setting": (["ring", "--images", "100", "--set", "=3"], "path=value"),
    "time": (["--until", "5 weeks"], "100s, 5m or 2h"),
    "size": (["--size", "big"], "48x80"),
    "file": (["--config", "nowhere.yaml"], "--config"),
    "from": (["ring", "--images", "100", "--from", "nowhere"], "no run there"),
    "device": (["ring", "--device", "abacus", "--images", "100"], "a device of this machine"),
    "threads": (["ring", "--threads", "0", "--images", "100"], "at least 1"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_user_errors_exit_with_2_and_have_three_parts(sparring, mistake: str, tmp_path: Path) -> None:
    options, part = MISTAKES[mistake]
    code, _, err = sparring("train", *options, "--out", tmp_path / "run")
    assert code == 2
    assert part in err
    assert "Traceback" not in err
    assert "expected: " in err
    assert "do this: " in err


@pytest.mark.parametrize(
    ("arguments", "part"), [(["--recpie", "dcgan"], "--recipe"), (["--precision", "fp8"], "bf16")]
)
def test_the_error_for_a_misspelt_option_names_the_right_one(
    sparring, arguments: list[str], part: str
) -> None:
    code, _, err = sparring("train", *arguments)
    assert code == 2
    assert part in err


def test_a_signal_saves_and_prints_the_command_to_resume(
    messy: Path, tiny_settings: Path, tmp_path: Path
) -> None:
    command = [
        sys.executable,
        "-m",
        "sparring",
        "train",
        str(messy),
        "--recipe",
        "cgan",
        "--size",
        "8",
        "--device",
        "cpu",
    ]
    command += [
        "--config",
        str(tiny_settings),
        "--out",
        str(tmp_path / "run"),
        "--images",
        "1000000",
        "--threads",
        "1",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ)
    limit = time.monotonic() + 100
    while (
        not (tmp_path / "run" / "checkpoints" / "000000000000" / "manifest.json").exists()
        and time.monotonic() < limit
    ):
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 143
    assert "the state is saved" in out
    assert f"sparring train --out {tmp_path / 'run'}" in out
    images = int(re.search(r"stopped at image ([\d,]+)", out)[1].replace(",", ""))
    assert (tmp_path / "run" / "checkpoints" / f"{images:012d}").is_dir()


def test_the_python_interface_gives_the_same_run(
    run: Path, messy: Path, tiny_settings: Path, tmp_path: Path
) -> None:
    again = package.train(
        messy,
        recipe="cgan",
        out=tmp_path / "py",
        images=64,
        size=8,
        config=tiny_settings,
        device="cpu",
        threads=1,
    )
    assert (again.path / "generator.safetensors").read_bytes() == (run / "generator.safetensors").read_bytes()
    assert again.experiment.training.total_images == 64
    assert again.metrics()[-1]["images"] == 64
    assert again.events() == []
    assert again.report() == again.path / "report.html"


def test_from_says_what_is_taken_and_downloads_once(
    sparring, run: Path, messy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["--images", 16, "--device", "cpu", "--threads", 1, "--out", tmp_path / "tuned"]
    monkeypatch.setattr("sparring.export.hub.pull", lambda address: run / "generator.safetensors")
    code, out, _ = sparring("train", messy, "--from", "hf://user/name", *options)
    assert code == 0
    assert "from    hf://user/name at image 64: " in out
    assert "fresh: discriminator." in out

    def refuse(address: str) -> Path:
        raise AssertionError("a finished run needs no download")

    monkeypatch.setattr("sparring.export.hub.pull", refuse)
    assert "already finished" in sparring("train", messy, "--from", "hf://user/name", *options)[1]
    assert sparring("train", messy, "--from", run, *options)[0] == 2


def test_the_python_interface_begins_with_another_run(run: Path, messy: Path, tmp_path: Path) -> None:
    tuned = package.train(messy, start_from=run, images=16, out=tmp_path / "py", device="cpu", threads=1)
    entry = json.loads((tuned.path / "run.json").read_text())["from"]
    assert entry["source"] == str(run)
    assert entry["fresh"] == []
    assert tuned.experiment.recipe == "cgan"


def test_sizes_and_default_run_folders() -> None:
    assert parse_size("48x80") == (48, 80)
    assert parse_size(" 64 ") == (64, 64)
    assert parse_size((3, 4)) == (3, 4)
    assert parse_size(None) is None
    with pytest.raises(ConfigError) as caught:
        parse_size("48 by 80")
    assert "48 by 80" in caught.value.got
    assert default_run_folder(Request()) == Path("runs/animals-auto")
    assert default_run_folder(Request(data="animals:cat,dog", recipe="wgan")) == Path(
        "runs/animals-cat-dog-wgan"
    )
    assert default_run_folder(Request(data="../my photos.zip")) == Path("runs/my-photos-auto")
    assert default_run_folder(Request(data="/")) == Path("runs/data-auto")


def test_divergence_exits_with_3_and_writes_the_report(
    sparring, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def diverge(*arguments: object) -> None:
        raise DivergedError("numbers that are not finite", "finite ones", "lower the learning rates")

    monkeypatch.setattr("sparring.training.loop.TrainingLoop.run", diverge)
    options = ["--recipe", "gan", "--images", "100", "--device", "cpu", "--threads", "1"]
    small = ["--set", "game.generator.hidden=[8]", "game.discriminator.hidden=[8]"]
    code, _, err = sparring("train", "ring", *options, *small, "--out", tmp_path / "run")
    assert code == 3
    assert "lower the learning rates" in err
    assert "Traceback" not in err
    assert (tmp_path / "run" / "report.html").exists()


def test_a_terminal_gets_two_lines_that_are_updated() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    console = Console(Terminal())
    latest = {
        "generator/adversarial": 0.7,
        "discriminator/adversarial": 1.4,
        "discriminator/accuracy_real": 0.3,
        "discriminator/accuracy_fake": 0.64,
    }
    console.start_live()
    console.update(Status(640, 1280, 64.0, 10.0, latest))
    console.close()
    text = console.stream.getvalue()
    assert "640/1,280 images  64/s  0:10 left" in text
    assert "generator 0.70 discriminator 1.40  D accuracy: real 30%, fake 64%" in text


def test_a_closed_output_does_not_end_the_run(tmp_path: Path) -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    console = Console(Closed())
    console.print("reading")
    console.update(Status(64, 64, 1.0, 0.0, {}))
    console.close()
    assert console.stream is None
