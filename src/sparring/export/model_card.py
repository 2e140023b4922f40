"""The model card: README.md for the hub, with usage and evaluation results."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sparring.core.errors import SparringError
from sparring.core.version import __version__
from sparring.evaluation import result
from sparring.models.model import Model
from sparring.recipes import RECIPE_DESCRIPTIONS
from sparring.runs import records
from sparring.runs.run_json import RUN_FILE, load_experiment

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
    recipe, card = str(metadata["recipe"]), model.card_lines()
    data = _dataset_name(source)
    results = _results(source, int(metadata["images"]))
    lines = [
        "---",
        *_front_matter(model, recipe, license, data, results),
        "---",
        "",
        f"# {_escape(recipe)}",
        "",
    ]
    lines += [f"{_escape(RECIPE_DESCRIPTIONS.get(recipe, recipe)).capitalize()}.", ""]
    lines += [f"{card.description} Trained on {int(metadata['images']):,} real samples in total."]
    lines += [f"Data: `{_escape(data)}`." if data else "", ""]
    lines += [] if license else [NO_LICENSE_TEXT, ""]
    lines += ["![samples](samples.png)", ""] if has_preview else []
    lines += [card.caption, ""] if has_preview and card.caption else []
    lines += ["## Use", "", "```python", "import sparring", "", *card.usage, "```", ""]
    rows = [f"| {_escape(name)} | {value:.4g} |" for name, value in results.items()]
    head = ["## Results", "", "| protocol | value |", "|---|---:|"]
    tail = [
        "",
        "A protocol's name gives the metric, the number of real and of generated samples, the features, and the part of the data.",
        "",
    ]
    lines += [*head, *rows, *tail] if rows else []
    return "\n".join([*lines, f"Written by Sparring {__version__}.", ""])


def _front_matter(model: Model, recipe: str, license: str, data: str, results: dict[str, float]) -> list[str]:
    kind = model.card_lines().pipeline_tag
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


def _results(source: Path, images: int) -> dict[str, float]:
    """The last finite value of each protocol, from validation during training and from `sparring evaluate`, for the model that
    had seen so many images, and no other checkpoint.
    """
    if not source.is_dir():
        return {}
    rows = [row for row in records.read_evaluations(source) if row["images"] == images]
    values = {str(row["protocol"]): float(row["value"]) for row in rows}
    lines = [line for line in result.read_results(source) if line.provenance.get("images") == images]
    values |= {line.name: line.value for line in lines}
    return {name: value for name, value in values.items() if math.isfinite(value)}


def _dataset_name(source: Path) -> str:
    """The name of the data, without its folders, which a card should not reveal."""
    if not (source / RUN_FILE).is_file():
        return ""
    try:
        return Path(load_experiment(source / RUN_FILE)[0].data.source).name or "built-in"
    except SparringError:
        return ""


def _escape(text: str) -> str:
    return "".join(character for character in text if character.isprintable() and character not in "`<>|")[
        :200
    ]
