"""Published weights: find the file, verify its SHA-256, load it as safetensors, fold its batch normalisation; and weights that are
trained here once and kept in the cache.
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

from sparring.core import tensor_file
from sparring.core.errors import ConfigError, CorruptFileError, SparringError
from sparring.data.cache import cache_roots

ENV_VARIABLE = "SPARRING_WEIGHTS"
_CONVERT_TIMEOUT = 300
Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True, kw_only=True)
class PublishedWeights:
    """A published file of weights.

    Arguments:
        file: its usual name.
        sha256: of the file, in hex; the first digits suffice.
        how_to_get: a sentence for users who don't have it.
        package: name of the package that ships it, and the folder in it.
        other_names: of the same file.
    """

    file: str
    sha256: str
    how_to_get: str
    package: tuple[str, str] | None = None
    other_names: tuple[str, ...] = ()


def load_network(
    published: PublishedWeights, path: Path | None, name: str, build: Callable[[], Network]
) -> tuple[Network, str]:
    """Build a network, load published weights into it, and return it with their SHA-256.

    Arguments:
        published: the file.
        path: of the file or its folder; None searches for it.
        name: of the extractor, for errors.
        build: called on the meta device.

    Raises:
        ConfigError: the file is not found. CorruptFileError: it is another file, or damaged.
    """
    file = find_weights(published, path, name)
    tensors, digest = read_weights(published, file)
    with torch.device("meta"):
        network = build()
    fill_state_dict(network, tensors, file)
    return network, digest


def find_weights(published: PublishedWeights, path: Path | None, name: str) -> Path:
    """The path of a file of weights: `path` itself or in that folder; if None, in `$SPARRING_WEIGHTS` or in its package.

    Raises:
        ConfigError: it is not there.
    """
    if path is not None:
        places = _candidates(Path(path), published) if Path(path).is_dir() else [Path(path)]
    else:
        folder = os.environ.get(ENV_VARIABLE)
        places = (_candidates(Path(folder), published) if folder else []) + _package_candidates(published)
    for place in places:
        if place.is_file():
            return place
    searched = " and ".join(str(place) for place in places) or f"nowhere: {ENV_VARIABLE} is not set"
    raise ConfigError(
        f"no weights for the extractor {name!r} (searched {searched})",
        f"the file {published.file} (SHA-256 {published.sha256[:16]}...)",
        f"{published.how_to_get}; then pass its path, or set {ENV_VARIABLE} to its folder; or use another extractor",
    )


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_weights(published: PublishedWeights, path: Path) -> tuple[dict[str, Tensor], str]:
    """Verify the checksum of a file, then read its tensors; returns both.

    Raises:
        CorruptFileError: it is another file, or can't be read.
    """
    found = file_sha256(path)
    if not found.startswith(published.sha256):
        raise CorruptFileError(
            f"{path} with SHA-256 {found[:16]}...",
            f"{published.file}, whose SHA-256 begins with {published.sha256[:16]}",
            f"download it again: {published.how_to_get}",
        )
    safe = path if path.suffix == ".safetensors" else _convert_cached(path, found)
    try:
        return load_file(safe), found
    except Exception as error:  # whatever the library finds wrong with the bytes
        raise CorruptFileError(
            f"{safe} can't be read: {error}",
            "tensors in a safetensors file",
            "download the file again"
            if safe == path
            else f"delete {safe}: it is converted again from {path}",
        ) from error


def fill_state_dict(module: nn.Module, tensors: dict[str, Tensor], path: Path) -> None:
    """Load tensors into a network, whose names and shapes must match; counters of normalisation layers may be missing.

    Arguments:
        module: may be on the meta device.
        tensors: by name.
        path: of their file, for errors.

    Raises:
        CorruptFileError: names or shapes differ.
    """
    expected = module.state_dict()
    counters = {name for name in expected if name.endswith("num_batches_tracked")}
    mismatched = sorted((set(expected) - counters - set(tensors)) | (set(tensors) - set(expected)))
    mismatched += [
        name for name in expected if name in tensors and tensors[name].shape != expected[name].shape
    ]
    if mismatched:
        raise CorruptFileError(
            f"{path}: {len(mismatched)} tensors are missing, too many or of another shape, such as {mismatched[0]!r}",
            f"the {len(expected)} tensors of {type(module).__name__}",
            "use the weights of this network",
        )
    values = {name: torch.zeros((), dtype=torch.int64) for name in counters}
    values |= {name: tensor.to(expected[name].dtype) for name, tensor in tensors.items()}
    module.load_state_dict(values, assign=True)


def _candidates(folder: Path, published: PublishedWeights) -> list[Path]:
    return [folder / file for file in (published.file, *published.other_names)]


def _package_candidates(published: PublishedWeights) -> list[Path]:
    """The path in its package, which is not imported."""
    if published.package is None:
        return []
    spec = importlib.util.find_spec(published.package[0])
    folders = spec.submodule_search_locations if spec is not None else None
    return [Path(folder, published.package[1], published.file) for folder in folders or ()]


def _convert_cached(path: Path, digest: str) -> Path:
    error: object = ""
    for root in cache_roots():
        target = root / "weights" / f"{digest}.safetensors"
        if target.is_file():
            return target
        with contextlib.suppress(OSError):
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, work = tempfile.mkstemp(prefix=".tmp-", dir=target.parent)
            os.close(handle)
            error = _convert_in_subprocess(path, Path(work))
            if not error:
                os.replace(work, target)
                return target
            os.unlink(work)
    raise CorruptFileError(
        f"{path} can't be read as weights: {error or 'no place in the cache'}",
        "a file of tensors, as published",
        "download it again",
    )


def _convert_in_subprocess(path: Path, target: Path) -> str:
    """Convert in a separate process; returns an error message, empty on success."""
    script = Path(__file__).with_name("convert.py")  # run as a script, so that nothing else is imported
    command = [sys.executable, "-P", str(script), str(path), str(target)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_CONVERT_TIMEOUT)
    except subprocess.TimeoutExpired:
        return f"not converted within {_CONVERT_TIMEOUT} seconds"
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return "" if done.returncode == 0 else lines[-1][:200] if lines else f"exit code {done.returncode}"


def folded_weights(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Weight and bias (float32) of the convolution that equals a convolution followed by batch normalisation.

        g / sqrt(v + eps) (W * x - m) + b  =  W' * x + b',   W' = g W / sqrt(v + eps),   b' = b - g m / sqrt(v + eps)

    Exact in evaluation mode; computed in float64.

    References: Ioffe & Szegedy 2015, arXiv:1502.03167, section 3.1 (inference).
    """
    assert convolution.bias is None
    assert norm.running_mean is not None
    assert norm.running_var is not None
    gain = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
    weight = convolution.weight.double() * gain[:, None, None, None]
    bias = norm.bias.double() - norm.running_mean.double() * gain
    return weight.float(), bias.float()


def fold_batch_norm(module: nn.Module, pairs: list[tuple[str, str]]) -> None:
    """Fold batch normalisation in place; the folded layers become identities.

    Arguments:
        module: searched with all its submodules.
        pairs: names of a convolution and of the batch normalisation after it, as children of one submodule.
    """
    for part in list(module.modules()):
        children = dict(part.named_children())
        for convolution_name, norm_name in pairs:
            convolution, norm = children.get(convolution_name), children.get(norm_name)
            if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                weight, bias = folded_weights(convolution, norm)
                convolution.weight = nn.Parameter(weight, requires_grad=False)
                convolution.bias = nn.Parameter(bias, requires_grad=False)
                setattr(part, norm_name, nn.Identity())


def load_or_train(name: str, network: nn.Module, train: Callable[[], bytes]) -> bytes:
    """The file of weights of this name from the cache; or trained now, and written there.

    Arguments:
        name: of the file below a root of the cache; it has the digest of all that the weights depend on.
        network: whose tensors the file must have; may be on the meta device.
        train: returns the bytes of the file.
    """
    places = [root / name for root in cache_roots()]
    for place in places:
        with contextlib.suppress(OSError, SparringError):
            data = place.read_bytes()
            tensor_file.from_bytes(data, network.state_dict())
            return data
    data = train()
    for place in places:
        with contextlib.suppress(OSError):
            _write_whole(place, data)
            break
    return data


def _write_whole(path: Path, data: bytes) -> None:
    """Write a file of the cache; at every instant it is not there or whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, work = tempfile.mkstemp(prefix=".tmp-", dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    os.replace(work, path)
