"""The package's source files, parsed, for the guards."""

import ast
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

REPOSITORY = Path(__file__).parents[2]
ROOT = REPOSITORY / "src" / "sparring"


def files() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


def name(path: Path) -> str:
    """A file's path below the package, such as `parts/networks/mlp.py`."""
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def architecture() -> ModuleType:
    """`docs/hooks/architecture.py`, which holds the table of layers and writes docs/architecture.md."""
    spec = importlib.util.spec_from_file_location(
        "architecture", REPOSITORY / "docs" / "hooks" / "architecture.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def functions(node: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (found for found in ast.walk(node) if isinstance(found, ast.FunctionDef | ast.AsyncFunctionDef))


def docstrings(path: Path) -> set[int]:
    """Numbers of the constants that are docstrings (of the module, classes, functions, and below fields)."""
    statements = [found for found in ast.walk(tree(path)) if isinstance(found, ast.Expr)]
    return {id(found.value) for found in statements if isinstance(found.value, ast.Constant)}


def dotted(node: ast.AST) -> str:
    """`torch.cuda.seed` of an attribute or a name; empty for anything else."""
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return node.id if isinstance(node, ast.Name) else ""


@dataclass(frozen=True)
class Import:
    """One imported module.

    Arguments:
        module: dotted name, as `sparring.core.errors` or `torch.nn`.
        line: of the statement.
        late: whether it stands inside a function.
        typing_only: whether it stands below `if TYPE_CHECKING:`.
    """

    module: str
    line: int
    late: bool
    typing_only: bool

    @property
    def ours(self) -> bool:
        return self.module.split(".")[0] == "sparring"


@cache
def all_imports(path: Path, parsed: ast.Module | None = None) -> list[Import]:
    """Every import of a file: at its head, inside functions, for type checking, and by `import_module("...")`."""
    parsed = parsed or tree(path)
    typing_only = {
        id(inner)
        for block in ast.walk(parsed)
        if isinstance(block, ast.If) and dotted(block.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
        for statement in block.body
        for inner in ast.walk(statement)
    }
    late = {id(inner) for function in functions(parsed) for part in function.body for inner in ast.walk(part)}
    found = []
    for node in ast.walk(parsed):
        found += [
            Import(module, node.lineno, id(node) in late, id(node) in typing_only)
            for module in _imported_modules(node, path)
        ]
    return found


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Modules of ours that a file imports, as (`sparring.x.y`, whether for type checking only)."""
    return ((found.module, found.typing_only) for found in all_imports(path) if found.ours)


def module_path(module: str) -> str:
    """The file of a module of ours, as `name` gives it."""
    place = ROOT.joinpath(*module.split(".")[1:])
    return name(place / "__init__.py" if place.is_dir() else place.with_suffix(".py"))


def _imported_modules(node: ast.AST, path: Path) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, f"{path}:{node.lineno}: a relative import"
        return [_module(str(node.module), alias.name) for alias in node.names]
    if isinstance(node, ast.Call) and dotted(node.func) in ("importlib.import_module", "import_module"):
        literal = node.args[0] if node.args else None
        return [str(literal.value) if isinstance(literal, ast.Constant) else "?"]
    return []


def _module(package: str, attribute: str) -> str:
    """`from package import attribute`: the module that is imported, be it the package or one in it."""
    inner = ROOT.parent.joinpath(*package.split("."), attribute)
    return f"{package}.{attribute}" if inner.with_suffix(".py").exists() or inner.is_dir() else package
