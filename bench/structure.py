"""How the source is built: files, their lengths, loose modules, levels, imports against the order of layers, and circles.

    python bench/structure.py                                # of this tree
    git worktree add /tmp/old 0b93763 && python bench/structure.py /tmp/old/src/sparring

The sources are read, never imported. Levels: the longest chain of imports from a file to one that imports none of ours, where the
files of a circle count as one. An import up runs against the order of the layers of docs/hooks/architecture.py; a source whose
packages are not all in that table has none to count ("-"). Imports inside functions and for type checking count like others.
"""

import argparse
import ast
import statistics
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]


def layer_order() -> list[str]:
    """Packages from the ground up, by the table of docs/hooks/architecture.py."""
    parsed = ast.parse((REPOSITORY / "docs" / "hooks" / "architecture.py").read_text())
    values = {
        ast.unparse(node.targets[0]): node.value for node in parsed.body if isinstance(node, ast.Assign)
    }
    return [package.removesuffix(".py") for row in ast.literal_eval(values["LAYERS"]) for package in row]


def imported_files(root: Path, path: Path) -> set[Path]:
    """The files of the package that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            modules = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for module in modules:
            parts = module.split(".")
            if parts[0] == root.name:
                found |= _existing(root, parts[1:])
    return found - {path}


def _existing(root: Path, parts: list[str]) -> set[Path]:
    """The file of a module, or of the package that holds a name."""
    for end in range(len(parts), -1, -1):
        place = root.joinpath(*parts[:end])
        for candidate in (place.with_suffix(".py") if end else place, place / "__init__.py"):
            if candidate.is_file():
                return {candidate}
    return set()


def strong_components(edges: dict[Path, set[Path]]) -> list[list[Path]]:
    """Groups of files that import each other, in an order in which each stands behind what it imports (Tarjan 1972)."""
    index: dict[Path, int] = {}
    low: dict[Path, int] = {}
    stack: list[Path] = []
    groups: list[list[Path]] = []

    def visit(node: Path) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(edges[node]):
            if other not in index:
                visit(other)
            if other in stack:
                low[node] = min(low[node], low[other])
        if low[node] == index[node]:
            start = stack.index(node)
            groups.append(stack[start:])
            del stack[start:]

    for node in sorted(edges):
        if node not in index:
            visit(node)
    return groups


def levels(edges: dict[Path, set[Path]]) -> int:
    """Files on the longest chain of imports."""
    height: dict[Path, int] = {}
    for group in strong_components(edges):
        below = [height[other] for node in group for other in edges[node] if other not in group]
        height |= dict.fromkeys(group, 1 + max(below, default=0))
    return max(height.values())


def imports_up(root: Path, edges: dict[Path, set[Path]]) -> list[str] | None:
    """Imports against the order of the layers; None where the source has packages that are in no layer."""
    order = layer_order()

    def layer(path: Path) -> int:
        return order.index(path.relative_to(root).parts[0].removesuffix(".py"))

    inner = [path for path in edges if path.name not in ("__init__.py", "__main__.py") or path.parent != root]
    if any(path.relative_to(root).parts[0].removesuffix(".py") not in order for path in inner):
        return None
    return [
        f"{path.relative_to(root)} imports {other.relative_to(root)}"
        for path in inner
        for other in sorted(edges[path])
        if other not in inner or layer(other) > layer(path)
    ]


def measure(root: Path) -> dict[str, object]:
    paths = sorted(root.rglob("*.py"))
    edges = {path: imported_files(root, path) for path in paths}
    lengths = [len(path.read_text(encoding="utf-8").splitlines()) for path in paths]
    up = imports_up(root, edges)
    circles = [group for group in strong_components(edges) if len(group) > 1]
    return {
        "files": len(paths),
        "lines": sum(lengths),
        "median lines a file": statistics.median(lengths),
        "folders in the package": len({path.parent for path in paths}) - 1,
        "loose modules": len(list(root.glob("*.py"))),
        "imports between files": sum(map(len, edges.values())),
        "levels": levels(edges),
        "imports up": "-" if up is None else len(up),
        "circles": len(circles),
        "files in circles": sum(map(len, circles)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("root", nargs="?", type=Path, default=REPOSITORY / "src" / "sparring")
    root = parser.parse_args().root.resolve()
    sys.setrecursionlimit(10_000)
    for name, value in measure(root).items():
        print(f"{name:<24}{value}")


if __name__ == "__main__":
    main()
