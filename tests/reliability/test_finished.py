"""The same command on a finished run does nothing, quickly; and a call of `train` leaves nothing in memory."""

import gc
import sys
import weakref
from pathlib import Path

import sparring
from sparring import report
from sparring.core import storage
from sparring.data import Dataset
from sparring.runs import checkpoint
from tests.helpers import toy

SOURCE = Path(sparring.__file__).parent


def train(data, out):
    """`sparring.train` with the toy's settings and command line defaults, so that a report is written."""
    return sparring.train(
        data, recipe="gan", out=out, images=4 * toy.BATCH, batch=toy.BATCH, settings=toy.SETTINGS, threads=1
    )


def files_executed(action) -> set[str]:
    """Our own files in which a function is called while `action` runs, without cli and core."""
    found: set[str] = set()

    def tracer(frame, event, argument):
        found.add(frame.f_code.co_filename)

    sys.setprofile(tracer)
    try:
        action()
    finally:
        sys.setprofile(None)
    ours = {str(Path(name).relative_to(SOURCE)) for name in found if name.startswith(str(SOURCE))}
    return {name for name in ours if not name.startswith(("core/", "cli/"))}


def test_nothing_is_written_and_little_is_executed(toy_data, tmp_path, monkeypatch):
    train(toy_data, tmp_path)
    before = {
        path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.rglob("*") if path.is_file()
    }
    assert tmp_path / report.REPORT_NAME in before
    writes = []

    def observer(operation, path):
        if operation not in ("read", "names"):
            writes.append((operation, path))

    monkeypatch.setattr(storage, "observer", observer)
    executed = files_executed(lambda: train(toy_data, tmp_path))
    assert writes == []
    after = {
        path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.rglob("*") if path.is_file()
    }
    assert after == before
    assert len(executed) <= 14, sorted(executed)
    assert not any(name.startswith(("data/", "games/", "report/")) for name in executed)


def test_a_report_that_a_kill_prevented_is_written(toy_data, tmp_path):
    train(toy_data, tmp_path)
    (tmp_path / report.REPORT_NAME).unlink()
    train(toy_data, tmp_path)
    assert (tmp_path / report.REPORT_NAME).is_file()


def test_leftovers_of_a_kill_after_the_last_checkpoint_are_removed(toy_data, tmp_path):
    train(toy_data, tmp_path)
    leftover = tmp_path / checkpoint.CHECKPOINTS_FOLDER / f"{storage.TEMPORARY_PREFIX}old-000000000008"
    leftover.mkdir()
    (leftover / "state.json").write_text("{}")
    assert toy.leftovers(tmp_path)
    train(toy_data, tmp_path)
    assert not toy.leftovers(tmp_path)


def test_the_data_set_is_freed(toy_data, tmp_path, monkeypatch):
    alive: list[weakref.ref] = []
    init = Dataset.__init__

    def watched(self, *arguments, **options):
        alive.append(weakref.ref(self))
        init(self, *arguments, **options)

    monkeypatch.setattr(Dataset, "__init__", watched)
    more = (*toy.SETTINGS, "data.held_out=12", "training.metric=fd12-pixels-test")
    run = sparring.train(
        toy_data, recipe="gan", out=tmp_path, images=2 * toy.BATCH, batch=toy.BATCH, settings=more, threads=1
    )
    gc.collect()
    assert len(alive) >= 3, "no power: the whole set and both parts are data sets"
    assert [one() for one in alive if one() is not None] == []
    assert run.evaluations()
