"""`sparring train`: exit codes, going on, and what is said."""

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


def test_a_run_folder_holds_all_that_is_promised(run: Path) -> None:
    promised = [
        "run.json",
        "metrics.jsonl",
        "samples.png",
        "generator.safetensors",
        "report.html",
        "data.json",
        "data.png",
    ]
    assert [name for name in promised if not (run / name).exists()] == []
    assert sorted((run / "samples").iterdir())[-1].name == f"{64:012d}.png"


def test_the_same_command_again_says_that_it_is_finished(sparring, run: Path) -> None:
    before = (run / "generator.safetensors").read_bytes()
    code, out, err = sparring("train", "--out", run, "--json")
    told = json.loads(out)
    assert code == 0
    assert "finished before" in err
    assert {name: told[name] for name in ("run", "outcome", "images")} == {
        "run": str(run),
        "outcome": "finished",
        "images": 64,
    }
    assert (run / "generator.safetensors").read_bytes() == before


def test_other_options_for_the_same_folder_are_refused_with_both_values(sparring, run: Path) -> None:
    code, out, err = sparring("train", "--out", run, "--images", 128)
    assert code == 2
    assert "128" in err
    assert "64" in err
    assert "another --out" in err


def test_quiet_prints_nothing(sparring, run: Path) -> None:
    assert sparring("train", "--out", run, "--quiet") == (0, "", "")


def test_progress_is_told_in_plain_lines(sparring, messy: Path, tiny_settings: Path, tmp_path: Path) -> None:
    out_folder = tmp_path / "new"
    options = ["--images", 32, "--size", 8, "--config", tiny_settings, "--out", out_folder, "--device", "cpu"]
    code, out, _ = sparring("train", messy, "--recipe", "cgan", *options)
    assert code == 0
    for fact in (
        "24 images of 8x8 grey",
        "2 classes",
        "3 skipped",
        "cgan, generator",
        "32 images in batches of 16",
    ):
        assert fact in out
    assert "32/32 images" in out
    assert "% of real" in out
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
    "device": (["ring", "--device", "abacus", "--images", "100"], "a device of this machine"),
    "threads": (["ring", "--threads", "0", "--images", "100"], "at least 1"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_users_mistakes_end_with_2_and_say_what_to_do(sparring, mistake: str, tmp_path: Path) -> None:
    options, said = MISTAKES[mistake]
    code, _, err = sparring("train", *options, "--out", tmp_path / "run")
    assert code == 2
    assert said in err
    assert "Traceback" not in err
    assert "expected: " in err
    assert "do this: " in err


@pytest.mark.parametrize(
    ("arguments", "said"), [(["--recpie", "dcgan"], "--recipe"), (["--precision", "fp8"], "bf16")]
)
def test_a_mistyped_option_is_corrected(sparring, arguments: list[str], said: str) -> None:
    code, _, err = sparring("train", *arguments)
    assert code == 2
    assert said in err


def test_unexpected_errors_keep_their_traceback(sparring, monkeypatch: pytest.MonkeyPatch, run: Path) -> None:
    def broken(path: Path) -> Path:
        raise ZeroDivisionError

    monkeypatch.setattr("sparring.report.write", broken)
    with pytest.raises(ZeroDivisionError):
        sparring("report", run)


def test_a_signal_saves_and_says_how_to_go_on(messy: Path, tiny_settings: Path, tmp_path: Path) -> None:
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
    assert "all is saved" in out
    assert f"sparring train --out {tmp_path / 'run'}" in out
    images = int(re.search(r"stopped at image ([\d,]+)", out)[1].replace(",", ""))
    assert (tmp_path / "run" / "checkpoints" / f"{images:012d}").is_dir()


def test_the_python_interface_does_the_same(
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


def test_names_and_sizes_as_people_write_them() -> None:
    assert parse_size("48x80") == (48, 80)
    assert parse_size(" 64 ") == (64, 64)
    assert parse_size((3, 4)) == (3, 4)
    assert parse_size(None) is None
    with pytest.raises(ConfigError, match="48 by 80"):
        parse_size("48 by 80")
    assert default_run_folder(Request()) == Path("runs/animals-auto")
    assert default_run_folder(Request(data="animals:cat,dog", recipe="wgan")) == Path(
        "runs/animals-cat-dog-wgan"
    )
    assert default_run_folder(Request(data="../my photos.zip")) == Path("runs/my-photos-auto")
    assert default_run_folder(Request(data="/")) == Path("runs/data-auto")


def test_divergence_for_good_ends_with_3(sparring, monkeypatch: pytest.MonkeyPatch, run: Path) -> None:
    def diverge(*arguments: object) -> None:
        raise DivergedError("numbers that are not finite", "finite ones", "lower the learning rates")

    (run / "report.html").unlink()
    monkeypatch.setattr("sparring.training.start.run_training", diverge)
    code, _, err = sparring("train", "--out", run)
    assert code == 3
    assert "lower the learning rates" in err
    assert "Traceback" not in err
    assert (run / "report.html").exists(), "the report shows what went wrong"


def test_a_terminal_gets_two_lines_that_are_kept_up_to_date() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    console = Console(Terminal())
    latest = {
        "generator/adversarial": 0.7,
        "discriminator/adversarial": 1.4,
        "discriminator/accuracy_real": 0.5,
    }
    console.start_live()
    console.update(Status(640, 1280, 64.0, 10.0, latest))
    console.close()
    said = console.stream.getvalue()
    assert "640/1,280 images  64/s  0:10 left" in said
    assert "generator 0.70 discriminator 1.40  right: 50% of real" in said


def test_a_reader_who_leaves_does_not_end_the_run(tmp_path: Path) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    console = Console(Gone())
    console.print("reading")
    console.update(Status(64, 64, 1.0, 0.0, {}))
    console.close()
    assert console.stream is None
