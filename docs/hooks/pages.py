"""MkDocs hooks: add the generated pages, and the README and the other pages of the repository's root, to the site."""

import re
from typing import Any

import api
from architecture import ROOT
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import recipes

ROOT_PAGES = {  # file in the repository's root: page of the site
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changelog.md",
}
TEST_COMMENT = re.compile(r"<!-- (?:not run:|invisible-code-block:).*?-->\n?", re.DOTALL)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Replaces `recipes/` and `api/` in the navigation by the lists of generated pages."""
    lists: dict[str, list[Any]] = {
        "recipes/": ["recipes/index.md", *({name: f"recipes/{name}.md"} for name in recipes.names())],
        "api/": ["api/index.md", *({page[4:-3]: page} for page in api.pages())],
    }
    config.nav = [_fill_navigation(entry, lists) for entry in config.nav or []]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the generated pages."""
    generated = {target: _to_site_page((ROOT / source).read_text()) for source, target in ROOT_PAGES.items()}
    generated |= {"recipes/index.md": recipes.index(), "api/index.md": api.index()}
    generated |= {f"recipes/{name}.md": recipes.page(name) for name in recipes.names()}
    generated |= api.pages()
    for address, text in generated.items():
        files.append(File.generated(config, address, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Removes the comments for the tests of code blocks, and redirects links to pages of the root."""
    if page.parent is None:  # the only page of its tab: no list of pages beside it
        page.meta["hide"] = ["navigation"]
    markdown = TEST_COMMENT.sub("", markdown)
    for source, target in ROOT_PAGES.items():
        markdown = markdown.replace(f"](../{source}", f"]({target}")
    return markdown


def _fill_navigation(entry: Any, lists: dict[str, list[Any]]) -> Any:
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


def _to_site_page(text: str) -> str:
    """A page of the root with links relative to docs/."""
    text = re.sub(r"\[docs/([\w-]+\.md)\]", lambda match: f"[{_title(match[1])}]", text).replace(
        "](docs/", "]("
    )
    for source, target in ROOT_PAGES.items():
        text = text.replace(f"]({source}", f"]({target}")
    return text
