"""`--to safetensors`: weights, settings, card and samples in the layout of the Hugging Face hub; and to the hub and back."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sparring import generatorfile, samples, storage
from sparring.data.decode import decode
from sparring.errors import SparringError
from sparring.export.about import facts_of
from sparring.export.card import card
from sparring.export.folder import write_folder
from sparring.export.quiet import MissingExtra
from sparring.games.classification import Kept
from sparring.games.generation import Generation
from sparring.games.translation import Translation

GRID = 64
SHEET_BYTES = 2**26  # of a run's sheet that is taken along
REPOSITORY = r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*"
ADDRESS = rf"hf:/{{1,2}}({REPOSITORY})(?:@([\w.-]+))?"  # hf://user/name, hf://user/name@revision
CONFIG = "config.json"


def write(kept: Kept, facts: Mapping[str, Any], source: Path, out: Path, licence: str = "") -> None:
    """Write the folder: `model.safetensors` (byte for byte the run's generator file), `config.json`, `README.md`, `samples.png`.

    Arguments:
        source: the run folder, or the generator's file.
        licence: of the weights, as the hub names it (`cc0-1.0`); the card says so where there is none.
    """
    weights = storage.read(generatorfile.place(source))
    about = {"library_name": "sparring", **facts_of(kept, facts), "game": generatorfile.settings(weights)}
    content = {
        generatorfile.SHARED: weights,
        CONFIG: json.dumps(about, allow_nan=False, indent=1).encode(),
    }
    shown = _shown(kept, facts, source)
    content["README.md"] = card(kept, facts, source, licence, shown is not None).encode()
    if shown is not None:
        content["samples.png"] = shown
    write_folder(out, content, CONFIG)


def _shown(kept: Kept, facts: Mapping[str, Any], source: Path) -> bytes | None:
    """Samples; of a translator the sheet that the run drew last, drawn anew so that nothing else of the file goes along."""
    if isinstance(kept, Generation):
        return samples.png(samples.grid(kept, facts, GRID))
    sheet = source / "samples.png"
    if not isinstance(kept, Translation) or not sheet.is_file() or sheet.stat().st_size > SHEET_BYTES:
        return None
    try:
        return samples.png(decode(storage.read(sheet))[0])
    except SparringError:
        return None


def push(folder: Path, repository: str, client: Any = None) -> str:
    """Upload a folder that `write` wrote; returns its address.

    Arguments:
        repository: `user/name`; made where it is not there, private.
        client: `huggingface_hub.HfApi()`, which knows the user's token.

    Raises:
        SparringError: the hub refused it, or can't be reached.
    """
    if not re.fullmatch(REPOSITORY, repository):
        raise SparringError(f"--push {repository}", "user/name", "name a repository of yours")
    api = client or _client().HfApi()
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


def is_address(text: str) -> bool:
    """Whether this names a model on the hub.

    >>> is_address("hf://user/name"), is_address("runs/demo")
    (True, False)
    """
    return re.fullmatch(ADDRESS, text) is not None


def pull(address: str, client: Any = None) -> Path:
    """The weights of a model on the hub, in its own cache: one file, which is read as any stranger's is.

    Arguments:
        address: `hf://user/name`, with `@revision` if wanted.
        client: `huggingface_hub`.

    Raises:
        SparringError: it is not there, or the hub can't be reached.
    """
    match = re.fullmatch(ADDRESS, address)
    if match is None:
        raise SparringError(f"address {address!r}", "hf://user/name or hf://user/name@revision", "mend it")
    try:
        got = (client or _client()).hf_hub_download(match[1], generatorfile.SHARED, revision=match[2])
    except MissingExtra:
        raise
    except Exception as error:  # its errors are of many libraries
        raise SparringError(
            f"{address}: {str(error)[:300]}",
            f"a repository with {generatorfile.SHARED}",
            "mend the name; for a private one, hf auth login",
        ) from error
    return Path(got)


def _client() -> Any:
    try:
        import huggingface_hub
    except ImportError as error:
        raise MissingExtra("huggingface_hub", "hub") from error
    return huggingface_hub
