"""Generates docs/architecture.md: the packages in layer order, one line each, from their docstrings.

Without arguments it writes the page; with `--check` it exits with 1 if the page is out of date or a package is in no layer.
"""

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "sparring"
PAGE = ROOT / "docs" / "architecture.md"
LAYERS = (  # a package may import its own modules, those of earlier rows, and those before it in its row: one linear order
    ("core", "protocols"),
    ("data", "parts"),
    ("features", "metrics"),
    ("models",),
    ("games",),
    ("experiment.py",),
    ("recipes",),
    ("runs",),
    ("inference", "doctor", "terminal", "evaluation"),
    ("training", "report", "export"),
    ("api.py",),
    ("serve",),
    ("cli",),
)
ENTRY_POINTS = {"__init__.py", "__main__.py"}  # above all layers
HEAD = """# Architecture

<!-- Written by docs/hooks/architecture.py from the docstrings of the packages: change those, and run it. -->

Imports run one way: a package may import its own modules and the packages above it in this table, and nothing else. A test
enforces it, without exceptions, also for imports inside functions and for type checking. The description of a package is the first
paragraph of its docstring.

"""
TAIL = """
## The way through

| to see | read, in this order |
|---|---|
| what `sparring train` does | `cli/train.py`, `api.py`, `training/start.py`, `training/loop.py` (Algorithm 1) |
| what happens in one step | `training/state.py`, `games/adversarial.py` |
| what a loss gets and returns | `core/adversarial_batch.py`, any file of `parts/objectives/` |
| what `sparring evaluate` does | `evaluation/evaluate.py`, from top to bottom |
| what is saved, and what resuming reads | `runs/run_json.py`, `runs/checkpoint.py`, `runs/records.py` |
| what happens after a NaN | `training/nan_guard.py` |
| how the number of samples of a metric is chosen | `protocols/defaults.py` |

Where a new thing goes: [Contributing](../CONTRIBUTING.md#where-things-are).
"""


def first_paragraph(path: Path) -> str:
    """First paragraph of a module's docstring; of a folder, that of its `__init__.py`."""
    module = path / "__init__.py" if path.is_dir() else path
    text = (ast.get_docstring(ast.parse(module.read_text())) if module.exists() else None) or ""
    return text.split("\n\n")[0].replace("\n", " ").strip()


def packages(folder: Path) -> list[Path]:
    """Sub-folders with Python files, sorted by name."""
    return sorted(path for path in folder.iterdir() if path.is_dir() and any(path.glob("*.py")))


def unplaced_names() -> list[str]:
    """Packages and modules of the source that are in no layer."""
    named = {name for layer in LAYERS for name in layer} | ENTRY_POINTS
    present = [path.name for path in packages(SOURCE)] + sorted(path.name for path in SOURCE.glob("*.py"))
    return [name for name in present if name not in named]


def page() -> str:
    """The page, generated from the source."""
    rows = ["| layer | package | what it is |", "|---|---|---|"]
    for number, layer in enumerate(LAYERS, start=1):
        for name in layer:
            rows += _rows(SOURCE / name, number)
    return HEAD + "\n".join(rows) + "\n" + TAIL


def _rows(path: Path, layer: int) -> list[str]:
    if not path.exists():
        return []
    name = str(path.relative_to(SOURCE))
    row = f"| {layer} | `{name}{'/' if path.is_dir() else ''}` | {_cell(first_paragraph(path))} |"
    children = packages(path) if path.is_dir() else []
    return [row, *(row for child in children for row in _rows(child, layer))]


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def main(arguments: list[str]) -> int:
    """Writes or checks the page; returns the exit code."""
    if unplaced := unplaced_names():
        print(
            f"in no layer: {', '.join(unplaced)}: place them in LAYERS of {Path(__file__).name}",
            file=sys.stderr,
        )
    if "--check" in arguments:
        same = PAGE.exists() and PAGE.read_text() == page()
        if not same:
            print(
                "docs/architecture.md is out of date: run python docs/hooks/architecture.py",
                file=sys.stderr,
            )
        return 0 if same and not unplaced else 1
    PAGE.write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
