"""`sparring reconstruct`."""

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from sparring.cli.given import Given, given
from sparring.console import Console
from sparring.data import points_image
from sparring.errors import SparringError
from sparring.metrics import psnr
from sparring.reconstruction import pairs_image
from sparring.run import load
from sparring.samples import picture_of, png, save
from sparring.wording import grouped, shown

if TYPE_CHECKING:
    from sparring.cli.relatives import Reconstruct


def reconstruct(options: "Reconstruct") -> int:
    """Send pictures through encoder and decoder; save what comes back."""
    run = load(options.run, options.device)
    run.generator.generation.coders()
    found = given(run, options.images)
    labels = run.labels(len(found.names), options.label) if options.label is not None else None
    back = run.reconstruct(found.samples, None if labels is None else labels.tolist())
    try:
        _save(options.out, found, back)
    except OSError as error:
        raise SparringError(
            f"--out {options.out}: {error}", "a path that can be written to", "choose another --out"
        ) from error
    with Console.standard(quiet=options.quiet) as console:
        left_out = [shown(line) for line in grouped("skipped", found.skipped)]
        said = f"{len(back):,} reconstructed, in {options.out}: {_quality(found.samples, back)}"
        console.say(*left_out, said)
    return 0


def _save(out: Path, found: Given, back: np.ndarray) -> None:
    points = back.ndim == 2
    if out.suffix == ".png":
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(
            png(points_image(back, found.samples) if points else pairs_image(found.samples, back))
        )
        return
    if points or out.suffix == ".npz":
        save(out, back, None, None)
        return
    stems = [str(PurePosixPath(name).with_suffix("")) for name in found.names]
    for name, stem, array in zip(found.names, stems, back, strict=True):
        alone = stems.count(stem) == 1 or name.endswith(".png")  # a.jpg beside a.png becomes a.jpg.png
        place = out / f"{stem if alone else name}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(png(picture_of(array)))


def _quality(real: np.ndarray, back: np.ndarray) -> str:
    if back.ndim == 2:
        return f"root mean square error {float(np.sqrt(np.square(real - back).mean())):.4g}"
    each = psnr(real, back).clamp_max(99)
    return f"PSNR {float(each.mean()):.1f} dB, from {float(each.min()):.1f} to {float(each.max()):.1f}"
