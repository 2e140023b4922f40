"""docs/architecture.md: the packages in the order in which they may import each other, one line each, from their docstrings.

python docs/hooks/architecture.py            # writes the page
python docs/hooks/architecture.py --check    # exits with 1 where the page is not what the source says
"""

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "sparring"
PAGE = ROOT / "docs" / "architecture.md"
LAYERS = (  # each may import what stands above it; those of one line do not import each other
    ("core",),
    ("protocols", "data", "parts"),
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
FACE = {"__init__.py", "__main__.py"}  # above all layers
HEAD = """# Architecture

<!-- Written by docs/hooks/architecture.py from the docstrings of the packages: change those, and run it. -->

Imports run one way: a package may import those of the rows above its own, and nothing else. A test enforces it, without
exceptions. The line of a package is the first line of its docstring.

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


def first_line(path: Path) -> str:
    """The first line of a module's docstring; of a folder, of its `__init__.py`."""
    module = path / "__init__.py" if path.is_dir() else path
    text = (ast.get_docstring(ast.parse(module.read_text())) if module.exists() else None) or ""
    return text.split("\n\n")[0].replace("\n", " ").strip()


def packages(folder: Path) -> list[Path]:
    """Folders of Python files below this one, by name."""
    return sorted(path for path in folder.iterdir() if path.is_dir() and any(path.glob("*.py")))


def not_placed() -> list[str]:
    """Packages and modules of the source that no layer names."""
    named = {name for layer in LAYERS for name in layer} | FACE
    present = [path.name for path in packages(SOURCE)] + sorted(path.name for path in SOURCE.glob("*.py"))
    return [name for name in present if name not in named]


def page() -> str:
    """The page as the source says it."""
    rows = ["| package | what it is | files |", "|---|---|---|"]
    for layer in LAYERS:
        for name in layer:
            rows += _rows(SOURCE / name)
    return HEAD + "\n".join(rows) + "\n" + TAIL


def _rows(path: Path) -> list[str]:
    if not path.exists():
        return []
    name = str(path.relative_to(SOURCE))
    count = len(list(path.glob("*.py"))) if path.is_dir() else 1
    row = f"| `{name}{'/' if path.is_dir() else ''}` | {_cell(first_line(path))} | {count} |"
    return [row, *(row for child in (packages(path) if path.is_dir() else []) for row in _rows(child))]


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def main(arguments: list[str]) -> int:
    """Write the page, or compare it. The exit code."""
    if lost := not_placed():
        print(
            f"no layer names {', '.join(lost)}: place them in LAYERS of {Path(__file__).name}",
            file=sys.stderr,
        )
    if "--check" in arguments:
        same = PAGE.exists() and PAGE.read_text() == page()
        if not same:
            print(
                "docs/architecture.md is not what the source says: run docs/hooks/architecture.py",
                file=sys.stderr,
            )
        return 0 if same and not lost else 1
    PAGE.write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
