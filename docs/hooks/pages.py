"""What MkDocs asks for while it builds the site: pages that are generated, and the README and its like as pages."""

import re
from typing import Any

import api
from architecture import ROOT
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import recipes

FROM_ROOT = {  # pages of the repository's root, and the site's pages that are made of them
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changelog.md",
}
TEST_COMMENT = re.compile(r"<!-- (?:not run:|invisible-code-block:).*?-->\n?", re.DOTALL)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Fills the two lists of generated pages into the navigation."""
    lists: dict[str, list[Any]] = {
        "recipes/": ["recipes/index.md", *({name: f"recipes/{name}.md"} for name in recipes.names())],
        "api/": ["api/index.md", *({page[4:-3]: page} for page in api.pages())],
    }
    config.nav = [_filled(entry, lists) for entry in config.nav or []]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the generated pages."""
    generated = {target: _moved((ROOT / source).read_text()) for source, target in FROM_ROOT.items()}
    generated |= {"recipes/index.md": recipes.index(), "api/index.md": api.index()}
    generated |= {f"recipes/{name}.md": recipes.page(name) for name in recipes.names()}
    generated |= api.pages()
    for address, text in generated.items():
        files.append(File.generated(config, address, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Takes out the comments that are for the tests of the code blocks, and leads links to the root's pages to the site's."""
    if page.parent is None:  # alone in its tab: no list of pages beside it
        page.meta["hide"] = ["navigation"]
    markdown = TEST_COMMENT.sub("", markdown)
    for source, target in FROM_ROOT.items():
        markdown = markdown.replace(f"](../{source}", f"]({target}")
    return markdown


def _filled(entry: Any, lists: dict[str, list[Any]]) -> Any:
    if isinstance(entry, dict):
        return {
            title: lists.get(value, value) if isinstance(value, str) else value
            for title, value in entry.items()
        }
    return entry


def _title(page: str) -> str:
    """The heading of a page of docs/."""
    path = ROOT / "docs" / page
    return path.read_text().split("\n", 1)[0].lstrip("# ") if path.exists() else page


def _moved(text: str) -> str:
    """A page of the root as one of the site: its links begin in docs/."""
    text = re.sub(r"\[docs/([\w-]+\.md)\]", lambda match: f"[{_title(match[1])}]", text).replace(
        "](docs/", "]("
    )
    for source, target in FROM_ROOT.items():
        text = text.replace(f"]({source}", f"]({target}")
    return text
