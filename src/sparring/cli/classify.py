"""`sparring classify`: its options, predicted classes, accuracy and confusion matrix."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sparring.cli.options import Device, Flag, InputSource, Json, RunPath

if TYPE_CHECKING:
    import numpy as np

    from sparring.cli.inputs import InputSamples

MAX_LINES = 20  # images and classes listed one by one
MAX_CLASSES = 20  # of a confusion matrix that is printed


@dataclass(frozen=True, kw_only=True)
class Classify:
    """Predict the classes of images; with a sub-folder for each class, also measure the accuracy.

    Args:
        run: The run folder of a classifier (logistic, acgan) or of a model with a likelihood for each class (naive_bayes,
            cvae), or its generator.safetensors.
        images: An image or a folder of images, with or without a sub-folder for each class; or an array file, zip or
            built-in name as for `sparring train`.
        json: Write the result as JSON to PATH; without PATH to standard output, and all else to standard error.
        device: Device: auto, cpu, cuda or mps.
        quiet: Print nothing but errors.
    """

    run: RunPath
    images: InputSource
    json: Json = None
    device: Device = "auto"
    quiet: Flag = False

    def __call__(self) -> int:
        return classify(self)


def classify(options: Classify) -> int:
    """Predict the class of each image, and the accuracy where the true classes are known."""
    from sparring.api import load
    from sparring.cli.inputs import load_inputs
    from sparring.cli.output import open_console, write_json
    from sparring.terminal.text import names_by_reason

    run = load(options.run, options.device)
    inputs = load_inputs(run, options.images)
    document = predictions_to_json(run.classes, inputs, run.classify(inputs.samples))
    write_json(document, options.json)
    with open_console(quiet=options.quiet, json=options.json) as console:
        console.print(*names_by_reason("skipped", inputs.skipped), *format_predictions(document))
    return 0


def predictions_to_json(
    classes: list[str], inputs: "InputSamples", probabilities: "np.ndarray"
) -> dict[str, Any]:
    """Predictions as plain JSON; with `accuracy` and `confusion` (rows: true class) where all labels are known.

    Arguments:
        classes: names of the run's classes.
        inputs: the samples, n of them.
        probabilities: (n, classes).
    """
    import numpy as np

    predicted = probabilities.argmax(1)
    rows = zip(inputs.names, predicted.tolist(), probabilities.max(1).tolist(), strict=True)
    document: dict[str, Any] = {
        "classes": classes,
        "images": [
            {"name": name, "class": classes[index], "probability": probability}
            for name, index, probability in rows
        ],
    }
    if inputs.labels is None:
        return document
    unknown = sorted(set(inputs.labels) - set(classes))
    if unknown:
        return document | {"unknown_classes": unknown}
    true = np.array([classes.index(label) for label in inputs.labels])
    confusion = np.zeros((len(classes), len(classes)), int)
    np.add.at(confusion, (true, predicted), 1)
    return document | {"accuracy": float((true == predicted).mean()), "confusion": confusion.tolist()}


def format_predictions(document: dict[str, Any]) -> list[str]:
    """Predictions as lines of text: the first images, the accuracy and the confusion matrix."""
    images = document["images"]
    lines = [f"{row['name']}  {row['class']}  {100 * row['probability']:.1f}%" for row in images[:MAX_LINES]]
    if len(images) > MAX_LINES:
        lines.append(f"... and {len(images) - MAX_LINES:,} more (--json has all)")
    if "unknown_classes" in document:
        unknown = ", ".join(document["unknown_classes"][:MAX_LINES])
        known = ", ".join(document["classes"][:MAX_LINES])
        lines.append(f"no accuracy: the folder has classes ({unknown}) that the run does not have ({known})")
    if "accuracy" in document:
        lines += ["", f"accuracy: {100 * document['accuracy']:.2f}% of {len(images):,}"]
        lines += format_confusion_matrix(document["classes"], document["confusion"])
    return lines


def format_confusion_matrix(classes: list[str], confusion: list[list[int]]) -> list[str]:
    """The confusion matrix as lines of text; none for more than `MAX_CLASSES` classes."""
    if len(classes) > MAX_CLASSES:
        return []
    longest = max(map(len, classes))
    digits = max(len(f"{count:,}") for row in confusion for count in row)
    width = max(digits, min(longest, 8)) + 1
    header = " " * longest + "".join(f"{name[:8]:>{width}}" for name in classes)
    rows = [
        f"{name:<{longest}}" + "".join(f"{count:>{width},}" for count in row)
        for name, row in zip(classes, confusion, strict=True)
    ]
    return ["rows: true class; columns: predicted class", header, *rows]
