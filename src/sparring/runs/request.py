"""Request: the options of one training call, and how they become an Experiment (recipe, then config file,
then flags, then single settings).
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from sparring.core import config
from sparring.core.errors import ConfigError, did_you_mean
from sparring.core.runtime import Runtime
from sparring.data import DataConfig, Dataset, run_mirror_test
from sparring.data.split import check_held_out, held_out_counts
from sparring.experiment import TYPE_TABLES, Experiment
from sparring.protocols.until import MetricTarget, parse_until
from sparring.recipes import RECIPE_DESCRIPTIONS
from sparring.recipes.facts import Facts, Pretrained
from sparring.recipes.fine_tuning import fine_tuned
from sparring.recipes.table import RECIPES, resolve_pairing, resolve_recipe
from sparring.runs.upgrade import check_setting_names, upgrade


@dataclass(frozen=True, kw_only=True)
class Request:
    """The options of `sparring train`; None where an option was not given.

    Arguments:
        data: a path or a built-in name.
        data_b: the same for domain B of a translation.
        recipe: its name.
        images: length of the run, in images seen.
        seed: of all random numbers.
        batch: samples per step.
        size: (height, width) in pixels.
        start_from: the run, generator file or `hf://` address whose weights the run begins with.
        until: a time such as `2h` for the whole run, a target such as `fd<=20` at which it ends, or both.
        settings: single settings, of the form `path=value`.
        document: the content of the `--config` file.

    Raises:
        ConfigError: an unknown recipe, or `until` is not of this form.
    """

    data: str | None = None
    data_b: str | None = None
    recipe: str | None = None
    images: int | None = None
    seed: int | None = None
    batch: int | None = None
    size: tuple[int, int] | None = None
    start_from: str | None = None
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
        """The time in `until`, in seconds; None without one.

        >>> Request(until="1.5m").time_limit()
        90.0
        """
        return self._parse_until()[0]

    def _parse_until(self) -> tuple[float | None, MetricTarget | None]:
        return parse_until(self.until) if self.until is not None else (None, None)

    def to_json(self) -> dict[str, Any]:
        """The options as JSON, for `run.json`."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }

    def changes_from(self, before: dict[str, Any]) -> list[str]:
        """The options that were given and differ from those of an earlier request, as sentences; for its length see runs/extend.py.

        Arguments:
            before: the earlier request as JSON.
        """
        return [
            f"{name} {value!r} (it was begun with {before.get(name)!r})"
            for name, value in self.to_json().items()
            if name not in ("images", "until") and value not in (None, [], {}) and value != before.get(name)
        ]


def build_data_config(request: Request, max_size: int, source: Pretrained | None = None) -> DataConfig:
    """How to open the data of a request.

    Arguments:
        max_size: largest side to choose, in pixels, where the request gives no size.
        source: the model whose weights the run begins with; its size and channels are the default.
    """
    check_setting_names(request.settings)
    document: dict[str, Any] = config.to_json(DataConfig(max_size=max_size), TYPE_TABLES)
    document |= source.data_defaults() if source is not None else {}
    document |= request.document.get("data", {})
    if request.data is not None:
        document |= {"source": request.data, "source_b": request.data_b or ""}
    if request.size is not None:
        document["size"] = list(request.size)
    overrides = [setting.removeprefix("data.") for setting in request.settings if setting.startswith("data.")]
    data_config: DataConfig = config.from_json(
        DataConfig, config.apply_overrides(document, overrides), TYPE_TABLES, "data"
    )
    return resolve_pairing(data_config, _recipe_name(request, source))


def _recipe_name(request: Request, source: Pretrained | None = None) -> str:
    default = "auto" if source is None else source.recipe
    return request.recipe or str(request.document.get("recipe", default))


def resolve_experiment(
    request: Request,
    dataset: Dataset,
    runtime: Runtime,
    images: int | None = None,
    source: Pretrained | None = None,
) -> Experiment:
    """The complete experiment of a request: the recipe, then the config file, the flags, and single settings on top.

    Arguments:
        dataset: as opened; it decides on the recipe and the shape of the networks.
        images: length of the run, where the request gives none.
        source: the model whose weights the run begins with; its settings come in place of the recipe's (see `fine_tuned`).

    Raises:
        ConfigError: an unknown setting or a value out of range; more samples held out than there are; or a batch that
            the processes can't share.
    """
    length = request.images if request.images is not None else images
    facts = Facts(
        spec=dataset.spec,
        count=dataset.epoch_size,
        images=length,
        has_accelerator=runtime.device.type != "cpu",
        mirror_test=cache(lambda: run_mirror_test(dataset)),
    )
    recipe = RECIPES[resolve_recipe(dataset, _recipe_name(request, source))]
    if source is None:
        experiment = recipe(facts)
    else:
        is_chosen = request.recipe is not None or "recipe" in request.document
        experiment = fine_tuned(recipe, facts, source, is_chosen=is_chosen)
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
    """The metric and target of `--until`; where the recipe's metric was removed, its interval goes too."""
    target, training = request._parse_until()[1], document["training"]
    overridden = [setting.removeprefix("training.").partition("=")[0] for setting in request.settings]
    explicit = {*request.document.get("training", {}), *overridden}
    if target is None:
        return {"evaluate_every": 0} if not training["metric"] and "evaluate_every" not in explicit else {}
    counts = held_out_counts(dataset, int(document["data"].get("held_out") or 0))
    name = target.resolve(training.get("metric", ""), "metric" in explicit, dataset.spec.shape, counts)
    return {"metric": name, "target": target.target}


def check_batch_divides(experiment: Experiment, runtime: Runtime) -> None:
    """Raises ConfigError if the batch can't be shared evenly by the processes."""
    batch, world = experiment.training.batch, runtime.world_size
    if batch % world:
        raise ConfigError(
            f"a batch of {batch} for {world} processes",
            "a multiple",
            "change --batch or the number of processes",
        )


def read_config_file(path: Path) -> dict[str, Any]:
    """The settings in a YAML or JSON file: an experiment, a part of one, or a whole `run.json`.

    Raises:
        ConfigError: the file can't be read, or holds no mapping.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"--config {path}: {error}", "a YAML or JSON file", "fix the path or the file"
        ) from error
    if not isinstance(document, dict):
        raise ConfigError(
            f"--config {path} holds no mapping", "names and values, as in run.json", "fix the file"
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

    Raises:
        ConfigError: the text is no size.
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
    """The run folder for requests without one: always the same for the same data and recipe.

    >>> str(default_run_folder(Request(data="photos/cats/", recipe="wgan")))
    'runs/cats-wgan'
    >>> str(default_run_folder(Request(data="horses/", data_b="zebras/", recipe="cyclegan")))
    'runs/horses-zebras-cyclegan'
    >>> str(default_run_folder(Request(data="dogs/", start_from="runs/cats-wgan")))
    'runs/dogs-from-cats-wgan'
    """
    data = request.document.get("data", {})
    source = request.data or str(data.get("source", DataConfig.source))
    source_b = request.data_b if request.data else data.get("source_b")
    names = [_slug(one) for one in (source, source_b) if one]
    if request.start_from is not None:
        path = Path(request.start_from)
        return Path("runs") / "-".join(
            [*names, "from", _slug(str(path.parent if path.suffix == ".safetensors" else path))]
        )
    return Path("runs") / "-".join([*names, _recipe_name(request)])


def _slug(source: str) -> str:
    name = Path(source).name or Path(source).resolve().name
    stem = re.sub(r"\.(zip|npz|npy|gz|csv)(?=$|:)", "", name)
    return re.sub(r"[^\w.]+", "-", stem).strip("-.") or "data"


def parse_data(data: Sequence[str]) -> tuple[str | None, str | None]:
    """The one DATA of the command line, or the two domains of a translation.

    >>> parse_data(["photos"]), parse_data(["horses", "zebras"])
    (('photos', None), ('horses', 'zebras'))

    Raises:
        ConfigError: more than two.
    """
    if len(data) > 2:
        raise ConfigError(
            f"{len(data)} DATA: {' '.join(data)}",
            "one folder, file or built-in name, two for a translation, or none for the built-in set",
            "put quotes round a name with blanks; write settings as --set path=value",
        )
    first, second = [*data, None, None][:2]
    return first, second
