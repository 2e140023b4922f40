"""Configuration: frozen dataclasses to JSON and back, and overrides of the form `path=value`.

A field whose annotation is a key of the type tables (an objective, a penalty, a network) holds a dataclass of
that table and is written as `{"type": "hinge", ...}`. Tags are looked up in the table and nowhere else, so no
file can name code.
"""

import dataclasses
import math
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from sparring.core.errors import ConfigError, did_you_mean

TypeTables = Mapping[Any, Mapping[str, type]]  # from the annotation of a field to its classes by tag
MISSING = dataclasses.MISSING


def to_json(value: Any, tables: TypeTables) -> Any:
    """A setting as plain JSON values; a dataclass becomes an object, with a `type` if it is in one of the tables.

    >>> from sparring.core.schedule import SCHEDULES, LinearSchedule, Schedule
    >>> to_json(LinearSchedule(start=1.0, end=0.0, duration=10), {Schedule: SCHEDULES})
    {'type': 'linear', 'start': 1.0, 'end': 0.0, 'duration': 10, 'delay': 0}
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        tag = _tag_of(type(value), tables)
        fields = {
            field.name: to_json(getattr(value, field.name), tables) for field in dataclasses.fields(value)
        }
        return {"type": tag, **fields} if tag is not None else fields
    if isinstance(value, tuple | list):
        return [to_json(item, tables) for item in value]
    if isinstance(value, Mapping):
        return {name: to_json(item, tables) for name, item in value.items()}
    return value


def from_json(annotation: Any, value: Any, tables: TypeTables, path: str = "") -> Any:
    """Decode a setting of type `annotation` from JSON values: the inverse of `to_json`.

    Arguments:
        annotation: a type, as it stands in a dataclass.
        value: from `json` or YAML.
        tables: the classes by annotation and tag.
        path: of the setting, for errors.

    Raises:
        ConfigError: an unknown name, a wrong type or a value out of range; it names the path.
    """
    if annotation in tables:
        return _tagged_from_json(annotation, value, tables, path)
    if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
        return _dataclass_from_json(annotation, value, tables, path)
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is tuple:
        return _tuple_from_json(arguments, value, tables, path)
    if origin in (dict, Mapping):
        _require(isinstance(value, dict), path, value, "an object of names and values")
        return {name: from_json(arguments[1], item, tables, f"{path}.{name}") for name, item in value.items()}
    if origin in (typing.Union, types.UnionType):
        return _union_from_json(arguments, value, tables, path)
    if origin is typing.Literal:
        _require(value in arguments, path, value, f"one of {', '.join(map(repr, arguments))}")
        return value
    return _plain_from_json(annotation, value, path)


def apply_overrides(document: dict[str, Any], assignments: Sequence[str]) -> dict[str, Any]:
    """A copy of `document` (JSON) with assignments of the form `a.b=3` applied; the values are read as YAML.

    >>> apply_overrides({"train": {"batch": 64}}, ["train.batch=32"])
    {'train': {'batch': 32}}

    Raises:
        ConfigError: not of the form `path=value`, or no setting of this path.
    """
    document = _deep_copy(document)
    for assignment in assignments:
        path, equals, text = assignment.partition("=")
        if not equals or not path:
            raise ConfigError(
                f"--set {assignment}",
                "path=value, as in train.batch=32",
                "write the setting's path, '=' and its value",
            )
        *parents, last = path.split(".")
        parent: Any = document
        for depth, name in enumerate(parents):
            parent = _get_child(parent, name, ".".join(parents[: depth + 1]))
        if isinstance(parent, list):
            _get_child(parent, last, path)
            parent[int(last)] = _parse_yaml(text, assignment)
        elif isinstance(parent, dict):
            parent[last] = _parse_yaml(text, assignment)
        else:
            raise ConfigError(
                f"--set {assignment}: {'.'.join(parents)} is a plain value",
                "a group of settings",
                "name the setting itself",
            )
    return document


def _parse_yaml(text: str, assignment: str) -> Any:
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(
            f"--set {assignment}: {str(error).splitlines()[0]}", "a value in YAML", "quote it, or fix it"
        ) from error


def _get_child(parent: Any, name: str, path: str) -> Any:
    if isinstance(parent, list) and name.isdigit() and int(name) < len(parent):
        return parent[int(name)]
    if isinstance(parent, dict) and name in parent:
        if parent[name] is None:
            parent[name] = {}
        return parent[name]
    known: list[str] = []
    if isinstance(parent, dict | list):
        known = list(parent) if isinstance(parent, dict) else [str(index) for index in range(len(parent))]
    raise ConfigError(f"no setting {path!r}", "a setting that exists", did_you_mean(name, known))


def _deep_copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _deep_copy(item) for name, item in value.items()}
    return [_deep_copy(item) for item in value] if isinstance(value, list) else value


def _tag_of(cls: type, tables: TypeTables) -> str | None:
    return next((tag for table in tables.values() for tag, member in table.items() if member is cls), None)


def _tagged_from_json(annotation: Any, value: Any, tables: TypeTables, path: str) -> Any:
    table = tables[annotation]
    if isinstance(value, bool) or value is None:
        _require(False, path, value, f"one of {', '.join(table)}")
    if float in typing.get_args(annotation) and (isinstance(value, int | float) or _is_number(value)):
        return _plain_from_json(float, value, path)
    if isinstance(value, str):
        value = {"type": value}
    _require(
        isinstance(value, dict) and "type" in value,
        path,
        value,
        f"an object with a 'type', one of {', '.join(table)}",
    )
    tag = value["type"]
    if not isinstance(tag, str) or tag not in table:
        raise ConfigError(
            f"{path}: unknown type {tag!r}", f"one of {', '.join(table)}", did_you_mean(str(tag), list(table))
        )
    rest = {name: item for name, item in value.items() if name != "type"}
    return _dataclass_from_json(table[tag], rest, tables, path)


def _dataclass_from_json(cls: type, value: Any, tables: TypeTables, path: str) -> Any:
    _require(isinstance(value, dict), path, value, "an object of settings")
    fields = {field.name: field for field in dataclasses.fields(cls)}
    for name in value:
        if name not in fields:
            raise ConfigError(
                f"unknown setting {_join(path, name)!r}",
                f"a setting of {cls.__name__}",
                did_you_mean(str(name), list(fields)),
            )
    hints = typing.get_type_hints(cls)
    decoded = {name: from_json(hints[name], item, tables, _join(path, name)) for name, item in value.items()}
    missing = [
        n
        for n, f in fields.items()
        if n not in decoded and f.default is MISSING and f.default_factory is MISSING
    ]
    if missing:
        raise ConfigError(
            f"{path or cls.__name__}: {', '.join(missing)} missing",
            "every setting without a default",
            "add it",
        )
    try:
        return cls(**decoded)
    except ConfigError:
        raise
    except ValueError as error:
        raise ConfigError(
            f"{path or cls.__name__}: {error}", "a value in range", "fix the setting"
        ) from error


def _tuple_from_json(
    arguments: tuple[Any, ...], value: Any, tables: TypeTables, path: str
) -> tuple[Any, ...]:
    _require(isinstance(value, list | tuple), path, value, "a list")
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple(
            from_json(arguments[0], item, tables, f"{path}.{index}") for index, item in enumerate(value)
        )
    _require(len(value) == len(arguments), path, value, f"a list of {len(arguments)} values")
    return tuple(
        from_json(kind, item, tables, f"{path}.{index}")
        for index, (kind, item) in enumerate(zip(arguments, value, strict=True))
    )


def _union_from_json(arguments: tuple[Any, ...], value: Any, tables: TypeTables, path: str) -> Any:
    if value is None and type(None) in arguments:
        return None
    members = [member for member in arguments if member is not type(None)]
    union = typing.Union[tuple(members)] if len(members) > 1 else members[0]  # noqa: UP007
    if union in tables or len(members) == 1:
        return from_json(union, value, tables, path)
    errors: list[ConfigError] = []
    for member in members:
        try:
            return from_json(member, value, tables, path)
        except ConfigError as error:
            errors.append(error)
    raise errors[-1]


def _plain_from_json(annotation: Any, value: Any, path: str) -> Any:
    if (
        annotation is float
        and not isinstance(value, bool)
        and (isinstance(value, int | float) or _is_number(value))
    ):
        try:
            number = float(value)  # YAML reads 1e-4 as a string
        except OverflowError:
            number = math.inf
        _require(math.isfinite(number), path, value, "a finite number")
        return number
    _require(
        isinstance(value, annotation) and (annotation is bool or not isinstance(value, bool)),
        path,
        value,
        {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}.get(
            annotation, str(annotation)
        ),
    )
    return value


def _is_number(value: Any) -> bool:
    try:
        return isinstance(value, str) and math.isfinite(float(value))
    except ValueError:
        return False


def _require(condition: bool, path: str, value: Any, expected: str) -> None:
    if not condition:
        raise ConfigError(f"{path or 'settings'}: {value!r}", expected, f"change {path or 'it'}")


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else str(name)
