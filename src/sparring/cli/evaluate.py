"""`sparring evaluate`: its options, and evaluation with progress on the terminal. No torch at import: `--help`
must be quick.
"""

import contextlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

from sparring.cli.options import (
    NO_DEFAULT_HINT,
    Checkpoint,
    Device,
    Flag,
    Json,
    OptionalFile,
    OptionalInt,
    Precision,
)
from sparring.cli.output import STDOUT, open_console, write_json, writing
from sparring.protocols.protocol import parse_metric_names
from sparring.terminal.console import Console
from sparring.terminal.text import format_duration, printable

if TYPE_CHECKING:
    from sparring.evaluation.evaluate import Evaluation
    from sparring.evaluation.request import EvaluationRequest

LINE_SECONDS = 10.0  # between two lines without a terminal
REDRAW_SECONDS = 0.2


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """Evaluate a run, or samples from files, against real samples.

    Args:
        subject: A run folder, a generator.safetensors, or samples: a folder or zip of images, an array file.
        against: Real samples, as for `sparring train`. By default the run's own data: its held-out samples, or
            its training set. For a translator: pairs, or images of the target domain.
        checkpoint: Evaluate a checkpoint: best, last, or its images. By default generator.safetensors.
        metrics: Names separated by commas: short (fd,kd,prdc,auth) or complete (fd10k-efficientnet_lite0-test).
        n: Samples of each side. By default as many as the data allows: see docs/evaluation.md.
        seed: Seed of the generated samples.
        direction: Direction of a translator: a-to-b or b-to-a.
        weights: Weights of an extractor that is not shipped (inception, dinov2_s ...).
        out: Folder for the HTML page, the Markdown file and the nearest images. By default RUN/evaluation.
        device: Device: auto, cpu, cuda or mps.
        precision: Numeric precision of the networks.
        threads: Number of CPU threads.
        quiet: Print nothing but errors.
        json: Write the results as JSON to PATH; without PATH to standard output, and all else to standard error.
    """

    subject: Annotated[Positional[Path], arg(metavar="RUN|SAMPLES")]
    against: Annotated[str | None, arg(metavar="DATA", help_behavior_hint=NO_DEFAULT_HINT)] = None
    checkpoint: Checkpoint = None
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

    def request(self) -> "EvaluationRequest":
        """The request that these options make. Raises ConfigError or DataError if they are wrong."""
        from sparring.evaluation.request import EvaluationRequest

        return EvaluationRequest(
            subject=self.subject,
            against=self.against,
            checkpoint=self.checkpoint,
            metrics=parse_metric_names(self.metrics),
            n=self.n,
            seed=self.seed,
            weights=self.weights,
            direction=self.direction,
        )


def evaluate(options: Evaluate) -> int:
    """Evaluate, print the results, and write the report.

    Returns:
        The exit code: 0, or 130 or 143 after an interruption.
    """
    from sparring.core.runtime import DeviceOptions
    from sparring.core.signals import Interrupt
    from sparring.evaluation.evaluate import evaluate_and_record
    from sparring.evaluation.summary import format_table, summarize

    start_time = time.monotonic()
    request = options.request()
    device = DeviceOptions(device=options.device, precision=options.precision, threads=options.threads)
    with open_console(quiet=options.quiet, json=options.json) as console, Interrupt() as interrupt:
        progress = ProgressLine(console)
        evaluation = evaluate_and_record(request, device, progress.update, interrupt, progress.print)
        progress.close()
        results = evaluation.results
        if results:
            console.print(*format_table(results), "", *map(summarize, results), "")
        if evaluation.notes:
            console.print(*(f"note: {note}" for note in evaluation.notes), "")
        if results:
            _write_results(evaluation, options, console)
        if evaluation.is_interrupted:
            console.print(f"stopped; {len(results)} results are saved" if results else "stopped")
            return interrupt.exit_code
        console.print(f"{'time':<11}{format_duration(time.monotonic() - start_time)}")
    return 0


def _write_results(evaluation: "Evaluation", options: Evaluate, console: Console) -> None:
    """Write the JSON and the report. The report of a run is optional: a read-only run folder is only a note."""
    from sparring.evaluation.result import RESULTS_FOLDER
    from sparring.evaluation.summary import to_json_bytes
    from sparring.report.evaluation_report import write_evaluation_report

    write_json(json.loads(to_json_bytes(evaluation)), options.json)
    if options.json not in (None, STDOUT):
        console.print(f"{'results':<11}{options.json}")
    if options.out is not None:
        with writing(options.out):
            page = write_evaluation_report(evaluation, options.out)
        console.print(f"{'report':<11}{page}")
    elif options.subject.is_dir() and evaluation.images is not None:
        try:
            page = write_evaluation_report(evaluation, options.subject / RESULTS_FOLDER)
            console.print(f"{'report':<11}{page}")
        except OSError as error:
            console.print(f"note: no report: {error}; choose another folder with --out")


class ProgressLine:
    """The current stage and its progress: one line that is redrawn on a terminal, else a line every ten seconds."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.is_live = console.stream is not None and console.stream.isatty()
        self.stage, self._last, self._width = "", time.monotonic(), 0

    def print(self, stage: str) -> None:
        """Show that a stage begins."""
        self.stage = stage
        if self.is_live:
            self._redraw(stage)
        elif time.monotonic() - self._last > LINE_SECONDS:
            self._last = time.monotonic()
            self.console.print(f"{stage} ...")

    def update(self, done: int, total: int) -> None:
        """Show that `done` of `total` steps of the stage are finished."""
        interval = REDRAW_SECONDS if self.is_live else LINE_SECONDS
        if total < 2 or time.monotonic() - self._last < interval:
            return
        self._last = time.monotonic()
        text = f"{self.stage}: {100 * done // total} %"
        if self.is_live:
            self._redraw(text)
        else:
            self.console.print(text)

    def _redraw(self, text: str) -> None:
        stream = self.console.stream
        if stream is None:
            return
        text = printable(text)[:100]
        with contextlib.suppress(OSError):
            stream.write(f"\r{text.ljust(self._width)}")
            stream.flush()
        self._width = len(text)

    def close(self) -> None:
        """Erase the line."""
        if self.is_live:
            self._redraw("")
            self._redraw("\r")
