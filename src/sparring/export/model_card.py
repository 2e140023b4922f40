"""The model card: README.md for the hub, with usage and evaluation results."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sparring.core.errors import SparringError
from sparring.core.version import __version__
from sparring.evaluation import result
from sparring.models.classifier import ClassifierModel, Model
from sparring.models.translator import A_TO_B, TranslatorModel
from sparring.recipes import RECIPE_DESCRIPTIONS
from sparring.runs import records
from sparring.runs.run_json import RUN_FILE, load_experiment

TRANSLATION_CAPTION = (
    "Each row: input, translation, and the real counterpart if there is one. All are from the training data."
)
CHANNEL_NAMES = {1: "grey", 3: "colour", 4: "colour with alpha"}
NO_LICENSE_TEXT = "**No license was given with `--license`: without one, nobody may use these weights.**"


def render_model_card(
    model: Model, metadata: Mapping[str, Any], source: Path, license: str, has_preview: bool = True
) -> str:
    """README.md, with the hub's front matter.

    Arguments:
        source: the run folder or generator file.
        license: of the weights, by the hub's identifier.
        has_preview: whether there is a `samples.png` beside the card.
    """
    recipe = str(metadata["recipe"])
    data = _dataset_name(source)
    lines = [
        "---",
        *_front_matter(model, recipe, license, data, _results(source)),
        "---",
        "",
        f"# {_escape(recipe)}",
        "",
    ]
    lines += [f"{_escape(RECIPE_DESCRIPTIONS.get(recipe, recipe)).capitalize()}.", ""]
    lines += [f"{_describe_samples(model)} Trained on {int(metadata['images']):,} real samples in total."]
    lines += [f"Data: `{_escape(data)}`." if data else "", ""]
    lines += [] if license else [NO_LICENSE_TEXT, ""]
    lines += ["![samples](samples.png)", ""] if has_preview else []
    lines += [TRANSLATION_CAPTION, ""] if has_preview and isinstance(model, TranslatorModel) else []
    lines += ["## Use", "", "```python", "import sparring", "", *_usage_snippet(model), "```", ""]
    rows = [f"| {_escape(name)} | {value:.4g} |" for name, value in _results(source).items()]
    head = ["## Results", "", "| protocol | value |", "|---|---:|"]
    tail = [
        "",
        "A protocol's name gives the metric, the number of real and of generated samples, the features, and the part of the data.",
        "",
    ]
    lines += [*head, *rows, *tail] if rows else []
    return "\n".join([*lines, f"Written by Sparring {__version__}.", ""])


def _front_matter(model: Model, recipe: str, license: str, data: str, results: dict[str, float]) -> list[str]:
    kind = _pipeline_tag(model)
    lines = ["library_name: sparring", f"license: {json.dumps(license or 'unknown')}"]
    lines += [f"pipeline_tag: {kind}"] if model.spec.is_image else []
    lines += ["tags:", "- sparring", "- gan", f"- {json.dumps(recipe)}"]
    lines += ["datasets:", f"- {json.dumps(data)}"] if data else []
    if results:
        task = [
            f"  - task: {{type: {kind}}}",
            f"    dataset: {{type: {json.dumps(data)}, name: {json.dumps(data)}}}",
        ]
        metrics = [f"    - {{type: {json.dumps(name)}, value: {value!r}}}" for name, value in results.items()]
        lines += [
            "model-index:",
            f"- name: {json.dumps(recipe)}",
            "  results:",
            *task,
            "    metrics:",
            *metrics,
        ]
    return lines


def _results(source: Path) -> dict[str, float]:
    """The last finite value of each protocol, from validation during training and from `sparring evaluate`."""
    if not source.is_dir():
        return {}
    values = {str(row["protocol"]): float(row["value"]) for row in records.read_evaluations(source)}
    values |= {line.name: line.value for line in result.read_results(source)}
    return {name: value for name, value in values.items() if math.isfinite(value)}


def _dataset_name(source: Path) -> str:
    """The name of the data, without its folders, which a card should not reveal."""
    if not (source / RUN_FILE).is_file():
        return ""
    try:
        return Path(load_experiment(source / RUN_FILE)[0].data.source).name or "built-in"
    except SparringError:
        return ""


def _pipeline_tag(model: Model) -> str:
    """The hub's task; it has none for points."""
    if isinstance(model, TranslatorModel):
        return "image-to-image"
    if isinstance(model, ClassifierModel):
        return "image-classification"
    return "unconditional-image-generation" if model.spec.is_image else "other"


def _describe_samples(model: Model) -> str:
    shape = model.spec.shape
    if not model.spec.is_image:
        return f"Samples are points of {shape[0]} coordinates."
    size = f"images of {shape[2]} x {shape[1]} pixels"
    if isinstance(model, TranslatorModel):
        colours = " to ".join(CHANNEL_NAMES.get(model.ends(A_TO_B)[side][0], "other") for side in (0, 1))
        return f"Translates {size}, {colours}."
    return f"Classifies {size}." if isinstance(model, ClassifierModel) else f"Samples are {size}."


def _usage_snippet(model: Model) -> list[str]:
    if isinstance(model, TranslatorModel):
        lines = [
            'run = sparring.load("hf://USER/NAME")  # or this folder',
            "translated = run.translate(image)",
        ]
        return [
            *lines,
            "# image: uint8 (h, w, c); for files: sparring translate hf://USER/NAME IMAGES --out FOLDER",
        ]
    if isinstance(model, ClassifierModel):
        return ['run = sparring.load("hf://USER/NAME")', "probabilities = run.classify(images)"]
    label = ", labels=0" if model.spec.num_classes else ""
    return [
        'run = sparring.load("hf://USER/NAME")  # or this folder',
        f"images = run.sample(16, seed=0{label})",
    ]


def _escape(text: str) -> str:
    return "".join(character for character in text if character.isprintable() and character not in "`<>|")[
        :200
    ]
