"""Settings: frozen dataclasses to JSON and back, and changes from the command line.

A field whose type is a *role* (an objective, a penalty, a network) holds a dataclass out of that role's literal table, and
is written as `{"type": "hinge", ...}`. The tag is looked up in the table and nowhere else, so that no file names code.
"""

import dataclasses
import math
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from sparring.errors import ConfigError, nearest

Roles = Mapping[Any, Mapping[str, type]]  # from a field's annotation to the table of what may stand there
MISSING = dataclasses.MISSING


def encode(value: Any, roles: Roles) -> Any:
    """A setting as JSON: dataclasses become dicts, tagged with their `type` where a role's table has them."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        tag = _tag_of(type(value), roles)
        fields = {
            field.name: encode(getattr(value, field.name), roles) for field in dataclasses.fields(value)
        }
        return {"type": tag, **fields} if tag is not None else fields
    if isinstance(value, tuple | list):
        return [encode(item, roles) for item in value]
    if isinstance(value, Mapping):
        return {name: encode(item, roles) for name, item in value.items()}
    return value


def decode(annotation: Any, value: Any, roles: Roles, path: str = "") -> Any:
    """The setting of type `annotation` that `value` (JSON) describes.

    Raises:
        ConfigError: an unknown name, a wrong type or a value out of range, with the path to it.
    """
    if annotation in roles:
        return _decode_role(annotation, value, roles, path)
    if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
        return _decode_dataclass(annotation, value, roles, path)
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is tuple:
        return _decode_tuple(arguments, value, roles, path)
    if origin in (dict, Mapping):
        _expect(isinstance(value, dict), path, value, "a table of names and values")
        return {name: decode(arguments[1], item, roles, f"{path}.{name}") for name, item in value.items()}
    if origin in (typing.Union, types.UnionType):
        return _decode_union(arguments, value, roles, path)
    if origin is typing.Literal:
        _expect(value in arguments, path, value, f"one of {', '.join(map(repr, arguments))}")
        return value
    return _decode_plain(annotation, value, path)


def override(document: dict[str, Any], assignments: Sequence[str]) -> dict[str, Any]:
    """`document` (JSON) with changes of the form `a.b=3` made in it; the values are read as YAML.

    >>> override({"train": {"batch": 64}}, ["train.batch=32"])
    {'train': {'batch': 32}}

    Raises:
        ConfigError: not of the form `path=value`, or a path that is not there.
    """
    document = _copy(document)
    for assignment in assignments:
        path, equals, text = assignment.partition("=")
        if not equals or not path:
            raise ConfigError(
                f"--set {assignment}",
                "path=value, as in train.batch=32",
                "write the setting's path, '=' and its value",
            )
        *parents, last = path.split(".")
        place: Any = document
        for depth, name in enumerate(parents):
            place = _child(place, name, ".".join(parents[: depth + 1]))
        if isinstance(place, list):
            _child(place, last, path)
            place[int(last)] = _value(text, assignment)
        elif isinstance(place, dict):
            place[last] = _value(text, assignment)
        else:
            raise ConfigError(
                f"--set {assignment}: {'.'.join(parents)} is a plain value",
                "a group of settings",
                "name the setting itself",
            )
    return document


def _value(text: str, assignment: str) -> Any:
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(
            f"--set {assignment}: {str(error).splitlines()[0]}", "a value in YAML", "quote it, or mend it"
        ) from error


def _child(place: Any, name: str, path: str) -> Any:
    if isinstance(place, list) and name.isdigit() and int(name) < len(place):
        return place[int(name)]
    if isinstance(place, dict) and name in place:
        if place[name] is None:
            place[name] = {}
        return place[name]
    known = (
        list(place)
        if isinstance(place, dict)
        else [str(index) for index in range(len(place))]
        if isinstance(place, list)
        else []
    )
    raise ConfigError(f"no setting {path!r}", "a setting that exists", nearest(name, known))


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copy(item) for name, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def _tag_of(cls: type, roles: Roles) -> str | None:
    return next((tag for table in roles.values() for tag, member in table.items() if member is cls), None)


def _decode_role(role: Any, value: Any, roles: Roles, path: str) -> Any:
    table = roles[role]
    if isinstance(value, bool) or value is None:
        _expect(False, path, value, f"one of {', '.join(table)}")
    if float in typing.get_args(role) and (isinstance(value, int | float) or _is_number(value)):
        return _decode_plain(float, value, path)
    if isinstance(value, str):
        value = {"type": value}
    _expect(
        isinstance(value, dict) and "type" in value,
        path,
        value,
        f"a table with a 'type', one of {', '.join(table)}",
    )
    tag = value["type"]
    if not isinstance(tag, str) or tag not in table:
        raise ConfigError(
            f"{path}: unknown type {tag!r}", f"one of {', '.join(table)}", nearest(str(tag), list(table))
        )
    rest = {name: item for name, item in value.items() if name != "type"}
    return _decode_dataclass(table[tag], rest, roles, path)


def _decode_dataclass(cls: type, value: Any, roles: Roles, path: str) -> Any:
    _expect(isinstance(value, dict), path, value, "a table of settings")
    fields = {field.name: field for field in dataclasses.fields(cls)}
    for name in value:
        if name not in fields:
            raise ConfigError(
                f"unknown setting {_join(path, name)!r}",
                f"a setting of {cls.__name__}",
                nearest(str(name), list(fields)),
            )
    hints = typing.get_type_hints(cls)
    decoded = {name: decode(hints[name], item, roles, _join(path, name)) for name, item in value.items()}
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
            f"{path or cls.__name__}: {error}", "a value in range", "mend the setting"
        ) from error


def _decode_tuple(arguments: tuple[Any, ...], value: Any, roles: Roles, path: str) -> tuple[Any, ...]:
    _expect(isinstance(value, list | tuple), path, value, "a list")
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple(decode(arguments[0], item, roles, f"{path}.{index}") for index, item in enumerate(value))
    _expect(len(value) == len(arguments), path, value, f"a list of {len(arguments)} values")
    return tuple(
        decode(kind, item, roles, f"{path}.{index}")
        for index, (kind, item) in enumerate(zip(arguments, value, strict=True))
    )


def _decode_union(arguments: tuple[Any, ...], value: Any, roles: Roles, path: str) -> Any:
    if value is None and type(None) in arguments:
        return None
    members = [member for member in arguments if member is not type(None)]
    union = typing.Union[tuple(members)] if len(members) > 1 else members[0]  # noqa: UP007
    if union in roles or len(members) == 1:
        return decode(union, value, roles, path)
    errors: list[ConfigError] = []
    for member in members:
        try:
            return decode(member, value, roles, path)
        except ConfigError as error:
            errors.append(error)
    raise errors[-1]


def _decode_plain(annotation: Any, value: Any, path: str) -> Any:
    if (
        annotation is float
        and not isinstance(value, bool)
        and (isinstance(value, int | float) or _is_number(value))
    ):
        try:
            number = float(value)  # YAML reads 1e-4 as a string
        except OverflowError:
            number = math.inf
        _expect(math.isfinite(number), path, value, "a finite number")
        return number
    right = isinstance(value, annotation) and (annotation is bool or not isinstance(value, bool))
    _expect(
        right,
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


def _expect(right: bool, path: str, value: Any, expected: str) -> None:
    if not right:
        raise ConfigError(f"{path or 'settings'}: {value!r}", expected, f"change {path or 'it'}")


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else str(name)
