"""`generator.safetensors`: the EMA weights of the model with its configuration in the header; all that
inference needs.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from sparring.core import config, storage, tensor_file
from sparring.core.errors import CorruptFileError, SparringError
from sparring.core.shapes import SampleSpec
from sparring.core.version import __version__
from sparring.experiment import TYPE_TABLES, Experiment, GameConfig
from sparring.models.generator import GeneratorModel
from sparring.models.model import Model
from sparring.models.translator import TranslatorModel

GENERATOR_FILE = "generator.safetensors"
HUB_FILE = "model.safetensors"  # the same file in a folder of the Hugging Face hub
FORMAT = 1


@dataclass(frozen=True)
class LoadedModel:
    """What is kept of a game, with all that is needed to use it.

    Arguments:
        kept: the network, in evaluation mode.
        facts: `recipe`, `images` seen, `units`, `classes`.
    """

    model: Model
    metadata: dict[str, Any]

    @property
    def generation(self) -> GeneratorModel:
        """The generator. Raises SparringError where there is none."""
        if not isinstance(self.model, GeneratorModel):
            raise SparringError(self.model.summary, "a model that generates", self.model.command)
        return self.model

    @property
    def translation(self) -> TranslatorModel:
        """The translator. Raises SparringError where there is none."""
        if not isinstance(self.model, TranslatorModel):
            raise SparringError(
                f"a run of {self.metadata['recipe']}, which translates nothing",
                "a translator",
                "train one: sparring train A B --recipe cyclegan, or PAIRS --recipe pix2pix",
            )
        return self.model


def save(path: Path, kept: Model, experiment: Experiment, metadata: Mapping[str, Any]) -> None:
    """Write the file; at every instant it is the old one or the new one, whole."""
    about = {
        "format": FORMAT,
        "sparring": __version__,
        "recipe": experiment.recipe,
        "game": config.to_json(experiment.game, TYPE_TABLES),
        "shape": list(kept.spec.shape),
        **({} if kept.spec.shape_b is None else {"shape_b": list(kept.spec.shape_b)}),
        **metadata,
    }
    metadata = {"sparring": json.dumps(about, allow_nan=False)}
    storage.write_atomic(path, tensor_file.to_bytes(kept.state_dict(), metadata))


def find_file(path: Path) -> Path:
    """Where the file is: the path itself, or in a run folder, or in one of the hub's layout."""
    if not path.is_dir():
        return path
    return path / (
        HUB_FILE if (path / HUB_FILE).is_file() and not (path / GENERATOR_FILE).is_file() else GENERATOR_FILE
    )


def read_game_config(data: bytes) -> dict[str, Any]:
    """The game's settings as they stand in a file that was loaded before."""
    game: dict[str, Any] = json.loads(tensor_file.read_header(data)[1]["sparring"])["game"]
    return game


def load(path: Path) -> LoadedModel:
    """Read a generator. Nothing in the file is executed; sizes are checked before anything is allocated.

    Raises:
        SparringError: there is no such file. CorruptFileError: it is not a generator of ours, or is damaged.
    """
    if not path.is_file():
        raise SparringError(
            f"no file {path}",
            "a generator.safetensors, or a run folder that has one",
            "train first, or fix the path",
        )
    table, metadata = tensor_file.read_header(
        storage.read_head(path, tensor_file.header_end(storage.read_head(path, 8)))
    )
    try:
        about = json.loads(metadata["sparring"])
        if about["format"] > FORMAT:
            raise CorruptFileError(
                f"{path} has format {about['format']}", f"at most {FORMAT}", "update Sparring"
            )
        game: GameConfig = config.from_json(GameConfig, about["game"], TYPE_TABLES)
        spec = _read_spec(about)
        facts = _read_metadata(about, spec)
        with torch.device("meta"), _limit_parameters(4 * len(table) + 64):
            expected = _build_model(game, spec, table).state_dict()
    except Exception as error:  # whatever a stranger's settings break on
        if isinstance(error, CorruptFileError):
            raise
        raise CorruptFileError(
            f"{path}: {error}", "a generator written by Sparring", "use another file"
        ) from error
    tensor_file.check_size(path.stat().st_size, table, expected)
    tensors = tensor_file.from_bytes(storage.read(path), expected)
    kept = _build_model(game, spec, table)
    kept.load_state_dict(tensors)
    return LoadedModel(kept.eval().requires_grad_(False), facts)


def _read_spec(about: dict[str, Any]) -> SampleSpec:
    shape_b = tuple(map(int, about["shape_b"])) if "shape_b" in about else None
    return SampleSpec(
        shape=tuple(map(int, about["shape"])), num_classes=len(about["classes"]), shape_b=shape_b
    )


def _build_model(game: GameConfig, spec: SampleSpec, table: Mapping[str, Any]) -> Model:
    """What the tensors are for: without the encoder, if none of them is its own."""
    kept = game.build_model(spec)
    if isinstance(kept, GeneratorModel) and not any(name.startswith("encoder.") for name in table):
        kept.encoder = None
    return kept


def _read_metadata(about: dict[str, Any], spec: SampleSpec) -> dict[str, Any]:
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
def _limit_parameters(count: int) -> Iterator[None]:
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
