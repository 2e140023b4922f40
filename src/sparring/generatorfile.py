"""`generator.safetensors`: the averaged generator alone, with its settings in the header; all that sampling needs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from sparring import __version__, config, storage, tensorfile
from sparring.errors import CorruptFileError, SparringError
from sparring.experiment import ROLES, Experiment, GameConfig
from sparring.games.generation import Generation
from sparring.shapes import Spec

NAME = "generator.safetensors"
FORMAT = 1


@dataclass(frozen=True)
class Loaded:
    """A generator with all that is needed to use it.

    Arguments:
        generation: the network, in evaluation mode.
        facts: `recipe`, `images` seen, `units`, `classes`.
    """

    generation: Generation
    facts: dict[str, Any]


def write(path: Path, generation: nn.Module, experiment: Experiment, facts: Mapping[str, Any]) -> None:
    """Write the file; at every instant it is the old one or the new one, whole."""
    assert isinstance(generation, Generation)
    about = {
        "format": FORMAT,
        "sparring": __version__,
        "recipe": experiment.recipe,
        "game": config.encode(experiment.game, ROLES),
        "shape": list(generation.spec.shape),
        **facts,
    }
    metadata = {"sparring": json.dumps(about, allow_nan=False)}
    storage.write_whole(path, tensorfile.render(generation.state_dict(), metadata))


def load(path: Path) -> Loaded:
    """Read a generator. Nothing in the file is executed; sizes are checked before anything is allocated.

    Raises:
        SparringError: there is no such file. CorruptFileError: it is not a generator of ours, or is damaged.
    """
    if not path.is_file():
        raise SparringError(f"no file {path}", "a generator.safetensors, or a run folder that has one", "train first, or mend the path")
    data = storage.read(path)
    _, metadata = tensorfile.header(data)
    try:
        about = json.loads(metadata["sparring"])
        if about["format"] > FORMAT:
            raise CorruptFileError(f"{path} has format {about['format']}", f"at most {FORMAT}", "update Sparring")
        shape = tuple(int(side) for side in about["shape"])
        game: GameConfig = config.decode(GameConfig, about["game"], ROLES)
        spec = Spec(shape=shape, classes=len(about["classes"]))
        with torch.device("meta"):
            expected = game.kept(spec).state_dict()
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        if isinstance(error, CorruptFileError):
            raise
        raise CorruptFileError(f"{path}: {error}", "a generator written by Sparring", "use another file") from error
    tensors = tensorfile.parse(data, expected)
    generation = game.kept(spec)
    generation.load_state_dict(tensors)
    facts = {name: about.get(name) for name in ("recipe", "images", "units", "classes")}
    return Loaded(generation.eval().requires_grad_(False), facts)
