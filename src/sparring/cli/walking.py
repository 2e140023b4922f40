"""`sparring latent walk`, `grid`, `mix`, `morph`."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sparring import latent, samples
from sparring.console import Console
from sparring.data import points_image
from sparring.errors import SparringError
from sparring.latent import film, showing
from sparring.run import Run, load

if TYPE_CHECKING:
    from sparring.cli.latents import Grid, Mix, Morph, Walk


def walk(options: "Walk") -> int:
    """A film of a walk."""
    run = load(options.run, options.device)
    chosen = numbers(options.samples, "--samples") or list(range(options.n))
    films = []
    for number in range(at_least(options.films, 1, "--films")):
        z, y = showing.numbered(
            run,
            [each + number * (max(chosen) + 1) for each in chosen],
            options.seed,
            options.label,
            options.truncation,
        )
        way = showing.walk(run, z, y, steps=options.steps, kind=options.path, closed=not options.open)
        films.append(way)
    save(options.out, np.stack(films, 1), options.fps)
    say(options.quiet, f"{len(films[0]):,} frames in {options.out}")
    return 0


def grid(options: "Grid") -> int:
    """All between four samples."""
    run = load(options.run, options.device)
    chosen = numbers(options.samples, "--samples")
    z, y = showing.numbered(run, chosen, options.seed, options.label, options.truncation)
    made = showing.grid(run, z, y, rows=options.rows, columns=options.columns, kind=options.path)
    picture = samples.grid_image(made, options.columns) if made.ndim == 4 else points_image(made)
    with writable(options.out):
        samples.save(options.out, made, None, picture)
    say(options.quiet, f"{len(made):,} pictures in {options.out}")
    return 0


def mix(options: "Mix") -> int:
    """Sums and differences of groups."""
    run = load(options.run, options.device)
    only_pictures(run, "a sheet of sums")
    plus, minus = (
        [numbers(group, "--add") for group in groups] for groups in (options.add, options.subtract)
    )
    if not plus:
        raise SparringError(
            "no --add",
            "the numbers of a group of samples",
            "look at `sparring sample RUN`, and name some: --add 0,4,7",
        )
    picture = showing.mix(run, plus, minus, seed=options.seed, label=options.label)
    with writable(options.out):
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_bytes(samples.png(picture))
    say(options.quiet, f"a row for each group, its mean last, and the result: {options.out}")
    return 0


def morph(options: "Morph") -> int:
    """From class to class."""
    run = load(options.run, options.device)
    only_pictures(run, "a sheet of classes")
    chosen = options.classes.split(",") if options.classes else run.classes
    z = latent.latents(run.generator.generation, options.seed, range(at_least(options.n, 1, "--n")))
    made = showing.morph(run, chosen, z * options.truncation, steps=options.steps)
    rows(options.out, made, options.fps)
    say(options.quiet, f"{len(made)} samples, {' to '.join(chosen)}: {options.out}")
    return 0


def rows(out: Path, made: np.ndarray, fps: float) -> None:
    """Pictures (rows, columns, h, w, c): a sheet, or a film whose frames are the columns."""
    if out.suffix.lower() == ".png":
        with writable(out):
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_bytes(samples.png(showing.sheet(made)))
    else:
        save(out, made.swapaxes(0, 1), fps)


def save(out: Path, made: np.ndarray, fps: float) -> None:
    """A film of pictures (frames, k, h, w, c), k side by side; of points (frames, k, d) where they go."""
    with writable(out):
        if made.ndim == 3:
            everywhere = made.reshape(-1, made.shape[2])
            frames = np.stack([np.asarray(points_image(each, everywhere)) for each in made])
        else:
            frames = (
                made[:, 0] if made.shape[1] == 1 else film.tiled(made, max(1, round(made.shape[1] ** 0.5)))
            )
        film.save(out, frames, fps)


def numbers(text: str | None, option: str) -> list[int]:
    """`0,4,7-9` as whole numbers; none for nothing."""
    found: list[int] = []
    for part in (text or "").split(",") if text else []:
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()) or len(first + last) > 15:
            raise SparringError(f"{option} {text}", "numbers with commas between, as 0,4,7 or 0-9", "mend it")
        found += range(int(first), int(last) + 1) if dash else [int(first)]
        if len(found) > 10_000:
            raise SparringError(f"{option} {text}", "at most 10,000 samples", "name fewer")
    return found


def at_least(count: int, least: int, option: str) -> int:
    if count < least:
        raise SparringError(f"{option} {count}", f"{least} or more", "raise the number")
    return count


def only_pictures(run: Run, what: str) -> None:
    if not run.generator.generation.spec.is_image:
        raise SparringError(f"{what}, of points", "a run of pictures", "walk or grid work with points")


@contextlib.contextmanager
def writable(out: Path) -> Iterator[None]:
    """Errors of the disk are the user's to mend."""
    try:
        yield
    except OSError as error:
        raise SparringError(
            f"--out {out}: {error}", "a path that can be written to", "choose another --out"
        ) from error


def say(quiet: bool, *lines: str) -> None:
    with Console.standard(quiet=quiet) as console:
        console.say(*lines)
