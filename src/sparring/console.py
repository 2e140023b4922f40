"""What a person at the terminal is told: what will be played, how it goes, where the results are.

On a terminal two lines are kept up to date; elsewhere a plain line is printed at most every ten seconds.
"""

import contextlib
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from sparring.record import stale
from sparring.wording import (
    data_line,
    drawn,
    losses_line,
    machine_words,
    metric_line,
    metric_words,
    progress_line,
    shown,
)

if TYPE_CHECKING:
    from sparring.data import Dataset
    from sparring.experiment import Experiment
    from sparring.fit import Status

INTERVAL_SECONDS = 10.0
REDRAW_SECONDS = 0.2


class Console:
    """The reader of a run's progress.

    Arguments:
        stream: where to print; None prints nothing.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self.stream = stream
        self.leads = True
        self.live: Any = None
        self.run = Path()
        self.machine: Mapping[str, object] = {}
        self._last = -INTERVAL_SECONDS
        self._latest: Status | None = None
        self._printed: int | None = None
        self._stale: int | None = None
        self._read = time.monotonic()

    @classmethod
    def standard(cls, *, quiet: bool, to_errors: bool = False) -> "Console":
        """On standard output (or error); silent in all processes but the first."""
        console = cls(None)
        console.leads = int(os.environ.get("RANK", 0)) == 0
        if not quiet and console.leads:
            console.stream = sys.stderr if to_errors else sys.stdout
        return console

    def __enter__(self) -> "Console":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def say(self, *lines: str) -> None:
        """Print lines, now. If nobody listens any more, fall silent: a run does not die of that."""
        if self.stream is None:
            return
        try:
            print(*map(shown, lines), sep="\n", file=self.stream, flush=True)
        except OSError:
            self._fall_silent(self.stream)

    def _fall_silent(self, stream: TextIO) -> None:
        self.stream = None
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())

    def begin(self, experiment: "Experiment", dataset: "Dataset", images: int) -> None:
        """Say what will be played, from which image on, and begin to show the progress."""
        if self.stream is None:
            return
        from sparring.inspection import parameters

        players = ", ".join(
            f"{name} {count:,}" for name, count in parameters(experiment, dataset.spec).items()
        )
        held = experiment.data.held_out
        length = f"{experiment.training.images:,} images in batches of {experiment.training.batch:,}"
        lines = {
            "data": data_line(dataset) + (f", {held:,} more held out" if held else ""),
            "recipe": f"{experiment.recipe}, " + (f"{players} parameters" if players else "which counts"),
            "machine": ", ".join(machine_words(self.machine)),
            "judge": metric_words(experiment.training),
            "length": length + (f"; going on from image {images:,}" if images else ""),
            "run": f"{self.run}  (samples.png shows how it goes; Ctrl-C saves and stops)",
        }
        self.say(*(f"{name:<8}{text}" for name, text in lines.items() if text), "")
        self.start_live()

    def start_live(self) -> None:
        """Keep two lines up to date from now on, if there is a terminal."""
        if self.stream is not None and self.stream.isatty():
            from rich.console import Console as Terminal
            from rich.live import Live

            terminal = Terminal(file=self.stream, highlight=False)
            self.live = Live(
                console=terminal, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
            )
            self.live.start()

    def see(self, status: "Status") -> None:
        """Show where the run is: the spectator of `fit`."""
        if self.stream is None:
            return
        self._latest = status
        self._advise(status)
        first_or_last = self._printed is None or status.images >= status.total
        wait = REDRAW_SECONDS if self.live else INTERVAL_SECONDS
        if not first_or_last and time.monotonic() - self._last < wait:
            return
        self._show(status)

    def _advise(self, status: "Status") -> None:
        since = stale(status.evaluations)
        if since is None or since == self._stale:
            return
        self._stale = since
        words = f"no better since image {since:,}; stopping would lose nothing so far (the best is kept)"
        if self.live is None:
            self.say(words)
        else:
            self.live.console.print(words)

    def reading(self, done: int, total: int) -> None:
        """Show how far the data is read, where that takes long."""
        if time.monotonic() - self._read >= INTERVAL_SECONDS:
            self._read = time.monotonic()
            self.say(f"{done:,}/{total:,} read")

    def _show(self, status: "Status") -> None:
        self._last, self._printed = time.monotonic(), status.images
        told = "  ".join(filter(None, [losses_line(status.latest), metric_line(status.evaluations)]))
        if self.live is None:
            self.say("  ".join(filter(None, [progress_line(status), told])))
            return
        from rich.text import Text

        width = self.live.console.width
        bar = drawn(status.images / status.total, max(10, min(40, width - 62)))
        text = Text.assemble((bar, "cyan"), " ", progress_line(status), "\n", (told, "dim"))
        text.no_wrap, text.overflow = True, "ellipsis"
        try:
            self.live.update(text, refresh=True)
        except OSError:
            self.stream = None

    def close(self) -> None:
        """Show the last state and leave the terminal as it was."""
        if self.stream is not None and self._latest is not None and self._latest.images != self._printed:
            self._show(self._latest)
        if self.live is not None:
            with contextlib.suppress(OSError):
                self.live.stop()
            self.live = None
