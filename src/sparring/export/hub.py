"""`--to safetensors`: weights, config, model card and samples in the layout of the Hugging Face hub; upload
and download.
"""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sparring.core import storage
from sparring.core.errors import SparringError
from sparring.data import image_grid
from sparring.data.images.decode import decode
from sparring.export.graph import describe_model
from sparring.export.model_card import render_model_card
from sparring.export.output import MissingExtraError, write_folder
from sparring.inference import sampling
from sparring.models.generator import GeneratorModel
from sparring.models.model import Model
from sparring.runs import generator_file

NUM_PREVIEW_SAMPLES = 64
MAX_PREVIEW_BYTES = 2**26  # of a run's sample grid
REPOSITORY_PATTERN = r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*"
ADDRESS_PATTERN = (
    rf"hf:/{{1,2}}({REPOSITORY_PATTERN})(?:@([\w.-]+))?"  # hf://user/name, hf://user/name@revision
)
CONFIG_FILE = "config.json"


def write_hub_folder(
    model: Model, metadata: Mapping[str, Any], source: Path, out: Path, license: str = ""
) -> None:
    """Write the folder: `model.safetensors` (byte for byte the run's generator file), `config.json`, `README.md`, `samples.png`.

    Arguments:
        source: the run folder or generator file that the model was loaded from.
        license: of the weights, by the hub's identifier (`cc0-1.0`); the card says if there is none.
    """
    weights = storage.read(generator_file.find_file(source))
    config = {
        "library_name": "sparring",
        **describe_model(model, metadata),
        "game": generator_file.read_game_config(weights),
    }
    content = {
        generator_file.HUB_FILE: weights,
        CONFIG_FILE: json.dumps(config, allow_nan=False, indent=1).encode(),
    }
    preview = _preview_png(model, metadata, source)
    content["README.md"] = render_model_card(model, metadata, source, license, preview is not None).encode()
    if preview is not None:
        content["samples.png"] = preview
    write_folder(out, content, CONFIG_FILE)


def _preview_png(model: Model, metadata: Mapping[str, Any], source: Path) -> bytes | None:
    """The preview image of a kind of model; None where there is none."""
    preview = PREVIEWS.get(model.kind)
    return None if preview is None else preview(model, metadata, source)


def _sample_grid_png(model: GeneratorModel, metadata: Mapping[str, Any], source: Path) -> bytes:
    return image_grid.encode_png(sampling.sample_grid(model, metadata, NUM_PREVIEW_SAMPLES))


def _last_preview_png(model: Model, metadata: Mapping[str, Any], source: Path) -> bytes | None:
    """The run's last preview, decoded and encoded again without the file's other content."""
    file = source / "samples.png"
    if not file.is_file() or file.stat().st_size > MAX_PREVIEW_BYTES:
        return None
    try:
        return image_grid.encode_png(decode(storage.read(file))[0])
    except SparringError:
        return None


PREVIEWS: dict[str, Callable[[Any, Mapping[str, Any], Path], bytes | None]] = {
    "generator": _sample_grid_png,
    "translator": _last_preview_png,
}  # by Model.kind


def push(folder: Path, repository: str, client: Any = None) -> str:
    """Upload a folder that `write_hub_folder` wrote; returns its address.

    Arguments:
        repository: `user/name`; created as private where it does not exist.
        client: a `huggingface_hub.HfApi`; None creates one with the user's token.

    Raises:
        SparringError: the hub refused the upload, or is not reachable.
    """
    if not re.fullmatch(REPOSITORY_PATTERN, repository):
        raise SparringError(f"--push {repository}", "user/name", "fix the name of the repository")
    api = client or _import_hub_client().HfApi()
    try:
        api.create_repo(repository, exist_ok=True, private=True)
        api.upload_folder(repo_id=repository, folder_path=str(folder), ignore_patterns=["EXPORTED.txt"])
    except Exception as error:  # it raises errors of several libraries
        raise SparringError(
            f"upload to {repository} failed: {str(error)[:300]}",
            "a token with write access",
            "run hf auth login, then export again",
        ) from error
    return f"hf://{repository}"


def is_hub_address(text: str) -> bool:
    """Whether this names a model on the hub.

    >>> is_hub_address("hf://user/name"), is_hub_address("runs/demo")
    (True, False)
    """
    return re.fullmatch(ADDRESS_PATTERN, text) is not None


def locate(source: str) -> Path:
    """The path of a run or generator file; what stands on the hub is downloaded."""
    return pull(source) if source.startswith("hf:/") else Path(source)


def pull(address: str, client: Any = None) -> Path:
    """Download the weights of a model on the hub into the hub's cache; returns the file, which is as untrusted as any other.

    Arguments:
        address: `hf://user/name` or `hf://user/name@revision`.
        client: has `hf_hub_download`; None is the module `huggingface_hub`.

    Raises:
        SparringError: there is no such model, or the hub is not reachable.
    """
    match = re.fullmatch(ADDRESS_PATTERN, address)
    if match is None:
        raise SparringError(
            f"address {address!r}", "hf://user/name or hf://user/name@revision", "fix the address"
        )
    try:
        path = (client or _import_hub_client()).hf_hub_download(
            match[1], generator_file.HUB_FILE, revision=match[2]
        )
    except MissingExtraError:
        raise
    except Exception as error:  # it raises errors of several libraries
        raise SparringError(
            f"{address}: {str(error)[:300]}",
            f"a repository with {generator_file.HUB_FILE}",
            "fix the name; for a private repository run hf auth login",
        ) from error
    return Path(path)


def _import_hub_client() -> Any:
    try:
        import huggingface_hub
    except ImportError as error:
        raise MissingExtraError("huggingface_hub", "hub") from error
    return huggingface_hub
