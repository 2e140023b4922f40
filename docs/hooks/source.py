"""The source as the pages see it: modules by name, their pages, and links to them in prose. Nothing is imported."""

import ast
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from architecture import ROOT, SOURCE, first_line

HIDDEN = {"cli", "serve", "terminal", "report", "gallery", "export", "doctor"}  # packages that are no library


@dataclass(frozen=True)
class Module:
    """One file of the package.

    Arguments:
        path: of the file, below src/sparring.
    """

    path: Path

    @cached_property
    def name(self) -> str:
        """As in `sparring.parts.objectives.hinge`."""
        parts = self.path.with_suffix("").parts
        return ".".join(["sparring", *(parts[:-1] if parts[-1] == "__init__" else parts)])

    @cached_property
    def summary(self) -> str:
        return first_line(SOURCE / self.path)

    @cached_property
    def package(self) -> str:
        """The folder whose page has it, as `parts.objectives`; `sparring` for loose modules."""
        return ".".join(self.path.parent.parts) or "sparring"

    @cached_property
    def own(self) -> list[str]:
        """Public classes and functions that are written in this file."""
        body = ast.parse((SOURCE / self.path).read_text()).body
        found = [node for node in body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
        return [node.name for node in found if not node.name.startswith("_") and ast.get_docstring(node)]

    @cached_property
    def address(self) -> str:
        """Its page, and its place there where it has one: a package's `__init__.py` may only hand names on."""
        return self.page + (f"#{self.name}" if self.own or self.path.name != "__init__.py" else "")

    @cached_property
    def page(self) -> str:
        """Its page, from the root of the site's sources."""
        return f"api/{self.package}.md"


def modules() -> list[Module]:
    """The documented modules, by package."""
    paths = sorted(path.relative_to(SOURCE) for path in SOURCE.rglob("*.py"))
    return [
        Module(path)
        for path in paths
        if path.parts[0] not in HIDDEN and (path.name == "__init__.py" or not path.name.startswith("_"))
    ]


def module_named(name: str) -> Module | None:
    """The documented module of this dotted name."""
    return next((module for module in modules() if module.name == name), None)


def linked(text: str) -> str:
    """Prose in which file names such as `objectives/hinge.py` lead to the API's pages, and pages of docs/ to themselves."""
    text = re.sub(r"(?<![`\w/])(?:src/sparring/)?((?:\w+/)+\w+\.py)\b", _file, text)
    text = re.sub(r"\bdocs/([\w-]+\.md)\b", _doc, text)
    return re.sub(r"(?<![`\w])(--set(?: +[\w.]+=[^\s,;:)]+)+)", r"`\1`", text)


def _doc(match: re.Match[str]) -> str:
    return f"[{match[1]}](../{match[1]})" if (ROOT / match.group()).exists() else f"`{match.group()}`"


def _file(match: re.Match[str]) -> str:
    ends = [module for module in modules() if f"/{module.path.as_posix()}".endswith(f"/{match[1]}")]
    if len(ends) != 1:
        return f"`{match[1]}`"
    return f"[`{match[1]}`](../{ends[0].address})"
