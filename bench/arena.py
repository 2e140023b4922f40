"""The explorer's game on points: processor time of a step and of a frame, by recipe, on one thread.

    python bench/arena.py [--points ring] [--steps 100] [--frames 20] [--repeats 3]

Networks as the page begins with: three hidden layers of 64 units, batches of 128 (`auto`: 256, with waves). Processor time, so that
other work on the machine counts for little; the least of the repeats, one line of JSON a recipe. `frames_per_second` is what is
left for frames of 5 steps if nothing else runs.
"""

import argparse
import json
import time

import torch

from sparring.core.runtime import DeviceOptions
from sparring.serve.playground.config import RECIPE_SETTINGS, build_recipe_config
from sparring.serve.playground.game import Playground, build_frame, open_builtin_points

A_FRAME = 5  # steps


def measured(arena: Playground, options: argparse.Namespace) -> tuple[float, float]:
    """Milliseconds of a step and of a frame."""
    steps, frames = [], []
    for _ in range(options.repeats):
        began = time.process_time()
        arena.step(options.steps, 1e9)
        steps.append((time.process_time() - began) / options.steps)
        began = time.process_time()
        for _ in range(options.frames):
            build_frame(arena.game, [], 0)
        frames.append((time.process_time() - began) / options.frames)
    return 1e3 * min(steps), 1e3 * min(frames)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", default="ring")
    for name, default in (("steps", 100), ("frames", 20), ("repeats", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    torch.set_num_threads(1)
    arena, dataset = (
        Playground(DeviceOptions(device="cpu", threads=1).start()),
        open_builtin_points(options.points),
    )
    for recipe in RECIPE_SETTINGS:
        arena.begin(build_recipe_config(recipe, options.points), dataset)
        arena.step(10, 1e9)
        step, look = measured(arena, options)
        rate = 1e3 / (A_FRAME * step + look)
        row = {
            "recipe": recipe,
            "step_ms": round(step, 2),
            "frame_ms": round(look, 2),
            "frames_per_second": round(rate, 1),
        }
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
