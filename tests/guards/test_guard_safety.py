"""Nothing in a file can run code; devices have one home; random numbers have names."""

import ast
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.source import docstrings, dotted, files, imports, name, tree

FORBIDDEN_MODULES = {
    "pickle",
    "cPickle",
    "dill",
    "cloudpickle",
    "joblib",
    "shelve",
    "marshal",
    "random",
    "imp",
}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__"}
FORBIDDEN_NAMES = {
    "torch.load",
    "torch.save",
    "torch.hub.load",
    "torch.jit.load",
    "yaml.load",
    "yaml.unsafe_load",
    "yaml.full_load",
}
FORBIDDEN_NAMES |= {"numpy.random", "np.random", "os.system"}
DRAWS = {
    "rand",
    "randn",
    "randint",
    "randperm",
    "normal",
    "bernoulli",
    "multinomial",
    "rand_like",
    "randn_like",
    "randint_like",
}
GLOBAL_SEEDS = {"torch.manual_seed", "torch.seed"}
CONVERTER = "features/convert.py"  # published weights, in a process of its own, once
SEEDERS = {"training/state.py"}  # the initial weights, by a key


def places(check: Callable[[ast.AST], bool]) -> list[str]:
    """Where in the source something stands."""
    return [f"{name(path)}:{node.lineno}" for path in files() for node in ast.walk(tree(path)) if check(node)]


def test_no_module_that_runs_what_it_reads() -> None:
    def forbidden(node: ast.AST) -> bool:
        named = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        named += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
        return any(module.split(".")[0] in FORBIDDEN_MODULES for module in named)

    assert places(forbidden) == []


def test_no_call_that_runs_what_it_reads() -> None:
    assert places(lambda node: isinstance(node, ast.Call) and dotted(node.func) in FORBIDDEN_CALLS) == []
    found = places(lambda node: isinstance(node, ast.Attribute) and dotted(node) in FORBIDDEN_NAMES)
    assert [place for place in found if not place.startswith(CONVERTER)] == []
    imported = [
        f"{name(path)}: from {node.module} import {alias.name}"
        for path in files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if f"{node.module}.{alias.name}" in FORBIDDEN_NAMES
    ]
    assert imported == []


def test_the_one_converter_unpickles_tensors_alone_and_nobody_imports_it() -> None:
    def call(node: ast.AST) -> bool:
        return isinstance(node, ast.Call) and dotted(node.func) in FORBIDDEN_NAMES

    def weights_only(node: ast.AST) -> bool:
        given = {keyword.arg: keyword.value for keyword in node.keywords} if call(node) else {}
        value = given.get("weights_only")
        return isinstance(value, ast.Constant) and value.value is True and dotted(node.func) == "torch.load"

    assert len(places(call)) == 1
    assert places(call) == places(weights_only)
    assert places(call)[0].startswith(CONVERTER)
    assert [name(path) for path in files() if "sparring.features.convert" in dict(imports(path))] == []


def test_arrays_are_read_without_pickle() -> None:
    """`np.load` is safe by default; nobody may change that, nor leave it to chance."""

    def unsafe(node: ast.AST) -> bool:
        if not isinstance(node, ast.Call) or dotted(node.func) not in (
            "np.load",
            "numpy.load",
            "np.lib.format.read_array",
        ):
            return False
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        value = given.get("allow_pickle")
        return not (isinstance(value, ast.Constant) and value.value is False)

    assert places(unsafe) == []


def test_devices_are_named_in_one_file() -> None:
    wrong = []
    for path in files():
        if name(path) == "core/runtime.py":
            continue
        skipped = docstrings(path)
        for node in ast.walk(tree(path)):
            text = node.value if isinstance(node, ast.Constant) and id(node) not in skipped else None
            word = text if isinstance(text, str) else node.attr if isinstance(node, ast.Attribute) else ""
            if "cuda" in word or word in ("mps", "cudnn"):
                wrong.append(f"{name(path)}:{node.lineno}: {word!r}")
    assert wrong == []


def test_random_numbers_are_drawn_by_name() -> None:
    """A draw of torch's takes a generator of its own; only the initial weights come from a seeded global one."""

    def global_draw(node: ast.AST) -> bool:
        if not isinstance(node, ast.Call):
            return False
        called = dotted(node.func)
        if called in GLOBAL_SEEDS:
            return True
        return (
            called.removeprefix("torch.") in DRAWS
            and called.startswith("torch.")
            and _without_generator(node)
        )

    allowed = (*SEEDERS, "parts/networks/")
    found = [place for place in places(global_draw) if not place.startswith(allowed)]
    assert found == []


def _without_generator(node: ast.Call) -> bool:
    return "generator" not in {keyword.arg for keyword in node.keywords}


def test_networks_draw_only_when_they_are_made() -> None:
    """Their forward passes draw nothing by themselves: dropout layers are seeded by the runtime."""
    wrong = []
    for path in files():
        if not name(path).startswith("parts/networks/"):
            continue
        for function in ast.walk(tree(path)):
            if isinstance(function, ast.FunctionDef) and function.name == "forward":
                calls = [dotted(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)]
                wrong += [f"{name(path)}: {call}" for call in calls if call.removeprefix("torch.") in DRAWS]
    assert wrong == []


def test_annotations_stay_what_they_are() -> None:
    """Settings are decoded by their annotations, which `from __future__ import annotations` turns into texts."""
    assert places(lambda node: isinstance(node, ast.ImportFrom) and node.module == "__future__") == []


@pytest.mark.parametrize("package", ["torchvision", "scipy", "sklearn", "pandas", "matplotlib"])
def test_heavy_dependencies_stay_out(package: str) -> None:
    document = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert not any(line.startswith(package) for line in document["project"]["dependencies"])
    assert (
        places(lambda node: isinstance(node, ast.Import) and node.names[0].name.split(".")[0] == package)
        == []
    )
    assert (
        places(lambda node: isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] == package)
        == []
    )
