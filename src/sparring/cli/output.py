"""Where commands write: lines on the terminal, files and videos at `--out`, and the errors of both."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sparring.api import Run
from sparring.core.errors import SparringError
from sparring.data import image_grid, points_image
from sparring.inference import video
from sparring.inference.latent import images
from sparring.terminal.console import Console


def write_rows(out: Path, made: np.ndarray, fps: float) -> None:
    """Images (rows, columns, h, w, c): a sheet, or a film whose frames are the columns."""
    if out.suffix.lower() == ".png":
        with writing(out):
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_bytes(image_grid.encode_png(images.image_sheet(made)))
    else:
        write_frames(out, made.swapaxes(0, 1), fps)


def write_frames(out: Path, made: np.ndarray, fps: float) -> None:
    """A film of images (frames, k, h, w, c), k side by side; of points (frames, k, d) where they go."""
    with writing(out):
        if made.ndim == 3:
            everywhere = made.reshape(-1, made.shape[2])
            frames = np.stack([np.asarray(points_image(each, everywhere)) for each in made])
        else:
            frames = (
                made[:, 0]
                if made.shape[1] == 1
                else video.tile_frames(made, max(1, round(made.shape[1] ** 0.5)))
            )
        video.save_video(out, frames, fps)


def parse_indices(text: str | None, option: str) -> list[int]:
    """`0,4,7-9` as whole numbers; none for nothing."""
    found: list[int] = []
    for part in (text or "").split(",") if text else []:
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()) or len(first + last) > 15:
            raise SparringError(f"{option} {text}", "numbers with commas between, as 0,4,7 or 0-9", "fix it")
        found += range(int(first), int(last) + 1) if dash else [int(first)]
        if len(found) > 10_000:
            raise SparringError(f"{option} {text}", "at most 10,000 samples", "name fewer")
    return found


def require_at_least(count: int, least: int, option: str) -> int:
    if count < least:
        raise SparringError(f"{option} {count}", f"{least} or more", "raise the number")
    return count


def require_images(run: Run, what: str) -> None:
    if not run.generator.generation.spec.is_image:
        raise SparringError(f"{what}, of points", "a run of images", "walk or grid work with points")


@contextlib.contextmanager
def writing(out: Path) -> Iterator[None]:
    """Errors of the disk are the user's to fix."""
    try:
        yield
    except OSError as error:
        raise SparringError(
            f"--out {out}: {error}", "a path that can be written to", "choose another --out"
        ) from error


def print_lines(quiet: bool, *lines: str) -> None:
    with Console.for_stdout(quiet=quiet) as console:
        console.print(*lines)


def write_file(path: Path, content: bytes) -> None:
    """Write a file where the user wants it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise SparringError(
            f"--out {path}: {error}", "a path that can be written to", "choose another --out"
        ) from error
