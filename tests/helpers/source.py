"""The package's source files, parsed, for the guards."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2] / "src" / "sparring"


def files() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


def name(path: Path) -> str:
    """`networks/mlp.py`."""
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


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


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Modules of ours that a file imports, late imports included, as (`sparring.x.y`, whether for type checking only)."""
    typing_only = {
        id(inner)
        for block in ast.walk(tree(path))
        if isinstance(block, ast.If) and dotted(block.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
        for statement in block.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(path)}:{node.lineno}: a relative import"
            found = [_module(str(node.module), alias.name) for alias in node.names]
        else:
            continue
        yield from (
            (module, id(node) in typing_only) for module in found if module.split(".")[0] == "sparring"
        )


def _module(package: str, attribute: str) -> str:
    """`from package import attribute`: the module that is imported, be it the package or one in it."""
    inner = ROOT.parent.joinpath(*package.split("."), attribute)
    return f"{package}.{attribute}" if inner.with_suffix(".py").exists() or inner.is_dir() else package
