"""Untrusted files raise our own errors; nothing in them is executed, and nothing large is allocated."""

import hashlib
import importlib
import json
import random
import resource
import struct
import sys
import time

import pytest
import torch

from sparring.core import tensor_file
from sparring.core.errors import CorruptFileError, SparringError
from sparring.runs import checkpoint, generator_file
from sparring.runs.run_json import RUN_FILE
from tests.helpers import toy

FORBIDDEN = ("exec", "subprocess.Popen", "socket.connect", "os.system", "import")
audited: list[str] | None = None


def _audit(event, arguments):
    if (
        audited is not None
        and event in FORBIDDEN
        and not (event == "import" and "sparring" in str(arguments[0]))
    ):
        audited.append(f"{event} {arguments[0]}")


sys.addaudithook(_audit)


@pytest.fixture(scope="module")
def run(toy_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("untrusted") / "run"
    toy.train(asked(toy_data), folder)
    generator_file.load(folder / generator_file.GENERATOR_FILE)  # all that is imported late is imported now
    toy.train(asked(toy_data), folder)
    importlib.import_module("torch._dynamo")  # which torch imports by itself at some calls
    return folder


def asked(toy_data):
    return toy.request(toy_data, steps=4, save=2, report=2)


def mutant(data: bytes, draws: random.Random) -> bytes:
    while (changed := once_changed(data, draws)) == data:
        pass
    return changed


def once_changed(data: bytes, draws: random.Random) -> bytes:
    """Flips, cuts, inserts, and for texts swapped types and deep nesting."""
    how, at = draws.randrange(7), draws.randrange(len(data))
    if how == 0:
        return data[:at] + bytes([data[at] ^ 1 << draws.randrange(8)]) + data[at + 1 :]
    if how == 1:
        return data[:at]
    if how == 2:
        return data[:at] + draws.randbytes(draws.randrange(1, 20)) + data[at:]
    if how == 3:
        return data[:at] + data[at + draws.randrange(1, 40) :]
    if how == 4:
        return draws.randbytes(8) + data[8:]
    swaps = [
        b"null",
        b"true",
        b"-1",
        b"1e999",
        b'"x"',
        b"[]",
        b"{}",
        b"[" * 3000,
        b"9" * 30,
        b'"\\u0000"',
        b"NaN",
    ]
    if how == 5:
        places = [number for number, letter in enumerate(data[:4000]) if letter in b":,["] or [0]
        begin = draws.choice(places) + 1
        end = next((n for n in range(begin, min(begin + 200, len(data))) if data[n] in b",]}"), begin)
        return data[:begin] + draws.choice(swaps) + data[end:]
    return data.replace(draws.choice([b'"', b"{", b"type", b"shape", b"F32", b"1", b"data_offsets"]), b"0", 1)


class Quiet:
    """A context in which no code is executed and less than 200 MB is allocated."""

    def __enter__(self):
        global audited
        audited = []
        self.memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self.began = time.monotonic()

    def __exit__(self, *_):
        global audited
        found, audited = audited, None
        assert not found, found[:5]
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - self.memory < 200_000, "over 200 MB more"


def refused(function, *arguments) -> bool:
    try:
        function(*arguments)
    except SparringError:
        return True
    return False


def test_mutants_of_a_generator(run, tmp_path):
    data, draws, path = (
        (run / generator_file.GENERATOR_FILE).read_bytes(),
        random.Random(0),
        tmp_path / "g.safetensors",
    )
    count = 0
    with Quiet():
        for _ in range(300):
            path.write_bytes(mutant(data, draws))
            count += refused(generator_file.load, path)
    assert 150 < count < 300  # some flips only change a weight


def test_mutants_of_a_generators_settings(run, tmp_path):
    """Changed settings in a header that is otherwise right."""
    data, draws, path = (
        (run / generator_file.GENERATOR_FILE).read_bytes(),
        random.Random(1),
        tmp_path / "g.safetensors",
    )
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    about = header["__metadata__"]["sparring"].encode()
    count = 0
    with Quiet():
        for _ in range(200):
            header["__metadata__"]["sparring"] = mutant(about, draws).decode("utf-8", "replace")
            text = json.dumps(header).encode()
            path.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])
            count += refused(generator_file.load, path)
    assert count > 120


def set_about(run, path, change):
    data = (run / generator_file.GENERATOR_FILE).read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    about = json.loads(header["__metadata__"]["sparring"])
    change(about)
    header["__metadata__"]["sparring"] = json.dumps(about)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])
    return path


HOSTILE = {
    "wide": lambda about: about["game"]["generator"].update(hidden=[2**31, 2**31]),
    "endless": lambda about: about["game"]["generator"].update(hidden=[1] * 100_000),
    "beyond": lambda about: about["game"]["generator"].update(latent=10**30),
    "huge images": lambda about: about.update(shape=[1, 2**40, 2**40]),
    "blocks": lambda about: about["game"].update(generator={"type": "r3gan", "blocks": 10**9}),
    "code": lambda about: about["game"].update(generator={"type": "os.system"}),
    "target": lambda about: about["game"].update(_target_="os.system"),
    "many classes": lambda about: about.update(classes=[{}] * 10),
    "units": lambda about: about.update(units={"../x": 1}),
    "shape": lambda about: about.update(shape=[-1, 8, 8]),
    "format": lambda about: about.update(format=99),
    "no table": lambda about: about.clear(),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_settings_are_refused_at_once(run, tmp_path, name):
    path = set_about(run, tmp_path / "g.safetensors", HOSTILE[name])
    with Quiet(), pytest.raises(CorruptFileError):
        generator_file.load(path)


def file_of(table, size=0):
    text = (table if isinstance(table, str) else json.dumps(table)).encode()
    return struct.pack("<Q", len(text)) + text + bytes(size)


def entry(shape, begin=0, end=None, kind="F32"):
    size = 4
    for side in shape:
        size *= side
    return {"dtype": kind, "shape": shape, "data_offsets": [begin, size if end is None else end]}


GOOD = {"a": torch.zeros(2, 3), "b": torch.zeros(2)}
HEADERS = {
    "empty": b"",
    "short": b"\x01\0\0",
    "length bomb": struct.pack("<Q", 2**62) + b"{}",
    "not json": file_of("{"),
    "no table": file_of("[]"),
    "pickle": b"\x80\x04cos\nsystem\n(S'true'\ntR." + bytes(40),
    "zip": b"PK\x03\x04" + bytes(60),
    "nested": file_of("[" * 100_000),
    "twice": file_of('{"a": 1, "a": 2}'),
    "up": file_of({"../x": entry([2, 3]), "b": entry([2], 24, 32)}, 32),
    "nul": file_of({"a\0": entry([2, 3]), "b": entry([2], 24, 32)}, 32),
    "long name": file_of({"a" * 4096: entry([2, 3]), "b": entry([2], 24, 32)}, 32),
    "nothing": file_of({}),
    "missing": file_of({"a": entry([2, 3])}, 24),
    "too many": file_of({"a": entry([2, 3]), "b": entry([2], 24, 32), "c": entry([0], 32, 32)}, 32),
    "million": file_of({str(n): entry([0], 0, 0) for n in range(100_000)}),
    "shape": file_of({"a": entry([3, 2]), "b": entry([2], 24, 32)}, 32),
    "2^62": file_of({"a": entry([2**62, 0], 0, 0), "b": entry([2], 0, 8)}, 8),
    "kind": file_of({"a": entry([2, 3], kind="I32"), "b": entry([2], 24, 32)}, 32),
    "overlap": file_of({"a": entry([2, 3]), "b": entry([2], 16, 24)}, 24),
    "gap": file_of({"a": entry([2, 3]), "b": entry([2], 28, 36)}, 36),
    "tail": file_of({"a": entry([2, 3]), "b": entry([2], 24, 32)}, 40),
    "cut": file_of({"a": entry([2, 3]), "b": entry([2], 24, 32)}, 30),
    "backwards": file_of({"a": entry([2, 3], 24, 0), "b": entry([2], 24, 32)}, 32),
    "no entry": file_of({"a": 3, "b": None}),
    "metadata": file_of({"__metadata__": {"x": 3}, "a": entry([2, 3]), "b": entry([2], 24, 32)}, 32),
}


def test_a_right_header_is_read():
    found = tensor_file.from_bytes(file_of({"a": entry([2, 3]), "b": entry([2], 24, 32)}, 32), GOOD)
    assert {name: tensor.shape for name, tensor in found.items()} == {"a": (2, 3), "b": (2,)}
    again = tensor_file.from_bytes(tensor_file.to_bytes(GOOD, {"x": "y"}), GOOD)
    assert all(torch.equal(again[name], GOOD[name]) for name in GOOD)


@pytest.mark.parametrize("name", HEADERS)
def test_wrong_headers_are_refused(name):
    with Quiet(), pytest.raises(CorruptFileError):
        tensor_file.from_bytes(HEADERS[name], GOOD)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("name", ["manifest.json", "state.json", "tensors.safetensors"])
def test_mutants_of_a_checkpoint(toy_data, run, tmp_path, name, signed):
    """Signed: the manifest is made to agree, so that only the content itself can show the damage."""
    newest = checkpoint.list_checkpoints(run)[-1]
    folder = run / checkpoint.CHECKPOINTS_FOLDER / f"{newest:012d}"
    state, draws = toy.train_state(toy_data, steps=4, save=2), random.Random(2)
    place = tmp_path / checkpoint.CHECKPOINTS_FOLDER / folder.name
    place.mkdir(parents=True)
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    from sparring.runs.records import RunLogger
    from sparring.training.checkpointing import Checkpointer

    count, trials = 0, 40
    with Quiet():
        for _ in range(trials):
            changed = files | {name: mutant(files[name], draws)}
            if signed:
                manifest = {
                    file: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
                    for file, data in changed.items()
                    if file != "manifest.json"
                }
                changed["manifest.json"] = json.dumps(manifest).encode()
            for file, data in changed.items():
                (place / file).write_bytes(data)
            try:
                damaged = Checkpointer(state, tmp_path, RunLogger(None), {}).restore()
                count += bool(damaged)
            except SparringError:
                count += 1
    if signed and name == "manifest.json":
        assert count == 0
    else:
        assert count >= (trials // 3 if signed else trials - (name == "manifest.json"))


def test_mutants_of_run_json(toy_data, run):
    whole, draws, count = (run / RUN_FILE).read_bytes(), random.Random(3), 0
    try:
        with Quiet():
            for _ in range(100):
                (run / RUN_FILE).write_bytes(mutant(whole, draws))
                count += refused(toy.train, asked(toy_data), run)
    finally:
        (run / RUN_FILE).write_bytes(whole)
    assert count > 50


def test_executed_code_is_noticed(tmp_path):
    """The sabotage twin."""
    with pytest.raises(AssertionError), Quiet():
        exec("1")
