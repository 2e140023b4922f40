"""Crash trials, each in a forked child: kills, faults, signals, races. Run as a server by `trials_client.py`."""

import errno
import json
import mmap
import os
import random
import shutil
import signal
import struct
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from sparring import cli
from sparring.core import storage
from sparring.core.errors import CorruptFileError, RunLockedError, SparringError
from sparring.runs import checkpoint
from sparring.training import checkpointing, diagnostics
from sparring.training.loop import TrainingLoop
from sparring.training.state import TrainState
from tests.helpers import toy

torch.set_num_threads(1)
BEGAN, SAVING, SAVED, STEPS, LEFT = range(5)
STUCK_SECONDS = 60


class Shared:
    """Integers in memory that is shared with the children."""

    def __init__(self) -> None:
        self.memory = mmap.mmap(-1, 64)

    def __getitem__(self, place: int) -> int:
        return struct.unpack_from("q", self.memory, 8 * place)[0]

    def __setitem__(self, place: int, value: int) -> None:
        struct.pack_into("q", self.memory, 8 * place, value)

    def clear(self) -> None:
        self.memory[:] = bytes(64)


shared = Shared()


def fork(job: Callable[[], Any]) -> int:
    """Run a job in a child process, whose exit code is the job's result, or 1 after an error.

    Returns: the process number.
    """
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        code = int(job() or 0)
    except SparringError as error:
        (Path("/dev/null") if not ERRORS else ERRORS[0]).open("a").write(f"{type(error).__name__}: {error}\n")
        code = 2
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


ERRORS: list[Path] = []


def wait(child: int) -> int:
    """Wait for a child.

    Returns: its exit code, negative for a signal.

    Raises:
        TimeoutError: it hung, and was killed.
    """
    end = time.monotonic() + STUCK_SECONDS
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    raise TimeoutError(f"a trial hung for {STUCK_SECONDS} s")


def watched(run: Path, job: Callable[[], Any]) -> Callable[[], Any]:
    """Wrap a job so that its process records the start of the loop, the saves and the steps in `shared`."""

    def watch() -> Any:
        play, save, step = TrainingLoop.run, checkpointing.Checkpointer.save, TrainState.train_step

        def began(self, *arguments):
            shared[LEFT] = len(toy.leftovers(run))
            shared[BEGAN] = 1
            return play(self, *arguments)

        def saving(self, **how):
            shared[SAVING] = 1
            try:
                save(self, **how)
            finally:
                shared[SAVING] = 0
                shared[SAVED] += 1

        def stepping(self):
            shared[STEPS] += 1
            return step(self)

        TrainingLoop.run, checkpointing.Checkpointer.save, TrainState.train_step = began, saving, stepping
        return job()

    shared.clear()
    return watch


def kill_loop(data: str, folder: str, kills: int, runs: int, seed: int = 0, sabotage: str = "") -> dict:
    """Kill at random instants and resume, until `runs` runs are finished with about `kills` kills among them."""
    asked, place, draws = toy.request(Path(data)), Path(folder), random.Random(seed)
    begin = time.monotonic()
    truth = place / "undisturbed"
    assert wait(fork(lambda: toy.train(asked, truth).exit_code)) == 0
    longest = (time.monotonic() - begin) / 8
    count = {
        "kills": 0,
        "saving": 0,
        "starting": 0,
        "rejected": 0,
        "lost": 0,
        "left": 0,
        "equal": 0,
        "rows": 0,
    }
    for number in range(runs):
        run, killed, newest = place / f"run-{number}", 0, -1
        while True:
            last = killed >= kills // runs
            child = fork(watched(run, lambda run=run: run_or_break(asked, run, sabotage)))
            code = wait(child) if last else _kill_at_random(child, draws, longest, count["kills"])
            count["left"] += shared[LEFT]
            if code == 0:
                break
            if code != -signal.SIGKILL:
                count["rejected"] += 1
                break
            killed += 1
            count["kills"] += 1
            count["saving"] += shared[SAVING]
            count["starting"] += 1 - shared[BEGAN]
            newest = _check_checkpoints(run, newest, count)
        count["equal"] += _same(run, truth)
        count["rows"] += _rows(run) == _rows(truth)
    return count | {"seconds": round(time.monotonic() - begin, 1)}


def run_or_break(asked, run: Path, sabotage: str) -> int:
    if sabotage:
        SABOTAGE[sabotage]()
    return toy.train(asked, run).exit_code


def _kill_at_random(child: int, draws: random.Random, longest: float, number: int) -> int:
    """Kill during the start (a tenth of the times), during a save, or in between, in fixed proportions."""
    how = (number + 1) * 0.618034 % 1
    if how > 0.1:
        while not shared[BEGAN]:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:  # the run was finished, or was refused
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.0002)
    end = time.monotonic() + draws.uniform(0, longest if how > 0.1 else 0.025)
    while time.monotonic() < end or (how > 0.6 and not shared[SAVING] and time.monotonic() < end + longest):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(draws.uniform(0, 0.002))
    os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _check_checkpoints(run: Path, newest: int, count: dict) -> int:
    """After a kill: count checkpoints that do not verify, and whether the newest is older than before."""
    numbers = checkpoint.list_checkpoints(run)
    for images in numbers:
        try:
            checkpoint.read(run, images)
        except CorruptFileError:
            count["rejected"] += 1
    count["lost"] += max(numbers, default=-1) < newest
    return max(numbers, default=-1)


def _same(run: Path, truth: Path) -> bool:
    try:
        return toy.digest(run) == toy.digest(truth)
    except (SparringError, OSError, IndexError):
        return False


def _rows(run: Path) -> list[int]:
    return [row["images"] for row in toy.records.read_jsonl(run / "metrics.jsonl")]


# --- each storage operation in turn


@contextmanager
def observed(observer: Callable[[str, Path], None]):
    storage.observer = observer
    try:
        yield
    finally:
        storage.observer = None


def operations(asked, run: Path) -> list[str]:
    """The storage operations of an undisturbed run, by name."""
    seen: list[str] = []
    with observed(lambda operation, path: seen.append(operation)):
        assert toy.train(asked, run).outcome == "finished"
    return seen


def kill_before(
    data: str, folder: str, steps: int, stride: int, last: int, save: int = 1, more: tuple[str, ...] = ()
) -> dict:
    """Kill before storage operation k, then resume; for the `last` operations and every `stride`-th one before."""
    asked = toy.request(Path(data), steps=steps, save=save, report=1, more=more)
    place = Path(folder)
    total = len(operations(asked, place / "truth"))
    chosen = sorted({*range(1, total + 1, stride), *range(max(1, total - last), total + 1)})
    count = {"operations": total, "trials": len(chosen), "killed": 0, "whole": 0, "equal": 0, "left": 0}
    for k in chosen:
        run = place / f"k-{k}"
        count["killed"] += wait(fork(lambda k=k, run=run: _killed(asked, run, k))) == -signal.SIGKILL
        numbers = checkpoint.list_checkpoints(run)
        count["whole"] += all(
            isinstance(found, checkpoint.Checkpoint) for found in checkpoint.iterate_verified(run)
        )
        assert numbers == sorted(numbers)
        toy.train(asked, run)
        count["equal"] += _same(run, place / "truth")
        count["left"] += len(toy.leftovers(run))
        shutil.rmtree(run)
    return count


def kill_rescued(data: str, folder: str, stride: int) -> dict:
    """`kill_before` of a run that is rescued twice."""
    measure, diagnostics.measure = diagnostics.measure, toy.plant_collapse(levels=2)
    try:
        return kill_before(data, folder, steps=14, stride=stride, last=6, save=3, more=(toy.RESCUE,))
    finally:
        diagnostics.measure = measure


def _killed(asked, run: Path, k: int) -> int:
    left = [k]

    def observer(operation: str, path: Path) -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    with observed(observer):
        return toy.train(asked, run).exit_code


def faults(data: str, folder: str, steps: int, stride: int, sabotage: str = "") -> dict:
    """Storage operation k fails, once or always, for k = 1, 1 + stride, ...; then the run is resumed without faults."""
    asked, place = toy.request(Path(data), steps=steps, save=1, report=1), Path(folder)
    names = operations(asked, place / "truth")
    truth = toy.digest(place / "truth", logs=False)
    kinds = (errno.ENOSPC, errno.EIO, errno.EACCES)
    count = {"operations": len(names), "trials": 0, "refused": 0, "went on": 0, "bad": []}
    if sabotage:
        SABOTAGE[sabotage]()
    for number, k in enumerate(range(1, len(names) + 1, stride)):
        for sticky in (False, True):
            kind = kinds[(number + sticky) % 3]
            run = place / f"f-{k}-{sticky}"
            count["trials"] += 1
            ended = _faulty(asked, run, k, kind, sticky)
            count["refused" if ended else "went on"] += 1
            whole = all(
                isinstance(found, checkpoint.Checkpoint) for found in checkpoint.iterate_verified(run)
            )
            try:
                toy.train(asked, run)
                equal = toy.digest(run, logs=False) == truth
            except Exception as error:
                equal, ended = False, f"{ended}, then {error!r}"
            fine = whole and equal and not str(ended).startswith("leak") and not toy.leftovers(run)
            if not fine:
                told = f"{k} {names[k - 1]} {errno.errorcode[kind]} {'sticky' if sticky else 'once'}"
                count["bad"].append(f"{told}: {ended} whole={whole} equal={equal} {toy.leftovers(run)}")
            shutil.rmtree(run, ignore_errors=True)
    return count


def faults_of_a_start(data: str, folder: str, stride: int) -> dict:
    """Storage operation k of a *resumed* call fails: reading, removing leftovers of a kill, truncating records."""
    asked, place = toy.request(Path(data), steps=6, save=1, report=1), Path(folder)
    total = len(operations(asked, place / "truth"))
    truth = toy.digest(place / "truth", logs=False)
    left, k = 0, total - 34
    while not left and k < total:  # until a kill leaves something to remove
        shutil.rmtree(place / "base", ignore_errors=True)
        assert wait(fork(lambda k=k: _killed(asked, place / "base", k))) == -signal.SIGKILL
        left, k = len(toy.leftovers(place / "base")), k + 1
    (place / "base" / ".tmp-run.json").write_bytes(b"{")
    shutil.copytree(place / "base", place / "count")
    names = operations(asked, place / "count")
    kinds, count = (
        (errno.EIO, errno.ENOSPC, errno.EACCES),
        {"trials": 0, "left": left, "refused": 0, "bad": []},
    )
    for number, k in enumerate(range(1, len(names) + 1, stride)):
        for sticky in (False, True):
            run = place / f"r-{k}-{sticky}"
            shutil.copytree(place / "base", run)
            ended = _faulty(asked, run, k, kinds[(number + sticky) % 3], sticky)
            count["trials"] += 1
            count["refused"] += bool(ended)
            toy.train(asked, run)
            fine = (
                toy.digest(run, logs=False) == truth
                and not toy.leftovers(run)
                and not ended.startswith("leak")
            )
            if not fine:
                count["bad"].append(f"{k} {names[k - 1]} sticky={sticky}: {ended}")
            shutil.rmtree(run)
    return count


def _faulty(asked, run: Path, k: int, kind: int, sticky: bool) -> str:
    """How a run with a fault ended: "" if it finished, else the name of its error; `leak` if that is not one of ours."""
    seen = [0]

    def observer(operation: str, path: Path) -> None:
        seen[0] += 1
        if seen[0] == k or (sticky and seen[0] > k):
            raise OSError(kind, os.strerror(kind), str(path))

    try:
        with observed(observer):
            outcome = toy.train(asked, run).outcome
            return "" if outcome == "finished" else f"leak {outcome}"
    except SparringError as error:
        return type(error).__name__
    except Exception as error:
        return f"leak {error!r}"


# --- signals and races


def signals(data: str, folder: str, count: int, seed: int = 0) -> dict:
    """SIGTERM or SIGINT at random instants, then resume."""
    asked, place, draws = toy.request(Path(data), steps=30, save=10), Path(folder), random.Random(seed)
    toy.train(asked, place / "truth")
    result = {"stopped": 0, "finished": 0, "equal": 0, "current": 0, "seconds": [], "bad": []}
    for number in range(count):
        run, which = place / f"s-{number}", draws.choice((signal.SIGTERM, signal.SIGINT))
        child = fork(watched(run, lambda run=run: toy.train(asked, run).exit_code))
        if number % 5 == 0:
            while not shared[BEGAN]:
                time.sleep(0.0005)
        else:
            end = time.monotonic() + 20
            while shared[STEPS] < draws.randint(1, 24) and time.monotonic() < end:
                time.sleep(0.0005)
        time.sleep(draws.uniform(0, 0.01))
        begin = time.monotonic()
        os.kill(child, which)
        code = wait(child)
        result["seconds"].append(round(time.monotonic() - begin, 3))
        result["stopped" if code == 128 + which else "finished" if code == 0 else "bad"] += (
            1 if code in (0, 128 + which) else [code]
        )
        at = max(checkpoint.list_checkpoints(run), default=-1)
        result["current"] += at == shared[STEPS] * toy.BATCH
        toy.train(asked, run)
        result["equal"] += _same(run, place / "truth")
    return result


def second_signal(data: str, folder: str, count: int, seed: int = 0) -> dict:
    """A second signal during the save after the first one: exits at once, and finished checkpoints stay intact."""
    asked, place, draws = toy.request(Path(data), steps=30, save=2), Path(folder), random.Random(seed)
    result = {"at once": 0, "whole": 0, "saving": 0}
    for number in range(count):
        run = place / f"t-{number}"

        def slow(operation: str, path: Path) -> None:
            time.sleep(0.01 if shared[SAVING] else 0)

        def job(run: Path = run) -> int:
            with observed(slow):
                return toy.train(asked, run).exit_code

        child = fork(watched(run, job))
        while shared[SAVED] < 2 or not shared[SAVING]:
            time.sleep(0.0005)
        os.kill(child, signal.SIGINT)
        time.sleep(draws.uniform(0.01, 0.03))
        result["saving"] += shared[SAVING]
        os.kill(child, signal.SIGTERM)
        begin = time.monotonic()
        code = wait(child)
        result["at once"] += code == 128 + signal.SIGINT and time.monotonic() - begin < 10
        result["whole"] += all(
            isinstance(found, checkpoint.Checkpoint) for found in checkpoint.iterate_verified(run)
        )
    return result


def stop_while_opening(data: str, folder: str, new: bool) -> dict:
    """SIGTERM while the data is read, for the first time or from the cache."""
    module = sys.modules["sparring.training.start"]
    run, opened = Path(folder) / "run", module.open_data

    def slowly(config, progress=None, stop=None):
        os.kill(os.getpid(), signal.SIGTERM)
        return opened(config, progress, stop)

    def job() -> int:
        module.open_data = slowly
        source = toy.write_data(Path(folder), seed=1) if new else Path(data)
        return toy.train(toy.request(source), run).exit_code

    return {"code": wait(fork(job)), "left": [path.name for path in run.glob("*")] if run.exists() else []}


def race(data: str, folder: str, count: int) -> dict:
    """Many processes start in one folder at once; then the winner is killed, and the next start works."""
    asked, run = toy.request(Path(data), steps=4000), Path(folder) / "run"
    ERRORS[:] = [Path(folder) / "errors"]
    at = time.monotonic() + 0.1

    def job() -> int:
        while time.monotonic() < at:
            pass
        return toy.train(asked, run).exit_code

    shared.clear()
    children, codes = [fork(job) for _ in range(count)], {}
    end = time.monotonic() + STUCK_SECONDS
    while len(codes) < count - 1 and time.monotonic() < end:
        done, status = os.waitpid(-1, os.WNOHANG)
        if done:
            codes[done] = os.waitstatus_to_exitcode(status)
        time.sleep(0.001)
    winners = [child for child in children if child not in codes]
    messages = ERRORS[0].read_text().splitlines()
    for child in winners:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    ERRORS.clear()
    child = fork(watched(run, lambda: toy.train(asked, run).exit_code))
    end = time.monotonic() + 20
    while not shared[BEGAN] and time.monotonic() < end:
        time.sleep(0.001)
    works = bool(shared[BEGAN])
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    named = sum(f"process {winners[0]}" in line for line in messages) if winners else 0
    refused = sum(line.startswith(RunLockedError.__name__) for line in messages)
    return {"winners": len(winners), "refused": refused, "named": named, "next works": works}


# --- sabotage, which the trials must notice


def save_in_place() -> None:
    """Write checkpoints directly into their folder, after removing the older ones."""

    def save(run, images, tensors, state):
        folder = run / checkpoint.CHECKPOINTS_FOLDER
        for name in storage.list_folder(folder):
            storage.remove(folder / name)
        true_save(run, images, tensors, state)

    true_save, checkpoint.save = checkpoint.save, save


def forget_an_optimizer() -> None:
    """Do not restore the discriminator's optimizer."""
    true_tensors = TrainState.tensors

    def load(self, tensors):
        with torch.no_grad():
            for name, tensor in true_tensors(self).items():
                if not name.startswith("optimizer.discriminator"):
                    tensor.copy_(tensors[name])

    TrainState.load = load


def write_torn() -> None:
    """Write checkpoints without a temporary folder, so that a failed write leaves half of one."""

    def save(run, images, tensors, state):
        folder = run / checkpoint.CHECKPOINTS_FOLDER / f"{images:012d}"
        files = {
            "tensors.safetensors": checkpoint.tensor_file.to_bytes(tensors),
            "state.json": json.dumps(state).encode(),
        }
        storage.make_folder(folder)
        manifest = {
            name: {"size": len(data), "sha256": checkpoint.hashlib.sha256(data).hexdigest()}
            for name, data in files.items()
        }
        try:
            storage.write(folder / "manifest.json", json.dumps(manifest).encode())
            for name, data in files.items():
                storage.write(folder / name, data)
        except OSError as error:
            raise checkpoint.write_error(folder, error) from error

    checkpoint.save = save


SABOTAGE = {
    "save in place": save_in_place,
    "forget an optimizer": forget_an_optimizer,
    "write torn": write_torn,
}


def in_child(called: str, **arguments) -> Any:
    """Call a function of this file in a child process, for sabotage that must not last.

    Returns: its result.
    """
    reader, writer = os.pipe()

    def job() -> int:
        os.write(writer, json.dumps(globals()[called](**arguments)).encode())
        return 0

    child = fork(job)
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        answer = file.read()
    assert wait(child) == 0
    return json.loads(answer)


def translating(data: str, folder: str, recipe: str, kills: list[int], forget: bool = False) -> dict:
    """`sparring train ONE TWO`, killed before each of these steps and resumed, at last to the end.

    Arguments:
        forget: sabotage: empty the image pools before the last resume.
    """
    thin = ["game.discriminator={type: patchgan, patch_size: 7, width: 4}", "training.sample_grid=2"]
    net = (
        "{type: unet, width: 4}"
        if recipe == "pix2pix"
        else "{type: resnet, width: 4, blocks: 1, downsamplings: 1}"
    )
    thin += [f"game.translator={net}", "training.save_every=8", "training.report_every=8"]
    thin += {"cyclegan": ["game.pool_size=6"], "cut": ["game.layers=[0, 2]", "game.num_patches=16"]}.get(
        recipe, []
    )
    words = ["train", f"{data}/one", f"{data}/two", "--recipe", recipe, "--out", folder, "--images", "32"]
    words += ["--batch", "4", "--size", "16", "--threads", "1", "--device", "cpu", "--quiet"]
    words += [word for setting in thin for word in ("--set", setting)]
    if not kills:  # in this process, so that its children find all imported
        return {"codes": [cli.run(words)], "began": [0], "digest": toy.digest(Path(folder))}
    codes, began = [], []
    for kill in [*kills, None]:
        codes.append(wait(fork(lambda kill=kill: _until(kill, words, forget and kill is None))))
        began.append(shared[BEGAN])
    return {"codes": codes, "began": began, "digest": toy.digest(Path(folder))}


def _until(kill: int | None, words: list[str], forget: bool) -> int:
    step, first = TrainState.train_step, []

    def stepping(self):
        if not first:
            first.append(True)
            shared[BEGAN] = self.clock.images
            for pool in self.game.history.values() if forget else ():
                pool.count.zero_()
        if self.clock.step == kill:
            os.kill(os.getpid(), signal.SIGKILL)
        return step(self)

    TrainState.train_step = stepping
    return cli.run(words)


def warm_up(data: str, folder: str) -> None:
    """Import what torch imports at its first step once, before any fork."""
    toy.train(toy.request(Path(data), steps=4), Path(folder) / "warm")


def main() -> None:
    for line in sys.stdin:
        function, arguments = json.loads(line)
        try:
            answer = {"value": globals()[function](**arguments)}
        except BaseException:
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
