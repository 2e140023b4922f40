"""Train a run longer than it was begun for: which requests do so, and what becomes of its settings.

Only the length changes, and what depends on it: `training.total_images`, the intervals that are fractions of the
length, and every schedule in the optimizers and the game, which is stretched in proportion. A run of 400,000 images
that goes on to 800,000 continues, at image 400,000, as a run of 800,000 images does at its half: a learning rate that
had fallen to 0 is up again, and falls to 0 at the new end. Networks, losses, data, seed and averages stay as they are.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sparring.core.errors import ConfigError
from sparring.core.schedule import SCHEDULES, value_at
from sparring.experiment import Experiment, TrainingConfig
from sparring.protocols.until import MetricTarget, parse_until
from sparring.runs.request import Request
from sparring.runs.upgrade import FORMAT

POSITIONS = ("delay", "duration", "warmup")  # of a schedule, in images


@dataclass(frozen=True, kw_only=True)
class Extension:
    """How a request makes a run longer.

    Arguments:
        total_images: the new length; None where `seconds` decide.
        seconds: of training to add; 0 where `total_images` decides.
        until: the request's `--until`, which the new length comes from; None where it comes from `--images`.
    """

    total_images: int | None = None
    seconds: float = 0.0
    until: str | None = None


def find_extension(request: Request, run_json: Mapping[str, Any], out: Path) -> Extension | None:
    """How a request makes the run in `out` longer; None if it asks for the run as it is.

    More `--images` than the run has is a new length. A longer time in `--until` adds the difference, where the length was
    chosen by a time; of a run with a length in images a time only ends the call. Times and lengths are those of the whole run.

    Raises:
        ConfigError: a shorter length or time, or the request is one for another run.
    """
    _check_same_request(request, run_json, out)
    total: int = run_json["experiment"]["training"]["total_images"]
    images_before, until_before = _length_request(run_json)
    if request.images is not None:
        if request.images < total:
            raise _refuse(f"--images {request.images} for the run in {out}, which is {total} images long")
        return Extension(total_images=request.images) if request.images > total else None
    seconds, seconds_before = request.time_limit(), _parse(until_before)[0]
    if seconds is None or seconds_before is None or images_before is not None or seconds == seconds_before:
        return None
    if seconds < seconds_before:
        raise _refuse(f"--until {request.until} for the run in {out}, which was begun with {until_before!r}")
    return Extension(seconds=seconds - seconds_before, until=request.until)


def _check_same_request(request: Request, run_json: Mapping[str, Any], out: Path) -> None:
    if run_json["format"] < FORMAT:
        raise ConfigError(
            f"{out} holds a run of an earlier version (format {run_json['format']})",
            f"a run of format {FORMAT}, to train it further",
            "choose another --out for a new run; sample, translate, evaluate and report still read this one",
        )
    changes = request.changes_from(run_json["request"])
    until_before = run_json["request"].get("until")
    if _parse(request.until)[1] not in (None, _parse(until_before)[1]):
        changes.append(f"until {request.until!r} (it was begun with {until_before!r})")
    if changes:
        raise ConfigError(
            f"{out} holds a run with other options: {'; '.join(changes)}",
            "the options of that run",
            "give the same options (or only --out) to resume it, or choose another --out for a new run",
        )


def _parse(until: str | None) -> tuple[float | None, MetricTarget | None]:
    return parse_until(until) if until else (None, None)


def has_length_in_images(run_json: Mapping[str, Any]) -> bool:
    """Whether no time chose the run's length, so that a time in `--until` only ends a call."""
    images, until = _length_request(run_json)
    return images is not None or _parse(until)[0] is None


def _length_request(run_json: Mapping[str, Any]) -> tuple[int | None, str | None]:
    """The `--images` and `--until` that the run's present length comes from."""
    images, until = run_json["request"].get("images"), run_json["request"].get("until")
    for entry in run_json.get("continued", ()):
        images, until = (entry["total_images"], until) if entry["until"] is None else (None, entry["until"])
    return images, until


def _refuse(got: str) -> ConfigError:
    return ConfigError(
        got,
        "at least the length that it has: what was trained can't be taken back",
        "give only --out to resume it, more --images or a longer --until to train it longer, or choose another --out for a "
        "new run",
    )


def extend(experiment: Experiment, total_images: int) -> Experiment:
    """The experiment with a new length: intervals and schedules stretched, all else as it is.

    Arguments:
        total_images: the new length, in images.

    Raises:
        ConfigError: a length below 1.
    """
    before = experiment.training.total_images
    document = experiment.to_json()
    for part in ("optimizers", "game"):
        document[part] = _stretch(document[part], total_images, before)
    extended = Experiment.from_json(document)
    return replace(extended, training=_extend_training(experiment.training, total_images))


def _extend_training(training: TrainingConfig, total_images: int) -> TrainingConfig:
    """The new length, with intervals that are fractions of it where they were fractions of the old one."""
    training = training.resolve()
    defaults = replace(training, report_every=0, sample_every=0, save_every=0).resolve()
    names = ("report_every", "sample_every", "save_every")
    unset: dict[str, Any] = {n: 0 for n in names if getattr(training, n) == getattr(defaults, n)}
    extended = replace(training, total_images=total_images, **unset).resolve()
    if training.evaluate_every % training.sample_every == 0:  # evaluated with the previews
        return replace(extended, evaluate_every=_at_least(training.evaluate_every, extended))
    return extended


def _at_least(evaluate_every: int, training: TrainingConfig) -> int:
    return max(evaluate_every, training.sample_every) if evaluate_every else 0


def _stretch(value: Any, total: int, before: int) -> Any:
    """JSON settings in which every schedule takes place over `total / before` times as many images."""
    if isinstance(value, list):
        return [_stretch(item, total, before) for item in value]
    if not isinstance(value, dict):
        return value
    if not _is_schedule(value):
        return {name: _stretch(item, total, before) for name, item in value.items()}
    positions = {name: round(value[name] * total / before) for name in POSITIONS if name in value}
    end = round((value["delay"] + value["duration"]) * total / before)
    return value | positions | {"duration": max(1, end - positions["delay"])}


def _is_schedule(value: Any) -> bool:
    return isinstance(value, dict) and value.get("type") in SCHEDULES and "duration" in value


def schedule_changes(before: Experiment, after: Experiment, images: int) -> dict[str, list[float]]:
    """The values [before, after] of the settings whose schedule has another value at this image, by path."""
    documents = [
        {"optimizers": e["optimizers"], "game": e["game"]} for e in (before.to_json(), after.to_json())
    ]
    old, new = (dict(_schedule_values(document, "", images)) for document in documents)
    return {path: [old[path], value] for path, value in new.items() if old.get(path, value) != value}


def _schedule_values(value: Any, path: str, images: int) -> Iterator[tuple[str, float]]:
    if isinstance(value, list):
        value = {str(index): item for index, item in enumerate(value)}
    if not isinstance(value, dict):
        return
    if _is_schedule(value):
        arguments = {name: item for name, item in value.items() if name != "type"}
        yield path, value_at(SCHEDULES[value["type"]](**arguments), images)
        return
    for name, item in value.items():
        yield from _schedule_values(item, f"{path}.{name}" if path else name, images)
