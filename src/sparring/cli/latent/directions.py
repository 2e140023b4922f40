"""`sparring latent directions`: its options, and directions found, measured, drawn and saved."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
from PIL import Image, ImageDraw
from tyro.conf import arg

from sparring import features
from sparring.api import Run, load
from sparring.cli.options import (
    NO_DEFAULT_HINT,
    Device,
    DirectionMethod,
    Flag,
    Int,
    OptionalInt,
    OutPath,
    RunPath,
    Seed,
)
from sparring.cli.output import print_lines, require_at_least, writing
from sparring.core.errors import SparringError
from sparring.core.runtime import DeviceOptions
from sparring.data import DataConfig, image_grid, open_data
from sparring.inference import latent
from sparring.inference import latent as ways
from sparring.inference.latent import images
from sparring.inference.latent.effects import first_successful
from sparring.runs.run_json import RUN_FILE
from sparring.terminal.console import Console


@dataclass(frozen=True, kw_only=True)
class Directions:
    """Find directions in the latent space, measure what they change, and save them.

    Args:
        run: A run folder, or a generator.safetensors.
        by: pca (of activations), sefa (of the first layer's weights), labels (between samples with and without), classifier (its
            gradient). By default labels with --wanted, else pca.
        wanted: What is to change, with commas between: a class of --data, or one of brightness, contrast, width, height, x, y,
            redness, blueness.
        n: Directions, of pca and sefa; at most as many as a latent has numbers.
        data: A labelled set, as for `sparring train`, for a judge of its classes. By default the run's own, where it has labels.
        samples: That the directions are found with, and as many at most to measure them.
        seed: Of the samples.
        out: A file x.safetensors; x.png beside it shows what each direction does.
        device: auto, cpu, cuda or mps.
        threads: Of the CPU.
        quiet: Print nothing but errors.
    """

    run: RunPath
    by: DirectionMethod = "auto"
    wanted: Annotated[str | None, arg(metavar="A,B", help_behavior_hint=NO_DEFAULT_HINT)] = None
    n: Int = 5
    data: Annotated[str | None, arg(metavar="DATA", help_behavior_hint=NO_DEFAULT_HINT)] = None
    samples: OptionalInt = None
    seed: Seed = 0
    out: OutPath = Path("directions.safetensors")
    device: Device = "auto"
    threads: OptionalInt = None
    quiet: Flag = False

    def __call__(self) -> int:

        return find_directions(self)


if TYPE_CHECKING:
    pass

SHEET_STRENGTHS = (-6.0, -4.0, -2.0, 0.0, 2.0, 4.0, 6.0)
SHEET_ROWS, CAPTION_HEIGHT = 3, 18  # samples a direction in the sheet; height of its name in pixels
MIN_SAMPLES = 200


def find_directions(options: "Directions") -> int:
    """Do as the command line says."""
    run = load(options.run, options.device)
    wanted = [name.strip() for name in (options.wanted or "").split(",") if name.strip()]
    by = options.by if options.by != "auto" else "labels" if wanted else "pca"
    if options.samples is not None:
        require_at_least(options.samples, MIN_SAMPLES, "--samples")
    lines: list[str] = []
    if by in ("pca", "sefa"):
        found = _unsupervised_directions(run, options, by)
    else:
        found, lines = _supervised_directions(run, options, by, wanted)
    with writing(options.out):
        latent.save_directions(options.out, found)
        picture = options.out.with_suffix(".png")
        if run.generator.generation.spec.is_image:
            picture.write_bytes(image_grid.encode_png(draw_sheet(run, found, options.seed)))
            lines.append(
                f"{'sheet':<11}{picture}  (strengths {SHEET_STRENGTHS[0]:g} to {SHEET_STRENGTHS[-1]:g}, {SHEET_ROWS} samples each)"
            )
    first = f'"{options.out}:{found[0].name}"'
    print_lines(
        options.quiet,
        *lines,
        f"{'directions':<11}{options.out}  ({', '.join(each.name for each in found)})",
        f"{'next':<11}sparring latent edit {options.run} --direction {first}",
    )
    return 0


def _unsupervised_directions(run: Run, options: "Directions", by: str) -> list[latent.Direction]:
    generation = run.generator.generation
    count = min(options.n, generation.latent)
    if by == "sefa":
        return ways.sefa_directions(generation, count, options.seed)
    return ways.pca_directions(generation, count, n=options.samples or 1_000, seed=options.seed)


def _supervised_directions(
    run: Run, options: "Directions", by: str, wanted: list[str]
) -> tuple[list[latent.Direction], list[str]]:
    judge, generation = load_scorer(run, options), run.generator.generation
    if not wanted:
        raise SparringError(
            f"--by {by} without --wanted",
            f"one of: {', '.join(judge.names)}",
            "say what is to change: --wanted NAME",
        )
    if by == "labels":
        found = ways.directions_from_scores(
            generation, judge, wanted, n=options.samples or 4_000, seed=options.seed
        )
    else:
        count = options.samples or 256
        found = [
            ways.direction_from_gradient(generation, judge, name, n=count, seed=options.seed)
            for name in wanted
        ]
    tried = min(500, options.samples or 500)
    lines = [
        format_effect(latent.measure_strengths(generation, direction, judge, n=tried)) for direction in found
    ]
    return found, lines


def format_effect(effects: list[latent.Effect]) -> str:
    """What a direction does, in a line."""
    best = first_successful(effects) or effects[-1]
    most = sorted(best.leakage, key=lambda name: -best.leakage[name])[:3]
    leaks = ", ".join(f"{name} {best.leakage[name]:.2f}" for name in most)
    kept = (
        f", {best.class_preservation:.0%} keep their class among the others"
        if best.class_preservation < 1
        else ""
    )
    return (
        f"{best.attribute}: at strength {best.strength:g} {best.success_rate:.0%} of those that lacked it have it, "
        f"{best.increase_rate:.0%} of all have more; entanglement {best.entanglement:.2f} (most: {leaks}){kept}"
    )


def load_scorer(run: Run, options: "Directions") -> latent.AttributeScorer:
    """Classes of the labelled set, where there is one, and plain statistics of the images."""
    spec, machine = (
        run.generator.generation.spec,
        DeviceOptions(device=options.device, threads=options.threads).start(),
    )
    plain = latent.StatisticsScorer(spec)
    if not spec.is_image:
        return plain
    if options.data is not None:
        config = DataConfig(source=options.data, size=(spec.shape[1], spec.shape[2]), channels=spec.shape[0])
    elif (run.path / RUN_FILE).is_file() and run.experiment.data.labels and run.classes:
        config = run.experiment.data
    else:
        return plain
    with Console.for_stdout(quiet=options.quiet) as console:
        console.print("a classifier of the labelled images is fitted, or found in the cache ...")
    classifier = features.load("classifier", runtime=machine, fitted_on=open_data(config))
    assert isinstance(classifier, features.classifier.ClassifierExtractor)
    return latent.CombinedScorer([latent.ClassScorer(classifier), plain])


def draw_sheet(run: Run, found: list[latent.Direction], seed: int) -> Image.Image:
    """A block of rows for each direction, with its name above."""
    z, y = images.latents_and_labels(run, range(SHEET_ROWS), seed)
    blocks = []
    for direction in found:
        picture = images.image_sheet(images.edit(run, z, y, direction, SHEET_STRENGTHS)).convert("RGB")
        block = Image.new("RGB", (picture.width, picture.height + CAPTION_HEIGHT), (255, 255, 255))
        block.paste(picture, (0, CAPTION_HEIGHT))
        name = direction.name.encode("ascii", "replace").decode()[:60]
        ImageDraw.Draw(block).text((4, 3), f"{name} ({direction.kind})", fill=(0, 0, 0))
        blocks.append(np.asarray(block))
    return Image.fromarray(np.concatenate(blocks))
