"""`sparring latent directions`: find, measure, show, save."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from sparring import features, latent, samples
from sparring.cli.walking import at_least, say, writable
from sparring.console import Console
from sparring.data import DataConfig, open_data
from sparring.errors import SparringError
from sparring.latent import directions as ways
from sparring.latent import showing
from sparring.latent.measuring import enough
from sparring.machine import Machine
from sparring.run import RUN_FILE, Run, load

if TYPE_CHECKING:
    from sparring.cli.latent_edits import Directions

SHOWN = (-6.0, -4.0, -2.0, 0.0, 2.0, 4.0, 6.0)
ROWS, CAPTION = 3, 18  # samples a direction in the sheet; height of its name in pixels
FEWEST = 200


def find(options: "Directions") -> int:
    """Do as the command line says."""
    run = load(options.run, options.device)
    wanted = [name.strip() for name in (options.wanted or "").split(",") if name.strip()]
    by = options.by if options.by != "auto" else "labels" if wanted else "pca"
    if options.samples is not None:
        at_least(options.samples, FEWEST, "--samples")
    lines: list[str] = []
    if by in ("pca", "sefa"):
        found = _unasked(run, options, by)
    else:
        found, lines = _asked(run, options, by, wanted)
    with writable(options.out):
        latent.save(options.out, found)
        picture = options.out.with_suffix(".png")
        if run.generator.generation.spec.is_image:
            picture.write_bytes(samples.png(sheet(run, found, options.seed)))
            lines.append(
                f"{'sheet':<11}{picture}  (strengths {SHOWN[0]:g} to {SHOWN[-1]:g}, {ROWS} samples each)"
            )
    first = f'"{options.out}:{found[0].name}"'
    say(
        options.quiet,
        *lines,
        f"{'directions':<11}{options.out}  ({', '.join(each.name for each in found)})",
        f"{'next':<11}sparring latent edit {options.run} --direction {first}",
    )
    return 0


def _unasked(run: Run, options: "Directions", by: str) -> list[latent.Direction]:
    generation = run.generator.generation
    count = min(options.n, generation.latent)
    if by == "sefa":
        return ways.sefa(generation, count, options.seed)
    return ways.pca(generation, count, n=options.samples or 1_000, seed=options.seed)


def _asked(
    run: Run, options: "Directions", by: str, wanted: list[str]
) -> tuple[list[latent.Direction], list[str]]:
    judge, generation = judge_of(run, options), run.generator.generation
    if not wanted:
        raise SparringError(
            f"--by {by} without --wanted",
            f"one of: {', '.join(judge.names)}",
            "say what is to change: --wanted NAME",
        )
    if by == "labels":
        found = ways.by_judge_each(generation, judge, wanted, n=options.samples or 4_000, seed=options.seed)
    else:
        count = options.samples or 256
        found = [ways.by_classifier(generation, judge, name, n=count, seed=options.seed) for name in wanted]
    tried = min(500, options.samples or 500)
    lines = [told(latent.measure_all(generation, direction, judge, n=tried)) for direction in found]
    return found, lines


def told(effects: list[latent.Effect]) -> str:
    """What a direction does, in a line."""
    best = enough(effects) or effects[-1]
    most = sorted(best.leaks, key=lambda name: -best.leaks[name])[:3]
    leaks = ", ".join(f"{name} {best.leaks[name]:.2f}" for name in most)
    kept = f", {best.keeps:.0%} keep their class among the others" if best.keeps < 1 else ""
    return (
        f"{best.attribute}: at strength {best.strength:g} {best.arrives:.0%} of those that lacked it have it, "
        f"{best.rises:.0%} of all have more; entanglement {best.entanglement:.2f} (most: {leaks}){kept}"
    )


def judge_of(run: Run, options: "Directions") -> latent.Judge:
    """Classes of the labelled set, where there is one, and plain statistics of the pictures."""
    spec, machine = (
        run.generator.generation.spec,
        Machine(device=options.device, threads=options.threads).start(),
    )
    plain = latent.Statistics(spec)
    if not spec.is_image:
        return plain
    if options.data is not None:
        config = DataConfig(source=options.data, size=(spec.shape[1], spec.shape[2]), channels=spec.shape[0])
    elif (run.path / RUN_FILE).is_file() and run.experiment.data.labels and run.classes:
        config = run.experiment.data
    else:
        return plain
    with Console.standard(quiet=options.quiet) as console:
        console.say("a classifier of the labelled pictures is fitted, or found in the cache ...")
    classifier = features.load("classifier", runtime=machine, fitted_on=open_data(config))
    assert isinstance(classifier, features.classifier.Classifier)
    return latent.Joined([latent.Classes(classifier), plain])


def sheet(run: Run, found: list[latent.Direction], seed: int) -> Image.Image:
    """A block of rows for each direction, with its name above."""
    z, y = showing.numbered(run, range(ROWS), seed)
    blocks = []
    for direction in found:
        picture = showing.sheet(showing.edit(run, z, y, direction, SHOWN)).convert("RGB")
        block = Image.new("RGB", (picture.width, picture.height + CAPTION), (255, 255, 255))
        block.paste(picture, (0, CAPTION))
        name = direction.name.encode("ascii", "replace").decode()[:60]
        ImageDraw.Draw(block).text((4, 3), f"{name} ({direction.kind})", fill=(0, 0, 0))
        blocks.append(np.asarray(block))
    return Image.fromarray(np.concatenate(blocks))


def file_and_name(text: str) -> tuple[Path, str]:
    """`FILE[:NAME]` apart; a file whose own name has a colon is found, too."""
    if Path(text).is_file():
        return Path(text), ""
    file, _, name = text.rpartition(":")
    return (Path(file), name) if file else (Path(text), "")
