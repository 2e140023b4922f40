"""A file is one idea told whole; functions are short and take few arguments."""

import ast
import statistics
from pathlib import Path

from tests.helpers.source import files, functions, name, tree

# Most lines that are not blank, by folder; the longest folder that fits counts.
FILE_LINES = {"": 300, "parts/": 150, "parts/networks/": 250, "games/": 150, "recipes/": 150}
LEAST_LINES = 40  # with blank ones
SHORT = ("parts/", "recipes/")  # one file an idea, however small
FUNCTION_LINES, MEDIAN_LINES = 80, 10  # without the docstring
PARAMETERS, BOOLEANS = 7, 2
KEYWORD_FUNCTIONS = {"api.py:train"}  # one keyword an option of the command line


def most_lines(place: str) -> int:
    return FILE_LINES[max((folder for folder in FILE_LINES if place.startswith(folder)), key=len)]


def is_table(parsed: ast.Module) -> bool:
    """Whether a file holds nothing but values: no class, no function."""
    values = ast.Import | ast.ImportFrom | ast.Assign | ast.AnnAssign | ast.Expr
    return all(isinstance(node, values) for node in parsed.body)


def is_program(parsed: ast.Module) -> bool:
    """Whether a file runs in a process of its own: it ends in `if __name__ == "__main__":`."""
    return any(isinstance(node, ast.If) and "__main__" in ast.unparse(node.test) for node in parsed.body)


def size_faults(place: str, text: str) -> list[str]:
    lines = text.splitlines()
    full = sum(bool(line.strip()) for line in lines)
    if full > most_lines(place):
        return [f"{place}: {full} lines that are not blank, {most_lines(place)} allowed"]
    parsed = ast.parse(text)
    short = (
        place.startswith(SHORT)
        or Path(place).stem in ("__init__", "__main__")
        or is_table(parsed)
        or is_program(parsed)
    )
    if len(lines) < LEAST_LINES and not short:
        return [f"{place}: {len(lines)} lines; fold it into the file that uses it"]
    return []


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function, without its docstring."""
    documented = ast.get_docstring(function, clean=False)
    skipped = (documented or "").count("\n") + 1 if documented else 0
    return (function.end_lineno or 0) - function.lineno + 1 - skipped


def parameter_faults(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    arguments = function.args
    listed = arguments.posonlyargs + arguments.args + arguments.kwonlyargs
    listed = [argument for argument in listed if argument.arg not in ("self", "cls")]
    booleans = [
        argument for argument in listed if argument.annotation and ast.unparse(argument.annotation) == "bool"
    ]
    faults = [f"takes {len(listed)} arguments"] if len(listed) > PARAMETERS else []
    return faults + ([f"takes {len(booleans)} booleans"] if len(booleans) > BOOLEANS else [])


def test_files_have_a_readable_size() -> None:
    wrong = [line for path in files() for line in size_faults(name(path), path.read_text())]
    assert not wrong, "\n".join(wrong)


def test_functions_are_short() -> None:
    lengths = {
        f"{name(path)}:{function.lineno} {function.name}": length(function)
        for path in files()
        for function in functions(tree(path))
    }
    wrong = [f"{place}: {lines} lines" for place, lines in lengths.items() if lines > FUNCTION_LINES]
    assert not wrong, "\n".join(wrong)
    assert statistics.median(lengths.values()) <= MEDIAN_LINES


def test_functions_take_few_arguments() -> None:
    wrong = [
        f"{name(path)}:{function.lineno} {function.name} {fault}"
        for path in files()
        for function in functions(tree(path))
        if f"{name(path)}:{function.name}" not in KEYWORD_FUNCTIONS
        for fault in parameter_faults(function)
    ]
    assert not wrong, "\n".join(wrong)


def test_sabotage_is_noticed() -> None:
    assert size_faults("games/new.py", "x = 1\n" * 151)
    assert not size_faults("parts/networks/new.py", "x = 1\n" * 151)
    assert size_faults("parts/networks/new.py", "x = 1\n" * 251)
    assert size_faults("training/new.py", "def f():\n    pass\n")
    assert not size_faults("training/new.py", '"""A table."""\n\nTABLE = {"a": 1}\n')
    many = ast.parse(
        "def f(a, b, c, d, e, f, g, h): ...\ndef g(self, a: bool, *, b: bool, c: bool = False): ..."
    )
    assert [parameter_faults(function) for function in functions(many)] == [
        ["takes 8 arguments"],
        ["takes 3 booleans"],
    ]
    assert length(next(functions(ast.parse('def f():\n    """A.\n\n    B."""\n    return 1\n')))) == 2


def test_excused_functions_are_there() -> None:
    present = {f"{name(path)}:{function.name}" for path in files() for function in functions(tree(path))}
    assert present >= KEYWORD_FUNCTIONS


def test_docstrings_are_present() -> None:
    """Every module has one, whose first line is a sentence of its own; none is a reminder to write it."""
    wrong = []
    for path in files():
        text = ast.get_docstring(tree(path)) or ""
        if not text.strip() or "TODO" in text or len(text.splitlines()[0]) < 10:
            wrong.append(f"{name(path)}: {text.splitlines()[:1]}")
    assert not wrong, "\n".join(wrong)
