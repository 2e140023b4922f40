"""Storage, the lock, checkpoints, records and signals, each by itself."""

import errno
import json
import os
import signal
import threading
from typing import get_args

import pytest
import torch

from sparring.core import storage, tensor_file
from sparring.core.errors import CheckpointWriteError, CorruptFileError, RunLockedError
from sparring.core.signals import Interrupt
from sparring.runs import checkpoint, records


@pytest.fixture
def failing(monkeypatch):
    """Makes storage operations for which `when(operation, path)` is true raise an OSError."""

    def set_up(when, kind=errno.ENOSPC):
        def observer(operation, path):
            if when(operation, path):
                raise OSError(kind, os.strerror(kind), str(path))

        monkeypatch.setattr(storage, "observer", observer)

    return set_up


def test_a_failed_write_leaves_the_old_file(tmp_path, failing):
    path = tmp_path / "a"
    storage.write_atomic(path, b"old")
    for name in ("write", "fsync", "replace"):
        failing(lambda operation, _, name=name: operation == name)
        with pytest.raises(OSError, match="No space"):
            storage.write_atomic(path, b"new")
        assert (path.read_bytes(), [p.name for p in tmp_path.iterdir()]) == (b"old", ["a"])


def test_append_ends_a_torn_line(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(b'{"a": 1}\n{"a": ')
    storage.append(path, '{"a": 2}')
    storage.append(path, '{"a": 3}')
    assert records.read_jsonl(path) == [{"a": 1}, {"a": 2}, {"a": 3}]


def test_a_folder_is_removed_atomically(tmp_path, failing):
    folder = tmp_path / "000000000001"
    folder.mkdir()
    (folder / "a").write_bytes(b"1")
    removed = []
    failing(
        lambda operation, path: operation == "remove" and bool(removed.append(path) or folder.exists() < 1)
    )
    with pytest.raises(OSError, match="space"):
        storage.remove_atomic(folder)
    assert [path.name for path in tmp_path.iterdir()] == [".tmp-old-000000000001"]


def test_the_lock_names_its_holder_and_can_be_released(tmp_path):
    first = storage.RunLock(tmp_path)
    with pytest.raises(RunLockedError, match=f"process {os.getpid()} on "):
        storage.RunLock(tmp_path)
    first.release()
    storage.RunLock(tmp_path).release()


def save(run, images):
    checkpoint.save(run, images, {"a": torch.full((3,), float(images))}, {"images": images})


def test_a_checkpoint_is_read_back(tmp_path):
    save(tmp_path, 8)
    found = checkpoint.read(tmp_path, 8)
    assert found.state == {"images": 8}
    assert found.load({"a": torch.zeros(3)})["a"].tolist() == [8.0] * 3
    for table in ({"a": torch.zeros(4)}, {"b": torch.zeros(3)}, {"a": torch.zeros(3, dtype=torch.float64)}):
        with pytest.raises(CorruptFileError):
            found.load(table)


def test_saving_again_replaces(tmp_path):
    save(tmp_path, 8)
    checkpoint.save(tmp_path, 8, {"a": torch.zeros(3)}, {"second": 1})
    assert checkpoint.read(tmp_path, 8).state == {"second": 1}
    assert checkpoint.list_checkpoints(tmp_path) == [8]


@pytest.mark.parametrize("name", ["make_folder", "write", "fsync", "sync_folder", "replace", "remove"])
def test_a_failed_save_leaves_the_old_checkpoint(tmp_path, failing, name):
    save(tmp_path, 8)
    failing(lambda operation, path: operation == name)
    with pytest.raises(CheckpointWriteError) as caught:
        save(tmp_path, 16)
    assert all(part in caught.value.got for part in ("disk is full", "bytes are free"))
    storage.observer = None
    checkpoint.remove_leftovers(tmp_path)
    assert [found.images for found in checkpoint.iterate_verified(tmp_path)][-1] == 8
    save(tmp_path, 24)
    assert checkpoint.list_checkpoints(tmp_path)[-1] == 24


def test_foreign_names_are_no_checkpoints(tmp_path):
    folder = tmp_path / checkpoint.CHECKPOINTS_FOLDER
    for name in ("7", "latest", "00000000000a", "٣" * 12, "000000000016"):
        (folder / name).mkdir(parents=True)
    assert checkpoint.list_checkpoints(tmp_path) == [16]
    (found,) = checkpoint.iterate_verified(tmp_path)
    assert isinstance(found, CorruptFileError)


@pytest.mark.parametrize("gap", [1, 64, 1000])
def test_retention_over_a_long_run(gap):
    retained: set[int] = set()
    best, most = None, 0
    for number in range(0, 2000 * gap, gap):
        retained.add(number)
        if number == 700 * gap:
            best = number
        retained = checkpoint.select_to_keep(sorted(retained), best)
        ages = sorted((number - images) // gap for images in retained)
        assert ages[:2] == [0, 1][: len(ages)]
        assert best is None or best in retained
        for young, old in zip(
            ages, ages[1:], strict=False
        ):  # from each age one of at most about four times that
            assert old <= max(2, 4 * young + 1), ages
        most = max(most, len(retained))
    assert most <= 2 + (2000).bit_length() + 1


def test_retention_of_few_checkpoints():
    assert checkpoint.select_to_keep([1, 2, 3]) - {3} != set()
    assert {2, 3} <= checkpoint.select_to_keep([1, 2, 3])
    assert checkpoint.select_to_keep([]) == set()
    assert checkpoint.select_to_keep([5]) == {5}
    assert checkpoint.select_to_keep([1, 2, 3], best=9) == checkpoint.select_to_keep([1, 2, 3])


def test_reports_are_means_since_the_last_report(tmp_path):
    logger = records.RunLogger(tmp_path)
    logger.add([{"a": 1.0, "b": 5.0}, {"a": 3.0}])
    assert logger.log_metrics(16, 2, {"seconds": 1.0}) == {
        "images": 16,
        "step": 2,
        "seconds": 1.0,
        "a": 2.0,
        "b": 5.0,
    }
    logger.add([{"a": 7.0}])
    logger.log_metrics(24, 3, {})
    assert [row.get("a") for row in records.read_jsonl(tmp_path / records.METRICS_FILE)] == [2.0, 7.0]


def test_restore_removes_later_and_torn_lines(tmp_path):
    logger = records.RunLogger(tmp_path)
    for step in range(1, 5):
        logger.add([{"a": float(step)}])
        logger.log_metrics(8 * step, step, {})
    with open(tmp_path / records.METRICS_FILE, "a") as file:
        file.write('{"images": 40, "ste')
    logger.restore({"a": [3.0, 2]}, 16)
    assert [row["images"] for row in records.read_jsonl(tmp_path / records.METRICS_FILE)] == [8, 16]
    assert (tmp_path / records.METRICS_FILE).read_bytes().endswith(b"}\n")
    assert (logger.latest["images"], logger.sums) == (16, {"a": [3.0, 2]})


def test_restore_on_a_full_disk(tmp_path, failing):
    logger = records.RunLogger(tmp_path)
    for step in range(1, 5):
        logger.log_metrics(8 * step, step, {"try": 1})
    failing(lambda operation, _: operation == "write")
    logger.restore({}, 16)
    storage.observer = None
    logger.log_metrics(24, 3, {"try": 2})
    rows = records.read_metrics(tmp_path / records.METRICS_FILE)
    assert [(row["images"], row["try"]) for row in rows] == [(8, 1), (16, 1), (24, 2)]


def test_torn_and_foreign_lines_are_skipped(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_bytes(
        b'{"images": 1}\n[1]\nnull\n\xff\xfe\n{"a"\n' + b"[" * 100_000 + b'\n{"images": 2}\n{"ima'
    )
    assert records.read_jsonl(path) == [{"images": 1}, {"images": 2}]
    assert records.read_jsonl(tmp_path / "none") == []


def test_numbers_that_are_not_finite_become_null(tmp_path):
    logger = records.RunLogger(tmp_path)
    logger.log_event("step_skipped", 8, value=float("nan"), other=float("inf"))
    (line,) = (tmp_path / records.EVENTS_FILE).read_text().splitlines()
    row = json.loads(line)
    assert (row["event"], row["images"], row["value"], row["other"]) == ("step_skipped", 8, None, None)
    assert row["message"] == records.EVENTS["step_skipped"]


def test_event_codes_are_those_of_the_table(tmp_path):
    """Codes are snake_case, every one has a sentence, and no other code can be logged."""
    assert set(records.EVENTS) == set(get_args(records.EventCode))
    for code, sentence in records.EVENTS.items():
        assert code == code.lower()
        assert code.replace("_", "").isalpha()
        assert " " in sentence
    with pytest.raises(KeyError):
        records.RunLogger(tmp_path).log_event("odd", 0)
    records.RunLogger(tmp_path).log_event("checkpoint_failed", 8, "the disk is full")
    (row,) = records.read_jsonl(tmp_path / records.EVENTS_FILE)
    assert row["message"] == f"{records.EVENTS['checkpoint_failed']}: the disk is full"


def test_a_full_disk_does_not_stop_the_logger(tmp_path, failing):
    failing(lambda operation, _: operation == "append")
    records.RunLogger(tmp_path).log_event("step_skipped", 0)
    records.RunLogger(None).log_event("step_skipped", 0)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_sets_a_flag(number, code):
    before = signal.getsignal(number)
    with Interrupt() as interrupt:
        assert not interrupt()
        os.kill(os.getpid(), number)
        assert interrupt()
        assert interrupt.exit_code == code
    assert signal.getsignal(number) == before


def test_an_ignored_signal_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interrupt() as interrupt:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not interrupt()
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_signals_are_not_handled_outside_the_main_thread():
    flags = []

    def work():
        with Interrupt() as interrupt:
            flags.append(interrupt())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert flags == [False]


def test_tensors_that_share_memory_are_written_separately():
    values = torch.arange(4.0)
    tensors = {"a": values, "b": values, "c": values.view(2, 2)}
    found = tensor_file.from_bytes(tensor_file.to_bytes(tensors), tensors)
    assert all(torch.equal(found[name], tensors[name]) for name in tensors)
