"""The site's sources fit together: generated pages are fresh, and the navigation and the links point to files."""

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helpers.source import REPOSITORY

DOCS = REPOSITORY / "docs"
GENERATED = ("recipes/", "api/")  # lists that docs/hooks/pages.py fills in
LINK = re.compile(r"\]\(([^)\s#]+)(?:#[^)]*)?\)")


def root_pages() -> set[str]:
    """Pages of the site that are files in the repository's root, by the table of docs/hooks/pages.py."""
    parsed = ast.parse((DOCS / "hooks" / "pages.py").read_text())
    table = next(
        node.value
        for node in parsed.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "ROOT_PAGES"
    )
    pages: dict[str, str] = ast.literal_eval(table)
    assert all((REPOSITORY / source).exists() for source in pages)
    return set(pages.values())


def navigation() -> list[str]:
    document = yaml.safe_load((REPOSITORY / "mkdocs.yml").read_text())
    return list(_leaves(document["nav"]))


def _leaves(entry: Any) -> list[str]:
    if isinstance(entry, str):
        return [entry]
    parts = entry.values() if isinstance(entry, dict) else entry
    return [leaf for part in parts for leaf in _leaves(part)]


def test_architecture_page_is_fresh() -> None:
    program = [sys.executable, str(DOCS / "hooks" / "architecture.py"), "--check"]
    found = subprocess.run(program, capture_output=True, text=True, timeout=60)
    assert found.returncode == 0, found.stderr


def test_navigation_lists_each_page_once() -> None:
    listed = navigation()
    assert len(set(listed)) == len(listed)
    pages = {path.name for path in DOCS.glob("*.md")} | root_pages() | set(GENERATED)
    assert set(listed) == pages


@pytest.mark.parametrize(
    "path", [*sorted(DOCS.glob("*.md")), *sorted(REPOSITORY.glob("*.md"))], ids=lambda path: path.name
)
def test_links_point_to_files(path: Path) -> None:
    text = re.sub(r"(?ms)^```.*?^```|`[^`\n]*`", "", path.read_text())
    targets = [link for link in LINK.findall(text) if not re.match(r"[a-z]+:", link)]
    missing = [
        link for link in targets if not (path.parent / link).exists() and not link.startswith(GENERATED)
    ]
    assert missing == []
