"""The model card: README.md for the hub, with the results and how they were measured."""

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

NO_LICENSE_TEXT = "**No licence was given by `--license`: without one nobody may use these weights.**"


def render_model_card(
    model: Model, metadata: Mapping[str, Any], source: Path, license: str, has_preview: bool = True
) -> str:
    """README.md, with the hub's front matter.

    Arguments:
        pictured: a `samples.png` goes along.
    """
    recipe, card = str(metadata["recipe"]), model.card_lines()
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
    lines += [f"{card.description} Trained on {int(metadata['images']):,} real samples in all."]
    lines += [f"Data: `{_escape(data)}`." if data else "", ""]
    lines += [] if license else [NO_LICENSE_TEXT, ""]
    lines += ["![samples](samples.png)", ""] if has_preview else []
    lines += [card.caption, ""] if has_preview and card.caption else []
    lines += ["## Use", "", "```python", "import sparring", "", *card.usage, "```", ""]
    rows = [f"| {_escape(name)} | {value:.4g} |" for name, value in _results(source).items()]
    head = ["## Results", "", "| protocol | value |", "|---|---:|"]
    tail = ["", "A protocol's name tells metric, samples of each side, features, and part of the data.", ""]
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


def _results(source: Path) -> dict[str, float]:
    """The last value of each protocol, of what training measured and of `sparring evaluate`."""
    if not source.is_dir():
        return {}
    found = {str(row["protocol"]): float(row["value"]) for row in records.read_evaluations(source)}
    found |= {line.name: line.value for line in result.read_results(source)}
    return {name: value for name, value in found.items() if math.isfinite(value)}


def _dataset_name(source: Path) -> str:
    """The name of the data, without the folders in front of it: paths are nobody else's business."""
    if not (source / RUN_FILE).is_file():
        return ""
    try:
        return Path(load_experiment(source / RUN_FILE)[0].data.source).name or "built-in"
    except SparringError:
        return ""


def _escape(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable() and letter not in "`<>|")[:200]
