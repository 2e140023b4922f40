"""What the user asked for, and how it becomes an experiment: recipe, then file, then flags, then single settings."""

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from sparring import config
from sparring.data import DataConfig, Dataset
from sparring.data.split import check, counts
from sparring.errors import ConfigError, nearest
from sparring.evaluation.goal import Goal, parse
from sparring.experiment import ROLES, Experiment
from sparring.recipes import NAMES
from sparring.recipes.choosing import recipe_for, with_sides
from sparring.recipes.facts import Facts
from sparring.recipes.table import RECIPES
from sparring.runtime import Runtime


@dataclass(frozen=True, kw_only=True)
class Request:
    """A run as it was asked for; None where nothing was said.

    Arguments:
        data: a path or a built-in name.
        other: a second one, whose pictures are domain B.
        recipe: name of the recipe.
        images: length of the run.
        seed, batch: of the training.
        size: (height, width).
        until: a time such as `2h`, by which the run is to be over, a goal such as `fd<=20`, at which it ends, or both.
        settings: of the form `path=value`.
        document: what `--config` holds.
    """

    data: str | None = None
    other: str | None = None
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
        return self._until()[0]

    def _until(self) -> tuple[float | None, Goal | None]:
        return parse(self.until) if self.until is not None else (None, None)

    def to_json(self) -> dict[str, Any]:
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }

    def differences(self, before: dict[str, Any]) -> list[str]:
        """What is asked otherwise than `before` (JSON of another request); what is not said differs from nothing."""
        changed = []
        for name, value in self.to_json().items():
            if name == "until" and value is not None and self._same_end(before):
                continue
            if value not in (None, [], {}) and value != before.get(name):
                changed.append(f"{name} {value!r} (it was begun with {before.get(name)!r})")
        return changed

    def _same_end(self, before: dict[str, Any]) -> bool:
        """Whether `until` ends the run where it was to end before. With a length, a time ends this call only."""
        then = Request(until=before.get("until"))._until()
        seconds, goal = self._until()
        return goal in (None, then[1]) and (before.get("images") is not None or seconds in (None, then[0]))


def data_config(request: Request, largest: int) -> DataConfig:
    """How the data is to be opened; `largest` is the longest side to be chosen."""
    document: dict[str, Any] = config.encode(DataConfig(largest=largest), ROLES)
    document |= request.document.get("data", {})
    if request.data is not None:
        document |= {"source": request.data, "other": request.other or ""}
    if request.size is not None:
        document["size"] = list(request.size)
    wanted = [setting.removeprefix("data.") for setting in request.settings if setting.startswith("data.")]
    decoded: DataConfig = config.decode(DataConfig, config.override(document, wanted), ROLES, "data")
    return with_sides(decoded, _recipe(request))


def _recipe(request: Request) -> str:
    return request.recipe or str(request.document.get("recipe", "auto"))


def resolve(request: Request, dataset: Dataset, runtime: Runtime, images: int | None = None) -> Experiment:
    """The experiment that was asked for, with nothing left to choose.

    Arguments:
        images: length of the run where the request gives none.
    """
    length = request.images if request.images is not None else images
    facts = Facts(spec=dataset.spec, count=dataset.epoch, images=length)
    experiment = RECIPES[recipe_for(dataset, _recipe(request))](facts)
    document = experiment.to_json()
    document["data"] |= {
        name: value
        for name, value in config.encode(dataset.config, ROLES).items()
        if name not in ("flip", "groups", "held_out", "jitter")
    }
    _merge(document, request.document)
    flags = {"images": length, "seed": request.seed, "batch": request.batch}
    document["training"] |= {name: value for name, value in flags.items() if value is not None}
    document = config.override(document, request.settings)
    document["training"] |= _judging(request, document, dataset)
    experiment = Experiment.from_json(document)
    check(dataset.fewest, experiment.data.held_out)
    check_share(experiment, runtime)
    return replace(experiment, training=experiment.training.resolved())


def _judging(request: Request, document: dict[str, Any], dataset: Dataset) -> dict[str, Any]:
    """What `--until` says of the metric and its target; where a recipe's metric was taken away, its interval goes too."""
    goal, training = request._until()[1], document["training"]
    words = [setting.removeprefix("training.").partition("=")[0] for setting in request.settings]
    asked = {*request.document.get("training", {}), *words}
    if goal is None:
        return {"evaluate_every": 0} if not training["metric"] and "evaluate_every" not in asked else {}
    parts = counts(dataset, int(document["data"].get("held_out") or 0))
    name = goal.name(training.get("metric", ""), "metric" in asked, dataset.spec, parts)
    return {"metric": name, "target": goal.target}


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
