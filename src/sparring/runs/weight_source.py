"""The run or generator file whose weights a fine-tuned run begins with (`--from`): its settings, and its tensors by name.

Of a run folder both networks are read, as they were in training, and the average of the generator: from the checkpoint that the
generator file was written with, else from the newest that verifies. A generator file has the averaged generator alone. Nothing that
is read is executed; the networks that it describes are built without memory first, and only up to a limit.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sparring.core import config, storage
from sparring.core.errors import ConfigError, CorruptFileError
from sparring.core.shapes import SampleSpec
from sparring.data import is_pseudo_class
from sparring.experiment import TYPE_TABLES, GameConfig
from sparring.recipes.facts import Pretrained
from sparring.runs import checkpoint, generator_file
from sparring.runs.load_model import EMA_PREFIX
from sparring.runs.run_json import RUN_FILE, load_experiment

GAME_PREFIX = "game."  # of the tensors of all networks in a checkpoint
MAX_PARAMETERS = 10_000  # parameter tensors of a game: foreign settings must not make us build for ever


@dataclass(frozen=True, kw_only=True)
class WeightSource:
    """The weights that a run begins with, and what is known of them.

    Arguments:
        settings: recipe, game and shape.
        images: training images that the weights have seen.
        sha256: of the file that they were read from.
        classes: names of the classes, in the order of the label's rows; empty where they mean nothing for other data.
        model_prefix: of the kept model's tensors among those of the game, such as `generation.`.
        tensors: of the game, by name.
        average: of the averaged model, by name within the model; empty where `tensors` has the average itself.
    """

    settings: Pretrained
    images: int
    sha256: str
    classes: tuple[str, ...]
    model_prefix: str
    tensors: Mapping[str, Tensor]
    average: Mapping[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, tensor in {**self.average, **self.tensors}.items():
            if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
                raise CorruptFileError(
                    f"--from {self.settings.name}: {name} has values that are not finite",
                    "weights that are finite",
                    "choose another run or checkpoint",
                )

    def describe(self) -> dict[str, Any]:
        """Its entries in `run.json`."""
        return {
            "source": self.settings.name,
            "recipe": self.settings.recipe,
            "images": self.images,
            "sha256": self.sha256,
        }


def open_weight_source(path: Path, name: str) -> WeightSource:
    """Read the weights and settings of a run folder, a generator file, or a folder in the layout of the hub.

    Arguments:
        path: where it is.
        name: as the user gave it.

    Raises:
        ConfigError: there is nothing of this kind. CorruptFileError: a file is damaged, or its weights are not finite.
    """
    if (path / RUN_FILE).is_file() and checkpoint.list_checkpoints(path):
        return _open_run(path, name)
    file = generator_file.find_file(path)
    if not file.is_file():
        raise ConfigError(
            f"--from {name}: no run there",
            "a run folder with a checkpoint, a generator.safetensors, or hf://user/name",
            "fix the path",
        )
    return _open_generator_file(file, name)


def _open_run(run: Path, name: str) -> WeightSource:
    experiment, data = load_experiment(run / RUN_FILE)
    saved = _choose_checkpoint(run)
    classes, spec = _read_data(data, run)
    settings = Pretrained(
        name=name,
        recipe=experiment.recipe,
        game=experiment.game,
        spec=spec,
        length=experiment.training.total_images,
        experiment=experiment,
    )
    return WeightSource(
        settings=settings,
        images=saved.images,
        sha256=hashlib.sha256(saved.tensors).hexdigest(),
        classes=classes,
        model_prefix=_find_model_prefix(settings),
        tensors=saved.with_prefix(GAME_PREFIX),
        average=saved.with_prefix(EMA_PREFIX),
    )


def _choose_checkpoint(run: Path) -> checkpoint.Checkpoint:
    """The checkpoint of the generator file's clock, else the newest that verifies."""
    offered = generator_file.read_images_seen(run / generator_file.GENERATOR_FILE)
    error: CorruptFileError | None = None
    for candidate in _iterate_from(run, offered):
        if isinstance(candidate, checkpoint.Checkpoint):
            return candidate
        error = error or candidate
    assert error is not None  # there is at least one checkpoint
    raise error


def _iterate_from(run: Path, first: int | None) -> Iterator[checkpoint.Checkpoint | CorruptFileError]:
    if first in checkpoint.list_checkpoints(run):
        try:
            yield checkpoint.read(run, first)
        except CorruptFileError as error:
            yield error
    yield from checkpoint.iterate_verified(run)


def _read_data(data: Mapping[str, Any], run: Path) -> tuple[tuple[str, ...], SampleSpec]:
    """Names of the classes, and shape of the samples, of the `data` object of run.json."""
    try:
        classes = tuple(str(one) for one in data["classes"])
        shape_b = tuple(map(int, data["shape_b"])) if "shape_b" in data else None
        shape = tuple(map(int, data["shape"]))
        return classes, SampleSpec(shape=shape, num_classes=len(classes), shape_b=shape_b)
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptFileError(
            f"{run / RUN_FILE}: {error!r}", "a run.json written by Sparring", "use another run"
        ) from error


def _open_generator_file(path: Path, name: str) -> WeightSource:
    loaded, content = generator_file.load(path), storage.read(path)
    game: GameConfig = config.from_json(GameConfig, generator_file.read_game_config(content), TYPE_TABLES)
    classes = tuple(str(one) for one in loaded.metadata["classes"])
    spec, images = loaded.model.spec, int(loaded.metadata["images"])
    settings = Pretrained(
        name=name,
        recipe=str(loaded.metadata["recipe"]),
        game=game,
        spec=SampleSpec(shape=spec.shape, num_classes=len(classes), shape_b=spec.shape_b),
        length=max(1, images),
    )
    prefix = _find_model_prefix(settings)
    return WeightSource(
        settings=settings,
        images=images,
        sha256=hashlib.sha256(content).hexdigest(),
        classes=() if all(map(is_pseudo_class, classes)) else classes,
        model_prefix=prefix,
        tensors={f"{prefix}{key}": value for key, value in loaded.model.state_dict().items()},
    )


def _find_model_prefix(settings: Pretrained) -> str:
    """The prefix of the model's tensors among those of its game.

    Raises:
        CorruptFileError: the settings describe no game that can be built.
    """
    spec = settings.spec
    if not spec.num_classes:  # the source's classes may be pseudo-classes
        spec = replace(spec, num_classes=2)
    try:
        with torch.device("meta"), generator_file.limit_parameters(MAX_PARAMETERS):
            game = settings.game.build(spec)
    except Exception as error:  # foreign settings can fail anywhere
        got = f"--from {settings.name}: its networks can't be built: {error}"
        raise CorruptFileError(got, "a run written by Sparring", "choose another run") from error
    return next(f"{name}." for name, module in game.named_modules() if module is game.model)
