"""The model card: what the hub's page shows, with the results and how they were measured."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sparring import __version__, record
from sparring.errors import SparringError
from sparring.evaluation import book
from sparring.games.classification import Classification, Kept
from sparring.games.translation import A_TO_B, Translation
from sparring.recipes import NAMES
from sparring.runfile import RUN_FILE, described

OF_THE_DATA = "Each: the picture, its translation, and the real one where there is one. They are pictures of the training's data."
COLOURS = {1: "grey", 3: "colour", 4: "colour with transparency"}
NO_LICENCE = "**No licence was given by `--license`: without one nobody may use these weights.**"


def card(kept: Kept, facts: Mapping[str, Any], source: Path, licence: str, pictured: bool = True) -> str:
    """README.md, with the hub's front matter.

    Arguments:
        pictured: a `samples.png` goes along.
    """
    recipe = str(facts["recipe"])
    data = _data(source)
    lines = [
        "---",
        *_front(kept, recipe, licence, data, _results(source)),
        "---",
        "",
        f"# {_plain(recipe)}",
        "",
    ]
    lines += [f"{_plain(NAMES.get(recipe, recipe)).capitalize()}.", ""]
    lines += [f"{_shape(kept)} Trained on {int(facts['images']):,} real samples in all."]
    lines += [f"Data: `{_plain(data)}`." if data else "", ""]
    lines += [] if licence else [NO_LICENCE, ""]
    lines += ["![samples](samples.png)", ""] if pictured else []
    lines += [OF_THE_DATA, ""] if pictured and isinstance(kept, Translation) else []
    lines += ["## Use", "", "```python", "import sparring", "", *_use(kept), "```", ""]
    rows = [f"| {_plain(name)} | {value:.4g} |" for name, value in _results(source).items()]
    head = ["## Results", "", "| protocol | value |", "|---|---:|"]
    tail = ["", "A protocol's name tells metric, samples of each side, features, and part of the data.", ""]
    lines += [*head, *rows, *tail] if rows else []
    return "\n".join([*lines, f"Written by Sparring {__version__}.", ""])


def _front(kept: Kept, recipe: str, licence: str, data: str, results: dict[str, float]) -> list[str]:
    kind = _kind(kept)
    lines = ["library_name: sparring", f"license: {json.dumps(licence or 'unknown')}"]
    lines += [f"pipeline_tag: {kind}"] if kept.spec.is_image else []
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
    found = {str(row["protocol"]): float(row["value"]) for row in record.evaluations(source)}
    found |= {line.name: line.value for line in book.lines(source)}
    return {name: value for name, value in found.items() if math.isfinite(value)}


def _data(source: Path) -> str:
    """The name of the data, without the folders in front of it: paths are nobody else's business."""
    if not (source / RUN_FILE).is_file():
        return ""
    try:
        return Path(described(source / RUN_FILE)[0].data.source).name or "built-in"
    except SparringError:
        return ""


def _kind(kept: Kept) -> str:
    """What the hub calls it; it has no word for points."""
    if isinstance(kept, Translation):
        return "image-to-image"
    if isinstance(kept, Classification):
        return "image-classification"
    return "unconditional-image-generation" if kept.spec.is_image else "other"


def _shape(kept: Kept) -> str:
    shape = kept.spec.shape
    if not kept.spec.is_image:
        return f"Samples are points of {shape[0]} coordinates."
    size = f"pictures of {shape[2]} x {shape[1]} pixels"
    if isinstance(kept, Translation):
        colours = " to ".join(COLOURS.get(kept.ends(A_TO_B)[side][0], "other") for side in (0, 1))
        return f"Translates {size}, {colours}."
    return f"Tells {size} apart." if isinstance(kept, Classification) else f"Samples are {size}."


def _use(kept: Kept) -> list[str]:
    if isinstance(kept, Translation):
        lines = [
            'run = sparring.load("hf://USER/NAME")  # or this folder',
            "translated = run.translate(picture)",
        ]
        return [
            *lines,
            "# picture: uint8 (h, w, c); of files: sparring translate hf://USER/NAME PICTURES --out FOLDER",
        ]
    if isinstance(kept, Classification):
        return ['run = sparring.load("hf://USER/NAME")', "probabilities = run.classify(pictures)"]
    label = ", labels=0" if kept.spec.classes else ""
    return [
        'run = sparring.load("hf://USER/NAME")  # or this folder',
        f"pictures = run.sample(16, seed=0{label})",
    ]


def _plain(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable() and letter not in "`<>|")[:200]
