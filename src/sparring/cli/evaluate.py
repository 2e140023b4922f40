"""`sparring evaluate`: its options, and evaluation with progress on the terminal."""

import contextlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

from sparring.cli.options import NO_DEFAULT_HINT, Device, Flag, Json, OptionalFile, OptionalInt, Precision
from sparring.cli.output import STDOUT, open_console, write_json, writing
from sparring.terminal.console import Console
from sparring.terminal.text import format_duration, printable

if TYPE_CHECKING:
    from sparring.evaluation.request import Evaluation


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """Judge a run, or samples made by anything, against real samples.

    Args:
        subject: A run folder, a generator.safetensors, or samples: a folder or zip of images, an array file.
        against: Real samples, as for `sparring train`. By default a run's own data: what it held out, or
            what it was trained on. For a translator: pairs, or images of the other domain.
        checkpoint: Judge the checkpoint of this many images. By default the newest.
        metrics: Names with commas between: short (fd,kd,prdc,auth) or whole (fd10k-efficientnet_lite0-test).
        n: Samples of each side. By default as many as the data allow: see docs/evaluation.md.
        seed: Of the samples.
        direction: Of a translator: a-to-b or b-to-a.
        weights: Of an extractor whose weights do not come along (inception, dinov2_s ...).
        out: Folder for the page, the Markdown and the closest images. By default RUN/evaluation.
        device: auto, cpu, cuda or mps.
        precision: Of the networks' numbers.
        threads: Of the CPU.
        quiet: Print nothing but errors.
        json: Write the results as JSON.
    """

    subject: Annotated[Positional[Path], arg(metavar="RUN|SAMPLES")]
    against: Annotated[str | None, arg(metavar="DATA", help_behavior_hint=NO_DEFAULT_HINT)] = None
    checkpoint: Annotated[int | None, arg(metavar="IMAGES", help_behavior_hint=NO_DEFAULT_HINT)] = None
    metrics: Annotated[str | None, arg(metavar="A,B", help_behavior_hint=NO_DEFAULT_HINT)] = None
    n: OptionalInt = None
    seed: Annotated[int, arg(metavar="S")] = 0
    direction: Annotated[str | None, arg(metavar="a-to-b|b-to-a", help_behavior_hint=NO_DEFAULT_HINT)] = None
    weights: OptionalFile = None
    out: Annotated[Path | None, arg(metavar="FOLDER", help_behavior_hint=NO_DEFAULT_HINT)] = None
    device: Device = "auto"
    precision: Precision = "auto"
    threads: OptionalInt = None
    quiet: Flag = False
    json: Json = None

    def __call__(self) -> int:

        return evaluate(self)


WAIT_SECONDS = 10.0  # between two lines where there is no terminal
REDRAW_SECONDS = 0.2


def evaluate(options: "Evaluate") -> int:
    """Do as the command line says.

    Returns:
        The exit code.
    """
    from sparring.core.runtime import DeviceOptions
    from sparring.core.signals import Interrupt
    from sparring.evaluation.evaluate import evaluate_and_record
    from sparring.evaluation.request import EvaluationRequest
    from sparring.evaluation.summary import format_table, summarize

    began = time.monotonic()
    wish = EvaluationRequest(
        subject=options.subject,
        against=options.against,
        checkpoint=options.checkpoint,
        metrics=tuple((options.metrics or "").split(",")) if options.metrics else (),
        n=options.n,
        seed=options.seed,
        weights=options.weights,
        direction=options.direction,
    )
    machine = DeviceOptions(device=options.device, precision=options.precision, threads=options.threads)
    with open_console(quiet=options.quiet, json=options.json) as console, Interrupt() as interrupt:
        progress = ProgressLine(console)
        done = evaluate_and_record(wish, machine, progress.update, interrupt, progress.print)
        progress.close()
        if done.results:
            console.print(*format_table(done.results), "", *(summarize(line) for line in done.results), "")
        if done.notes:
            console.print(*(f"note: {note}" for note in done.notes), "")
        if done.results:
            _write_results(done, options, console)
        if done.stopped:
            console.print(f"stopped; {len(done.results)} results are kept" if done.results else "stopped")
            return interrupt.exit_code
        console.print(f"{'time':<11}{format_duration(time.monotonic() - began)}")
    return 0


def _write_results(done: "Evaluation", options: "Evaluate", console: Console) -> None:
    """The files that were asked for, and those of a run; a run that can't be written to is judged all the same."""
    from sparring.evaluation.result import RESULTS_FOLDER
    from sparring.evaluation.summary import to_json_bytes
    from sparring.report.evaluation_report import write_evaluation_report

    write_json(json.loads(to_json_bytes(done)), options.json)
    if options.json not in (None, STDOUT):
        console.print(f"{'results':<11}{options.json}")
    if options.out is not None:
        with writing(options.out):
            console.print(f"{'report':<11}{write_evaluation_report(done, options.out)}")
    elif options.subject.is_dir() and done.images is not None:
        try:
            console.print(f"{'report':<11}{write_evaluation_report(done, options.subject / RESULTS_FOLDER)}")
        except OSError as error:
            console.print(f"note: no report: {error}; choose another place by --out")


class ProgressLine:
    """What is being done and how far it is: one line that is overwritten, or a line every ten seconds."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.live = console.stream is not None and console.stream.isatty()
        self.task, self._last, self._width = "", time.monotonic(), 0

    def print(self, task: str) -> None:
        """Something else is being done."""
        self.task = task
        if self.live:
            self._draw(task)
        elif time.monotonic() - self._last > WAIT_SECONDS:
            self._last = time.monotonic()
            self.console.print(f"{task} ...")

    def update(self, done: int, total: int) -> None:
        """It is so far."""
        wait = REDRAW_SECONDS if self.live else WAIT_SECONDS
        if total < 2 or time.monotonic() - self._last < wait:
            return
        self._last = time.monotonic()
        text = f"{self.task}: {100 * done // total} %"
        if self.live:
            self._draw(text)
        else:
            self.console.print(text)

    def _draw(self, text: str) -> None:
        stream = self.console.stream
        if stream is None:
            return
        text = printable(text)[:100]
        with contextlib.suppress(OSError):
            stream.write(f"\r{text.ljust(self._width)}")
            stream.flush()
        self._width = len(text)

    def close(self) -> None:
        """Leave the line as if nothing had been there."""
        if self.live:
            self._draw("")
            self._draw("\r")
