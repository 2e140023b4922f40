"""Published weights: find the file, verify its SHA-256, load it as safetensors."""

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

from sparring.core.errors import ConfigError, CorruptFileError
from sparring.core.rng import make_generator
from sparring.data.cache import cache_roots

ENV_VARIABLE = "SPARRING_WEIGHTS"
_CONVERT_TIMEOUT = 300
Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True, kw_only=True)
class PublishedWeights:
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
    how_to_get: str
    package: tuple[str, str] | None = None
    other_names: tuple[str, ...] = ()


def load_network(
    published: PublishedWeights, given: Path | None, name: str, build: Callable[[], Network]
) -> tuple[Network, str]:
    """The network with the published weights in it, and their SHA-256; arguments and errors as of `find_weights` and `read_weights`."""
    path = find_weights(published, given, name)
    tensors, found = read_weights(published, path)
    with torch.device("meta"):
        network = build()
    fill_state_dict(network, tensors, path)
    return network, found


def find_weights(published: PublishedWeights, given: Path | None, name: str) -> Path:
    """The file: the given one (or in the given folder), else in $SPARRING_WEIGHTS, else in its package.

    Raises:
        ConfigError: it is in none of these.
    """
    if given is not None:
        places = _candidates(Path(given), published) if Path(given).is_dir() else [Path(given)]
    else:
        folder = os.environ.get(ENV_VARIABLE)
        places = (_candidates(Path(folder), published) if folder else []) + _package_candidates(published)
    for place in places:
        if place.is_file():
            return place
    looked = " and ".join(str(place) for place in places) or f"nowhere: {ENV_VARIABLE} is not set"
    raise ConfigError(
        f"no weights for the extractor {name!r} (looked {looked})",
        f"the file {published.file} (SHA-256 {published.sha256[:16]}...)",
        f"{published.how_to_get}; then give its path, or set {ENV_VARIABLE} to its folder; or use another extractor than {name!r}",
    )


def file_sha256(path: Path) -> str:
    """SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_weights(published: PublishedWeights, path: Path) -> tuple[dict[str, Tensor], str]:
    """The tensors of a file, once its checksum is right, and the checksum.

    Raises:
        CorruptFileError: it is another file, or can't be read.
    """
    found = file_sha256(path)
    if not found.startswith(published.sha256):
        raise CorruptFileError(
            f"{path} with SHA-256 {found[:16]}...",
            f"{published.file}, whose SHA-256 begins with {published.sha256[:16]}",
            f"get it anew: {published.how_to_get}",
        )
    safe = path if path.suffix == ".safetensors" else _convert_cached(path, found)
    try:
        return load_file(safe), found
    except Exception as error:  # whatever the library finds wrong with the bytes
        raise CorruptFileError(
            f"{safe} can't be read: {error}",
            "tensors in a safetensors file",
            "get the file anew" if safe == path else f"delete {safe}: it is made anew from {path}",
        ) from error


def fill_state_dict(module: nn.Module, tensors: dict[str, Tensor], path: Path) -> None:
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


def _candidates(folder: Path, published: PublishedWeights) -> list[Path]:
    return [folder / file for file in (published.file, *published.other_names)]


def _package_candidates(published: PublishedWeights) -> list[Path]:
    """Where the package has it; the package is not imported."""
    if published.package is None:
        return []
    spec = importlib.util.find_spec(published.package[0])
    folders = spec.submodule_search_locations if spec is not None else None
    return [Path(folder, published.package[1], published.file) for folder in folders or ()]


def _convert_cached(path: Path, digest: str) -> Path:
    trouble: object = ""
    for root in cache_roots():
        target = root / "weights" / f"{digest}.safetensors"
        if target.is_file():
            return target
        with contextlib.suppress(OSError):
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, work = tempfile.mkstemp(prefix=".tmp-", dir=target.parent)
            os.close(handle)
            trouble = _convert_in_subprocess(path, Path(work))
            if not trouble:
                os.replace(work, target)
                return target
            os.unlink(work)
    raise CorruptFileError(
        f"{path} can't be read as weights: {trouble or 'no place in the cache'}",
        "a file of tensors, as published",
        "get it anew",
    )


def _convert_in_subprocess(path: Path, target: Path) -> str:
    """Convert in a process of its own; what went wrong, or nothing."""
    script = Path(__file__).with_name("convert.py")  # by itself, without the rest of Sparring: quicker
    command = [sys.executable, "-P", str(script), str(path), str(target)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_CONVERT_TIMEOUT)
    except subprocess.TimeoutExpired:
        return f"not converted within {_CONVERT_TIMEOUT} seconds"
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return "" if done.returncode == 0 else lines[-1][:200] if lines else f"exit code {done.returncode}"


def random_state_dict(module: nn.Module, seed: int = 0) -> dict[str, Tensor]:
    """A state dict of the right names and shapes with random numbers in it, to test an architecture without its weights.

    Weights of a layer with n inputs have the variance 1/n (He et al. 2015, arXiv:1502.01852), so that the signal lives.
    """
    state = {}
    for index, (name, old) in enumerate(module.state_dict().items()):
        draw = make_generator(seed, "random state", index)
        if not old.is_floating_point():
            state[name] = torch.zeros(old.shape, dtype=old.dtype)
        elif old.ndim > 1:
            scale = (1.5 / max(1, old[0].numel())) ** 0.5
            state[name] = torch.randn(old.shape, generator=draw) * scale
        elif name.endswith(("running_var", "weight", "gamma")):
            state[name] = 0.8 + 0.4 * torch.rand(old.shape, generator=draw)
        else:
            state[name] = 0.1 * torch.randn(old.shape, generator=draw)
    return state
