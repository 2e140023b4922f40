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
from sparring.export.extras import MissingExtraError
from sparring.export.graph import describe_model
from sparring.export.model_card import render_model_card
from sparring.export.output import write_folder
from sparring.inference import sampling
from sparring.models.generator import GeneratorModel
from sparring.models.model import Model
from sparring.runs import generator_file

NUM_PREVIEW_SAMPLES = 64
MAX_PREVIEW_BYTES = 2**26  # of a run's sheet that is taken along
REPOSITORY_PATTERN = r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*"
ADDRESS_PATTERN = (
    rf"hf:/{{1,2}}({REPOSITORY_PATTERN})(?:@([\w.-]+))?"  # hf://user/name, hf://user/name@revision
)
CONFIG_FILE = "config.json"


def write_hub_folder(
    model: Model, metadata: Mapping[str, Any], source: Path, out: Path, license: str = ""
) -> None:
    """Write the folder: `model.safetensors` (byte for byte the run's generator file), `config.json`, `README.md`, `sampling.png`.

    Arguments:
        source: the run folder, or the generator's file.
        licence: of the weights, as the hub names it (`cc0-1.0`); the card says so where there is none.
    """
    weights = storage.read(generator_file.find_file(source))
    about = {
        "library_name": "sparring",
        **describe_model(model, metadata),
        "game": generator_file.read_game_config(weights),
    }
    content = {
        generator_file.HUB_FILE: weights,
        CONFIG_FILE: json.dumps(about, allow_nan=False, indent=1).encode(),
    }
    shown = _preview_png(model, metadata, source)
    content["README.md"] = render_model_card(model, metadata, source, license, shown is not None).encode()
    if shown is not None:
        content["samples.png"] = shown
    write_folder(out, content, CONFIG_FILE)


def _preview_png(model: Model, metadata: Mapping[str, Any], source: Path) -> bytes | None:
    """The preview image of a kind of model; None where there is none."""
    preview = PREVIEWS.get(model.kind)
    return None if preview is None else preview(model, metadata, source)


def _sample_grid_png(model: GeneratorModel, metadata: Mapping[str, Any], source: Path) -> bytes:
    return image_grid.encode_png(sampling.sample_grid(model, metadata, NUM_PREVIEW_SAMPLES))


def _last_preview_png(model: Model, metadata: Mapping[str, Any], source: Path) -> bytes | None:
    """The run's last preview, encoded anew so that nothing else of the file goes along."""
    sheet = source / "samples.png"
    if not sheet.is_file() or sheet.stat().st_size > MAX_PREVIEW_BYTES:
        return None
    try:
        return image_grid.encode_png(decode(storage.read(sheet))[0])
    except SparringError:
        return None


PREVIEWS: dict[str, Callable[[Any, Mapping[str, Any], Path], bytes | None]] = {
    "generator": _sample_grid_png,
    "translator": _last_preview_png,
}  # by Model.kind


def push(folder: Path, repository: str, client: Any = None) -> str:
    """Upload a folder that `write_hub_folder` wrote; returns its address.

    Arguments:
        repository: `user/name`; made where it is not there, private.
        client: `huggingface_hub.HfApi()`, which knows the user's token.

    Raises:
        SparringError: the hub refused it, or can't be reached.
    """
    if not re.fullmatch(REPOSITORY_PATTERN, repository):
        raise SparringError(f"--push {repository}", "user/name", "name a repository of yours")
    api = client or _import_hub_client().HfApi()
    try:
        api.create_repo(repository, exist_ok=True, private=True)
        api.upload_folder(repo_id=repository, folder_path=str(folder), ignore_patterns=["EXPORTED.txt"])
    except Exception as error:  # its errors are of many libraries
        raise SparringError(
            f"the hub did not take {repository}: {str(error)[:300]}",
            "a token that may write",
            "hf auth login, then again",
        ) from error
    return f"hf://{repository}"


def is_hub_address(text: str) -> bool:
    """Whether this names a model on the hub.

    >>> is_hub_address("hf://user/name"), is_hub_address("runs/demo")
    (True, False)
    """
    return re.fullmatch(ADDRESS_PATTERN, text) is not None


def pull(address: str, client: Any = None) -> Path:
    """The weights of a model on the hub, in its own cache: one file, which is read as any stranger's is.

    Arguments:
        address: `hf://user/name`, with `@revision` if wanted.
        client: `huggingface_hub`.

    Raises:
        SparringError: it is not there, or the hub can't be reached.
    """
    match = re.fullmatch(ADDRESS_PATTERN, address)
    if match is None:
        raise SparringError(f"address {address!r}", "hf://user/name or hf://user/name@revision", "fix it")
    try:
        got = (client or _import_hub_client()).hf_hub_download(
            match[1], generator_file.HUB_FILE, revision=match[2]
        )
    except MissingExtraError:
        raise
    except Exception as error:  # its errors are of many libraries
        raise SparringError(
            f"{address}: {str(error)[:300]}",
            f"a repository with {generator_file.HUB_FILE}",
            "fix the name; for a private one, hf auth login",
        ) from error
    return Path(got)


def _import_hub_client() -> Any:
    try:
        import huggingface_hub
    except ImportError as error:
        raise MissingExtraError("huggingface_hub", "hub") from error
    return huggingface_hub
