"""`sparring evaluate`: judging with someone at the terminal."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sparring.console import Console
from sparring.errors import SparringError
from sparring.evaluation.book import FOLDER
from sparring.evaluation.figures import table
from sparring.evaluation.wish import Evaluation, Wish
from sparring.evaluation.words import verdict
from sparring.interrupt import Interrupt
from sparring.judgement import judge, write_json, write_report
from sparring.machine import Machine
from sparring.wording import clock, shown

if TYPE_CHECKING:
    from sparring.cli.judging import Evaluate

WAIT_SECONDS = 10.0  # between two lines where there is no terminal
REDRAW_SECONDS = 0.2


def evaluate(options: "Evaluate") -> int:
    """Do as the command line says.

    Returns:
        The exit code.
    """
    began = time.monotonic()
    wish = Wish(
        subject=options.subject,
        against=options.against,
        checkpoint=options.checkpoint,
        metrics=tuple((options.metrics or "").split(",")) if options.metrics else (),
        n=options.n,
        seed=options.seed,
        weights=options.weights,
        direction=options.direction,
    )
    machine = Machine(device=options.device, precision=options.precision, threads=options.threads)
    with Console.standard(quiet=options.quiet) as console, Interrupt() as interrupt:
        progress = Progress(console)
        done = judge(wish, machine, progress.see, interrupt, progress.say)
        progress.close()
        if done.lines:
            console.say(*table(done.lines), "", *(verdict(line) for line in done.lines), "")
        if done.notes:
            console.say(*(f"note: {note}" for note in done.notes), "")
        if done.lines:
            _write(done, options, console)
        if done.stopped:
            console.say(f"stopped; {len(done.lines)} results are kept" if done.lines else "stopped")
            return interrupt.exit_code
        console.say(f"{'time':<11}{clock(time.monotonic() - began)}")
    return 0


def _write(done: Evaluation, options: "Evaluate", console: Console) -> None:
    """The files that were asked for, and those of a run; a run that can't be written to is judged all the same."""
    if options.json is not None:
        with _told(options.json):
            write_json(done, options.json)
        console.say(f"{'results':<11}{options.json}")
    if options.out is not None:
        with _told(options.out):
            console.say(f"{'report':<11}{write_report(done, options.out)}")
    elif options.subject.is_dir() and done.images is not None:
        try:
            console.say(f"{'report':<11}{write_report(done, options.subject / FOLDER)}")
        except OSError as error:
            console.say(f"note: no report: {error}; choose another place by --out")


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SparringError(
            f"{path}: {error}", "a place that can be written to", "choose another --out or --json"
        ) from error


class Progress:
    """What is being done and how far it is: one line that is overwritten, or a line every ten seconds."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.live = console.stream is not None and console.stream.isatty()
        self.what, self._last, self._width = "", time.monotonic(), 0

    def say(self, what: str) -> None:
        """Something else is being done."""
        self.what = what
        if self.live:
            self._draw(what)
        elif time.monotonic() - self._last > WAIT_SECONDS:
            self._last = time.monotonic()
            self.console.say(f"{what} ...")

    def see(self, done: int, total: int) -> None:
        """It is so far."""
        wait = REDRAW_SECONDS if self.live else WAIT_SECONDS
        if total < 2 or time.monotonic() - self._last < wait:
            return
        self._last = time.monotonic()
        text = f"{self.what}: {100 * done // total} %"
        if self.live:
            self._draw(text)
        else:
            self.console.say(text)

    def _draw(self, text: str) -> None:
        stream = self.console.stream
        if stream is None:
            return
        text = shown(text)[:100]
        with contextlib.suppress(OSError):
            stream.write(f"\r{text.ljust(self._width)}")
            stream.flush()
        self._width = len(text)

    def close(self) -> None:
        """Leave the line as if nothing had been there."""
        if self.live:
            self._draw("")
            self._draw("\r")
