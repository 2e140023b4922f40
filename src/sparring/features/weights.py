"""Published weights: where they are, whether they are the right ones, and how they come in as data only.

A file is never fetched. It is looked for where the user says, in the folder $SPARRING_WEIGHTS, or in the package that ships it;
its SHA-256 must be the published one; safetensors are read directly, and `.pth` go once through `convert.py`, in a process of
its own, into the cache.
"""

import contextlib
import hashlib
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from sparring.data.places import roots
from sparring.errors import ConfigError, CorruptFileError

VARIABLE = "SPARRING_WEIGHTS"
_SECONDS = 300
Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True, kw_only=True)
class Published:
    """A file of weights that others have published.

    Arguments:
        file: its usual name.
        sha256: of the file, in hex; the first digits are enough where no more are known.
        where: how to come by it, in words.
        package: the one that ships it, if one does, and the folder in it.
        also: other usual names of the same file.
    """

    file: str
    sha256: str
    where: str
    package: tuple[str, str] | None = None
    also: tuple[str, ...] = ()


def load(
    published: Published, given: Path | None, name: str, build: Callable[[], Network]
) -> tuple[Network, str]:
    """The network with the published weights in it, and their SHA-256; arguments and errors as of `find` and `read`."""
    path = find(published, given, name)
    tensors, found = read(published, path)
    with torch.device("meta"):
        network = build()
    fill(network, tensors, path)
    return network, found


def find(published: Published, given: Path | None, name: str) -> Path:
    """The file: the given one (or in the given folder), else in $SPARRING_WEIGHTS, else in its package.

    Raises:
        ConfigError: it is in none of these.
    """
    if given is not None:
        places = _in(Path(given), published) if Path(given).is_dir() else [Path(given)]
    else:
        folder = os.environ.get(VARIABLE)
        places = (_in(Path(folder), published) if folder else []) + _shipped(published)
    for place in places:
        if place.is_file():
            return place
    looked = " and ".join(str(place) for place in places) or f"nowhere: {VARIABLE} is not set"
    raise ConfigError(
        f"no weights for the extractor {name!r} (looked {looked})",
        f"the file {published.file} (SHA-256 {published.sha256[:16]}...)",
        f"{published.where}; then give its path, or set {VARIABLE} to its folder; or use another extractor than {name!r}",
    )


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read(published: Published, path: Path) -> tuple[dict[str, Tensor], str]:
    """The tensors of a file, once its checksum is right, and the checksum.

    Raises:
        CorruptFileError: it is another file, or can't be read.
    """
    found = digest(path)
    if not found.startswith(published.sha256):
        raise CorruptFileError(
            f"{path} with SHA-256 {found[:16]}...",
            f"{published.file}, whose SHA-256 begins with {published.sha256[:16]}",
            f"get it anew: {published.where}",
        )
    safe = path if path.suffix == ".safetensors" else _converted(path, found)
    try:
        return load_file(safe), found
    except Exception as error:  # whatever the library finds wrong with the bytes
        raise CorruptFileError(
            f"{safe} can't be read: {error}",
            "tensors in a safetensors file",
            "get the file anew" if safe == path else f"delete {safe}: it is made anew from {path}",
        ) from error


def fill(module: nn.Module, tensors: dict[str, Tensor], path: Path) -> None:
    """Put the tensors into a network that has exactly these; counters of normalisation layers may be missing.

    Raises:
        CorruptFileError: names or shapes differ.
    """
    expected = module.state_dict()
    counters = {name for name in expected if name.endswith("num_batches_tracked")}
    odd = sorted((set(expected) - counters - set(tensors)) | (set(tensors) - set(expected)))
    odd += [name for name in expected if name in tensors and tensors[name].shape != expected[name].shape]
    if odd:
        raise CorruptFileError(
            f"{path}: {len(odd)} tensors are missing, too many or of another shape, such as {odd[0]!r}",
            f"the {len(expected)} tensors of {type(module).__name__}",
            "give the weights of this network",
        )
    values = {name: torch.zeros((), dtype=torch.int64) for name in counters}
    values |= {name: tensor.to(expected[name].dtype) for name, tensor in tensors.items()}
    module.load_state_dict(values, assign=True)


def _in(folder: Path, published: Published) -> list[Path]:
    return [folder / file for file in (published.file, *published.also)]


def _shipped(published: Published) -> list[Path]:
    """Where the package has it; the package is not imported."""
    if published.package is None:
        return []
    spec = importlib.util.find_spec(published.package[0])
    folders = spec.submodule_search_locations if spec is not None else None
    return [Path(folder, published.package[1], published.file) for folder in folders or ()]


def _converted(path: Path, digest: str) -> Path:
    trouble: object = ""
    for root in roots():
        target = root / "weights" / f"{digest}.safetensors"
        if target.is_file():
            return target
        with contextlib.suppress(OSError):
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, work = tempfile.mkstemp(prefix=".tmp-", dir=target.parent)
            os.close(handle)
            trouble = _run(path, Path(work))
            if not trouble:
                os.replace(work, target)
                return target
            os.unlink(work)
    raise CorruptFileError(
        f"{path} can't be read as weights: {trouble or 'no place in the cache'}",
        "a file of tensors, as published",
        "get it anew",
    )


def _run(path: Path, target: Path) -> str:
    """Convert in a process of its own; what went wrong, or nothing."""
    script = Path(__file__).with_name("convert.py")  # by itself, without the rest of Sparring: quicker
    command = [sys.executable, "-P", str(script), str(path), str(target)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        return f"not converted within {_SECONDS} seconds"
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return "" if done.returncode == 0 else lines[-1][:200] if lines else f"exit code {done.returncode}"
