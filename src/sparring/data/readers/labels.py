"""Labels of a folder or zip: from dataset.json, labels.csv or sub-folders."""

import csv
import io
import json
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from sparring.core.errors import DataError, did_you_mean
from sparring.data.readers.container import canonical_name

CSV_HEADERS = frozenset(("file", "filename", "file_name", "image", "path", "name", "id"))
SPLIT_FOLDER = re.compile(r"(train|val|valid|validation|test|eval)[AB]?")
SHARD_FOLDER = re.compile(r"\d{5}")  # StyleGAN's zips keep images in 00000/, 00001/ ...: those are no classes


def common_root(names: Sequence[str]) -> str:
    """The innermost folder, with a '/' at the end, that holds all files and at least one more folder level; else "".

    >>> common_root(["set/cats/1.png", "set/dogs/2.png"]), common_root(["cats/1.png", "cats/2.png"])
    ('set/', '')
    """
    root = ""
    while names:
        first = {name[len(root) :].partition("/")[0] for name in names}
        below = [name[len(root) :].count("/") for name in names]
        if len(first) != 1 or min(below) < 2:
            break
        root += first.pop() + "/"
    return root


def find_labels(names: Sequence[str], label_files: dict[str, bytes]) -> tuple[list[str | None] | None, str]:
    """The label of each name (None for those without), or None for data without labels; and the reason as a sentence.

    The first of these that is there: `dataset.json` (StyleGAN's; pairs or an object; null means no labels), `labels.csv`
    (file and label, with or without a header), sub-folders below the common root, if every image is in one and there are
    several. Folders of five digits are shards, and train, val, test are splits, not classes.

    Arguments:
        names: of the images, relative to the root.
        label_files: content of the label files by path.

    Raises:
        DataError: a label file can't be parsed.
    """
    for kind, parse in (("dataset.json", _json_labels), ("labels.csv", _csv_labels)):
        for path in sorted((path for path in label_files if path.rpartition("/")[2] == kind), key=len):
            table = parse(label_files[path], path)
            base = path[: -len(kind)]
            if table is None:
                return None, f"no labels: {path} says so"
            return [
                table.get(name[len(base) :] if name.startswith(base) else name) for name in names
            ], f"labels from {path}"
    root = common_root(names)
    folders = [name[len(root) :].partition("/")[0] if "/" in name[len(root) :] else None for name in names]
    kinds = set(folders)
    if None in kinds:
        outside = sum(folder is None for folder in folders)
        return None, "no labels: no sub-folders" if len(
            kinds
        ) == 1 else f"no labels: {outside} images are in no sub-folder"
    if all(SHARD_FOLDER.fullmatch(folder or "") for folder in kinds):
        return None, "no labels: the sub-folders are shards"
    if all(SPLIT_FOLDER.fullmatch(folder or "") for folder in kinds):
        return None, "no labels: the sub-folders are splits, not classes"
    if len(kinds) == 1:
        return None, "no labels: a single sub-folder"
    return folders, "labels from sub-folders"


def _json_labels(data: bytes, path: str) -> dict[str, str] | None:
    try:
        document = json.loads(data)
        labels = document["labels"] if isinstance(document, dict) else document
        if labels is None:
            return None
        pairs = labels.items() if isinstance(labels, dict) else labels
        return {canonical_name(name): _label_text(value) for name, value in pairs}
    except (ValueError, TypeError, KeyError, RecursionError, AttributeError) as error:
        expected = '{"labels": [["00000/img00000000.png", 6], ...]} or {"labels": null}'
        raise DataError(
            f"{path}: {type(error).__name__}: {error}", expected, "fix or remove the file"
        ) from error


def _label_text(value: Any) -> str:
    if isinstance(value, bool | list | dict) or value is None:
        raise ValueError(f"the label {value!r} is neither a number nor a string")
    return canonical_name(str(int(value) if isinstance(value, float) and value.is_integer() else value))


def _csv_labels(data: bytes, path: str) -> dict[str, str]:
    expected = "one line an image: its file name, a comma, its label"
    try:
        rows = [row for row in csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")) if row]
        if rows and rows[0][0].strip().lower() in CSV_HEADERS:
            rows = rows[1:]
        return {
            canonical_name(row[0].strip().removeprefix("./")): canonical_name(row[1].strip()) for row in rows
        }
    except (csv.Error, UnicodeDecodeError, IndexError) as error:
        raise DataError(f"{path}: {error}", expected, "fix or remove the file") from error


def encode_labels(labels: Sequence[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Class indices int64 (n,) and the sorted class names; names that are all numbers sort as numbers.

    >>> encode_labels(["10", "9", "10"])
    (array([1, 0, 1]), ('9', '10'))
    """
    names = set(labels)
    digits = all(name.isascii() and name.isdigit() for name in names)
    classes = tuple(sorted(names, key=(lambda name: (int(name), name)) if digits else None))
    index = {name: number for number, name in enumerate(classes)}
    return np.fromiter((index[label] for label in labels), np.int64, len(labels)), classes


def check_classes(keep_classes: Sequence[str], classes: Sequence[str], source: str) -> None:
    """Raises DataError where a class to keep is not in the data."""
    for name in keep_classes:
        if name not in classes:
            known = ", ".join(classes[:20]) or "no classes at all"
            raise DataError(
                f"{source}: no class {name!r}", f"one of {known}", did_you_mean(name, list(classes))
            )
