"""`sparring evaluate`: its options."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from sparring.cli.options import PLAIN, Count, Device, File, Flag, Precision


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """Judge a run, or samples made by anything, against real samples.

    Args:
        subject: A run folder, a generator.safetensors, or samples: a folder or zip of pictures, an array file.
        against: Real samples, as for `sparring train`. By default a run's own data: what it held out, or
            what it was trained on. For a translator: pairs, or pictures of the other domain.
        checkpoint: Judge the checkpoint of this many images. By default the newest.
        metrics: Names with commas between: short (fd,kd,prdc,auth) or whole (fd10k-efficientnet_lite0-test).
        n: Samples of each side. By default as many as the data allow: see docs/evaluation.md.
        seed: Of the samples.
        direction: Of a translator: a-to-b or b-to-a.
        weights: Of an extractor whose weights do not come along (inception, dinov2_s ...).
        out: Folder for the page, the Markdown and the closest pictures. By default RUN/evaluation.
        device: auto, cpu, cuda or mps.
        precision: Of the networks' numbers.
        threads: Of the CPU.
        quiet: Print nothing but errors.
        json: Write the results as JSON.
    """

    subject: Annotated[Positional[Path], arg(metavar="RUN|SAMPLES")]
    against: Annotated[str | None, arg(metavar="DATA", help_behavior_hint=PLAIN)] = None
    checkpoint: Annotated[int | None, arg(metavar="IMAGES", help_behavior_hint=PLAIN)] = None
    metrics: Annotated[str | None, arg(metavar="A,B", help_behavior_hint=PLAIN)] = None
    n: Count = None
    seed: Annotated[int, arg(metavar="S")] = 0
    direction: Annotated[str | None, arg(metavar="a-to-b|b-to-a", help_behavior_hint=PLAIN)] = None
    weights: File = None
    out: Annotated[Path | None, arg(metavar="FOLDER", help_behavior_hint=PLAIN)] = None
    device: Device = "auto"
    precision: Precision = "auto"
    threads: Count = None
    quiet: Flag = False
    json: Annotated[Path | None, arg(metavar="PATH", help_behavior_hint=PLAIN)] = None

    def __call__(self) -> int:
        from sparring.cli.evaluating import evaluate

        return evaluate(self)
