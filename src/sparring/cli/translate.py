"""`sparring translate`: its options, and images of any size through a translator, with a gallery of the
results.
"""

import json
import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated

from PIL import Image
from tyro.conf import Positional, arg

from sparring.api import load
from sparring.cli.options import NO_DEFAULT_HINT, Device, Flag, OptionalInt, Precision
from sparring.core.errors import DataError, SparringError
from sparring.core.runtime import DeviceOptions
from sparring.data.image_grid import encode_png, to_pil_image
from sparring.data.images.resize import fit_image
from sparring.data.readers.inputs import ImageStream
from sparring.inference import TranslateOptions, TranslationResult, translate_all
from sparring.metrics import psnr
from sparring.report import Gallery
from sparring.runs.run_json import load_resize_mode
from sparring.terminal.console import Console
from sparring.terminal.text import names_by_reason, printable


@dataclass(frozen=True, kw_only=True)
class Translate:
    """Translate images of any size with a trained run (pix2pix, cyclegan, cut). Names are kept.

    Args:
        run: A run folder, or its generator.safetensors.
        images: Images, folders or zips of them.
        out: The folder for what comes out, and for gallery.html, which shows it beside what went in.
        direction: a-to-b; or b-to-a, where the run learned both.
        scale: At which size the network sees a image: `trained`, as in training; `keep`, as it is; or the pixels of its
            shorter side.
        raw: Leave results at that size. By default they get the size of the image that went in.
        tile: What is larger at that scale is translated in overlapping tiles of so many pixels.
        truth: A folder of what should come out, under equal names: for the gallery, and to say how near it comes.
        device: auto, cpu, cuda or mps.
        precision: Of the network's numbers.
        threads: Of the CPU.
        quiet: Print nothing but errors.
        json: Print one line of JSON at the end; all else goes to stderr.
    """

    run: Annotated[Positional[Path], arg(metavar="RUN|FILE")]
    images: Annotated[Positional[tuple[Path, ...]], arg(metavar="IMAGES")]
    out: Annotated[Path, arg(metavar="DIR")] = Path("translated")
    direction: Annotated[str, arg(metavar="a-to-b|b-to-a")] = "a-to-b"
    scale: Annotated[str, arg(metavar="trained|keep|N")] = "trained"
    raw: Flag = False
    tile: Annotated[int, arg(metavar="N")] = 512
    truth: Annotated[Path | None, arg(metavar="DIR", help_behavior_hint=NO_DEFAULT_HINT)] = None
    device: Device = "auto"
    precision: Precision = "auto"
    threads: OptionalInt = None
    quiet: Flag = False
    json: Flag = False

    def __call__(self) -> int:

        return translate(self)


if TYPE_CHECKING:
    pass

MAX_PSNR = 99.0  # what a image that is its truth to the last bit counts as


class TranslationJob:
    """Images on their way from the sources to the folder of results.

    Arguments:
        sources: where they come from.
        out: where results go: outside of every source.
        truth: what should come out, by stems of names.
    """

    def __init__(self, sources: Iterable[Path], out: Path, truth: Path | None) -> None:
        self.streams = [(source, ImageStream(source)) for source in sources]
        self.out, self.names = out, _OutputNames()
        self.truth = {} if truth is None else _paths_by_stem(truth)
        self.gallery = Gallery(truth=truth is not None)
        self.psnr_values: list[float] = []
        self.input = {found.resolve() for found in (*sources, *self.truth.values())}
        for source, stream in self.streams:
            if source.is_dir() and out.resolve().is_relative_to(source.resolve()):
                got = f"--out {out}, inside of {source}, which is to be translated"
                raise SparringError(got, "a folder outside of it", "choose another --out")
            if not len(stream):
                raise DataError(f"{source}: no images", "a image, a folder or a zip", "check the path")

    def __len__(self) -> int:
        return sum(len(stream) for _, stream in self.streams)

    def images(self) -> Iterator[tuple[str, Image.Image]]:
        for _, stream in self.streams:
            yield from stream

    @property
    def skipped(self) -> list[tuple[str, str]]:
        return [line for _, stream in self.streams for line in stream.skipped]

    def save_result(self, result: TranslationResult) -> None:
        """Save one result under the name of what it came from."""
        place = self.out / self.names.unique_name(result.name)
        if place.resolve() in self.input:
            got = f"--out {self.out}, where {place.name} is one of the images given"
            raise SparringError(got, "a folder that holds none of them", "choose another --out")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(encode_png(to_pil_image(result.output)))
        truth = self._find_truth(result)
        self.gallery.add(
            place.relative_to(self.out).as_posix(), result.input, to_pil_image(result.output), truth
        )

    def _find_truth(self, result: TranslationResult) -> Image.Image | None:
        found = self.truth.get(str(PurePosixPath(result.name).with_suffix("")))
        if found is None:
            return None
        truth = next(iter(ImageStream(found)), None)
        if truth is None:
            return None
        height, width, channels = result.output.shape
        true = fit_image(truth[1], (height, width), channels, "crop")
        self.psnr_values.append(min(float(psnr(true[None], result.output[None])), MAX_PSNR))
        return to_pil_image(true)


class _OutputNames:
    """Names of results: a.jpg becomes a.png, and a second a of another kind a.jpg.png."""

    def __init__(self) -> None:
        self.used_names: set[str] = set()

    def unique_name(self, name: str) -> str:
        stem = str(PurePosixPath(name).with_suffix(""))
        wanted, number = f"{stem}.png", 1
        while wanted in self.used_names:
            wanted = f"{name}.png" if number == 1 else f"{name}.{number}.png"
            number += 1
        self.used_names.add(wanted)
        return wanted


def translate(options: "Translate") -> int:
    """Translate images; save what comes out and a page that shows it."""
    machine = DeviceOptions(device=options.device, precision=options.precision, threads=options.threads)
    manner = TranslateOptions.parse(options.scale, options.raw, options.tile)
    run = load(options.run, options.device)
    translation, runtime = run.generator.translation, machine.start()
    runtime.to_device(translation).eval()
    translation.network(options.direction)
    job, began = TranslationJob(options.images, options.out, options.truth), time.monotonic()
    with Console.for_stdout(quiet=options.quiet, use_stderr=options.json) as console:
        made = translate_all(
            translation, job.images(), options.direction, runtime, manner, load_resize_mode(run.path)
        )
        count = _save_all(job, made, console)
        if not count:
            why = "; ".join(f"{name}: {reason}" for name, reason in job.skipped[:3])
            raise DataError(f"no image that can be used ({why})", "image files", "name their folder")
        seconds = time.monotonic() - began
        page = job.gallery.write(options.out, f"{run.path.name or run.path}: {options.direction}")
        console.print(*(printable(line) for line in names_by_reason("skipped", job.skipped)))
        console.print(*_summary_lines(job, count, seconds, options.out, page))
    if options.json:
        told = {"out": str(options.out), "translated": count, "skipped": len(job.skipped)}
        told |= {"seconds": round(seconds, 2), "gallery": str(page)}
        print(json.dumps(told | ({"psnr": round(_mean(job.psnr_values), 3)} if job.psnr_values else {})))
    return 0


def _save_all(job: TranslationJob, results: Iterator[TranslationResult], console: Console) -> int:
    count = 0
    try:
        for count, result in enumerate(results, 1):
            job.save_result(result)
            console.show_reading(count, len(job))
    except OSError as error:
        raise SparringError(
            f"--out {job.out}: {error}", "a folder that can be written to", "choose another --out"
        ) from error
    return count


def _summary_lines(job: TranslationJob, count: int, seconds: float, out: Path, page: Path) -> list[str]:
    lines = [f"{count:,} translated in {seconds:.1f} s, in {out}", f"gallery: {page}"]
    if job.psnr_values:
        known = f"{len(job.psnr_values):,} have a truth"
        lines.append(
            f"{known}: PSNR {_mean(job.psnr_values):.1f} dB, from {min(job.psnr_values):.1f} to "
            f"{max(job.psnr_values):.1f}"
        )
    elif job.truth:
        lines.append("none has a truth: names in --truth are other ones")
    return lines


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)


def _paths_by_stem(truth: Path) -> dict[str, Path]:
    if not truth.is_dir():
        raise DataError(f"--truth {truth}: no folder", "a folder of images", "check the path")
    return {str(PurePosixPath(name).with_suffix("")): truth / name for name, _ in ImageStream(truth).files}
