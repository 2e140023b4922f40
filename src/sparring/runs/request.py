"""Request: the options of one training call, and how they become an Experiment (recipe, then config file,
then flags, then single settings).
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from sparring.core import config
from sparring.core.errors import ConfigError, did_you_mean
from sparring.core.runtime import Runtime
from sparring.data import DataConfig, Dataset
from sparring.data.split import check_held_out, held_out_counts
from sparring.experiment import TYPE_TABLES, Experiment
from sparring.protocols.until import MetricTarget, parse_until
from sparring.recipes import RECIPE_DESCRIPTIONS
from sparring.recipes.facts import Facts
from sparring.recipes.table import RECIPES, resolve_pairing, resolve_recipe
from sparring.runs.upgrade import check_setting_names, upgrade


@dataclass(frozen=True, kw_only=True)
class Request:
    """A run as it was asked for; None where nothing was said.

    Arguments:
        data: a path or a built-in name.
        other: a second one, whose images are domain B.
        recipe: name of the recipe.
        images: length of the run.
        seed, batch: of the training.
        size: (height, width).
        until: a time such as `2h`, by which the run is to be over, a goal such as `fd<=20`, at which it ends, or both.
        settings: of the form `path=value`.
        document: what `--config` holds.
    """

    data: str | None = None
    data_b: str | None = None
    recipe: str | None = None
    images: int | None = None
    seed: int | None = None
    batch: int | None = None
    size: tuple[int, int] | None = None
    until: str | None = None
    settings: tuple[str, ...] = ()
    document: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.recipe is not None and self.recipe not in RECIPE_DESCRIPTIONS:
            raise ConfigError(
                f"--recipe {self.recipe}",
                "the name of a recipe (sparring recipes)",
                did_you_mean(self.recipe, list(RECIPE_DESCRIPTIONS)),
            )
        self.time_limit()

    def time_limit(self) -> float | None:
        """The time that the run may take.

        >>> Request(until="1.5m").time_limit()
        90.0
        """
        return self._parse_until()[0]

    def _parse_until(self) -> tuple[float | None, MetricTarget | None]:
        return parse_until(self.until) if self.until is not None else (None, None)

    def to_json(self) -> dict[str, Any]:
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }

    def changes_from(self, before: dict[str, Any]) -> list[str]:
        """What is asked otherwise than `before` (JSON of another request); what is not said differs from nothing."""
        changed = []
        for name, value in self.to_json().items():
            if name == "until" and value is not None and self._ends_alike(before):
                continue
            if value not in (None, [], {}) and value != before.get(name):
                changed.append(f"{name} {value!r} (it was begun with {before.get(name)!r})")
        return changed

    def _ends_alike(self, before: dict[str, Any]) -> bool:
        """Whether `until` ends the run where it was to end before. With a length, a time ends this call only."""
        then = Request(until=before.get("until"))._parse_until()
        seconds, goal = self._parse_until()
        return goal in (None, then[1]) and (before.get("images") is not None or seconds in (None, then[0]))


def build_data_config(request: Request, max_size: int) -> DataConfig:
    """How the data is to be opened; `max_size` is the longest side to be chosen."""
    check_setting_names(request.settings)
    document: dict[str, Any] = config.to_json(DataConfig(max_size=max_size), TYPE_TABLES)
    document |= request.document.get("data", {})
    if request.data is not None:
        document |= {"source": request.data, "source_b": request.data_b or ""}
    if request.size is not None:
        document["size"] = list(request.size)
    wanted = [setting.removeprefix("data.") for setting in request.settings if setting.startswith("data.")]
    decoded: DataConfig = config.from_json(
        DataConfig, config.apply_overrides(document, wanted), TYPE_TABLES, "data"
    )
    return resolve_pairing(decoded, _recipe_name(request))


def _recipe_name(request: Request) -> str:
    return request.recipe or str(request.document.get("recipe", "auto"))


def resolve_experiment(
    request: Request, dataset: Dataset, runtime: Runtime, images: int | None = None
) -> Experiment:
    """The experiment that was asked for, with nothing left to choose.

    Arguments:
        images: length of the run where the request gives none.
    """
    length = request.images if request.images is not None else images
    facts = Facts(spec=dataset.spec, count=dataset.epoch_size, images=length)
    experiment = RECIPES[resolve_recipe(dataset, _recipe_name(request))](facts)
    document = experiment.to_json()
    document["data"] |= {
        name: value
        for name, value in config.to_json(dataset.config, TYPE_TABLES).items()
        if name not in ("flip", "pseudo_classes", "held_out", "random_crop")
    }
    _merge_into(document, request.document)
    flags = {"total_images": length, "seed": request.seed, "batch": request.batch}
    document["training"] |= {name: value for name, value in flags.items() if value is not None}
    document = config.apply_overrides(document, request.settings)
    document["training"] |= _metric_settings(request, document, dataset)
    experiment = Experiment.from_json(document)
    check_held_out(dataset.smaller_size, experiment.data.held_out)
    check_batch_divides(experiment, runtime)
    return replace(experiment, training=experiment.training.resolve())


def _metric_settings(request: Request, document: dict[str, Any], dataset: Dataset) -> dict[str, Any]:
    """What `--until` says of the metric and its target; where a recipe's metric was taken away, its interval goes too."""
    goal, training = request._parse_until()[1], document["training"]
    words = [setting.removeprefix("training.").partition("=")[0] for setting in request.settings]
    asked = {*request.document.get("training", {}), *words}
    if goal is None:
        return {"evaluate_every": 0} if not training["metric"] and "evaluate_every" not in asked else {}
    parts = held_out_counts(dataset, int(document["data"].get("held_out") or 0))
    name = goal.resolve(training.get("metric", ""), "metric" in asked, dataset.spec, parts)
    return {"metric": name, "target": goal.target}


def check_batch_divides(experiment: Experiment, runtime: Runtime) -> None:
    """Raises ConfigError where the processes can't share a batch evenly."""
    batch, world = experiment.training.batch, runtime.world_size
    if batch % world:
        raise ConfigError(
            f"a batch of {batch} for {world} processes",
            "a multiple",
            "change --batch or the number of processes",
        )


def read_config_file(path: Path) -> dict[str, Any]:
    """The settings in a YAML or JSON file: a whole experiment (as in `run.json`) or a part of one."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"--config {path}: {error}", "a YAML or JSON file", "fix the path or the file"
        ) from error
    if not isinstance(document, dict):
        raise ConfigError(
            f"--config {path} holds no table", "names and values, as in run.json", "fix the file"
        )
    document = upgrade(document) if "format" in document else document
    inner = document.get("experiment")
    return inner if isinstance(inner, dict) else document


def _merge_into(base: dict[str, Any], over: dict[str, Any]) -> None:
    for name, value in over.items():
        same_kind = isinstance(value, dict) and isinstance(base.get(name), dict)
        if same_kind and value.get("type", base[name].get("type")) == base[name].get("type"):
            _merge_into(base[name], value)
        else:
            base[name] = value


Size = str | int | tuple[int, int]


def parse_size(size: Size | None) -> tuple[int, int] | None:
    """A size as (height, width).

    >>> parse_size("48x80"), parse_size(32)
    ((48, 80), (32, 32))
    """
    if size is None or isinstance(size, tuple):
        return size
    match = re.fullmatch(r"(\d+)(?:\s*[xX×]\s*(\d+))?", str(size).strip())
    if match is None:
        raise ConfigError(
            f"--size {size}", "a side or height x width in pixels, such as 64 or 48x80", "write it like this"
        )
    return int(match[1]), int(match[2] or match[1])


def default_run_folder(request: Request) -> Path:
    """The run folder where none is named: always the same for the same data and recipe.

    >>> str(default_run_folder(Request(data="photos/cats/", recipe="wgan")))
    'runs/cats-wgan'
    >>> str(default_run_folder(Request(data="horses/", data_b="zebras/", recipe="cyclegan")))
    'runs/horses-zebras-cyclegan'
    """
    written = request.document.get("data", {})
    source = request.data or str(written.get("source", "animals"))
    other = request.data_b if request.data else written.get("source_b")
    recipe = request.recipe or str(request.document.get("recipe", "auto"))
    return Path("runs") / "-".join([*(_slug(side) for side in (source, other) if side), recipe])


def _slug(source: str) -> str:
    name = Path(source).name or Path(source).resolve().name
    stem = re.sub(r"\.(zip|npz|npy|gz|csv)(?=$|:)", "", name)
    return re.sub(r"[^\w.]+", "-", stem).strip("-.") or "data"


def parse_data(data: Sequence[str], named: Sequence[str] | None = None) -> tuple[str | None, str | None]:
    """The one DATA, or the two of a translation.

    Arguments:
        data: as they stand on the command line.
        named: the two behind `--domains`.

    >>> parse_data(["photos"]), parse_data(["horses", "zebras"]) == parse_data([], ["horses", "zebras"])
    (('photos', None), True)
    """
    if data and named:
        got = f"DATA {' '.join(data)} and --domains {' '.join(named)}"
        raise ConfigError(got, "one of the two", "leave one out: two DATA mean the same as --domains")
    data = named or data
    if len(data) > 2:
        raise ConfigError(
            f"{len(data)} DATA: {' '.join(data)}",
            "one folder, file or built-in name, two for a translation, or none for the built-in set",
            "put quotes round a name with blanks; write settings as --set path=value",
        )
    first, second = [*data, None, None][:2]
    return first, second
