"""The explorer's playground: processor time of a step and of a frame, by recipe, on one thread.

    python bench/playground.py [--dataset ring] [--steps 100] [--frames 20] [--repeats 3]

The page's default networks: three hidden layers of 64 units, batches of 128 (`auto`: 256, with Fourier features). Processor time is
less sensitive to other load than wall time; the minimum over the repeats, one line of JSON for each recipe. `frames_per_second` is
the rate of frames of 5 steps if nothing else runs.
"""

import argparse
import json
import time

import torch

from sparring.core.runtime import DeviceOptions
from sparring.serve.playground.config import RECIPE_SETTINGS, build_recipe_config
from sparring.serve.playground.game import Playground, build_frame

STEPS_PER_FRAME = 5


def measure(playground: Playground, options: argparse.Namespace) -> tuple[float, float]:
    """Processor time of a step and of a frame, in ms."""
    steps, frames = [], []
    for _ in range(options.repeats):
        start = time.process_time()
        playground.step(options.steps, 1e9)
        steps.append((time.process_time() - start) / options.steps)
        start = time.process_time()
        for _ in range(options.frames):
            build_frame(playground.game, [], 0)
        frames.append((time.process_time() - start) / options.frames)
    return 1e3 * min(steps), 1e3 * min(frames)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", default="ring")
    for name, default in (("steps", 100), ("frames", 20), ("repeats", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    torch.set_num_threads(1)
    playground = Playground(DeviceOptions(device="cpu", threads=1).start())
    dataset = playground.builtin_points(options.dataset)
    for recipe in RECIPE_SETTINGS:
        playground.begin(build_recipe_config(recipe, options.dataset), dataset)
        playground.step(10, 1e9)
        step_ms, frame_ms = measure(playground, options)
        rate = 1e3 / (STEPS_PER_FRAME * step_ms + frame_ms)
        row = {
            "recipe": recipe,
            "step_ms": round(step_ms, 2),
            "frame_ms": round(frame_ms, 2),
            "frames_per_second": round(rate, 1),
        }
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
