"""The sections of the run report: samples, reconstructions, diagnosis, data, settings, events, machine,
usage. What is read from a file is not trusted to be there, right or harmless.
"""

import json
import shlex
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from sparring.core import storage
from sparring.doctor import Diagnosis, Finding, History, diagnose
from sparring.report import html
from sparring.report.html import figure_cards, format_value, get_table, is_number, value_table
from sparring.terminal.text import format_duration, histogram_lines, names_by_reason, settings_lines

MAX_GRIDS = 20
MAX_EVENTS = 100


def header_html(document: Mapping[str, Any], metrics: Sequence[Mapping[str, Any]], images: int) -> str:
    """What is behind the title: the state of the run, what it plays on what, and key figures."""
    experiment = get_table(document, "experiment")
    total = get_table(experiment, "training").get("total_images", 0)
    done = isinstance(total, int) and images >= total > 0
    chip = "finished" if done else f"at image {images:,} of {format_value(total)}"
    latest = metrics[-1] if metrics else {}
    figures = [("images seen", f"{images:,}")]
    if is_number(latest.get("seconds")):
        figures.append(("time spent", format_duration(latest["seconds"])))
    if is_number(latest.get("images_per_second")):
        figures.append(("images a second", f"{latest['images_per_second']:,.0f}"))
    about = get_table(document, "data")
    if isinstance(about.get("count"), int):
        name = "images of A" if isinstance(about.get("other"), list) else "samples in the data"
        figures.append((name, f"{about['count']:,}"))
    if isinstance(about.get("shape"), list):
        figures.append(("a sample", format_shape(about["shape"])))
    if isinstance(about.get("classes"), list) and about["classes"]:
        figures.append(("classes", f"{len(about['classes']):,}"))
    data = get_table(experiment, "data")
    sources = " and ".join(format_value(data[name]) for name in ("source", "other") if data.get(name)) or "?"
    line = f"recipe {format_value(experiment.get('recipe', '?'))} on {sources}"
    mark = f'<span class="chip{" done" if done else ""}">{escape(chip)}</span>'
    return f'{mark}</h1><p class="soft">{escape(line)}</p>{figure_cards(figures)}'


def format_shape(shape: list[Any]) -> str:
    """The shape of a sample: `16 × 16 grey`."""
    colours = {"1": "grey", "3": "colour", "4": "with transparency"}
    if len(shape) != 3:
        return f"{format_value(shape[0] if shape else 0)} numbers"
    return f"{format_value(shape[1])} × {format_value(shape[2])} {colours.get(format_value(shape[0]), '')}"


GENERATED_CAPTION = "generated, from latents that stay the same, by the averaged generator"
TRANSLATED_CAPTION = (
    "real images, always the same; what they become; and what they should, or what comes back of them"
)
TEMPLATES_CAPTION = "what is looked for in each class: white speaks for it, black against it"


def is_classifier(document: Mapping[str, Any]) -> bool:
    """Whether the run is of a classifier, which has no samples."""
    return get_table(document, "experiment", "game").get("type") == "classifier"


def samples_section(run: Path, document: Mapping[str, Any]) -> str:
    """The sample grids through time, always of the same latents (a classifier's templates), beside samples of the data."""
    names = [
        name for name in storage.list_folder(run / "samples") if name.endswith(".png") and name[:-4].isdigit()
    ]
    chosen = html.evenly_spaced(names, MAX_GRIDS)
    sources = {name: html.inline_image(run / "samples" / name, small=name != chosen[-1]) for name in chosen}
    made = [figure_html(source, f"image {int(name[:-4]):,}") for name, source in sources.items() if source]
    last = len(made) - 1
    slider = f'<input type="range" min="0" max="{last}" value="{last}" aria-label="time"><output></output>'
    strip = f'<div class="strip">{"".join(made)}</div>'
    note = f'<p class="soft">{_caption(document)}</p>'
    generated = f'<div class="samples">{note}<div class="slider">{slider}</div>{strip}</div>' if made else ""
    source = html.inline_image(run / "data.png", small=True)
    real = f'<div><p class="soft">real, from the data</p>{figure_html(source, "")}</div>' if source else ""
    return f'<div class="two">{generated}{real}</div>' if generated or real else ""


def is_translator(document: Mapping[str, Any]) -> bool:
    """Whether the run is of a translator between two domains."""
    return bool(get_table(document, "data").get("other"))


def _caption(document: Mapping[str, Any]) -> str:
    if is_translator(document):
        return TRANSLATED_CAPTION
    return TEMPLATES_CAPTION if is_classifier(document) else GENERATED_CAPTION


def figure_html(source: str, caption: str) -> str:
    """A image with what is written below."""
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f'<figure><img src="{source}" alt="samples {escape(caption)}">{below}</figure>'


def settings_section(experiment: Any) -> str:
    """All settings, a line a group; the whole as JSON behind."""
    if not isinstance(experiment, dict):
        return ""
    whole = json.dumps(experiment, indent=1, ensure_ascii=False)
    readable = "\n".join(settings_lines(experiment))
    details = f"<details><summary>as JSON (for --config)</summary><pre>{escape(whole)}</pre></details>"
    return f'<pre class="wrap">{escape(readable)}</pre>{details}'


def events_section(found: Sequence[Mapping[str, Any]]) -> str:
    """All that was unusual, the latest if there was much."""
    if not found:
        return '<p class="soft">Nothing unusual happened.</p>'
    lines = []
    for row in found[-MAX_EVENTS:]:
        rest = ", ".join(
            f"{name}: {format_value(value)}" for name, value in row.items() if name not in ("event", "images")
        )
        when, what = escape(format_value(row.get("images"))), escape(format_value(row.get("event")))
        below = f'<br><span class="soft">{escape(rest)}</span>'
        lines.append(f'<tr><td class="n">{when}</td><td>{what}{below}</td></tr>')
    before = (
        f'<p class="soft">{len(found) - MAX_EVENTS:,} earlier ones are in events.jsonl.</p>'
        if len(found) > MAX_EVENTS
        else ""
    )
    head = "<tr><th>image</th><th>what</th></tr>"
    return f'{before}<div class="scroll"><table>{head}{"".join(lines)}</table></div>'


def machine_section(document: Mapping[str, Any]) -> str:
    """What the bits depend on."""
    pairs = [(str(name), format_value(value)) for name, value in get_table(document, "machine").items()]
    return value_table(
        [
            ("sparring", format_value(document.get("sparring"))),
            *pairs,
            ("data fingerprint", format_value(get_table(document, "data").get("fingerprint"))),
        ]
    )


def usage_section(run: Path, document: Mapping[str, Any]) -> str:
    """What to type next."""
    label = (
        ", labels=0"
        if get_table(document, "data").get("classes")
        and get_table(document, "experiment", "game").get("conditional")
        else ""
    )
    where = shlex.quote(str(run))
    command = f"sparring sample {where} --n 64 --seed 0 --out new.png    # or new.npz, or a folder"
    call = f"images = run.sample(16, seed=0{label})"
    if is_classifier(document):
        command = f"sparring classify {where} PICTURES --json classes.json"
        call = "probabilities = run.classify(images)"
    if is_translator(document):
        command, call = (
            f"sparring translate {where} PICTURES --out translated",
            "new = run.translate(image)",
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


def data_section(report: Mapping[str, Any]) -> str:
    """The data sheet, from data.json."""
    pairs = [
        (name, format_value(report[name]))
        for name in ("source", "kind", "count", "fit")
        if report.get(name) is not None
    ]
    for title in ("sizes", "classes", "modes"):
        pairs += [(title, line.partition(":")[2].strip()) for line in histogram_of(title, report)]
    pairs += [("chosen", format_value(why)) for why in as_list(report.get("why"))]
    if report.get("duplicates"):
        pairs.append(("copies of others", format_value(report["duplicates"])))
    named = [names_by_reason(title, reason_pairs(report.get(title))) for title in ("skipped", "converted")]
    notes = [f"<pre>{escape(chr(10).join(lines))}</pre>" for lines in named if lines]
    return value_table(pairs) + "".join(notes)


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def histogram_of(title: str, report: Mapping[str, Any]) -> list[str]:
    """A table of counts in one line."""
    return histogram_lines(
        title,
        {str(name): count for name, count in get_table(report, title).items() if isinstance(count, int)},
    )


def reason_pairs(value: Any) -> list[tuple[str, str]]:
    """Pairs of name and reason."""
    return [
        (str(pair[0]), str(pair[1])) for pair in as_list(value) if isinstance(pair, list) and len(pair) == 2
    ]


MARKS = {"bad": "bad", "warning": "warning", "note": "note"}


def doctor_section(history: History) -> str:
    """The verdict, the findings, and what to do."""
    diagnosis = diagnose(history)
    body = f"<p>{escape(diagnosis.verdict)}</p>" + "".join(map(finding_card, diagnosis.findings))
    return body + command_html(diagnosis) + limitations_html(diagnosis)


def finding_card(finding: Finding) -> str:
    """A finding as a card."""
    parts = [f"<b>{escape(finding.title)}</b>", f'<p class="soft">{escape(finding.message)}</p>']
    if finding.checkpoint is not None:
        parts.append(f'<p class="soft">last good checkpoint: image {finding.checkpoint:,}</p>')
    offers = [
        f"<li>{escape(advice.message)}{settings_code(advice.settings)}</li>" for advice in finding.advice
    ]
    tries = f'<p class="soft">to try:</p><ul>{"".join(offers)}</ul>' if offers else ""
    mark = f'<span class="chip">{MARKS[finding.severity]}</span>'
    return f'<figure style="width:auto;margin:.6rem 0">{parts[0]}{mark}{"".join(parts[1:])}{tries}</figure>'


def settings_code(given: tuple[str, ...]) -> str:
    """Options as code."""
    return "".join(f"<br><code>--set {escape(shlex.quote(one))}</code>" for one in given)


def command_html(diagnosis: Diagnosis) -> str:
    """The command that takes the advice."""
    if not diagnosis.command:
        return ""
    return f'<p class="soft">the first of these in a new run:</p><pre class="wrap">{escape(diagnosis.command)}</pre>'


def limitations_html(diagnosis: Diagnosis) -> str:
    """What the record does not tell."""
    if not diagnosis.limitations:
        return ""
    items = [f"<li>{escape(one.message)}{settings_code(one.settings)}</li>" for one in diagnosis.limitations]
    return (
        f'<details><summary>what could not be seen</summary><ul class="soft">{"".join(items)}</ul></details>'
    )


def reconstructions_section(run: Path) -> str:
    """The latest sheet of reconstructions and the map of codes; nothing without them."""
    sheets = {
        "reconstructions.png": "rows in turn: samples of the data, and what comes back of their codes",
        "codes.png": "codes of samples of the data, a colour for each class",
    }
    found = {name: html.inline_image(run / name, small=False) for name in sheets}
    figures = [figure_html(source, sheets[name]) for name, source in found.items() if source]
    return f'<div class="two">{"".join(figures)}</div>' if figures else ""
