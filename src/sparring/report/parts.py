"""The sections of the report. What is read from a file is not trusted to be there, right or harmless."""

import json
import shlex
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from sparring import storage
from sparring.report import pictures
from sparring.report.page import cards, rows
from sparring.report.values import dig, number, text
from sparring.wording import clock, compact

SAMPLES = 20
EVENTS = 100


def headline(document: Mapping[str, Any], metrics: Sequence[Mapping[str, Any]], images: int) -> str:
    """What is behind the title: the state of the run, what it plays on what, and key figures."""
    experiment = dig(document, "experiment")
    total = dig(experiment, "training").get("images", 0)
    done = isinstance(total, int) and images >= total > 0
    chip = "finished" if done else f"at image {images:,} of {text(total)}"
    latest = metrics[-1] if metrics else {}
    figures = [("images seen", f"{images:,}")]
    if number(latest.get("seconds")):
        figures.append(("time spent", clock(latest["seconds"])))
    if number(latest.get("images_per_second")):
        figures.append(("images a second", f"{latest['images_per_second']:,.0f}"))
    about = dig(document, "data")
    if isinstance(about.get("count"), int):
        name = "pictures of A" if isinstance(about.get("other"), list) else "samples in the data"
        figures.append((name, f"{about['count']:,}"))
    if isinstance(about.get("shape"), list):
        figures.append(("a sample", shaped(about["shape"])))
    if isinstance(about.get("classes"), list) and about["classes"]:
        figures.append(("classes", f"{len(about['classes']):,}"))
    data = dig(experiment, "data")
    sources = " and ".join(text(data[name]) for name in ("source", "other") if data.get(name)) or "?"
    line = f"recipe {text(experiment.get('recipe', '?'))} on {sources}"
    mark = f'<span class="chip{" done" if done else ""}">{escape(chip)}</span>'
    return f'{mark}</h1><p class="soft">{escape(line)}</p>{cards(figures)}'


def shaped(shape: list[Any]) -> str:
    """The shape of a sample: `16 × 16 grey`."""
    colours = {"1": "grey", "3": "colour", "4": "with transparency"}
    if len(shape) != 3:
        return f"{text(shape[0] if shape else 0)} numbers"
    return f"{text(shape[1])} × {text(shape[2])} {colours.get(text(shape[0]), '')}"


GENERATED = "generated, from latents that stay the same, by the averaged generator"
TRANSLATED = (
    "real pictures, always the same; what they become; and what they should, or what comes back of them"
)
LOOKED_FOR = "what is looked for in each class: white speaks for it, black against it"


def only_classifies(document: Mapping[str, Any]) -> bool:
    """Whether the run is of a classifier, which has no samples."""
    return dig(document, "experiment", "game").get("type") == "discriminative"


def samples(run: Path, document: Mapping[str, Any]) -> str:
    """The sample grids through time, always of the same latents (a classifier's templates), beside samples of the data."""
    names = [name for name in storage.names(run / "samples") if name.endswith(".png") and name[:-4].isdigit()]
    chosen = pictures.evenly(names, SAMPLES)
    sources = {name: pictures.inlined(run / "samples" / name, small=name != chosen[-1]) for name in chosen}
    made = [pictured(source, f"image {int(name[:-4]):,}") for name, source in sources.items() if source]
    last = len(made) - 1
    slider = f'<input type="range" min="0" max="{last}" value="{last}" aria-label="time"><output></output>'
    strip = f'<div class="strip">{"".join(made)}</div>'
    note = f'<p class="soft">{_note(document)}</p>'
    generated = f'<div class="samples">{note}<div class="slider">{slider}</div>{strip}</div>' if made else ""
    source = pictures.inlined(run / "data.png", small=True)
    real = f'<div><p class="soft">real, from the data</p>{pictured(source, "")}</div>' if source else ""
    return f'<div class="two">{generated}{real}</div>' if generated or real else ""


def translates(document: Mapping[str, Any]) -> bool:
    """Whether the run is of a translator between two domains."""
    return bool(dig(document, "data").get("other"))


def _note(document: Mapping[str, Any]) -> str:
    if translates(document):
        return TRANSLATED
    return LOOKED_FOR if only_classifies(document) else GENERATED


def pictured(source: str, caption: str) -> str:
    """A picture with what is written below."""
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f'<figure><img src="{source}" alt="samples {escape(caption)}">{below}</figure>'


def settings(experiment: Any) -> str:
    """All settings, a line a group; the whole as JSON behind."""
    if not isinstance(experiment, dict):
        return ""
    whole = json.dumps(experiment, indent=1, ensure_ascii=False)
    readable = "\n".join(compact(experiment))
    details = f"<details><summary>as JSON (for --config)</summary><pre>{escape(whole)}</pre></details>"
    return f'<pre class="wrap">{escape(readable)}</pre>{details}'


def events(found: Sequence[Mapping[str, Any]]) -> str:
    """All that was unusual, the latest if there was much."""
    if not found:
        return '<p class="soft">Nothing unusual happened.</p>'
    lines = []
    for row in found[-EVENTS:]:
        rest = ", ".join(
            f"{name}: {text(value)}" for name, value in row.items() if name not in ("event", "images")
        )
        when, what = escape(text(row.get("images"))), escape(text(row.get("event")))
        below = f'<br><span class="soft">{escape(rest)}</span>'
        lines.append(f'<tr><td class="n">{when}</td><td>{what}{below}</td></tr>')
    before = (
        f'<p class="soft">{len(found) - EVENTS:,} earlier ones are in events.jsonl.</p>'
        if len(found) > EVENTS
        else ""
    )
    head = "<tr><th>image</th><th>what</th></tr>"
    return f'{before}<div class="scroll"><table>{head}{"".join(lines)}</table></div>'


def machine(document: Mapping[str, Any]) -> str:
    """What the bits depend on."""
    pairs = [(str(name), text(value)) for name, value in dig(document, "machine").items()]
    return rows(
        [
            ("sparring", text(document.get("sparring"))),
            *pairs,
            ("data fingerprint", text(dig(document, "data").get("fingerprint"))),
        ]
    )


def usage(run: Path, document: Mapping[str, Any]) -> str:
    """What to type next."""
    label = (
        ", labels=0"
        if dig(document, "data").get("classes") and dig(document, "experiment", "game").get("conditional")
        else ""
    )
    where = shlex.quote(str(run))
    command = f"sparring sample {where} --n 64 --seed 0 --out new.png    # or new.npz, or a folder"
    call = f"pictures = run.sample(16, seed=0{label})"
    if only_classifies(document):
        command = f"sparring classify {where} PICTURES --json classes.json"
        call = "probabilities = run.classify(pictures)"
    if translates(document):
        command, call = (
            f"sparring translate {where} PICTURES --out translated",
            "new = run.translate(picture)",
        )
    lines = [
        command,
        f"sparring train --out {where}                             # go on, if it is not finished",
        "",
        "import sparring",
        f"run = sparring.load({str(run)!r})",
        call,
    ]
    return f"<pre>{escape(chr(10).join(lines))}</pre>"
