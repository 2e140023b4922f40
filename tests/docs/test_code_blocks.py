"""The code blocks of README.md, CONTRIBUTING.md and docs/ run, page by page, beside a small data set `photos/`.

A block is skipped where the comment `<!-- not run: reason -->` stands directly before it. Blocks in comments
(`<!-- invisible-code-block: sh ... -->`) run like the others.
"""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sybil import Document, Example, Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown import CodeBlockParser

from sparring import cli
from tests.helpers.source import REPOSITORY

NOT_RUN = re.compile(r"<!-- not run: (.+?) -->\s*\Z", re.DOTALL)
NUM_PHOTOS, SIZE = 60, 16
SLOW = {"docs/latent-space.md": "fits two encoders"}  # page: why it runs only in `make prove`
SHELL_SYNTAX = re.compile(r"[|&;<>$`]")


def pages() -> list[str]:
    documents = [
        REPOSITORY / "README.md",
        REPOSITORY / "CONTRIBUTING.md",
        *(REPOSITORY / "docs").glob("*.md"),
    ]
    return sorted(path.relative_to(REPOSITORY).as_posix() for path in documents if examples(path))


def is_not_run(document: Document, start: int) -> bool:
    return bool(NOT_RUN.search(document.text[:start]))


def run_shell(example: Example) -> None:
    """Runs a block line by line: `sparring ...` in this process, anything else by bash."""
    if is_not_run(example.document, example.start):
        return
    for line in re.sub(r"\\\n\s*", " ", example.parsed).splitlines():
        run_line(line)


def run_line(line: str) -> None:
    words = shlex.split(line, comments=True)
    if not words:
        return
    if words[0] == "sparring" and not SHELL_SYNTAX.search(line.partition("#")[0].replace('"fd<=20"', "")):
        code = run_command(words[1:])
    else:
        code = subprocess.run(["bash", "-euc", line], timeout=120).returncode
    assert code == 0, f"exit code {code}: {line}"


def run_command(arguments: list[str]) -> int:
    try:
        return int(cli.run(arguments) or 0)
    except SystemExit as leaving:
        return int(leaving.code or 0)


def run_python(example: Example) -> None:
    if not is_not_run(example.document, example.start):
        PythonEvaluator()(example)


SYBIL = Sybil(parsers=[CodeBlockParser("sh", run_shell), CodeBlockParser("python", run_python)])


def examples(path: Path) -> list[Example]:
    """The blocks of a page, in order, those that are not run included."""
    return list(SYBIL.parse(path))


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 small PNGs: a bright disc on a dark ground, of any position, size and colour."""
    folder = tmp_path_factory.mktemp("docs") / "photos"
    folder.mkdir()
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[:SIZE, :SIZE]
    for number in range(NUM_PHOTOS):
        y, x, radius = random.uniform(4, 12, 2).tolist() + [random.uniform(2, 5)]
        disc = ((rows - y) ** 2 + (columns - x) ** 2 < radius**2)[..., None]
        ground, colour = random.integers(0, 80, 3), random.integers(120, 256, 3)
        noise = random.integers(0, 20, (SIZE, SIZE, 3))
        image = np.clip(np.where(disc, colour, ground) + noise, 0, 255).astype(np.uint8)
        Image.fromarray(image).save(folder / f"{number:03}.png")
    return folder


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=pytest.mark.prove) if page in SLOW else page for page in pages()]
)
def test_code_blocks_of_a_page_run(
    page: str, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(photos, tmp_path / "photos")
    programs = tmp_path / ".bin"
    programs.mkdir()
    (programs / "sparring").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m sparring "$@"\n')
    (programs / "sparring").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY / "src"), prepend=":")
    monkeypatch.chdir(tmp_path)
    for example in examples(REPOSITORY / page):
        example.evaluate()


@pytest.mark.parametrize("page", pages())
def test_blocks_have_a_language_and_reasons_stand_before_blocks(page: str) -> None:
    text = (REPOSITORY / page).read_text()
    fences = re.findall(r"(?m)^```(\S*)$", text)
    assert "" not in fences[::2], "a block without a language"
    loose = re.findall(r"<!-- not run: [^>]*? -->\n(?!```)", text)
    assert loose == []


def test_sabotage_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that fails, a wrong option, and a wrong Python line fail; a block that is not run does not."""
    monkeypatch.chdir(tmp_path)
    page = tmp_path / "page.md"
    for language, line in (("sh", "false"), ("sh", "sparring sample --no-such-option"), ("python", "1 / 0")):
        page.write_text(f"# Page\n\n```{language}\n{line}\n```\n")
        with pytest.raises((AssertionError, ZeroDivisionError)):
            list(SYBIL.parse(page))[0].evaluate()
        page.write_text(f"# Page\n\n<!-- not run: it fails -->\n```{language}\n{line}\n```\n")
        list(SYBIL.parse(page))[0].evaluate()
    page.write_text("<!-- invisible-code-block: sh\nfalse\n-->\n")
    with pytest.raises(AssertionError, match="exit code 1"):
        list(SYBIL.parse(page))[0].evaluate()
