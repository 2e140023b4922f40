"""Quality against CPU time: trains runs of given CPU-minutes, measures and draws them, for any recipes and any checkouts.

    python bench/curve.py DATA --minutes 0.5 2 8 30 [--recipes auto dcgan r3gan ...] [--seeds 0 1] [--size N]
                          [--source [NAME=]TREE ...] [--images N ...] [--jobs 1] [--out FOLDER]

DATA: a short name (animals fashion cifar10 anime photographs, see curve_data.py), or what `sparring train` takes. The script splits
it: a tenth, at most 500 images, is held out by a fixed permutation, and the runs are given the rest.

A recipe is written `NAME`, or `LABEL=NAME@TREE:setting=value;setting=value`, where all but NAME may be left out: TREE is another
checkout (its root or its `src`), whose code then trains and samples. `--source TREE` is short for the row `auto@TREE`.

A length in minutes is CPU time of one thread of the whole command, from the start of Python to the end. The script measures the
speed of the run itself in CPU-seconds over a few seconds, chooses `--images`, and records the CPU time really used. Every run is
measured on the same held-out images as in curve_measures.py: two unrelated feature spaces and more, nothing of which the run knows.

FOLDER (runs/curve-DATA-SIZE) then holds: curve.md (the table, which is printed too), curve.svg (each measure against CPU minutes),
sheet.png (uncurated samples, rows: recipes, columns: lengths, above them real images), curve.json (all numbers), and a folder for
each run with its sheet.png, samples.npz, result.json and the run itself. The same command again goes on where it was killed; what
is done is skipped, and runs of other commands with the same FOLDER stay in the table and the chart.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

import curve_data
import curve_draw
import curve_measures
from sparring.core.errors import ConfigError, SparringError
from sparring.features.efficientnet import WEIGHTS
from sparring.features.weights import find_weights

ROOT = Path(__file__).resolve().parents[1]
SAMPLES, SAMPLE_SEED = 1_000, 1
ENDED = (0, 3)  # exit codes of a run that is over: finished, or given up after divergence
CALIBRATION_SECONDS = 3.0  # CPU time of steps
CLOSING_SECONDS = 3.0  # of a run after its last step: the last checkpoint and the report
EFFICIENCY = 0.95  # share of a run's time that its steps take, until a finished run shows the real one
LEAST_SHARE = 0.2  # of a budget, that goes into steps even where starting takes more than the rest
FIRST_GUESS, FIRST_START_SECONDS = 200.0, 8.0  # images per CPU-second, CPU-seconds before the first step

# Runs in the process of the measured command. With a calibration time it stops after as many seconds of steps and notes their
# speed; else it notes the CPU time of the whole command. It is told to stop (and saves) when this script dies.
LAUNCHER = """
import ctypes, json, os, resource, sys
log, calibration = sys.argv[1], float(sys.argv[2])
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, 15)
def cpu():
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)
def note(**row):
    with open(log, "a") as file:
        file.write(json.dumps(row) + "\\n")
marks = []
def note_speed():
    later = marks[len(marks) // 2:]
    begin = marks[len(marks) - len(later) - 1] if len(marks) > len(later) else marks[0]
    rate = (marks[-1][1] - begin[1]) / max(marks[-1][0] - begin[0], 1e-3)
    note(event="speed", images_per_second=rate, start_seconds=marks[0][0])
if calibration:
    from sparring.training.state import TrainState
    train_step = TrainState.train_step
    def timed(self, *args, **options):
        if not marks:
            marks.append((cpu(), self.clock.images))
        result = train_step(self, *args, **options)
        marks.append((cpu(), self.clock.images))
        if len(marks) > 3 and marks[-1][0] - marks[0][0] > calibration:
            note_speed()
            os._exit(0)
        return result
    TrainState.train_step = timed
else:
    note(event="start")
from sparring.cli import run
code = run(sys.argv[3:])
if calibration and len(marks) > 1:
    note_speed()
note(event="end", code=code, cpu_seconds=cpu())
sys.exit(code)
"""


class RunFailedError(SparringError):
    """A command of a run failed."""


# ---- rows and lengths ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Row:
    """A curve: a recipe with settings, by the code of a checkout.

    Arguments:
        name: in tables and charts.
        recipe: a name of `sparring recipes`.
        source: folder that holds the package `sparring`.
        settings: `path=value` for `--set`.
    """

    name: str
    recipe: str
    source: Path
    settings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Length:
    """A budget in CPU-minutes, or a number of images."""

    minutes: float | None = None
    images: int | None = None

    def __str__(self) -> str:
        return f"{self.minutes:g} min" if self.minutes is not None else f"{self.images} images"


def package_folder(tree: str) -> Path:
    """The folder that holds `sparring`, of a checkout's root or that folder itself."""
    for folder in (Path(tree).expanduser() / "src", Path(tree).expanduser()):
        if (folder / "sparring" / "__init__.py").is_file():
            return folder.resolve()
    raise ConfigError(
        f"{tree}: no src/sparring and no sparring in it", "a checkout or its src", "fix the path"
    )


@cache
def code_digest(source: Path) -> str:
    """SHA-256 of the Python files of a package folder, its first digits."""
    digest = hashlib.sha256()
    for path in sorted((source / "sparring").rglob("*.py")):
        digest.update(str(path.relative_to(source)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def parse_row(text: str) -> Row:
    """A row as in the command line: `LABEL=RECIPE@TREE:setting=value;setting=value`.

    >>> row = parse_row("plain=dcgan:data.flip=true;training.batch=32")
    >>> row.name, row.recipe, row.settings
    ('plain', 'dcgan', ('data.flip=true', 'training.batch=32'))
    """
    head, _, tail = text.partition(":")
    label, equals, recipe = head.rpartition("=")
    recipe, at, tree = recipe.partition("@")
    settings = tuple(part.strip() for part in tail.split(";") if part.strip())
    if not recipe or any("=" not in part for part in settings):
        raise ConfigError(
            f"row {text!r}", "NAME or LABEL=NAME@TREE:setting=value;setting=value", "write it so"
        )
    name = label if equals else "-".join(filter(None, [f"{recipe}{at}{Path(tree).name}", *settings]))
    return Row(
        name=re.sub(r"[^\w.@+-]+", "-", name),
        recipe=recipe,
        source=package_folder(tree) if tree else ROOT / "src",
        settings=settings,
    )


def parse_source(text: str) -> Row:
    """The row of `--source [NAME=]TREE`: its `auto`."""
    name, _, tree = text.rpartition("=")
    return parse_row(f"{name or Path(tree).resolve().name}=auto@{tree}")


# ---- training --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Session:
    """What the runs of one call share.

    Arguments:
        out: the folder of the results.
        split: the data.
        device: `--device` of the runs.
        samples: generated for each run.
    """

    out: Path
    split: curve_data.Split
    device: str
    samples: int

    def call(self, row: Row, arguments: Sequence[str], log: Path) -> int:
        """Run Python with the code of a row, its output appended to `log`; returns the exit code."""
        environment = os.environ | {"PYTHONPATH": str(row.source), "OMP_NUM_THREADS": "1"}
        with log.open("a") as file:
            return subprocess.run(
                [sys.executable, *arguments], env=environment, stdout=file, stderr=subprocess.STDOUT
            ).returncode

    def train_arguments(self, row: Row, images: int, seed: int, run: Path) -> list[str]:
        arguments = ["train", str(self.split.train_file), "--images", str(images), "--seed", str(seed)]
        arguments += ["--out", str(run), "--threads", "1", "--device", self.device, "--quiet"]
        arguments += [] if row.recipe == "auto" else ["--recipe", row.recipe]
        return arguments + [word for setting in row.settings for word in ("--set", setting)]


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def write_json(path: Path, document: Any) -> None:
    """Whole or not at all."""
    part = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.part")
    part.write_text(json.dumps(document, indent=1))
    part.replace(path)


def failure(row: Row, folder: Path) -> RunFailedError:
    lines = (folder / "log.txt").read_text().strip().splitlines()
    last = lines[-1] if lines else "it printed nothing"
    return RunFailedError(f"{row.name}: {last}", "a command that ends well", f"see {folder / 'log.txt'}")


def measure_speed(session: Session, row: Row, images: int, folder: Path) -> dict[str, float]:
    """Images per CPU-second of this row at this length, and the CPU-seconds before its first step."""
    notes, run = folder / "speed.jsonl", folder / "calibration"
    notes.unlink(missing_ok=True)
    shutil.rmtree(run, ignore_errors=True)
    arguments = session.train_arguments(row, images, 0, run)
    session.call(row, ["-c", LAUNCHER, str(notes), str(CALIBRATION_SECONDS), *arguments], folder / "log.txt")
    speeds = [line for line in read_lines(notes) if line["event"] == "speed"]
    if not speeds:
        raise failure(row, folder)
    shutil.rmtree(run, ignore_errors=True)
    return speeds[-1]


def images_for(minutes: float, speed: dict[str, float], efficiency: float) -> int:
    """How many images fit into a budget: those of the time that starting and closing leave."""
    budget = 60 * minutes
    seconds = max(budget - speed["start_seconds"] - CLOSING_SECONDS, LEAST_SHARE * budget) * efficiency
    return max(64, int(speed["images_per_second"] * seconds))


def plan(session: Session, row: Row, length: Length, folder: Path) -> dict[str, Any]:
    """The number of images of a run, chosen once: a killed run goes on with the same."""
    file = folder / "plan.json"
    described = {"recipe": row.recipe, "source": str(row.source), "settings": list(row.settings)}
    if file.exists():
        found = json.loads(file.read_text())
        if {key: found[key] for key in described} != described:
            raise ConfigError(
                f"{folder} holds {found}", f"{described}", "give the row another label: LABEL=RECIPE:settings"
            )
        if found["code"] != code_digest(row.source):
            print(
                f"note: {folder.name} was begun with other code of {row.source}", file=sys.stderr, flush=True
            )
        return found
    if length.minutes is None:
        document = described | {"code": code_digest(row.source), "images": length.images}
    else:
        past = known_speed(session, row)
        unknown = {"images_per_second": FIRST_GUESS, "start_seconds": FIRST_START_SECONDS}
        guess = images_for(length.minutes, unknown | past, EFFICIENCY)
        speed = measure_speed(session, row, guess, folder)
        images = images_for(length.minutes, speed, past.get("efficiency", EFFICIENCY))
        if not 1 / 1.5 < images / guess < 1.5:  # a recipe may choose its networks by the length
            speed = measure_speed(session, row, images, folder)
            images = images_for(length.minutes, speed, past.get("efficiency", EFFICIENCY))
        document = described | {"code": code_digest(row.source), "images": images, "speed": speed}
    write_json(file, document)
    return document


def known_speed(session: Session, row: Row) -> dict[str, float]:
    """Speed of a row by the runs of it that are done, and the share of their time that went into steps, as far as they show it."""
    found: dict[str, float] = {}
    for result in read_results(session.out):
        speed = result["plan"].get("speed")
        if result["name"] != row.name or speed is None:
            continue
        seconds = max(result["cpu_seconds"] - speed["start_seconds"] - CLOSING_SECONDS, 1.0)
        efficiency = result["images"] / speed["images_per_second"] / seconds
        found = {name: speed[name] for name in ("images_per_second", "start_seconds")}
        if seconds > 0.5 * result["cpu_seconds"] and not result["cpu_is_lower_bound"]:
            found["efficiency"] = min(max(efficiency, 0.4), 1.1)
    return found


def train(session: Session, row: Row, seed: int, length: Length, folder: Path) -> dict[str, Any]:
    """Plan, train and sample; returns the plan, the CPU time and the number of images."""
    folder.mkdir(parents=True, exist_ok=True)
    planned = plan(session, row, length, folder)
    notes, run, samples = folder / "cpu.jsonl", folder / "run", folder / "samples.npz"
    if not any(line.get("code") in ENDED for line in read_lines(notes)):
        arguments = session.train_arguments(row, planned["images"], seed, run)
        code = session.call(row, ["-c", LAUNCHER, str(notes), "0", *arguments], folder / "log.txt")
        if code in (130, 143) or code < 0:
            raise KeyboardInterrupt
        if code not in ENDED or not (run / "generator.safetensors").exists():
            raise failure(row, folder)
    if not samples.exists():
        part = folder / "part.npz"
        arguments = ["sample", str(run), "--n", str(session.samples), "--seed", str(SAMPLE_SEED), "--quiet"]
        arguments = ["-m", "sparring", *arguments, "--device", session.device, "--out", str(part)]
        if session.call(row, arguments, folder / "log.txt"):
            raise failure(row, folder)
        part.replace(samples)
    lines = read_lines(notes)
    ends = [line for line in lines if line["event"] == "end"]
    return {
        "plan": planned,
        "images": max(int(each.name) for each in (run / "checkpoints").iterdir() if each.name.isdigit()),
        "cpu_seconds": round(sum(line["cpu_seconds"] for line in ends), 2),
        "exit_code": ends[-1]["code"],
        "cpu_is_lower_bound": sum(line["event"] == "start" for line in lines) > len(ends),  # killed outright
    }


# ---- results ---------------------------------------------------------------------------------------------------------


def read_results(out: Path) -> list[dict[str, Any]]:
    """The results of all runs in a folder, by name, seed and CPU time."""
    found = [json.loads(path.read_text()) for path in sorted(out.glob("rows/*/result.json"))]
    return sorted(found, key=lambda result: (result["name"], result["seed"], result["cpu_seconds"]))


class Results:
    """Measures one run at a time and keeps the files of a folder up to date."""

    def __init__(self, session: Session, data: str) -> None:
        self.session, self.data = session, data
        self.lock = threading.Lock()
        self.evaluator: curve_measures.Evaluator | None = None

    def _evaluator(self) -> curve_measures.Evaluator:
        if self.evaluator is None:
            split = self.session.split
            cache = self.session.out / "data"
            self.evaluator = curve_measures.Evaluator(split.train, split.held_out, cache, split.is_anime)
        return self.evaluator

    def real(self) -> dict[str, Any]:
        """The measures of real images: the floor."""
        file = self.session.out / "data" / "real.json"
        if not file.exists():
            print("measuring real images", file=sys.stderr, flush=True)
            write_json(file, self._evaluator().measure_real(self.session.samples))
        return json.loads(file.read_text())

    def add(self, row: Row, seed: int, length: Length, folder: Path, trained: dict[str, Any]) -> None:
        """Measure a run and write its sheet and its numbers, and all drawings anew."""
        with self.lock:
            torch.set_num_threads(1)  # of this thread
            images = np.load(folder / "samples.npz")["images"]
            curve_draw.sheet(images).save(folder / "sheet.png", optimize=True)
            self.real()
            result = {
                "name": row.name,
                "seed": seed,
                "length": str(length),
                "folder": str(folder.relative_to(self.session.out)),
                "samples": len(images),
                **trained,
                "measures": self._evaluator().measure(images),
            }
            write_json(folder / "result.json", result)
            self.draw()

    def draw(self) -> str:
        """Write curve.json, curve.svg, curve.md and sheet.png; returns the table."""
        results, out = read_results(self.session.out), self.session.out
        if not results:
            return ""
        real = self.real()
        write_json(
            out / "curve.json",
            {"data": self.data, "real": real, "better": curve_measures.BETTER, "runs": results},
        )
        curve_draw.write_drawings(
            out, f"{self.data}: quality against CPU time", results, self.session.split.held_out, real
        )
        return curve_draw.table(results, real)


def cross_check(session: Session) -> str:
    """Call shared/judge/judge_images.py itself on the samples of all runs that it has not seen; returns what it has said so far."""
    weights = find_weights(WEIGHTS, None, "efficientnet_lite0")
    said = session.out / "cross-check.txt"
    before = said.read_text() if said.exists() else ""
    files = [str(session.out / result["folder"] / "samples.npz") for result in read_results(session.out)]
    files = [file for file in files if f"  {file}\n" not in before]
    if files:
        command = [
            sys.executable,
            str(curve_measures.FACE_SCRIPT),
            curve_data.source_of("anime"),
            str(weights),
            *files,
        ]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        said.write_text(before + done.stdout)
    return said.read_text()


# ---- the command -----------------------------------------------------------------------------------------------------


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data")
    parser.add_argument("--minutes", nargs="*", type=float, default=[])
    parser.add_argument(
        "--images", nargs="*", type=int, default=[], help="lengths in images, with or without minutes"
    )
    parser.add_argument("--recipes", nargs="*", default=["auto"])
    parser.add_argument("--source", nargs="*", default=[], metavar="[NAME=]TREE")
    parser.add_argument("--seeds", nargs="*", type=int, default=[0])
    parser.add_argument(
        "--size", help="side, or height x width, in pixels; by default chosen from the data, at most 64"
    )
    parser.add_argument(
        "--held-out", type=int, help="images; by default a tenth, at most 500 (anime faces: 375)"
    )
    parser.add_argument(
        "--samples", type=int, help="generated for each run; by default 1,000, or 4 for each held-out one"
    )
    parser.add_argument("--jobs", type=int, default=1, help="runs at the same time")
    parser.add_argument("--device", default="cpu")
    parser.add_argument(
        "--cross-check", action="store_true", help="anime faces: call shared/judge/judge_images.py too"
    )
    parser.add_argument("--out", type=Path)
    return parser


def open_session(options: argparse.Namespace) -> Session:
    size = None
    if options.size:
        sides = [int(side) for side in re.split("[x,]", options.size)]
        size = (sides[0], sides[-1])
    name = re.sub(r"[^\w.-]+", "-", Path(options.data).stem)
    out = (
        options.out or Path("runs") / f"curve-{name}{f'-{options.size}' if options.size else ''}"
    ).resolve()
    split = curve_data.prepare(options.data, out / "data", size, options.held_out)
    samples = options.samples or min(SAMPLES, 4 * len(split.held_out))
    return Session(out=out, split=split, device=options.device, samples=samples)


def run_all(options: argparse.Namespace, session: Session, results: Results) -> list[str]:
    """Train and measure what is not done yet, the shorter runs first; returns what failed."""
    rows = [*map(parse_row, options.recipes), *map(parse_source, options.source)]
    if len({row.name for row in rows}) < len(rows):
        raise ConfigError(
            f"rows {', '.join(row.name for row in rows)}", "names of their own", "label them: LABEL=RECIPE"
        )
    lengths = [Length(minutes=minutes) for minutes in sorted(options.minutes)]
    lengths += [Length(images=images) for images in sorted(options.images)]
    failures: list[str] = []

    def work(row: Row, seed: int, length: Length) -> None:
        folder = session.out / "rows" / f"{row.name}-{str(length).replace(' ', '')}-seed{seed}"
        if (folder / "result.json").exists():
            plan(session, row, length, folder)  # the same row?
            return
        print(f"{row.name}, {length}, seed {seed}", file=sys.stderr, flush=True)
        try:
            results.add(row, seed, length, folder, train(session, row, seed, length, folder))
        except RunFailedError as error:
            failures.append(str(error))
            print(f"FAILED {error}", file=sys.stderr, flush=True)

    with ThreadPoolExecutor(max(1, options.jobs)) as pool:
        tasks = [
            pool.submit(work, row, seed, length)
            for length in lengths
            for seed in options.seeds
            for row in rows
        ]
        try:
            for task in tasks:
                task.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return failures


def main() -> None:
    options = make_parser().parse_args()
    torch.set_num_threads(1)
    try:
        session = open_session(options)
        results = Results(session, options.data)
        failures = run_all(options, session, results)
        table = results.draw()
        checked = cross_check(session) if options.cross_check and session.split.is_anime else ""
    except SparringError as error:
        sys.exit(f"curve: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped; the same command goes on")
    print("\n".join(filter(None, [table, checked, f"in {session.out}", *failures])))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
