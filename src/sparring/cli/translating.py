"""`sparring translate`."""

import json
import math
import time
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from PIL import Image

from sparring.console import Console
from sparring.data.fit import fitted
from sparring.data.stream import Stream
from sparring.errors import DataError, SparringError
from sparring.gallery import Gallery
from sparring.machine import Machine
from sparring.metrics import psnr
from sparring.run import load
from sparring.runfile import fit_of
from sparring.samples import picture_of, png
from sparring.translation import Manner, Translated, translate_all
from sparring.wording import grouped, shown

if TYPE_CHECKING:
    from sparring.cli.relatives import Translate

MOST_DECIBELS = 99.0  # what a picture that is its truth to the last bit counts as


class Job:
    """Pictures on their way from the sources to the folder of results.

    Arguments:
        sources: where they come from.
        out: where results go: outside of every source.
        truth: what should come out, by stems of names.
    """

    def __init__(self, sources: Iterable[Path], out: Path, truth: Path | None) -> None:
        self.streams = [(source, Stream(source)) for source in sources]
        self.out, self.names = out, _Names()
        self.truth = {} if truth is None else _by_stem(truth)
        self.gallery = Gallery(truth=truth is not None)
        self.decibels: list[float] = []
        self.given = {found.resolve() for found in (*sources, *self.truth.values())}
        for source, stream in self.streams:
            if source.is_dir() and out.resolve().is_relative_to(source.resolve()):
                got = f"--out {out}, inside of {source}, which is to be translated"
                raise SparringError(got, "a folder outside of it", "choose another --out")
            if not len(stream):
                raise DataError(f"{source}: no pictures", "a picture, a folder or a zip", "check the path")

    def __len__(self) -> int:
        return sum(len(stream) for _, stream in self.streams)

    def pictures(self) -> Iterator[tuple[str, Image.Image]]:
        for _, stream in self.streams:
            yield from stream

    @property
    def skipped(self) -> list[tuple[str, str]]:
        return [line for _, stream in self.streams for line in stream.skipped]

    def keep(self, result: Translated) -> None:
        """Save one result under the name of what it came from."""
        place = self.out / self.names.free(result.name)
        if place.resolve() in self.given:
            got = f"--out {self.out}, where {place.name} is one of the pictures given"
            raise SparringError(got, "a folder that holds none of them", "choose another --out")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(png(picture_of(result.made)))
        truth = self._true(result)
        self.gallery.add(place.relative_to(self.out).as_posix(), result.given, picture_of(result.made), truth)

    def _true(self, result: Translated) -> Image.Image | None:
        found = self.truth.get(str(PurePosixPath(result.name).with_suffix("")))
        if found is None:
            return None
        truth = next(iter(Stream(found)), None)
        if truth is None:
            return None
        height, width, channels = result.made.shape
        true = fitted(truth[1], (height, width), channels, "crop")
        self.decibels.append(min(float(psnr(true[None], result.made[None])), MOST_DECIBELS))
        return picture_of(true)


class _Names:
    """Names of results: a.jpg becomes a.png, and a second a of another kind a.jpg.png."""

    def __init__(self) -> None:
        self.taken: set[str] = set()

    def free(self, name: str) -> str:
        stem = str(PurePosixPath(name).with_suffix(""))
        wanted, number = f"{stem}.png", 1
        while wanted in self.taken:
            wanted = f"{name}.png" if number == 1 else f"{name}.{number}.png"
            number += 1
        self.taken.add(wanted)
        return wanted


def translate(options: "Translate") -> int:
    """Translate pictures; save what comes out and a page that shows it."""
    machine = Machine(device=options.device, precision=options.precision, threads=options.threads)
    manner = Manner.parse(options.scale, options.raw, options.tile)
    run = load(options.run, options.device)
    translation, runtime = run.generator.translation, machine.start()
    runtime.place(translation).eval()
    translation.network(options.direction)
    job, began = Job(options.images, options.out, options.truth), time.monotonic()
    with Console.standard(quiet=options.quiet, to_errors=options.json) as console:
        made = translate_all(
            translation, job.pictures(), options.direction, runtime, manner, fit_of(run.path)
        )
        count = _keep_all(job, made, console)
        if not count:
            why = "; ".join(f"{name}: {reason}" for name, reason in job.skipped[:3])
            raise DataError(f"no picture that can be used ({why})", "picture files", "name their folder")
        seconds = time.monotonic() - began
        page = job.gallery.write(options.out, f"{run.path.name or run.path}: {options.direction}")
        console.say(*(shown(line) for line in grouped("skipped", job.skipped)))
        console.say(*_closing(job, count, seconds, options.out, page))
    if options.json:
        told = {"out": str(options.out), "translated": count, "skipped": len(job.skipped)}
        told |= {"seconds": round(seconds, 2), "gallery": str(page)}
        print(json.dumps(told | ({"psnr": round(_mean(job.decibels), 3)} if job.decibels else {})))
    return 0


def _keep_all(job: Job, results: Iterator[Translated], console: Console) -> int:
    count = 0
    try:
        for count, result in enumerate(results, 1):
            job.keep(result)
            console.reading(count, len(job))
    except OSError as error:
        raise SparringError(
            f"--out {job.out}: {error}", "a folder that can be written to", "choose another --out"
        ) from error
    return count


def _closing(job: Job, count: int, seconds: float, out: Path, page: Path) -> list[str]:
    lines = [f"{count:,} translated in {seconds:.1f} s, in {out}", f"gallery: {page}"]
    if job.decibels:
        known = f"{len(job.decibels):,} have a truth"
        lines.append(
            f"{known}: PSNR {_mean(job.decibels):.1f} dB, from {min(job.decibels):.1f} to "
            f"{max(job.decibels):.1f}"
        )
    elif job.truth:
        lines.append("none has a truth: names in --truth are other ones")
    return lines


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)


def _by_stem(truth: Path) -> dict[str, Path]:
    if not truth.is_dir():
        raise DataError(f"--truth {truth}: no folder", "a folder of pictures", "check the path")
    return {str(PurePosixPath(name).with_suffix("")): truth / name for name, _ in Stream(truth).files}
