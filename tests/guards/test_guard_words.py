"""One word, one thing: retired words stand neither in the source, nor on the pages, nor in the documentation.

The words are those of the first edition that the field does not use (a discriminator was a judge, an image a picture).
Identifiers are split at underscores and capitals, so that `slope_of`, `PatchJudge` and "judges" are all found.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.helpers.source import REPOSITORY, ROOT, dotted, files, functions, tree

# Retired word: (regular expression on split, lower-case text; the field's word instead)
RETIRED = {
    "judge": (r"\bjudg\w*", "discriminator, metric, evaluate"),
    "picture": (r"\bpictures?\b", "image"),
    "heap": (r"\bheaps?\b", "set of images, unpaired"),
    "slope": (r"(?<!negative )\bslopes?\b", "gradient"),
    "mend": (r"\bmend(s|ed|ing)?\b", "fix"),
    "hearing": (r"\bhearings?\b", "evaluation"),
    "wish": (r"\bwish(es|ed)?\b", "request"),
    "vital": (r"\bvitals?\b(?!\.(real|again|held|latent|domain))", "diagnostics"),
    "arena": (r"\barenas?\b", "playground"),
    "by heart": (r"\bby heart\b", "memorises"),
    "shade": (r"\bshades?\b", "grey level"),
    "dealer": (r"\bdeal(er|t)s?\b", "batch stream"),
    "keeper": (r"\bkeepers?\b", "checkpointer"),
    "house": (r"\bhouses?\b", "package"),
    "play": (r"\bplay(s|ed|ing)?\b", "train, step; the field's `game` and `player` stay"),
    "move": (r"\bmoves? of the (discriminator|generator)\b|\bmoves a step\b", "update"),
    "looker": (r"\blookers?\b", "renderer"),
    "coders": (r"\bcoders\b", "encoder and decoder"),
    "examiner": (r"\bexaminers?\b", "validator"),
    "convict": (r"\bconvict(s|ed)?\b", "discriminator loss"),
    "rehearse": (r"\brehears(e|es|ed|al)\b", "dry run"),
    "asked for": (r"\bwhat came of\b|\bwhat (it|was) (is )?asked for\b", "say what it is"),
}
# Names that retired modules and classes had: no module, class or public function has them.
RETIRED_NAMES = {
    "Appraisal", "Arena", "Before", "Dealer", "Dealt", "Guard", "Hearing", "Judge", "Keeper", "Kept", "Looker", "Manner",
    "Match", "Meaning", "Origin", "Play", "Refused", "Shown", "Side", "Stage", "Subject", "Waiting", "Wanted", "Wish",
}  # fmt: skip
RETIRED_MODULES = {
    "arena", "asked", "asking", "before", "book", "dealer", "given", "guard", "hearing", "judge", "judgement", "judging",
    "keeper", "looking", "match", "moment", "opposite", "others", "play", "sides", "stage", "starting", "vitals", "wish",
    "wording",
}  # fmt: skip
# A past participle alone names nothing: which thing, of what kind?
PARTICIPLES = {
    "asked", "coded", "convicted", "dealt", "drawn", "given", "judged", "kept", "made", "named", "said", "seen", "settled",
    "shown", "told", "wanted", "watched",
}  # fmt: skip
ALLOWED = [  # (word, files, expression on the line, reason)
    ("*", "runs/upgrade.py", ".", "reads files of format 1, whose names these are"),
    ("play", "*.html|*.js|*.css|serve/routes/*|docs/explorer.md|docs/export.md", ".", "buttons that play an animation"),
    ("play", "parts/penalties/historical_averaging.py", r"\bfictitious play\b", "Brown's fictitious play, a term of game theory"),
    ("shade", "*.css|*.js|*.html", ".", "shading of a drawing"),
    ("judge", "models/discriminator.py|parts/networks/patchgan.py", r"^judge$", "an attribute in state dicts: stored weights"),
    ("picture", "games/image_pool.py", r"\bpictures\b", "a buffer in state dicts: stored checkpoints"),
    ("picture", "data/readers/image_folder.py", r"^.?pictures.?$", "a name that users give to folders"),
    ("play", "serve/playground/game.py", r"\bpress play\b", "a button"),
    ("wanted", "cli/latent/directions.py", ".", "the option --wanted, fixed by DESIGN section 5"),
]  # fmt: skip
QUOTING = ("CHANGELOG.md", "docs/log.md", "docs/results.md")  # may quote old names and commands in backticks
FSTRING_MIDDLE = getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)  # Python 3.12
KEYED = re.compile(
    r"^(derive_seed|make_generator|KeyedRandom|normal|uniform|integers|permutation|bernoulli|key)$"
)


@dataclass(frozen=True)
class Text:
    """A line of source, prose or page, with where it stands."""

    file: str
    line: int
    text: str


def split(text: str) -> str:
    """Lower case, identifiers split at underscores and capitals: `PatchJudge.slope_of` is "patch judge.slope of"."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", text.replace("_", " "))
    return text.lower()


def python_texts(path: Path, place: str) -> Iterator[Text]:
    """Identifiers, comments and strings of a file, without the strings that key random streams."""
    source = path.read_text(encoding="utf-8")
    skipped = _stream_keys(ast.parse(source))
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.NAME, tokenize.COMMENT, tokenize.STRING, FSTRING_MIDDLE):
            for number, line in enumerate(token.string.splitlines()):
                if (token.start[0], token.start[1]) not in skipped:
                    yield Text(place, token.start[0] + number, line)


def _stream_keys(parsed: ast.Module) -> set[tuple[int, int]]:
    """Where strings stand that key random numbers: changing them would change what is trained."""
    return {
        (inner.lineno, inner.col_offset)
        for call in ast.walk(parsed)
        if isinstance(call, ast.Call) and KEYED.match(dotted(call.func).rpartition(".")[2])
        for argument in call.args
        for inner in ast.walk(argument)
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str) and " " not in inner.value
    }


def page_texts(path: Path, place: str) -> Iterator[Text]:
    text = path.read_text(encoding="utf-8")
    if place in QUOTING:
        text = re.sub(r"(?ms)^```.*?^```|`[^`\n]*`", lambda match: "\n" * match.group().count("\n"), text)
    for number, line in enumerate(text.splitlines(), start=1):
        yield Text(place, number, re.sub(r"\]\([^)]*\)|https?://\S+", "]", line))


def all_texts() -> Iterator[Text]:
    for path in files():
        yield from python_texts(path, path.relative_to(ROOT).as_posix())
    pages = [path for path in sorted(ROOT.rglob("*")) if path.suffix in (".js", ".html", ".css")]
    for path in pages:
        yield from page_texts(path, path.relative_to(ROOT).as_posix())
    for path in documents():
        yield from page_texts(path, path.relative_to(REPOSITORY).as_posix())


def documents() -> list[Path]:
    faces = [REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    return [*faces, *sorted((REPOSITORY / "docs").glob("*.md"))]


def is_allowed(word: str, text: Text) -> bool:
    line = split(text.text)
    return any(
        allowed in ("*", word)
        and any(fnmatch(text.file, pattern) for pattern in patterns.split("|"))
        and re.search(expression, line)
        for allowed, patterns, expression, _ in ALLOWED
    )


def find(word: str, texts: list[Text]) -> list[str]:
    expression = re.compile(RETIRED[word][0])
    return [
        f"{text.file}:{text.line}: {text.text.strip()[:100]}"
        for text in texts
        if expression.search(split(text.text)) and not is_allowed(word, text)
    ]


@pytest.fixture(scope="module")
def texts() -> list[Text]:
    return list(all_texts())


@pytest.mark.parametrize("word", RETIRED)
def test_retired_word_is_gone(word: str, texts: list[Text]) -> None:
    found = find(word, texts)
    assert not found, f"{len(found)} times; instead: {RETIRED[word][1]}\n" + "\n".join(found[:40])


def test_retired_modules_and_classes_are_gone() -> None:
    wrong = [path.relative_to(ROOT).as_posix() for path in files() if path.stem in RETIRED_MODULES]
    for path in files():
        wrong += [
            f"{path.relative_to(ROOT).as_posix()}:{node.lineno}: {node.name}"
            for node in ast.walk(tree(path))
            if isinstance(node, ast.ClassDef) and node.name in RETIRED_NAMES
        ]
    assert not wrong, "\n".join(wrong)


def participle_names(parsed: ast.Module) -> Iterator[tuple[int, str]]:
    """Participles that stand alone as the name of a function, a parameter, a variable or a field."""
    for node in ast.walk(parsed):
        if isinstance(node, ast.arg):
            yield from [(node.lineno, node.arg)] * (node.arg in PARTICIPLES)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield from [(node.lineno, node.id)] * (node.id in PARTICIPLES)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield from [(node.lineno, node.attr)] * (node.attr in PARTICIPLES)
    for function in functions(parsed):
        yield from [(function.lineno, function.name)] * (function.name in PARTICIPLES)


def test_no_participle_stands_alone() -> None:
    wrong = [
        f"{text.file}:{text.line}: {text.text}"
        for path in files()
        for line, found in participle_names(tree(path))
        if not is_allowed(found, text := Text(path.relative_to(ROOT).as_posix(), line, found))
    ]
    assert not wrong, f"{len(wrong)} times\n" + "\n".join(wrong[:80])


@pytest.mark.parametrize("word", RETIRED)
def test_sabotage_is_noticed(word: str, tmp_path: Path) -> None:
    """Each word, in a comment, a docstring, an identifier and a page."""
    sample = {
        "move": "moves of the discriminator",
        "asked for": "what was asked for",
        "judge": "judges",
    }.get(word, word)
    name = sample.replace(" ", "_")
    source = tmp_path / "sample.py"
    source.write_text(
        f'"""A {sample}."""\n\n# the {sample}\n\n\ndef of_{name}_of() -> None:\n    x = "a {sample}"\n'
    )
    assert len(find(word, list(python_texts(source, "core/sample.py")))) == 4
    page = tmp_path / "log.md"
    page.write_text(f"The {sample}.\n\n`{sample}`\n")
    assert len(find(word, list(page_texts(page, "docs/other.md")))) == 2
    assert len(find(word, list(page_texts(page, "docs/log.md")))) == 1


def test_sabotage_of_names_is_noticed() -> None:
    program = (
        "def told(given, kept_images): \n    seen = given\n    self.kept = seen.kept\n    shown_images = 1\n"
    )
    assert sorted(found for _, found in participle_names(ast.parse(program))) == [
        "given",
        "kept",
        "seen",
        "told",
    ]


def test_allow_list_is_needed(texts: list[Text]) -> None:
    """Each allowed place has the word; otherwise its row is to be deleted."""
    needless = []
    for word, patterns, expression, reason in ALLOWED:
        words = list(RETIRED) if word == "*" else [word]
        places = [
            text for text in texts if any(fnmatch(text.file, pattern) for pattern in patterns.split("|"))
        ]
        hit = any(
            re.search(RETIRED[word][0] if word in RETIRED else rf"\b{word}\b", split(text.text))
            and re.search(expression, split(text.text))
            for word in words
            for text in places
        )
        needless += [] if hit else [f"{word} in {patterns}: {reason}"]
    assert not needless, "\n".join(needless)
