"""The modules of the package, read without importing them: names, summaries, pages in the API reference, links."""

import ast
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from architecture import ROOT, SOURCE, first_paragraph

HIDDEN_PACKAGES = {
    "cli",
    "serve",
    "terminal",
    "report",
    "gallery",
    "export",
    "doctor",
}  # not part of the API reference


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
        return first_paragraph(SOURCE / self.path)

    @cached_property
    def package(self) -> str:
        """The folder whose page has it, as `parts.objectives`; `sparring` for loose modules."""
        return ".".join(self.path.parent.parts) or "sparring"

    @cached_property
    def public_names(self) -> list[str]:
        """Names of the public classes and functions that this file defines."""
        body = ast.parse((SOURCE / self.path).read_text()).body
        found = [node for node in body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
        return [node.name for node in found if not node.name.startswith("_") and ast.get_docstring(node)]

    @cached_property
    def address(self) -> str:
        """Its page with the anchor; without one for an `__init__.py` that only re-exports names."""
        return self.page + (f"#{self.name}" if self.public_names or self.path.name != "__init__.py" else "")

    @cached_property
    def page(self) -> str:
        """Its page, relative to docs/."""
        return f"api/{self.package}.md"


def modules() -> list[Module]:
    """All modules of the API reference, sorted by path."""
    paths = sorted(path.relative_to(SOURCE) for path in SOURCE.rglob("*.py"))
    return [
        Module(path)
        for path in paths
        if path.parts[0] not in HIDDEN_PACKAGES
        and (path.name == "__init__.py" or not path.name.startswith("_"))
    ]


def find_module(name: str) -> Module | None:
    """The module of this dotted name, if it is in the API reference."""
    return next((module for module in modules() if module.name == name), None)


def link_files(text: str) -> str:
    """Turns file names such as objectives/hinge.py and docs/log.md into links, and --set options into code."""
    text = re.sub(r"(?<![`\w/])(?:src/sparring/)?((?:\w+/)+\w+\.py)\b", _link_file, text)
    text = re.sub(r"\bdocs/([\w-]+\.md)\b", _link_page, text)
    return re.sub(r"(?<![`\w])(--set(?: +[\w.]+=[^\s,;:)]+)+)", r"`\1`", text)


def _link_page(match: re.Match[str]) -> str:
    return f"[{match[1]}](../{match[1]})" if (ROOT / match.group()).exists() else f"`{match.group()}`"


def _link_file(match: re.Match[str]) -> str:
    matches = [module for module in modules() if f"/{module.path.as_posix()}".endswith(f"/{match[1]}")]
    if len(matches) != 1:
        return f"`{match[1]}`"
    return f"[`{match[1]}`](../{matches[0].address})"
