"""Measurements on a GPU: does every recipe run, does it resume bit for bit, how fast is it, what does it learn in minutes.

    PYTHONPATH=src python3 bench/gpu.py --out OUT --budget 540 [--data images.zip] [--device cuda] [--only speed,bits]

Stages: environment, recipes, bits, killed, speed, showcase. OUT/gpu.json is rewritten after each stage (and after each case of
`speed`), so that a run that is cut short leaves what it knew. Each case of `speed` is measured in turns with a plain loop of the
same networks and losses (data and random numbers on the device, fused Adam, no NaN guard, no EMA), eager and as a CUDA graph.
`--device cpu` runs all stages on small cases, as a dry run.
"""

import argparse
import contextlib
import gc
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch.profiler import ProfilerActivity
from torch.profiler import profile as torch_profile

from sparring.core.optimizers import Adam
from sparring.core.runtime import Runtime, synchronize
from sparring.data import DataConfig, open_data
from sparring.data.dataset import Dataset
from sparring.data.report import DataReport
from sparring.experiment import Experiment, TrainingConfig
from sparring.games.cycle import CycleConfig
from sparring.games.paired import PairedConfig
from sparring.parts.networks import PatchGAN, ResNetTranslator, UNet
from sparring.recipes import RECIPE_PAIRING
from sparring.recipes.facts import Facts
from sparring.recipes.table import RECIPES, TINY_RECIPES
from sparring.runs.records import RunLogger
from sparring.runs.run_json import data_metadata
from sparring.training import diagnostics
from sparring.training.checkpointing import Checkpointer
from sparring.training.nan_guard import NaNGuard
from sparring.training.state import TrainState

START = time.monotonic()
RESULTS: dict[str, Any] = {}
CIFAR_R3GAN = {"width": 768, "max_width": 768}  # R3GAN's CIFAR-10 networks
NEVER = 10**9
SPARRING = [sys.executable, "-m", "sparring"]
BIT_CASES = ("dcgan 64 b64", "r3gan 64 b64", "cyclegan 256 b1", "points b512")
DETERMINISM = {  # cudnn.benchmark, cudnn.deterministic, torch.use_deterministic_algorithms
    "benchmark": (True, False, False),
    "benchmark, deterministic": (True, True, False),
    "heuristics, deterministic": (False, True, False),
    "strict": (False, True, True),
}

Options = argparse.Namespace


def seconds_left(options: Options) -> float:
    return options.budget - (time.monotonic() - START)


def write_results(options: Options) -> None:
    RESULTS["seconds"] = round(time.monotonic() - START, 1)
    (options.out / "gpu.json").write_text(json.dumps(RESULTS, indent=1, default=str))


# ---- data and cases --------------------------------------------------------------------------------------------------


def random_images(side: int, count: int = 512, classes: tuple[str, ...] = (), channels: int = 3) -> Dataset:
    """Random blocks of 8 x 8 cells, uint8 (count, side, side, channels)."""
    cells = np.random.default_rng(side).integers(0, 256, (count, 8, 8, channels), dtype=np.uint8)
    samples = np.ascontiguousarray(cells.repeat(side // 8, 1).repeat(side // 8, 2))
    labels = np.arange(count, dtype=np.int64) % len(classes) if classes else None
    report = DataReport(source="blocks", kind="array", count=count)
    config = DataConfig(size=(side, side))
    return Dataset(samples, labels, classes, fingerprint="", report=report, config=config)


def two_domains(side: int, count: int, *, paired: bool) -> Dataset:
    return random_images(side, count).replace(domain_b=random_images(side, count), paired=paired)


def recipe_case(
    name: str, data: Dataset, batch: int, networks: dict[str, int] | None = None
) -> tuple[Experiment, Dataset]:
    experiment = RECIPES[name](Facts(spec=data.spec, count=len(data)))
    game: Any = experiment.game
    if networks:
        game = replace(
            game,
            generator=replace(game.generator, **networks),
            discriminator=replace(game.discriminator, **networks),
        )
    training = replace(
        experiment.training, total_images=NEVER, batch=batch, metric="", evaluate_every=0, target=None
    )
    return replace(experiment, game=game, training=training.resolve()), data


def translator_case(
    game: Any, players: tuple[str, ...], data: Dataset, batch: int
) -> tuple[Experiment, Dataset]:
    training = TrainingConfig(total_images=NEVER, batch=batch).resolve()
    optimizers = dict.fromkeys(players, Adam())
    experiment = Experiment(recipe="-", data=data.config, game=game, optimizers=optimizers, training=training)
    return experiment, data


def pix2pix_case(batch: int) -> tuple[Experiment, Dataset]:
    game = PairedConfig(translator=UNet(), discriminator=PatchGAN())
    return translator_case(game, ("translator", "discriminator"), two_domains(256, 64, paired=True), batch)


def cyclegan_case(batch: int) -> tuple[Experiment, Dataset]:
    game = CycleConfig(translator=ResNetTranslator(), discriminator=PatchGAN())
    return translator_case(game, ("translators", "discriminators"), two_domains(256, 64, paired=False), batch)


def cases(small: bool) -> dict[str, Callable[[], tuple[Experiment, Dataset]]]:
    """What is timed, by name and batch; built when its turn comes."""
    if small:
        return {"dcgan 64 b64": lambda: recipe_case("dcgan", random_images(64), 8)}
    ten = tuple("0123456789")
    return {
        "auto 32 b16": lambda: recipe_case("auto", random_images(32, classes=ten), 16),
        "dcgan 64 b64": lambda: recipe_case("dcgan", random_images(64), 64),
        "r3gan 64 b64": lambda: recipe_case("r3gan", random_images(64), 64),
        "r3gan 64 b256": lambda: recipe_case("r3gan", random_images(64), 256),
        "r3gan w768 32 b256": lambda: recipe_case("r3gan", random_images(32), 256, CIFAR_R3GAN),
        "sngan 32 b64": lambda: recipe_case("sngan", random_images(32), 64),
        "pix2pix 256 b1": partial(pix2pix_case, 1),
        "pix2pix 256 b16": partial(pix2pix_case, 16),
        "cyclegan 256 b1": partial(cyclegan_case, 1),
        "cyclegan 256 b8": partial(cyclegan_case, 8),
        "points b512": lambda: recipe_case("auto", open_data(DataConfig(source="ring")), 512),
    }


def start_runtime(options: Options, data: Dataset) -> Runtime:
    return Runtime(torch.device(options.device), bf16=data.spec.is_image)


# ---- environment -----------------------------------------------------------------------------------------------------


def environment(options: Options) -> dict[str, Any]:
    """Versions, and what the card does at best: copies, matrix products, convolutions, launches."""
    row: dict[str, Any] = {
        "torch": torch.__version__,
        "python": sys.version.split()[0],
        "numpy": np.__version__,
    }
    row["cpus"] = os.cpu_count()
    if options.device == "cpu":
        return row
    row |= {
        "gpu": torch.cuda.get_device_name(),
        "cudnn": torch.backends.cudnn.version(),
        "cuda": torch.version.cuda,
    }
    x = torch.randn(2**28, device="cuda")
    y = torch.empty_like(x)
    row["copy_TB_s"] = 2 * x.numel() * 4 / cuda_seconds(lambda: y.copy_(x)) / 1e12
    a, b = (torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    row["bf16_TFLOP_s"] = 2 * 8192**3 / cuda_seconds(lambda: a @ b) / 1e12
    row["conv_bf16_TFLOP_s"] = conv_rate(256, 256)
    row["grouped16_TFLOP_s"] = conv_rate(512, 16)
    one = torch.zeros(1, device="cuda")
    row["us_per_launch"] = wall_seconds(lambda: one.add_(1), 2000) * 1e6
    host = torch.randn(256, 3, 64, 64)
    row["pageable_copy_ms"] = wall_seconds(lambda: host.to("cuda")) * 1e3
    pinned = host.pin_memory()
    row["pinned_copy_ms"] = wall_seconds(lambda: pinned.to("cuda", non_blocking=True)) * 1e3
    return row


def conv_rate(channels: int, per_group: int) -> float:
    """TFLOP/s of a 3x3 convolution in bfloat16, channels last, 256 grids of 32 x 32."""
    like = {"device": "cuda", "dtype": torch.bfloat16}
    x = torch.randn(256, channels, 32, 32, **like).to(memory_format=torch.channels_last)
    w = torch.randn(channels, per_group, 3, 3, **like).to(memory_format=torch.channels_last)
    groups = channels // per_group
    seconds = cuda_seconds(lambda: F.conv2d(x, w, padding=1, groups=groups))
    return 2 * 256 * 32 * 32 * channels * per_group * 9 / seconds / 1e12


def cuda_seconds(call: Callable[[], Any], times: int = 20) -> float:
    for _ in range(3):
        call()
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begin.record()
    for _ in range(times):
        call()
    end.record()
    torch.cuda.synchronize()
    return begin.elapsed_time(end) / times / 1e3


def wall_seconds(call: Callable[[], Any], times: int = 50) -> float:
    call()
    torch.cuda.synchronize()
    begin = time.perf_counter()
    for _ in range(times):
        call()
    torch.cuda.synchronize()
    return (time.perf_counter() - begin) / times


# ---- does every recipe run, and resume bit for bit? ------------------------------------------------------------------


def every_recipe(options: Options) -> dict[str, Any]:
    rows: dict[str, Any] = {}
    grey = random_images(16, 64, ("a", "b", "c"), channels=1)
    domains = {kind: two_domains(16, 64, paired=kind == "paired") for kind in ("paired", "unpaired")}
    with tempfile.TemporaryDirectory() as folder:
        for name, make in TINY_RECIPES.items():
            run = Path(folder) / name
            run.mkdir()
            dataset = domains.get(RECIPE_PAIRING.get(name, ""), grey)
            experiment = make()
            experiment = replace(experiment, training=experiment.training.resolve())
            try:
                rows[name] = resume_and_compare(experiment, dataset, start_runtime(options, dataset), run)
            except Exception as error:
                where = traceback.format_exc()[-600:]
                rows[name] = {"error": f"{type(error).__name__}: {str(error)[:300]}", "at": where}
    return rows


def resume_and_compare(
    experiment: Experiment, dataset: Dataset, runtime: Runtime, run: Path
) -> dict[str, Any]:
    """Three steps, a checkpoint, three more: by the same state, and by a new one that reads the checkpoint."""
    state = TrainState(experiment, dataset, runtime)
    guard = NaNGuard(state)
    for _ in range(3):
        guard.add(state.train_step())
    guard.commit()
    Checkpointer(state, run, RunLogger(run), data_metadata(dataset)).save(final=True)
    resumed = TrainState(experiment, dataset, runtime)
    damaged = Checkpointer(resumed, run, RunLogger(run), data_metadata(dataset)).restore()
    for _ in range(3):
        state.train_step()
        resumed.train_step()
    diagnostics.measure(state)
    state.model_for_inference()
    return {"damaged": len(damaged), **compare(state, resumed)}


def compare(first: TrainState, second: TrainState) -> dict[str, Any]:
    pairs = {name: (tensor, second.tensors()[name]) for name, tensor in first.tensors().items()}
    different = [name for name, (a, b) in pairs.items() if not torch.equal(a, b)]
    largest = max(
        (float((a.double() - b.double()).abs().max()) for a, b in pairs.values() if a.numel()), default=0.0
    )
    row = {"bits_equal": not different, "different": len(different), "tensors": len(pairs)}
    return row | {"largest_difference": largest, "first": different[:2]}


@contextlib.contextmanager
def determinism(benchmark: bool, deterministic: bool, strict: bool) -> Iterator[None]:
    before = torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic
    torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = benchmark, deterministic
    torch.use_deterministic_algorithms(strict, warn_only=True)
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = before
        torch.use_deterministic_algorithms(False)


def bits(options: Options) -> dict[str, Any]:
    """The same 12 steps twice under each choice of flags: are the bits equal, and how long does a step take?

    With benchmarking, two processes may choose different algorithms, which one process can't show: `killed` does.
    """
    rows = {}
    for name, make in cases(options.device == "cpu").items():
        if name not in BIT_CASES:
            continue
        experiment, data = make()
        for label, flags in DETERMINISM.items():
            with determinism(*flags):
                first, second = (TrainState(experiment, data, start_runtime(options, data)) for _ in range(2))
                milliseconds = min(time_steps(first), time_steps(second))
                rows[f"{name}: {label}"] = {"ms": round(milliseconds, 3), **compare(first, second)}
                del first, second
                free_memory()
    return rows


def time_steps(state: TrainState) -> float:
    """Milliseconds a step over 8 steps, after 4 that do not count."""
    for _ in range(4):
        state.train_step()
    synchronize(state.runtime.device)
    begin = time.perf_counter()
    for _ in range(8):
        state.train_step()
    synchronize(state.runtime.device)
    return (time.perf_counter() - begin) / 8 * 1e3


def free_memory() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def killed(options: Options) -> dict[str, Any]:
    """A run killed by SIGKILL and resumed, against one left alone: their last checkpoints, bit for bit."""
    rows = {}
    images = 64 * (600 if options.device != "cpu" else 4)
    for name in ("dcgan", "r3gan"):
        command = [*SPARRING, "train", "--recipe", name, "--batch", "64", "--images", str(images), "--quiet"]
        command += [
            "--device",
            options.device,
            "--threads",
            "2",
            "--set",
            f"training.save_every={images // 6}",
        ]
        command += ["--set", f"training.sample_every={NEVER}"]
        with tempfile.TemporaryDirectory() as folder:
            alone, interrupted = Path(folder, "alone"), Path(folder, "interrupted")
            begin = time.monotonic()
            subprocess.run([*command, "--out", str(alone)], check=True, timeout=90)
            seconds = time.monotonic() - begin
            process = subprocess.Popen([*command, "--out", str(interrupted)])
            while len(list(interrupted.glob("checkpoints/0*"))) < 3 and process.poll() is None:
                time.sleep(0.05)
            process.send_signal(signal.SIGKILL)
            process.wait()
            subprocess.run([*command, "--out", str(interrupted)], check=True, timeout=90)
            a, b = (
                load_file(sorted(run.glob("checkpoints/0*"))[-1] / "tensors.safetensors")
                for run in (alone, interrupted)
            )
            different = [key for key in a if not torch.equal(a[key], b[key])]
            rows[name] = {"bits_equal": not different, "different": len(different), "tensors": len(a)}
            rows[name]["seconds_alone"] = round(seconds, 1)
    return rows


# ---- how fast --------------------------------------------------------------------------------------------------------


class PlainLoop:
    """The same two networks in a plain loop: nothing on the host, no NaN guard, no EMA.

    Arguments:
        how: `eager`, `compiled`, or `graph` (one CUDA graph for the whole step).
    """

    def __init__(self, experiment: Experiment, data: Dataset, options: Options, how: str) -> None:
        state = TrainState(experiment, data, start_runtime(options, data))
        game: Any = state.game
        self.device, self.batch = torch.device(options.device), experiment.training.batch
        self.samples = torch.from_numpy(np.asarray(data.samples)).to(self.device)
        conditional = data.labels is not None and game.config.conditional
        self.labels = torch.from_numpy(data.labels).to(self.device) if conditional else None
        self.generator, self.discriminator = game.model, game.discriminator
        self.penalised = bool(game.config.penalties)
        self.relativistic = type(game.config.objective).__name__ == "Relativistic"
        adam = partial(torch.optim.Adam, lr=2e-4, betas=(0.0, 0.99), fused=True, capturable=how == "graph")
        self.optimizers = [adam(network.parameters()) for network in (self.discriminator, self.generator)]
        if how == "compiled":
            self.generator.forward = torch.compile(self.generator.forward)
            if not self.penalised:
                self.discriminator.features = torch.compile(self.discriminator.features)
        self.step = self._capture() if how == "graph" else self._step

    def _step(self) -> int:
        real, y = self._real_batch()
        autocast = torch.autocast(self.device.type, torch.bfloat16)
        with autocast:
            fake = self.generator(torch.randn(self.batch, self.generator.latent, device=self.device), y)
            x, x_fake = real, fake.detach()
            if self.penalised:
                x, x_fake = x.requires_grad_(), x_fake.float().requires_grad_()
            real_logits, fake_logits = self._logits(x, y), self._logits(x_fake, y)
            if self.relativistic:
                loss = F.softplus(fake_logits - real_logits).mean()
            else:
                loss = (F.softplus(-real_logits) + F.softplus(fake_logits)).mean()
            for logits, samples in ((real_logits, x), (fake_logits, x_fake)) if self.penalised else ():
                (gradient,) = torch.autograd.grad(logits.sum(), samples, create_graph=True)
                loss = loss + 0.5 * gradient.square().sum((1, 2, 3)).mean()
        self._update(0, loss)
        self.discriminator.requires_grad_(False)
        with autocast:
            fake_logits = self._logits(fake, y)
            margin = fake_logits - self._logits(real.detach(), y) if self.relativistic else fake_logits
            loss = F.softplus(-margin).mean()
        self._update(1, loss)
        self.discriminator.requires_grad_(True)
        return self.batch

    def _real_batch(self) -> tuple[torch.Tensor, torch.Tensor | None]:
        rows = torch.randint(len(self.samples), (self.batch,), device=self.device)
        x = self.samples[rows].permute(0, 3, 1, 2).float().div_(127.5).sub_(1)
        return x.contiguous(memory_format=torch.channels_last), None if self.labels is None else self.labels[
            rows
        ]

    def _logits(self, x: torch.Tensor, y: torch.Tensor | None) -> torch.Tensor:
        return self.discriminator.head(self.discriminator.features(x), y).float()

    def _update(self, index: int, loss: torch.Tensor) -> None:
        loss.backward()
        self.optimizers[index].step()
        self.optimizers[index].zero_grad(set_to_none=True)

    def _capture(self) -> Callable[[], int]:
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(4):
                self._step()
        torch.cuda.current_stream().wait_stream(stream)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self._step()

        def replay() -> int:
            self.graph.replay()
            return self.batch

        return replay


class OurLoop:
    """A step as `sparring train` takes it, with the NaN guard and the EMA."""

    def __init__(self, experiment: Experiment, data: Dataset, options: Options) -> None:
        self.state = TrainState(experiment, data, start_runtime(options, data))
        self.guard = NaNGuard(self.state)

    def step(self) -> int:
        before = self.state.clock.images
        self.guard.add(self.state.train_step())
        if self.guard.due:
            self.guard.commit()
        return self.state.clock.images - before


def images_per_second(step: Callable[[], int], seconds: float, device: torch.device) -> float:
    synchronize(device)
    begin, images, steps = time.perf_counter(), 0, 0
    while time.perf_counter() - begin < seconds or steps < 3:
        images += step()
        steps += 1
        if steps % 16 == 0:
            synchronize(device)
    synchronize(device)
    return images / (time.perf_counter() - begin)


def loops_of(
    name: str, experiment: Experiment, data: Dataset, options: Options
) -> dict[str, Callable[[], Any]]:
    loops: dict[str, Callable[[], Any]] = {"sparring": partial(OurLoop, experiment, data, options)}
    if data.spec.is_image and data.domain_b is None and "sngan" not in name:
        kinds = ["eager"] + (["graph"] if options.device != "cpu" else [])
        kinds += ["compiled"] if name == "dcgan 64 b64" and options.device != "cpu" else []
        loops |= {f"plain {kind}": partial(PlainLoop, experiment, data, options, kind) for kind in kinds}
    return loops


def speed(options: Options) -> dict[str, Any]:
    rows: dict[str, Any] = {}
    device, on_gpu = torch.device(options.device), options.device != "cpu"
    torch.backends.cudnn.benchmark = on_gpu
    for name, make in cases(not on_gpu).items():
        if seconds_left(options) < options.showcase + 30:
            rows[name] = "no time left"
            continue
        experiment, data = make()
        row, loops = start_loops(loops_of(name, experiment, data, options))
        rates: dict[str, list[float]] = {label: [] for label in loops}
        for _ in range(options.blocks):
            for label, loop in loops.items():
                rates[label].append(images_per_second(loop.step, options.seconds, device))
        for label, found in rates.items():
            spread = [round(min(found), 1), round(max(found), 1)]
            row[label] = {"images_per_second": round(statistics.median(found), 1), "range": spread}
        if on_gpu:
            row["peak_GiB"] = round(torch.cuda.max_memory_allocated() / 2**30, 2)
            torch.cuda.reset_peak_memory_stats()
            if "sparring" in loops:
                row["profile"] = profile(loops["sparring"].step)
        rows[name] = row
        print(name, json.dumps({key: value for key, value in row.items() if key != "profile"}), flush=True)
        loops.clear()
        free_memory()
        RESULTS["speed"] = rows
        write_results(options)
    return rows


def start_loops(makers: dict[str, Callable[[], Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The loops after three steps each; those that fail, with their error."""
    errors, loops = {}, {}
    for label, make in makers.items():
        try:
            loop = make()
            for _ in range(3):
                loop.step()
            loops[label] = loop
        except Exception as error:
            errors[label] = f"{type(error).__name__}: {str(error)[:200]}"
    return errors, loops


def profile(step: Callable[[], int]) -> dict[str, Any]:
    """Kernels a step, the time in which the GPU works, and the eight kernels that take most of it."""
    torch.cuda.synchronize()
    begin = time.perf_counter()
    with torch_profile(activities=[ProfilerActivity.CUDA]) as recorded:
        for _ in range(4):
            step()
        torch.cuda.synchronize()
    wall_ms = (time.perf_counter() - begin) * 1e3 / 4
    events = [event for event in recorded.key_averages() if event.self_device_time_total > 0]
    top = sorted(events, key=lambda event: -event.self_device_time_total)[:8]
    return {
        "kernels_per_step": sum(event.count for event in events) / 4,
        "busy_ms_per_step": round(sum(event.self_device_time_total for event in events) / 4e3, 3),
        "wall_ms_per_step_profiled": round(wall_ms, 3),
        "top": [[e.key[:70], e.count // 4, round(e.self_device_time_total / 4e3, 3)] for e in top],
    }


# ---- what it learns --------------------------------------------------------------------------------------------------


def showcase(options: Options) -> dict[str, Any] | str:
    """Train on --data for the time that is left, evaluate, and draw samples."""
    seconds = int(min(options.showcase, seconds_left(options) - 45))
    if seconds < 20 or not options.data:
        return "no time left, or no --data"
    run, device = Path(tempfile.mkdtemp()) / "run", ["--device", options.device]
    command = [
        *SPARRING,
        "train",
        options.data,
        "--out",
        str(run),
        *device,
        "--until",
        f"{seconds}s",
        "--quiet",
    ]
    command += options.train.split()
    begin = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60)
    row: dict[str, Any] = {
        "command": " ".join(command[1:]),
        "exit_code": done.returncode,
        "stderr": done.stderr[-800:],
    }
    row["train_seconds"] = round(time.monotonic() - begin, 1)
    sample = [
        *SPARRING,
        "sample",
        str(run),
        "--n",
        "64",
        "--seed",
        "0",
        "--out",
        str(options.out / "samples.png"),
    ]
    subprocess.run([*sample, *device], check=False)
    for name in ("run.json", "metrics.jsonl", "events.jsonl", "generator.safetensors"):
        if (run / name).is_file() and (run / name).stat().st_size < 15 * 2**20:
            (options.out / name).write_bytes((run / name).read_bytes())
    evaluate = [*SPARRING, "evaluate", str(run), *device, "--json", str(options.out / "evaluate.json")]
    limit = max(30, seconds_left(options) - 10)
    done = subprocess.run(evaluate, capture_output=True, text=True, timeout=limit)
    return row | {"evaluate": done.stdout[-2000:], "evaluate_stderr": done.stderr[-400:]}


STAGES = {
    "environment": environment,
    "recipes": every_recipe,
    "bits": bits,
    "killed": killed,
    "speed": speed,
    "showcase": showcase,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--budget", type=float, default=540, help="seconds for all stages")
    parser.add_argument("--showcase", type=float, default=200, help="seconds of them for the showcase")
    parser.add_argument("--blocks", type=int, default=3, help="turns of each loop in `speed`")
    parser.add_argument("--seconds", type=float, default=0.7, help="length of a turn")
    parser.add_argument("--data", default="", help="images for the showcase")
    parser.add_argument("--train", default="", help="further options of the showcase's `sparring train`")
    parser.add_argument("--only", default=",".join(STAGES), help="stages, with commas")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.only.split(","):
        begin = time.monotonic()
        try:
            RESULTS[name] = STAGES[name](options)
        except Exception:
            RESULTS[name] = {"error": traceback.format_exc()[-1500:]}
        RESULTS[f"{name}_seconds"] = round(time.monotonic() - begin, 1)
        write_results(options)
        summary = json.dumps(RESULTS[name], default=str)[:1500]
        print(
            f"== {name}: {RESULTS[f'{name}_seconds']} s, {seconds_left(options):.0f} s left {summary}",
            flush=True,
        )


if __name__ == "__main__":
    main()
