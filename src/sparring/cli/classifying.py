"""`sparring classify`."""

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from sparring import storage
from sparring.cli.given import Given, given
from sparring.console import Console
from sparring.errors import SparringError
from sparring.run import load
from sparring.wording import grouped, shown

if TYPE_CHECKING:
    from sparring.cli.relatives import Classify

LINES, COLUMNS = 20, 20  # pictures that are told one by one; classes that a table is shown of


def classify(options: "Classify") -> int:
    """Tell the class of each picture, and how often that is right where the classes are known."""
    run = load(options.run, options.device)
    found = given(run, options.images)
    probabilities = run.classify(found.samples)
    document = answer(run.classes, found, probabilities)
    if options.json is not None:
        try:
            options.json.parent.mkdir(parents=True, exist_ok=True)
            storage.write_whole(options.json, json.dumps(document, indent=1).encode())
        except OSError as error:
            got = f"--json {options.json}: {error}"
            raise SparringError(got, "a path that can be written to", "choose another --json") from error
    with Console.standard(quiet=options.quiet) as console:
        console.say(*(shown(line) for line in grouped("skipped", found.skipped)), *lines(document))
    return 0


def answer(classes: list[str], found: Given, probabilities: np.ndarray) -> dict[str, Any]:
    """What was found, as plain JSON.

    Arguments:
        classes: of the run.
        found: the pictures.
        probabilities: (n, classes).
    """
    taken = probabilities.argmax(1)
    each = zip(found.names, taken.tolist(), probabilities.max(1).tolist(), strict=True)
    document: dict[str, Any] = {
        "classes": classes,
        "pictures": [
            {"name": name, "class": classes[index], "probability": sure} for name, index, sure in each
        ],
    }
    if found.labels is None:
        return document
    unknown = sorted(set(found.labels) - set(classes))
    if unknown:
        return document | {"unknown": unknown}
    real = np.array([classes.index(label) for label in found.labels])
    confusion = np.zeros((len(classes), len(classes)), int)
    np.add.at(confusion, (real, taken), 1)
    return document | {"accuracy": float((real == taken).mean()), "confusion": confusion.tolist()}


def lines(document: dict[str, Any]) -> list[str]:
    """The same for people."""
    told = [
        f"{one['name']}  {one['class']}  {100 * one['probability']:.1f}%"
        for one in document["pictures"][:LINES]
    ]
    rest = len(document["pictures"]) - LINES
    told += [f"... and {rest:,} more (--json has all)"] if rest > 0 else []
    if "unknown" in document:
        named, known = ", ".join(document["unknown"][:LINES]), ", ".join(document["classes"][:LINES])
        told.append(f"no accuracy: the folder's classes {named} are not all among the run's ({known})")
    if "accuracy" in document:
        told += ["", f"right: {100 * document['accuracy']:.2f}% of {len(document['pictures']):,}"]
        told += table(document["classes"], document["confusion"])
    return told


def table(classes: list[str], confusion: list[list[int]]) -> list[str]:
    """The confusion matrix as lines; nothing for too many classes."""
    if len(classes) > COLUMNS:
        return []
    width = max(len(f"{number:,}") for row in confusion for number in row) + 1
    longest = max(map(len, classes))
    width = max(width, min(longest, 8) + 1)
    head = " " * longest + "".join(f"{name[:8]:>{width}}" for name in classes)
    rows = [
        f"{name:<{longest}}" + "".join(f"{number:>{width},}" for number in row)
        for name, row in zip(classes, confusion, strict=True)
    ]
    return ["rows: what they are; columns: what they are taken for", head, *rows]
