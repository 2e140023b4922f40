"""What the user asked for, and how it becomes an experiment: recipe, then file, then flags, then single settings."""

import re
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from sparring import config
from sparring.data import DataConfig, Dataset
from sparring.errors import ConfigError, nearest
from sparring.experiment import ROLES, Experiment
from sparring.recipes import NAMES
from sparring.recipes.facts import Facts
from sparring.recipes.table import RECIPES
from sparring.runtime import Runtime


@dataclass(frozen=True, kw_only=True)
class Request:
    """A run as it was asked for; None where nothing was said.

    Arguments:
        data: a path or a built-in name.
        recipe: name of the recipe.
        images: length of the run.
        seed, batch: of the training.
        size: (height, width).
        until: a time such as `100s`, `5m` or `2h`, by which the run is to be over.
        settings: of the form `path=value`.
        document: what `--config` holds.
    """

    data: str | None = None
    recipe: str | None = None
    images: int | None = None
    seed: int | None = None
    batch: int | None = None
    size: tuple[int, int] | None = None
    until: str | None = None
    settings: tuple[str, ...] = ()
    document: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.recipe is not None and self.recipe not in NAMES:
            raise ConfigError(
                f"--recipe {self.recipe}",
                "the name of a recipe (sparring recipes)",
                nearest(self.recipe, list(NAMES)),
            )
        self.seconds()

    def seconds(self) -> float | None:
        """The time that the run may take.

        >>> Request(until="1.5m").seconds()
        90.0
        """
        if self.until is None:
            return None
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|m|h)", self.until.strip())
        if match is None or float(match[1]) <= 0:
            raise ConfigError(
                f"--until {self.until}", "a time such as 100s, 5m or 2h", "write a number and s, m or h"
            )
        return float(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2]]

    def to_json(self) -> dict[str, Any]:
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }

    def differences(self, before: dict[str, Any]) -> list[str]:
        """What is asked otherwise than `before` (JSON of another request); what is not said differs from nothing."""
        changed = []
        for name, value in self.to_json().items():
            if name == "until" and before.get("images") is not None:
                continue  # it ends this call only
            if value not in (None, [], {}) and value != before.get(name):
                changed.append(f"{name} {value!r} (it was begun with {before.get(name)!r})")
        return changed


def data_config(request: Request, largest: int) -> DataConfig:
    """How the data is to be opened; `largest` is the longest side to be chosen."""
    document: dict[str, Any] = config.encode(DataConfig(largest=largest), ROLES)
    document |= request.document.get("data", {})
    if request.data is not None:
        document["source"] = request.data
    if request.size is not None:
        document["size"] = list(request.size)
    wanted = [setting.removeprefix("data.") for setting in request.settings if setting.startswith("data.")]
    decoded: DataConfig = config.decode(DataConfig, config.override(document, wanted), ROLES, "data")
    return decoded


def resolve(request: Request, dataset: Dataset, runtime: Runtime, images: int | None = None) -> Experiment:
    """The experiment that was asked for, with nothing left to choose.

    Arguments:
        images: length of the run where the request gives none.
    """
    length = request.images if request.images is not None else images
    facts = Facts(spec=dataset.spec, count=len(dataset), images=length)
    recipe = request.recipe or str(request.document.get("recipe", "auto"))
    if recipe not in RECIPES:
        raise ConfigError(f"recipe {recipe!r}", "the name of a recipe", nearest(recipe, list(RECIPES)))
    experiment = RECIPES[recipe](facts)
    document = experiment.to_json()
    document["data"] |= {
        name: value
        for name, value in config.encode(dataset.config, ROLES).items()
        if name not in ("flip", "groups", "held_out")
    }
    _merge(document, request.document)
    flags = {"images": length, "seed": request.seed, "batch": request.batch}
    document["training"] |= {name: value for name, value in flags.items() if value is not None}
    document = config.override(document, request.settings)
    experiment = Experiment.from_json(document)
    check_share(experiment, runtime)
    return replace(experiment, training=experiment.training.resolved())


def check_share(experiment: Experiment, runtime: Runtime) -> None:
    """Raises ConfigError where the processes can't share a batch evenly."""
    batch, world = experiment.training.batch, runtime.world
    if batch % world:
        raise ConfigError(
            f"a batch of {batch} for {world} processes",
            "a multiple",
            "change --batch or the number of processes",
        )


def read_document(path: Path) -> dict[str, Any]:
    """The settings in a YAML or JSON file: a whole experiment (as in `run.json`) or a part of one."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"--config {path}: {error}", "a YAML or JSON file", "mend the path or the file"
        ) from error
    if not isinstance(document, dict):
        raise ConfigError(
            f"--config {path} holds no table", "names and values, as in run.json", "mend the file"
        )
    inner = document.get("experiment")
    return inner if isinstance(inner, dict) else document


def _merge(base: dict[str, Any], over: dict[str, Any]) -> None:
    for name, value in over.items():
        same_kind = isinstance(value, dict) and isinstance(base.get(name), dict)
        if same_kind and value.get("type", base[name].get("type")) == base[name].get("type"):
            _merge(base[name], value)
        else:
            base[name] = value
