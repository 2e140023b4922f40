"""`sparring translate`: its options, and images of any size through a translator, with a gallery of the
results.
"""

import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import Positional, arg

from sparring.cli.options import NO_DEFAULT_HINT, Device, Flag, Int, Json, OptionalInt, Precision, RunPath
from sparring.core.errors import DataError, SparringError

if TYPE_CHECKING:
    from PIL import Image

    from sparring.inference import TranslationResult

MAX_PSNR = 99.0  # dB, of an image that equals its truth


@dataclass(frozen=True, kw_only=True)
class Translate:
    """Translate images of any size with a trained run (pix2pix, cyclegan, cut). File names are kept.

    Args:
        run: A run folder, or its generator.safetensors.
        images: Images, and folders or zips of images.
        out: Folder for the translated images, and for gallery.html, which shows them beside the inputs.
        direction: a-to-b; or b-to-a, for a run that learned both directions.
        scale: Scale at which the network sees an image: `trained`, as in training; `keep`, unchanged; or the length of
            the shorter side in pixels.
        raw: Leave results at that scale. By default they get the size of the input.
        tile: Images larger than this at that scale are translated in overlapping tiles of this side, in pixels.
        truth: Folder of the true outputs, under the same names: shown in the gallery, and the PSNR is measured.
        device: Device: auto, cpu, cuda or mps.
        precision: Numeric precision of the network.
        threads: Number of CPU threads.
        quiet: Print nothing but errors.
        json: Write the result as JSON to PATH; without PATH to standard output, and all else to standard error.
    """

    run: RunPath
    images: Annotated[
        Positional[tuple[Path, ...]], arg(metavar="IMAGES", help_behavior_hint="(one or more, required)")
    ]
    out: Annotated[Path, arg(metavar="DIR")] = Path("translated")
    direction: Annotated[str, arg(metavar="a-to-b|b-to-a")] = "a-to-b"
    scale: Annotated[str, arg(metavar="trained|keep|N")] = "trained"
    raw: Flag = False
    tile: Int = 512
    truth: Annotated[Path | None, arg(metavar="DIR", help_behavior_hint=NO_DEFAULT_HINT)] = None
    device: Device = "auto"
    precision: Precision = "auto"
    threads: OptionalInt = None
    quiet: Flag = False
    json: Json = None

    def __call__(self) -> int:
        return translate(self)


def translate(options: Translate) -> int:
    """Translate images, and save the results and a gallery of them."""
    from sparring.api import load
    from sparring.cli.output import open_console, write_json, writing
    from sparring.core.runtime import DeviceOptions
    from sparring.inference import TranslateOptions, translate_all
    from sparring.runs.run_json import load_resize_mode
    from sparring.terminal.text import names_by_reason

    device = DeviceOptions(device=options.device, precision=options.precision, threads=options.threads)
    translate_options = TranslateOptions.parse(options.scale, options.raw, options.tile)
    run = load(options.run, options.device)
    translator, runtime = run.generator.translation, device.start()
    runtime.to_device(translator).eval()
    translator.network(options.direction)  # refuses an untrained direction before the images are read
    job, start = TranslationJob(options.images, options.out, options.truth), time.monotonic()
    with open_console(quiet=options.quiet, json=options.json) as console, writing(options.out):
        results = translate_all(
            translator,
            job.images(),
            options.direction,
            runtime,
            translate_options,
            load_resize_mode(run.path),
        )
        for result in results:
            job.save_result(result)
            console.show_reading(job.count, len(job))
        if not job.count:
            reasons = "; ".join(f"{name}: {reason}" for name, reason in job.skipped[:3])
            raise DataError(f"no image that can be used ({reasons})", "image files", "name their folder")
        job.seconds = time.monotonic() - start
        page = job.gallery.write(options.out, f"{run.path.name or run.path}: {options.direction}")
        console.print(*names_by_reason("skipped", job.skipped), *job.summary_lines(page))
    write_json(job.to_json(page), options.json)
    return 0


class TranslationJob:
    """The images of one call: where they come from, where the results go, and how good they are.

    Arguments:
        sources: images, and folders or zips of images.
        out: folder for the results, outside of every source.
        truth: folder of the true outputs, by name; or None.

    Raises:
        SparringError: `out` is inside of a source. DataError: a source without images.
    """

    def __init__(self, sources: Iterable[Path], out: Path, truth: Path | None) -> None:
        from sparring.data.readers.inputs import ImageStream
        from sparring.report import Gallery

        self.streams = [(source, ImageStream(source)) for source in sources]
        self.out, self.names = out, _OutputNames()
        self.truth = {} if truth is None else _paths_by_stem(truth)
        self.gallery = Gallery(truth=truth is not None)
        self.count, self.seconds = 0, 0.0
        self.psnr_values: list[float] = []
        self.input_paths = {path.resolve() for path in (*sources, *self.truth.values())}
        for source, stream in self.streams:
            if source.is_dir() and out.resolve().is_relative_to(source.resolve()):
                got = f"--out {out}, inside of {source}, which is to be translated"
                raise SparringError(got, "a folder outside of it", "choose another --out")
            if not len(stream):
                raise DataError(f"{source}: no images", "an image, a folder or a zip", "check the path")

    def __len__(self) -> int:
        return sum(len(stream) for _, stream in self.streams)

    def images(self) -> "Iterator[tuple[str, Image.Image]]":
        """The (name, image) of every image that can be read."""
        for _, stream in self.streams:
            yield from stream

    @property
    def skipped(self) -> list[tuple[str, str]]:
        """The (name, reason) of every file that could not be read so far."""
        return [row for _, stream in self.streams for row in stream.skipped]

    def save_result(self, result: "TranslationResult") -> None:
        """Save one result under the name of its input, and add it to the gallery."""
        from sparring.data.image_grid import encode_png, to_pil_image

        path = self.out / self.names.unique_name(result.name)
        if path.resolve() in self.input_paths:
            got = f"--out {self.out}, where {path.name} is one of the input images"
            raise SparringError(got, "a folder that holds none of them", "choose another --out")
        output = to_pil_image(result.output)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_png(output))
        name = path.relative_to(self.out).as_posix()
        self.gallery.add(name, result.input, output, self._find_truth(result))
        self.count += 1

    def _find_truth(self, result: "TranslationResult") -> "Image.Image | None":
        """The true output at the size of the result, if there is one; its PSNR is added to `psnr_values`."""
        from sparring.data.image_grid import to_pil_image
        from sparring.data.images.resize import fit_image
        from sparring.data.readers.inputs import ImageStream
        from sparring.metrics import psnr

        path = self.truth.get(str(PurePosixPath(result.name).with_suffix("")))
        pair = next(iter(ImageStream(path)), None) if path is not None else None
        if pair is None:
            return None
        height, width, channels = result.output.shape
        truth = fit_image(pair[1], (height, width), channels, "crop")
        self.psnr_values.append(min(float(psnr(truth[None], result.output[None])), MAX_PSNR))
        return to_pil_image(truth)

    def summary_lines(self, page: Path) -> list[str]:
        """What was done, as lines of text."""
        lines = [f"{self.count:,} translated in {self.seconds:.1f} s, in {self.out}", f"gallery: {page}"]
        if values := self.psnr_values:
            lines.append(
                f"{len(values):,} have a truth: PSNR {_mean(values):.1f} dB, from {min(values):.1f} to {max(values):.1f}"
            )
        elif self.truth:
            lines.append("no image has a truth: no file in --truth has the name of an input")
        return lines

    def to_json(self, page: Path) -> dict[str, Any]:
        """What was done, as plain JSON."""
        document = {"out": str(self.out), "translated": self.count, "skipped": len(self.skipped)}
        document |= {"seconds": round(self.seconds, 2), "gallery": str(page)}
        return document | ({"psnr": round(_mean(self.psnr_values), 3)} if self.psnr_values else {})


class _OutputNames:
    """Names of results: a.jpg becomes a.png, and a second image named a becomes a.jpg.png."""

    def __init__(self) -> None:
        self.used_names: set[str] = set()

    def unique_name(self, name: str) -> str:
        stem = str(PurePosixPath(name).with_suffix(""))
        candidate, number = f"{stem}.png", 1
        while candidate in self.used_names:
            candidate = f"{name}.png" if number == 1 else f"{name}.{number}.png"
            number += 1
        self.used_names.add(candidate)
        return candidate


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)


def _paths_by_stem(folder: Path) -> dict[str, Path]:
    from sparring.data.readers.inputs import ImageStream

    if not folder.is_dir():
        raise DataError(f"--truth {folder}: no folder", "a folder of images", "check the path")
    return {str(PurePosixPath(name).with_suffix("")): folder / name for name, _ in ImageStream(folder).files}
