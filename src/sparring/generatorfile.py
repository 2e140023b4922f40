"""`generator.safetensors`: the averaged generator alone, with its settings in the header; all that sampling needs."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from sparring import __version__, config, storage, tensorfile
from sparring.errors import CorruptFileError, SparringError
from sparring.experiment import ROLES, Experiment, GameConfig
from sparring.games.classification import Kept
from sparring.games.generation import Generation
from sparring.games.translation import Translation
from sparring.shapes import Spec

NAME = "generator.safetensors"
SHARED = "model.safetensors"  # the same file in a folder of the Hugging Face hub
FORMAT = 1


@dataclass(frozen=True)
class Loaded:
    """What is kept of a game, with all that is needed to use it.

    Arguments:
        kept: the network, in evaluation mode.
        facts: `recipe`, `images` seen, `units`, `classes`.
    """

    kept: Kept
    facts: dict[str, Any]

    @property
    def generation(self) -> Generation:
        """The generator. Raises SparringError where there is none."""
        if isinstance(self.kept, Translation):
            raise SparringError(
                "a translator: it makes pictures of pictures, and draws none by itself",
                "a model that generates",
                "use `sparring translate RUN PICTURES --out FOLDER`",
            )
        if not isinstance(self.kept, Generation):
            raise SparringError(
                "a classifier: it learned to tell classes, and has no samples",
                "a model that generates",
                "use `sparring classify`, or train naive_bayes, its generative partner",
            )
        return self.kept

    @property
    def translation(self) -> Translation:
        """The translator. Raises SparringError where there is none."""
        if not isinstance(self.kept, Translation):
            raise SparringError(
                f"a run of {self.facts['recipe']}, which translates nothing",
                "a translator",
                "train one: sparring train A B --recipe cyclegan, or PAIRS --recipe pix2pix",
            )
        return self.kept


def write(path: Path, kept: Kept, experiment: Experiment, facts: Mapping[str, Any]) -> None:
    """Write the file; at every instant it is the old one or the new one, whole."""
    about = {
        "format": FORMAT,
        "sparring": __version__,
        "recipe": experiment.recipe,
        "game": config.encode(experiment.game, ROLES),
        "shape": list(kept.spec.shape),
        **({} if kept.spec.other is None else {"other": list(kept.spec.other)}),
        **facts,
    }
    metadata = {"sparring": json.dumps(about, allow_nan=False)}
    storage.write_whole(path, tensorfile.render(kept.state_dict(), metadata))


def place(path: Path) -> Path:
    """Where the file is: the path itself, or in a run folder, or in one of the hub's layout."""
    if not path.is_dir():
        return path
    return path / (SHARED if (path / SHARED).is_file() and not (path / NAME).is_file() else NAME)


def settings(data: bytes) -> dict[str, Any]:
    """The game's settings as they stand in a file that was loaded before."""
    game: dict[str, Any] = json.loads(tensorfile.header(data)[1]["sparring"])["game"]
    return game


def load(path: Path) -> Loaded:
    """Read a generator. Nothing in the file is executed; sizes are checked before anything is allocated.

    Raises:
        SparringError: there is no such file. CorruptFileError: it is not a generator of ours, or is damaged.
    """
    if not path.is_file():
        raise SparringError(
            f"no file {path}",
            "a generator.safetensors, or a run folder that has one",
            "train first, or mend the path",
        )
    table, metadata = tensorfile.header(storage.head(path, tensorfile.header_end(storage.head(path, 8))))
    try:
        about = json.loads(metadata["sparring"])
        if about["format"] > FORMAT:
            raise CorruptFileError(
                f"{path} has format {about['format']}", f"at most {FORMAT}", "update Sparring"
            )
        game: GameConfig = config.decode(GameConfig, about["game"], ROLES)
        spec = _spec(about)
        facts = _facts(about, spec)
        with torch.device("meta"), _at_most(4 * len(table) + 64):
            expected = _kept(game, spec, table).state_dict()
    except Exception as error:  # whatever a stranger's settings break on
        if isinstance(error, CorruptFileError):
            raise
        raise CorruptFileError(
            f"{path}: {error}", "a generator written by Sparring", "use another file"
        ) from error
    tensorfile.check_size(path.stat().st_size, table, expected)
    tensors = tensorfile.parse(storage.read(path), expected)
    kept = _kept(game, spec, table)
    kept.load_state_dict(tensors)
    return Loaded(kept.eval().requires_grad_(False), facts)


def _spec(about: dict[str, Any]) -> Spec:
    other = tuple(map(int, about["other"])) if "other" in about else None
    return Spec(shape=tuple(map(int, about["shape"])), classes=len(about["classes"]), other=other)


def _kept(game: GameConfig, spec: Spec, table: Mapping[str, Any]) -> Kept:
    """What the tensors are for: without the encoder, if none of them is its own."""
    kept = game.kept(spec)
    if isinstance(kept, Generation) and not any(name.startswith("encoder.") for name in table):
        kept.encoder = None
    return kept


def _facts(about: dict[str, Any], spec: Spec) -> dict[str, Any]:
    """What is said beside the settings, if it is what it should be."""
    facts = {name: about[name] for name in ("recipe", "images", "units", "classes")}
    names = ["centre", "scale"] if not spec.is_image else []
    right = (
        isinstance(facts["recipe"], str)
        and isinstance(facts["images"], int)
        and isinstance(facts["classes"], list)
        and all(isinstance(name, str) for name in facts["classes"])
        and sorted(facts["units"]) == names
        and all(len(facts["units"][name]) == spec.shape[0] for name in names)
        and all(isinstance(number, float) for name in names for number in facts["units"][name])
    )
    if not right:
        raise ValueError("what it says of its data is not of the right kind")
    return facts


@contextlib.contextmanager
def _at_most(count: int) -> Iterator[None]:
    """While entered, networks of more parameters than `count` can't be built, so that no file makes us build for ever."""
    made = 0

    def register(module: nn.Module, name: str, parameter: nn.Parameter) -> None:
        nonlocal made
        made += 1
        if made > count:
            raise ValueError("settings of a larger network than its tensors are for")

    handle = register_module_parameter_registration_hook(register)
    try:
        yield
    finally:
        handle.remove()
