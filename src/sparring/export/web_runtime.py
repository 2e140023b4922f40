"""The web runtime of exported pages: the npm package onnxruntime-web, taken through npm or from a folder.

Four files of it are copied, unchanged, with its licence: nothing is ever loaded from another host by the
page.
"""

import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
from importlib.util import find_spec
from pathlib import Path

from sparring.core.errors import CorruptFileError, SparringError
from sparring.data.cache import cache_roots

PACKAGE, VERSION = "onnxruntime-web", "1.30.0"
SHA256 = {  # SHA-256 of what is taken from that version
    "ort.wasm.min.mjs": "219e6a1fc8a9938268d18efca3c91d310bd2f4a59bbd13744df5b2b7fc6cee3b",
    "ort-wasm-simd-threaded.mjs": "e13f7f94fc51b4ca72b12faeb1ee95f4ace6dfbc8939bc718aabdc0a27c4299b",
    "ort-wasm-simd-threaded.wasm": "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
}
MAX_FILE_BYTES = 64_000_000  # bytes of one file
NPM_TIMEOUT_SECONDS = 180  # that npm may take
LICENSE_FILE, NOTICES_FILE = "LICENSE-onnxruntime-web.txt", "ThirdPartyNotices-onnxruntime.txt"


def runtime_files(path: Path | None = None) -> tuple[dict[str, bytes], str]:
    """The runtime's files by name, and where they came from.

    Arguments:
        path: a folder that has them (`node_modules/onnxruntime-web`, or its `dist`); None takes them from the cache or npm.

    Raises:
        SparringError: they are neither there nor to be had. CorruptFileError: npm's are not what they should be.
    """
    if path is not None:
        place = next((folder for folder in (path, path / "dist") if _is_complete(folder)), None)
        if place is None:
            raise SparringError(
                f"--runtime {path}",
                f"a folder with {', '.join(SHA256)}",
                "npm pack onnxruntime-web, then unpack it",
            )
        return {
            name: (place / name).read_bytes() for name in SHA256
        }, f"{PACKAGE} {_read_version(place)}, from {path.name}"
    place = next((folder for folder in _cache_folders() if _is_complete(folder)), None) or _download()
    found = {name: (place / name).read_bytes() for name in SHA256}
    for name, content in found.items():
        if hashlib.sha256(content).hexdigest() != SHA256[name]:
            raise CorruptFileError(
                f"{place / name} is not that of {PACKAGE} {VERSION}", "the published file", f"remove {place}"
            )
    return found, f"{PACKAGE} {VERSION}, the npm package"


def read_notices() -> bytes | None:
    """What ONNX Runtime is made of, under which licences: of the Python package (the npm one has no such list), where it is."""
    found = find_spec("onnxruntime")
    place = Path(found.origin).with_name("ThirdPartyNotices.txt") if found and found.origin else None
    return place.read_bytes() if place is not None and place.is_file() else None


def _cache_folders() -> list[Path]:
    return [root / f"{PACKAGE}-{VERSION}" for root in cache_roots()]


def _is_complete(folder: Path) -> bool:
    return all((folder / name).is_file() for name in SHA256)


def _read_version(place: Path) -> str:
    for folder in (place, place.parent):
        try:
            return str(json.loads((folder / "package.json").read_text())["version"])[:40]
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return "of a version that it does not tell"


def _download() -> Path:
    """The files in the cache, taken by `npm pack`, which runs no script of the package."""
    npm = shutil.which("npm")
    if npm is None:
        raise SparringError(
            f"no {PACKAGE}, which the page runs the model with",
            "npm, or the package's folder",
            f"install npm, or give --runtime FOLDER (npm pack {PACKAGE} elsewhere, and unpack it)",
        )
    with tempfile.TemporaryDirectory(prefix="sparring-npm-") as name:
        command = [
            npm,
            "pack",
            f"{PACKAGE}@{VERSION}",
            "--silent",
            "--ignore-scripts",
            "--pack-destination",
            name,
        ]
        try:
            subprocess.run(command, cwd=name, check=True, capture_output=True, timeout=NPM_TIMEOUT_SECONDS)
            packed = next(Path(name).glob("*.tgz"))
            return _extract(packed)
        except (OSError, subprocess.SubprocessError, tarfile.TarError, StopIteration, KeyError) as error:
            raise SparringError(
                f"npm could not bring {PACKAGE} {VERSION}: {str(error)[:200]}",
                "a network, or the package's folder",
                "try again with a network, or give --runtime FOLDER",
            ) from error


def _extract(packed: Path) -> Path:
    """Our three files out of the package, by name; nothing else in it is looked at."""
    last: OSError | None = None
    for folder in _cache_folders():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tarfile.open(packed) as archive:
                for name in SHA256:
                    member = archive.getmember(f"package/dist/{name}")
                    file = (
                        archive.extractfile(member)
                        if member.isfile() and member.size <= MAX_FILE_BYTES
                        else None
                    )
                    if file is None:
                        raise KeyError(name)
                    (folder / name).write_bytes(file.read())
            return folder
        except OSError as error:
            last = error
    assert last is not None
    raise last
