"""The sections of the report. Nothing that is read from a file is trusted to be there, to be right, or to be harmless."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from sparring import storage
from sparring.report import pictures
from sparring.report.page import cards, rows
from sparring.wording import clock, compact, counted, grouped

SAMPLES = 20
EVENTS = 100
LETTERS = 300  # of a value that is shown


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
        figures.append(("samples in the data", f"{about['count']:,}"))
    if isinstance(about.get("shape"), list):
        figures.append(("a sample", " × ".join(map(text, about["shape"]))))
    if isinstance(about.get("classes"), list) and about["classes"]:
        figures.append(("classes", f"{len(about['classes']):,}"))
    line = (
        f"recipe {text(experiment.get('recipe', '?'))} on {text(dig(experiment, 'data').get('source', '?'))}"
    )
    return f'<span class="chip{" done" if done else ""}">{escape(chip)}</span></h1><p class="soft">{escape(line)}</p>{cards(figures)}'


def samples(run: Path) -> str:
    """The sample grids through time, always of the same latents, the last one first in sight."""
    names = [name for name in storage.names(run / "samples") if name.endswith(".png") and name[:-4].isdigit()]
    chosen = pictures.evenly(names, SAMPLES)
    figures = []
    for name in chosen:
        source = pictures.inlined(run / "samples" / name, small=name != chosen[-1])
        if source:
            caption = f"image {int(name[:-4]):,}"
            picture = f'<img src="{source}" alt="samples at {caption}">'
            figures.append(f"<figure>{picture}<figcaption>{caption}</figcaption></figure>")
    if not figures:
        return ""
    last = len(figures) - 1
    slider = f'<input type="range" min="0" max="{last}" value="{last}" aria-label="time"><output></output>'
    note = '<p class="soft">From latents that stay the same, by the averaged generator.</p>'
    return f'{note}<div class="samples"><div class="slider">{slider}</div><div class="strip">{"".join(figures)}</div></div>'


def data(run: Path, report: Mapping[str, Any]) -> str:
    """The data sheet: what is in it, what was left out and why."""
    pairs = [
        (name, text(report[name]))
        for name in ("source", "kind", "count", "fit")
        if report.get(name) is not None
    ]
    lines = [*histogram("sizes", report), *histogram("classes", report), *histogram("modes", report)]
    pairs += [(line.split(":")[0].strip(), line.partition(":")[2].strip()) for line in lines]
    pairs += [("chosen", text(why)) for why in listed(report.get("why"))]
    if report.get("duplicates"):
        pairs.append(("copies of others", text(report["duplicates"])))
    named = [grouped(title, pairs_of(report.get(title))) for title in ("skipped", "converted")]
    notes = "".join(f"<pre>{escape(chr(10).join(lines))}</pre>" for lines in named if lines)
    source = pictures.inlined(run / "data.png", small=True)
    sheet = (
        f'<figure><img src="{source}" alt="samples of the data"><figcaption>real samples</figcaption></figure>'
        if source
        else ""
    )
    return f'<div class="two">{sheet}<div>{rows(pairs)}{notes}</div></div>' if pairs or sheet else ""


def settings(experiment: Any) -> str:
    """All settings, a line a group; the whole as JSON behind."""
    if not isinstance(experiment, dict):
        return ""
    whole = json.dumps(experiment, indent=1, ensure_ascii=False)
    readable = "\n".join(compact(experiment))
    return f"<pre>{escape(readable)}</pre><details><summary>as JSON (for --config)</summary><pre>{escape(whole)}</pre></details>"


def events(found: Sequence[Mapping[str, Any]]) -> str:
    """All that was unusual, the latest if there was much."""
    if not found:
        return '<p class="soft">Nothing unusual happened.</p>'
    lines = []
    for row in found[-EVENTS:]:
        rest = ", ".join(
            f"{name}: {text(value)}" for name, value in row.items() if name not in ("event", "images")
        )
        lines.append(
            f'<tr><td class="n">{escape(text(row.get("images")))}</td><td>{escape(text(row.get("event")))}<br><span class="soft">{escape(rest)}</span></td></tr>'
        )
    before = (
        f'<p class="soft">{len(found) - EVENTS:,} earlier ones are in events.jsonl.</p>'
        if len(found) > EVENTS
        else ""
    )
    return f'{before}<div class="scroll"><table><tr><th>image</th><th>what</th></tr>{"".join(lines)}</table></div>'


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
    lines = [
        f"sparring sample {run} --n 64 --seed 0 --out new.png    # or new.npz, or a folder",
        f"sparring train --out {run}                             # go on, if it is not finished",
        "",
        "import sparring",
        f"run = sparring.load({str(run)!r})",
        f"pictures = run.sample(16, seed=0{label})",
    ]
    return f"<pre>{escape(chr(10).join(lines))}</pre>"


def dig(document: Any, *names: str) -> dict[str, Any]:
    """A table inside of tables; an empty one if there is none."""
    for name in names:
        document = document.get(name) if isinstance(document, dict) else None
    return document if isinstance(document, dict) else {}


def number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def text(value: Any) -> str:
    """A value as a short text."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return shown if len(shown) <= LETTERS else shown[:LETTERS] + " …"


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def histogram(title: str, report: Mapping[str, Any]) -> list[str]:
    """A table of counts in one line."""
    return counted(
        title, {str(name): count for name, count in dig(report, title).items() if isinstance(count, int)}
    )


def pairs_of(value: Any) -> list[tuple[str, str]]:
    """Pairs of name and reason."""
    return [
        (str(pair[0]), str(pair[1])) for pair in listed(value) if isinstance(pair, list) and len(pair) == 2
    ]
