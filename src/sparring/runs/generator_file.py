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
from sparring.runs.upgrade import FORMAT, upgrade

GENERATOR_FILE = "generator.safetensors"
HUB_FILE = "model.safetensors"  # the same file in a folder of the Hugging Face hub


@dataclass(frozen=True)
class LoadedModel:
    """A model and the metadata that its use needs.

    Arguments:
        model: in evaluation mode, without gradients, on the CPU.
        metadata: `recipe`, `images` seen, `units` of points, names of the `classes`.
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
        """The model, as a translator. Raises SparringError if it is none."""
        if not isinstance(self.model, TranslatorModel):
            raise SparringError(
                f"a run of {self.metadata['recipe']}, which is no translator",
                "a translator",
                "train one: sparring train A B --recipe cyclegan, or PAIRS --recipe pix2pix",
            )
        return self.model


def save(path: Path, model: Model, experiment: Experiment, metadata: Mapping[str, Any]) -> None:
    """Write a generator file; at every instant it is the old one or the new one, whole.

    Arguments:
        model: whose weights are written.
        metadata: `images` seen, `units` and `classes` of the data.
    """
    about = {
        "format": FORMAT,
        "sparring": __version__,
        "recipe": experiment.recipe,
        "game": config.to_json(experiment.game, TYPE_TABLES),
        "shape": list(model.spec.shape),
        **({} if model.spec.shape_b is None else {"shape_b": list(model.spec.shape_b)}),
        **metadata,
    }
    header = {"sparring": json.dumps(about, allow_nan=False)}
    storage.write_atomic(path, tensor_file.to_bytes(model.state_dict(), header))


def find_file(path: Path) -> Path:
    """The generator file of a path: the path itself, or the file in a run folder or in a folder of the hub's layout."""
    if not path.is_dir():
        return path
    return path / (
        HUB_FILE if (path / HUB_FILE).is_file() and not (path / GENERATOR_FILE).is_file() else GENERATOR_FILE
    )


def read_images(path: Path) -> int | None:
    """The images seen by the generator in a file, from its header; None if there is no such file, or it is damaged."""
    try:
        head = storage.read_head(path, tensor_file.header_end(storage.read_head(path, 8)))
        images = json.loads(tensor_file.read_header(head)[1]["sparring"])["images"]
    except (OSError, ValueError, KeyError, TypeError, CorruptFileError):
        return None
    return images if isinstance(images, int) else None


def read_game_config(data: bytes) -> dict[str, Any]:
    """The game's settings, as JSON, in the bytes of a file that `load` has checked."""
    game: dict[str, Any] = upgrade(json.loads(tensor_file.read_header(data)[1]["sparring"]))["game"]
    return game


def load(path: Path) -> LoadedModel:
    """Read a generator file. Nothing in it is executed; sizes are checked before anything is allocated.

    Raises:
        SparringError: there is no such file. CorruptFileError: it is damaged, or not a generator file.
    """
    if not path.is_file():
        raise SparringError(
            f"no file {path}",
            "a generator.safetensors, or a run folder that has one",
            "train first, or fix the path",
        )
    table, metadata = _read_header(path)
    try:
        about = json.loads(metadata["sparring"])
        if about["format"] > FORMAT:
            raise CorruptFileError(
                f"{path} has format {about['format']}", f"at most {FORMAT}", "update Sparring"
            )
        about = upgrade(about)
        game: GameConfig = config.from_json(GameConfig, about["game"], TYPE_TABLES)
        spec = _read_spec(about)
        model_metadata = _read_metadata(about, spec)
        with torch.device("meta"), limit_parameters(4 * len(table) + 64):
            expected = _build_model(game, spec, table).state_dict()
    except Exception as error:  # foreign settings can fail anywhere
        if isinstance(error, CorruptFileError):
            raise
        raise CorruptFileError(
            f"{path}: {error}", "a generator written by Sparring", "use another file"
        ) from error
    tensor_file.check_size(path.stat().st_size, table, expected)
    tensors = tensor_file.from_bytes(storage.read(path), expected)
    model = _build_model(game, spec, table)
    model.load_state_dict(tensors)
    return LoadedModel(model.eval().requires_grad_(False), model_metadata)


def read_images_seen(path: Path) -> int | None:
    """The images that the model of a generator file has seen, by its header alone; None if it is missing or damaged."""
    try:
        images = json.loads(_read_header(path)[1]["sparring"])["images"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return images if isinstance(images, int) else None


def _read_header(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """The table of tensors and the metadata of a file, whose other bytes are not read."""
    return tensor_file.read_header(
        storage.read_head(path, tensor_file.header_end(storage.read_head(path, 8)))
    )


def _read_spec(about: dict[str, Any]) -> SampleSpec:
    shape_b = tuple(map(int, about["shape_b"])) if "shape_b" in about else None
    return SampleSpec(
        shape=tuple(map(int, about["shape"])), num_classes=len(about["classes"]), shape_b=shape_b
    )


def _build_model(game: GameConfig, spec: SampleSpec, table: Mapping[str, Any]) -> Model:
    """The model whose tensors are in `table`; without its encoder, if that was not saved."""
    model = game.build_model(spec)
    if isinstance(model, GeneratorModel) and not any(name.startswith("encoder.") for name in table):
        model.encoder = None
    return model


def _read_metadata(about: dict[str, Any], spec: SampleSpec) -> dict[str, Any]:
    """The metadata in the header. Raises ValueError where a part has the wrong type or length."""
    metadata = {name: about[name] for name in ("recipe", "images", "units", "classes")}
    names = ["centre", "scale"] if not spec.is_image else []
    is_valid = (
        isinstance(metadata["recipe"], str)
        and isinstance(metadata["images"], int)
        and isinstance(metadata["classes"], list)
        and all(isinstance(name, str) for name in metadata["classes"])
        and sorted(metadata["units"]) == names
        and all(len(metadata["units"][name]) == spec.shape[0] for name in names)
        and all(isinstance(number, float) for name in names for number in metadata["units"][name])
    )
    if not is_valid:
        raise ValueError("recipe, images, units or classes have the wrong type or length")
    return metadata


@contextlib.contextmanager
def limit_parameters(count: int) -> Iterator[None]:
    """In this context building more than `count` parameters raises ValueError, so that no file can make us build for ever."""
    num_parameters = 0

    def register(module: nn.Module, name: str, parameter: nn.Parameter) -> None:
        nonlocal num_parameters
        num_parameters += 1
        if num_parameters > count:
            raise ValueError("the settings describe a larger network than the tensors")

    handle = register_module_parameter_registration_hook(register)
    try:
        yield
    finally:
        handle.remove()
