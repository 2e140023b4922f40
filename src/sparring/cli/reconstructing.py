"""`sparring reconstruct`."""

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from sparring.console import Console
from sparring.data import DataConfig, open_data, points_image
from sparring.data.config import Fit
from sparring.data.named import Named, is_named, named_pictures
from sparring.errors import SparringError
from sparring.metrics import psnr
from sparring.reconstruction import pairs_image
from sparring.run import Run, load
from sparring.samples import picture_of, png, save
from sparring.train import RUN_FILE
from sparring.wording import grouped, shown

if TYPE_CHECKING:
    from sparring.cli.relatives import Reconstruct


def reconstruct(options: "Reconstruct") -> int:
    """Send pictures through encoder and decoder; save what comes back."""
    run = load(options.run, options.device)
    run.generator.generation.coders()
    given = _given(run, options.images)
    labels = run.labels(len(given.names), options.label) if options.label is not None else None
    back = run.reconstruct(given.pictures, None if labels is None else labels.tolist())
    try:
        _save(options.out, given, back)
    except OSError as error:
        raise SparringError(
            f"--out {options.out}: {error}", "a path that can be written to", "choose another --out"
        ) from error
    with Console.standard(quiet=options.quiet) as console:
        left_out = [shown(line) for line in grouped("skipped", given.skipped)]
        said = f"{len(back):,} reconstructed, in {options.out}: {_quality(given.pictures, back)}"
        console.say(*left_out, said)
    return 0


def _given(run: Run, source: str) -> Named:
    spec, place = run.generator.generation.spec, Path(source)
    if not spec.is_image:
        found = open_data(DataConfig(source=source))
    elif is_named(place):
        return named_pictures(place, spec.shape[1:], spec.shape[0], _fit(run))  # type: ignore[arg-type]
    else:
        size = (spec.shape[1], spec.shape[2])
        found = open_data(DataConfig(source=source, size=size, channels=spec.shape[0], fit=_fit(run)))
    names = [f"{number:06d}.png" for number in range(len(found))]
    return Named(names, np.asarray(found.samples), list(found.report.skipped))


def _fit(run: Run) -> Fit:
    return run.experiment.data.fit if (run.path / RUN_FILE).is_file() else "crop"


def _save(out: Path, given: Named, back: np.ndarray) -> None:
    points = back.ndim == 2
    if out.suffix == ".png":
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(
            png(points_image(back, given.pictures) if points else pairs_image(given.pictures, back))
        )
        return
    if points or out.suffix == ".npz":
        save(out, back, None, None)
        return
    stems = [str(PurePosixPath(name).with_suffix("")) for name in given.names]
    for name, stem, array in zip(given.names, stems, back, strict=True):
        alone = stems.count(stem) == 1 or name.endswith(".png")  # a.jpg beside a.png becomes a.jpg.png
        place = out / f"{stem if alone else name}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(png(picture_of(array)))


def _quality(real: np.ndarray, back: np.ndarray) -> str:
    if back.ndim == 2:
        return f"root mean square error {float(np.sqrt(np.square(real - back).mean())):.4g}"
    each = psnr(real, back).clamp_max(99)
    return f"PSNR {float(each.mean()):.1f} dB, from {float(each.min()):.1f} to {float(each.max()):.1f}"
