"""`sparring classify`: its options, predicted classes, accuracy and confusion matrix."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from tyro.conf import Positional, arg

from sparring.api import load
from sparring.cli.inputs import InputSamples, load_inputs
from sparring.cli.options import NO_DEFAULT_HINT, Device, Flag
from sparring.core import storage
from sparring.core.errors import SparringError
from sparring.terminal.console import Console
from sparring.terminal.text import names_by_reason, printable


@dataclass(frozen=True, kw_only=True)
class Classify:
    """Tell the classes of images, and how often that is right where a folder tells them.

    Args:
        run: The run folder of a classifier (logistic, acgan) or of a model with a likelihood for each class (naive_bayes,
            cvae), or its generator.safetensors.
        images: A image, or a folder of them, with a sub-folder for each class or without; or an array file, zip or
            built-in name as for `sparring train`.
        json: Write all that is found here.
        device: auto, cpu, cuda or mps.
        quiet: Print nothing but errors.
    """

    run: Annotated[Positional[Path], arg(metavar="RUN")]
    images: Annotated[Positional[str], arg(metavar="IMAGES")]
    json: Annotated[Path | None, arg(metavar="PATH", help_behavior_hint=NO_DEFAULT_HINT)] = None
    device: Device = "auto"
    quiet: Flag = False

    def __call__(self) -> int:

        return classify(self)


if TYPE_CHECKING:
    pass

MAX_LINES, MAX_CLASSES = 20, 20  # images that are told one by one; classes that a table is shown of


def classify(options: "Classify") -> int:
    """Tell the class of each image, and how often that is right where the classes are known."""
    run = load(options.run, options.device)
    found = load_inputs(run, options.images)
    probabilities = run.classify(found.samples)
    document = predictions_to_json(run.classes, found, probabilities)
    if options.json is not None:
        try:
            options.json.parent.mkdir(parents=True, exist_ok=True)
            storage.write_atomic(options.json, json.dumps(document, indent=1).encode())
        except OSError as error:
            got = f"--json {options.json}: {error}"
            raise SparringError(got, "a path that can be written to", "choose another --json") from error
    with Console.for_stdout(quiet=options.quiet) as console:
        console.print(
            *(printable(line) for line in names_by_reason("skipped", found.skipped)),
            *format_predictions(document),
        )
    return 0


def predictions_to_json(classes: list[str], found: InputSamples, probabilities: np.ndarray) -> dict[str, Any]:
    """What was found, as plain JSON.

    Arguments:
        classes: of the run.
        found: the images.
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


def format_predictions(document: dict[str, Any]) -> list[str]:
    """The same for people."""
    told = [
        f"{one['name']}  {one['class']}  {100 * one['probability']:.1f}%"
        for one in document["pictures"][:MAX_LINES]
    ]
    rest = len(document["pictures"]) - MAX_LINES
    told += [f"... and {rest:,} more (--json has all)"] if rest > 0 else []
    if "unknown" in document:
        named, known = ", ".join(document["unknown"][:MAX_LINES]), ", ".join(document["classes"][:MAX_LINES])
        told.append(f"no accuracy: the folder's classes {named} are not all among the run's ({known})")
    if "accuracy" in document:
        told += ["", f"right: {100 * document['accuracy']:.2f}% of {len(document['pictures']):,}"]
        told += format_confusion_matrix(document["classes"], document["confusion"])
    return told


def format_confusion_matrix(classes: list[str], confusion: list[list[int]]) -> list[str]:
    """The confusion matrix as lines; nothing for too many classes."""
    if len(classes) > MAX_CLASSES:
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
