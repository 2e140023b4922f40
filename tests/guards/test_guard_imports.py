"""Imports run one way only; nothing heavy is imported where it must not be; nothing is imported in a circle."""

import subprocess
import sys

from tests.helpers.source import ROOT, files, imports, name

# From the ground up. A file may import from its own layer and from those before it. `sparring` itself (the public names,
# looked up late) and `__main__` are the roof.
LAYERS = {
    "ground": "errors shapes schedule keyed config storage tensorfile checkpoint interrupt record runtime optim average "
    "game play roles",
    "parts": "augment conditioning data distances features likelihoods metrics networks objectives penalties posteriors "
    "translators",
    "games": "games",
    "experiment": "experiment generatorfile",
    "recipes": "recipes",
    "the loop": "dealer match guard keeper moment samples reconstruction classification vitals evaluation fit probe request "
    "runfile train latent export translation",
    "faces": "wording doctor report console inspection machine asking judgement run starting cli serve "
    "gallery",
    "roof": "__init__ __main__",
}
ALSO = {("wording", "data"), ("wording", "fit"), ("console", "data")}  # for type checking only
NO_TORCH = [
    "sparring",
    "sparring.core.errors",
    "sparring.recipes",
    "sparring.terminal.text",
    "sparring.terminal.console",
    "sparring.report",
]
NO_TORCH += ["sparring.cli", "sparring.cli.commands", "sparring.cli.commands", "sparring.cli.options"]


def layer_of() -> dict[str, int]:
    return {module: number for number, names in enumerate(LAYERS.values()) for module in names.split()}


def first(module: str) -> str:
    """The file or folder right below the package."""
    return module.split(".")[1] if "." in module else "__init__"


def test_every_file_has_a_layer() -> None:
    there = {path.relative_to(ROOT).parts[0].removesuffix(".py") for path in files()}
    assert there == set(layer_of())


def test_imports_run_downwards() -> None:
    layers, wrong = layer_of(), []
    for path in files():
        here = name(path).split("/")[0].removesuffix(".py")
        for module, typing_only in imports(path):
            there = first(module)
            if there == "__init__":  # the version's number
                continue
            if layers[there] > layers[here] and not (typing_only and (here, there) in ALSO):
                wrong.append(f"{name(path)} imports {module}")
    assert not wrong


def test_nothing_is_imported_in_a_circle() -> None:
    """Files as nodes; imports for type checking do not count, and a package's __init__ is part of each of its files."""
    edges = {}
    for path in files():
        found = {_path(module) for module, typing_only in imports(path) if not typing_only}
        edges[name(path)] = {
            there for there in found if there not in (name(path), "__init__.py", _parent(path))
        }
    done: set[str] = set()

    def visit(node: str, way: tuple[str, ...]) -> None:
        assert node not in way, " -> ".join([*way[way.index(node) :], node])
        if node not in done:
            for there in sorted(edges[node]):
                visit(there, (*way, node))
            done.add(node)

    for node in edges:
        visit(node, ())


def _path(module: str) -> str:
    parts = module.split(".")[1:]
    place = ROOT.joinpath(*parts)
    return (
        (place / "__init__.py" if place.is_dir() else place.with_suffix(".py")).relative_to(ROOT).as_posix()
    )


def _parent(path) -> str:
    return name(path.parent / "__init__.py")


def test_names_and_words_do_not_need_torch() -> None:
    program = "import sys, importlib\n[importlib.import_module(name) for name in sys.argv[1:]]\nassert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program, *NO_TORCH], check=True, timeout=60)


def test_the_public_names_are_looked_up_late() -> None:
    program = """
import sys, sparring
assert "torch" not in sys.modules and set(sparring.__all__) <= set(dir(sparring))
import sparring.starting
assert "torch" in sys.modules and callable(sparring.train) and callable(sparring.load) and isinstance(sparring.Run, type)
from sparring.train import Result
assert sparring.train.__module__ == "sparring.starting"
try:
    sparring.trian
except AttributeError:
    pass
else:
    raise AssertionError
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
