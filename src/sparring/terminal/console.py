"""Progress on the terminal: what is trained, how far it is, where the results are.

On a terminal two lines are updated in place; elsewhere a plain line is printed at most every ten seconds.
"""

import contextlib
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from rich.console import Console as Terminal
from rich.live import Live
from rich.text import Text

from sparring.core.progress import process_rank
from sparring.runs import records
from sparring.runs.best import STALL_PATIENCE, stalled_since
from sparring.runs.records import RUN_FILE, read_json_table
from sparring.terminal.text import (
    describe_data,
    describe_device,
    describe_extension,
    describe_metric,
    describe_source,
    evaluation_line,
    losses_line,
    printable,
    progress_bar,
    progress_line,
)

if TYPE_CHECKING:
    from sparring.data import Dataset
    from sparring.experiment import Experiment
    from sparring.runs.records import Status

LINE_SECONDS = 10.0
REDRAW_SECONDS = 0.2


class Console:
    """Prints the progress of a command.

    Arguments:
        stream: where to print; None prints nothing.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self.stream = stream
        self.is_main_process = True
        self.live: Any = None
        self.run_dir = Path()
        self.machine: Mapping[str, object] = {}
        self._last_update = -LINE_SECONDS
        self._latest: Status | None = None
        self._printed_images: int | None = None
        self._stalled_since: int | None = None
        self._notice = ""
        self._last_reading = time.monotonic()

    @classmethod
    def for_stdout(cls, *, quiet: bool, use_stderr: bool = False) -> "Console":
        """A console on standard output (or standard error); silent in all processes but the main one."""
        console = cls(None)
        console.is_main_process = process_rank() == 0
        if not quiet and console.is_main_process:
            console.stream = sys.stderr if use_stderr else sys.stdout
        return console

    def __enter__(self) -> "Console":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def print(self, *lines: str) -> None:
        """Print lines and flush. If the stream is closed, print nothing from now on: training goes on without a reader."""
        if self.stream is None:
            return
        try:
            print(*map(printable, lines), sep="\n", file=self.stream, flush=True)
        except OSError:
            self._silence(self.stream)

    def _silence(self, stream: TextIO) -> None:
        self.stream = None
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())

    def show_start(self, experiment: "Experiment", dataset: "Dataset", images: int) -> None:
        """Print the settings of a run, and start to show its progress.

        Arguments:
            experiment: the settings.
            dataset: the training data.
            images: at which training resumes; 0 for a new run.
        """
        if self.stream is None:
            return
        players = ", ".join(
            f"{name} {count:,}" for name, count in experiment.count_parameters(dataset.spec).items()
        )
        held_out = experiment.data.held_out
        length = f"{experiment.training.total_images:,} images in batches of {experiment.training.batch:,}"
        lines = {
            "data": describe_data(dataset) + (f", {held_out:,} more held out" if held_out else ""),
            "recipe": f"{experiment.recipe}, "
            + (f"parameters: {players}" if players else "no trainable parameters"),
            "from": describe_source(read_json_table(self.run_dir / RUN_FILE).get("from", {})),
            "device": ", ".join(describe_device(self.machine)),
            "metric": describe_metric(experiment.training),
            "length": length + (f"; resuming at image {images:,}" if images else ""),
            "": describe_extension(records.read_json_table(self.run_dir / records.RUN_FILE), images),
            "run": f"{self.run_dir}  (samples.png shows the progress; Ctrl-C saves and stops)",
        }
        self.print(*(f"{name:<8}{text}" for name, text in lines.items() if text))
        titles = ["chosen", *[""] * len(experiment.reasons)]
        self.print(*(f"{title:<8}{why}" for title, why in zip(titles, experiment.reasons, strict=False)), "")
        self.start_live()

    def start_live(self) -> None:
        """Update two lines in place from now on, if the stream is a terminal."""
        if self.stream is not None and self.stream.isatty():
            terminal = Terminal(file=self.stream, highlight=False)
            self.live = Live(
                console=terminal, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
            )
            self.live.start()

    def update(self, status: "Status") -> None:
        """Show the progress of a run."""
        if self.stream is None:
            return
        self._latest = status
        self._warn_if_stalled(status)
        if status.notice != self._notice:
            self._notice = status.notice
            self._print_above(status.notice)
        first_or_last = self._printed_images is None or status.images >= status.total_images
        interval = REDRAW_SECONDS if self.live else LINE_SECONDS
        if not first_or_last and time.monotonic() - self._last_update < interval:
            return
        self._show(status)

    def _warn_if_stalled(self, status: "Status") -> None:
        since = stalled_since(status.evaluations)
        if since is None or since == self._stalled_since:
            return
        self._stalled_since = since
        warning = (
            f"the metric is clearly worse than at image {since:,}, {STALL_PATIENCE} times in a row; that checkpoint is kept, "
            "so stopping would lose nothing"
        )
        self._print_above(warning)

    def _print_above(self, line: str) -> None:
        """Print a line, above those that are updated in place."""
        if self.live is None:
            self.print(line)
        else:
            self.live.console.print(line)

    def show_reading(self, done: int, total_images: int) -> None:
        """Show how much of the data is read, at most every ten seconds."""
        if time.monotonic() - self._last_reading >= LINE_SECONDS:
            self._last_reading = time.monotonic()
            self.print(f"{done:,}/{total_images:,} read")

    def _show(self, status: "Status") -> None:
        self._last_update, self._printed_images = time.monotonic(), status.images
        values = "  ".join(filter(None, [losses_line(status.latest), evaluation_line(status.evaluations)]))
        if self.live is None:
            self.print("  ".join(filter(None, [progress_line(status), values])))
            return
        width = self.live.console.width
        bar = progress_bar(status.images / status.total_images, max(10, min(40, width - 62)))
        text = Text.assemble((bar, "cyan"), " ", progress_line(status), "\n", (values, "dim"))
        text.no_wrap, text.overflow = True, "ellipsis"
        try:
            self.live.update(text, refresh=True)
        except OSError:
            self.stream = None

    def close(self) -> None:
        """Show the last state and restore the terminal."""
        if (
            self.stream is not None
            and self._latest is not None
            and self._latest.images != self._printed_images
        ):
            self._show(self._latest)
        if self.live is not None:
            with contextlib.suppress(OSError):
                self.live.stop()
            self.live = None
