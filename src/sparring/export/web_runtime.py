"""The web runtime of exported pages: the npm package onnxruntime-web, from npm or from a folder.

Three files of it are copied unchanged, with its licence: the page loads nothing from another host.
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
SHA256 = {  # of the files that are copied
    "ort.wasm.min.mjs": "219e6a1fc8a9938268d18efca3c91d310bd2f4a59bbd13744df5b2b7fc6cee3b",
    "ort-wasm-simd-threaded.mjs": "e13f7f94fc51b4ca72b12faeb1ee95f4ace6dfbc8939bc718aabdc0a27c4299b",
    "ort-wasm-simd-threaded.wasm": "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
}
MAX_FILE_BYTES = 64_000_000  # of one file
NPM_TIMEOUT_SECONDS = 180  # of npm pack
LICENSE_FILE, NOTICES_FILE = "LICENSE-onnxruntime-web.txt", "ThirdPartyNotices-onnxruntime.txt"


def runtime_files(path: Path | None = None) -> tuple[dict[str, bytes], str]:
    """The content of the runtime's files by name, and their source.

    Arguments:
        path: a folder with these files (`node_modules/onnxruntime-web` or its `dist`); None uses the cache or npm.

    Raises:
        SparringError: they are in neither. CorruptFileError: a file of the cache has another SHA-256.
    """
    if path is not None:
        folder = next((folder for folder in (path, path / "dist") if _is_complete(folder)), None)
        if folder is None:
            raise SparringError(
                f"--runtime {path}",
                f"a folder with {', '.join(SHA256)}",
                "run npm pack onnxruntime-web, then unpack the archive",
            )
        return {
            name: (folder / name).read_bytes() for name in SHA256
        }, f"{PACKAGE} {_read_version(folder)}, from {path.name}"
    folder = next((folder for folder in _cache_folders() if _is_complete(folder)), None) or _download()
    content = {name: (folder / name).read_bytes() for name in SHA256}
    for name, data in content.items():
        if hashlib.sha256(data).hexdigest() != SHA256[name]:
            raise CorruptFileError(
                f"{folder / name} differs from that of {PACKAGE} {VERSION}",
                "the published file",
                f"remove {folder}",
            )
    return content, f"{PACKAGE} {VERSION}, the npm package"


def read_notices() -> bytes | None:
    """Third-party notices of ONNX Runtime, from its Python package (the npm package has none); None where it is not installed."""
    spec = find_spec("onnxruntime")
    file = Path(spec.origin).with_name("ThirdPartyNotices.txt") if spec and spec.origin else None
    return file.read_bytes() if file is not None and file.is_file() else None


def _cache_folders() -> list[Path]:
    return [root / f"{PACKAGE}-{VERSION}" for root in cache_roots()]


def _is_complete(folder: Path) -> bool:
    return all((folder / name).is_file() for name in SHA256)


def _read_version(path: Path) -> str:
    for folder in (path, path.parent):
        try:
            return str(json.loads((folder / "package.json").read_text())["version"])[:40]
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return "of unknown version"


def _download() -> Path:
    """Download the files into the cache by `npm pack`, which runs no script of the package; returns their folder."""
    npm = shutil.which("npm")
    if npm is None:
        raise SparringError(
            f"{PACKAGE}, which the page needs, is not in the cache, and npm is not installed",
            "npm, or the package's folder",
            f"install npm, or pass --runtime FOLDER (run npm pack {PACKAGE} elsewhere, and unpack it)",
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
            return _extract(next(Path(name).glob("*.tgz")))
        except (OSError, subprocess.SubprocessError, tarfile.TarError, StopIteration, KeyError) as error:
            raise SparringError(
                f"npm could not download {PACKAGE} {VERSION}: {str(error)[:200]}",
                "a network connection, or the package's folder",
                "try again with a network connection, or pass --runtime FOLDER",
            ) from error


def _extract(archive_file: Path) -> Path:
    """Copy the files in `SHA256` from the package into the cache; returns their folder."""
    last: OSError | None = None
    for folder in _cache_folders():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tarfile.open(archive_file) as archive:
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
