"""The pages of the recipes: one per paper, generated from the source.

The text and the citation come from the recipe module's docstring, the equations from the docstrings of its game and parts, the
settings from calling the recipe. The list of recipes is the table in `sparring.recipes.table`.
"""

import dataclasses
import inspect
import re
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import yaml
from architecture import ROOT
from equations import find_equations, mathml
from source import Module, find_module, link_files

from sparring.recipes import table
from sparring.recipes.facts import Facts

SIZE, COUNT, CLASSES = 64, 10_000, 10  # of the data set that the settings are shown for
HIDDEN_SETTINGS = {"recipe", "data"}  # the same on every page


@dataclasses.dataclass(frozen=True, kw_only=True)
class RecipeDescription:
    """The docstring of a recipe module, parsed.

    Arguments:
        title: name of the method.
        citation: authors, year, arXiv identifier; empty where there is no paper.
        text: what is new, and deviations from the paper.
        commands: command lines, one per line.
        expect: where its measurements are, as in 'docs/results.md, "Ring and grid"'.
    """

    title: str
    citation: str
    text: str
    commands: str
    expect: str


def parse_docstring(docstring: str) -> RecipeDescription:
    """Parses 'Title. Authors year, arXiv ... New here: ... Run: ... Expect: ...'; the last two in any order."""
    head, _, body = inspect.cleandoc(docstring).partition("\n\n")
    title, _, citation = re.sub(r"[`\n]", " ", head).strip().partition(". ")
    text, *marked = re.split(r"\b(Run|Expect):\s*", body)
    sections = {
        mark: " ".join(content.split()) for mark, content in zip(marked[::2], marked[1::2], strict=True)
    }
    if not citation:  # no paper: what follows the name becomes part of the text
        title, _, rest = title.rstrip(".").partition(" , ")
        text = f"{rest[:1].upper()}{rest[1:]}.\n\n{text}" if rest else text
    return RecipeDescription(
        title=title,
        citation=citation,
        text=re.sub(r"\bNew here: ([a-z])(?=[a-z ])", lambda match: match[1].upper(), text)
        .replace("New here: ", "")
        .strip(),
        commands=sections.get("Run", "").replace(", then ", "\n").strip(),
        expect=sections.get("Expect", ""),
    )


def names() -> list[str]:
    """Names of the recipes, in the order of the table."""
    return list(table.RECIPE_MODULES)


def page(name: str) -> str:
    """The page of a recipe, as Markdown."""
    module = table.RECIPE_MODULES[name]
    description = parse_docstring(module.__doc__ or "")
    experiments = [(facts, module.experiment(facts)) for facts in examples(module)]
    parts = [
        f"# {description.title}",
        f"*{_link_citation(description.citation)}*" if description.citation else "",
        link_files(description.text),
        f"```sh\n{description.commands}\n```" if description.commands else "",
        f"Measured: {_link_results(description.expect)}" if description.expect else "",
        *_format_equations(experiments[0][1].game),
        "## Settings",
        "As `run.json` has them, for "
        + ("this data set" if len(experiments) == 1 else "these data sets")
        + "; any of them can be changed with `--set`.",
        *(
            _format_settings(facts, experiment, tabbed=len(experiments) > 1)
            for facts, experiment in experiments
        ),
        f"Source: `src/sparring/recipes/{module.__name__.rsplit('.', 1)[-1]}.py`",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def index() -> str:
    """A table of all recipes."""
    rows = []
    for name in names():
        description = parse_docstring(table.RECIPE_MODULES[name].__doc__ or "")
        rows.append(
            f"| [`{name}`]({name}.md) | {description.title} | {_link_citation(description.citation)} |"
        )
    head = "# Recipes\n\nOne page per paper: what is new in it, its equations, and the settings that the recipe chooses.\n"
    return "\n".join([head, "| recipe | method | paper |", "|---|---|---|", *rows]) + "\n"


def examples(module: ModuleType) -> Iterator[Facts]:
    """Data sets to show settings for: of the kinds that the recipe's tiny test experiments use, at an ordinary size."""
    for tiny in {id(value): value for value in vars(module).values() if isinstance(value, Facts)}.values():
        changes: dict[str, Any] = {
            field.name: (3, SIZE, SIZE)
            for field in dataclasses.fields(tiny.spec)
            if isinstance(shape := getattr(tiny.spec, field.name), tuple) and len(shape) == 3
        }
        if tiny.spec.num_classes:
            changes["num_classes"] = CLASSES
        spec = dataclasses.replace(tiny.spec, **changes)
        yield dataclasses.replace(tiny, spec=spec, count=COUNT, images=None)


def _describe_data(facts: Facts) -> str:
    shapes = [
        v for f in dataclasses.fields(facts.spec) if isinstance(v := getattr(facts.spec, f.name), tuple)
    ]
    if len(shapes[0]) == 1:
        return f"{facts.count:,} points in the plane"
    kind = "pairs of " if len(shapes) > 1 else ""
    classes = f" in {facts.spec.num_classes} classes" if facts.spec.num_classes else ""
    return f"{facts.count:,} {kind}colour images of {SIZE}x{SIZE}{classes}"


def _format_settings(facts: Facts, experiment: Any, tabbed: bool) -> str:
    experiment = dataclasses.replace(experiment, training=experiment.training.resolve())
    document = {key: value for key, value in experiment.to_json().items() if key not in HIDDEN_SETTINGS}
    dump = "".join(  # a line for each setting of the training; elsewhere one for each part
        _dump_yaml({key: value}, flow=False if key == "training" else None) for key, value in document.items()
    )
    block = f"```yaml\n{dump}```"
    if not tabbed:
        return f"For {_describe_data(facts)}:\n\n{block}"
    return f'=== "{_describe_data(facts)}"\n\n' + "\n".join(
        f"    {line}".rstrip() for line in block.splitlines()
    )


def _dump_yaml(document: dict[str, Any], flow: bool | None) -> str:
    return str(
        yaml.safe_dump(document, sort_keys=False, default_flow_style=flow, width=76, allow_unicode=True)
    )


def _format_equations(game: Any) -> list[str]:
    """What the game and its parts write down in their docstrings, each under its name."""
    found: dict[str, str] = {}
    for thing in _iterate_configs(game):
        owner = find_module(type(thing).__module__)
        for docstring in (
            sys.modules[type(thing).__module__].__doc__ if thing is game else None,
            type(thing).__doc__,
        ):
            for lines in find_equations(docstring):
                found.setdefault(mathml(lines), _link_class(type(thing), owner))
    return (
        ["## Equations", *(f"**{label}**\n\n{equation}" for equation, label in found.items())]
        if found
        else []
    )


def _link_class(cls: type, module: Module | None) -> str:
    name = cls.__name__.removesuffix("Config")
    return f"[{name}](../{module.page}#{module.name}.{cls.__name__})" if module else name


def _iterate_configs(value: Any) -> Iterator[Any]:
    """The game's settings and all settings in them, the networks' left out: their equations are of layers."""
    if dataclasses.is_dataclass(value) and not re.search(
        r"\.(networks|translators)\b", type(value).__module__
    ):
        yield value
        for field in dataclasses.fields(value):
            yield from _iterate_configs(getattr(value, field.name))
    elif isinstance(value, tuple):
        for item in value:
            yield from _iterate_configs(item)


def _link_citation(text: str) -> str:
    return re.sub(r"arXiv[: ](\d{4}\.\d{4,5})", r"[arXiv:\1](https://arxiv.org/abs/\1)", text.rstrip("."))


def _link_results(text: str) -> str:
    """'docs/results.md, "Speed" and "Time to quality".' with links to the sections, as far as they are there."""
    place = re.match(r"(?:docs/)?([\w-]+\.md)", text)
    if not place or not (ROOT / "docs" / place[1]).exists():
        return text
    headings = re.findall(r"(?m)^#+ (.*)", (ROOT / "docs" / place[1]).read_text())
    links = []
    for name in re.findall(r'"([^"]+)"', text):
        heading = next((heading for heading in headings if heading.startswith(name)), "")
        links.append(f"[{name}](../{place[1]}{'#' + slug(heading) if heading else ''})")
    return " and ".join(links) or f"[{place[1]}](../{place[1]})"


def slug(heading: str) -> str:
    """The anchor of a heading, as Markdown makes it."""
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower())
