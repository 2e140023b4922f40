"""What the command line and Python share of an evaluation: machine, progress, and the files that are left behind."""

from collections.abc import Callable
from pathlib import Path

from sparring import storage
from sparring.data.watch import Watch
from sparring.evaluation import book
from sparring.evaluation.documents import json_bytes, markdown, title
from sparring.evaluation.evaluate import evaluate
from sparring.evaluation.wish import Evaluation, Wish
from sparring.machine import Machine
from sparring.report import results
from sparring.samples import png

PAGE, NOTES, RESULTS, SHEET = "evaluation.html", "evaluation.md", "evaluation.json", "closest.png"


def judge(
    wish: Wish,
    machine: Machine,
    see: Callable[[int, int], None] = lambda done, total: None,
    stop: Callable[[], bool] = lambda: False,
    say: Callable[[str], None] = lambda what: None,
) -> Evaluation:
    """Evaluate; a run's results are added to its evaluation/results.jsonl.

    Arguments:
        see: told (done, total) of each piece of work.
        stop: polled; true ends the work after what is finished.
        say: told what is being done.
    """
    done = evaluate(wish, machine.start, Watch(see, stop), say)
    if done.images is not None and wish.subject.is_dir():
        try:
            for line in done.lines:
                book.append(wish.subject, line)
        except OSError as error:
            done.notes.append(f"{book.NAME} could not be written: {error}")
    return done


def write_json(done: Evaluation, path: Path) -> None:
    """The results as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    storage.write_whole(path, json_bytes(done))


def write_report(done: Evaluation, out: Path) -> Path:
    """The page, the Markdown, the JSON and the closest pictures.

    Returns:
        Where the page is.
    """
    storage.make_folder(out)
    shown = None
    if done.sheet is not None:
        count, source = f"{done.sheet.looked_at:,}", done.sheet.source
        shown = done.sheet.picture, results.SHEET_WORDS.format(count=count, source=source)
        storage.write_whole(out / SHEET, png(done.sheet.picture))
    page = results.render(title(done), done.lines, done.notes, shown)
    storage.write_whole(out / PAGE, page.encode("utf-8", "replace"))
    storage.write_whole(out / NOTES, markdown(done).encode("utf-8", "replace"))
    write_json(done, out / RESULTS)
    return out / PAGE
