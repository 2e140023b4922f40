"""Small files, short functions, few parameters. Blank lines are free."""

import ast
import statistics

from tests.helpers.source import files, functions, name, tree

FILE_LINES, NETWORK_LINES, FUNCTION_LINES, MEDIAN_LINES, PARAMETERS = 150, 250, 80, 10, 7

LARGER_FILES = {
    "config.py": (230, "JSON to settings and back, with the error for each thing that can be wrong"),
    "games/adversarial.py": (200, "a game is one file: settings and turns"),
    "runtime.py": (185, "the only file that names devices"),
    "train.py": (250, "from a request to a run: begin, go on, refuse"),
}
MORE_PARAMETERS = {
    "starting.py:train": "the public function: one keyword an option of the command line",
    "play.py:__init__": "Play: what one batch in one turn consists of",
    "networks/layers/thin.py": "convolutions take torch's own list",
}


def test_files_are_small() -> None:
    wrong = []
    for path in files():
        budget = NETWORK_LINES if name(path).startswith("networks/") else FILE_LINES
        budget = LARGER_FILES.get(name(path), (budget, ""))[0]
        lines = sum(bool(line.strip()) for line in path.read_text().splitlines())
        if lines > budget:
            wrong.append(f"{name(path)}: {lines} lines, {budget} allowed")
    assert not wrong


def test_larger_files_are_there() -> None:
    assert set(LARGER_FILES) <= set(map(name, files()))


def test_functions_are_short() -> None:
    lengths = {}
    for path in files():
        for function in functions(tree(path)):
            documented = ast.get_docstring(function, clean=False)
            skipped = (documented or "").count("\n") + 1 if documented else 0
            lengths[f"{name(path)}:{function.name}"] = (
                (function.end_lineno or 0) - function.lineno + 1 - skipped
            )
    assert {place: lines for place, lines in lengths.items() if lines > FUNCTION_LINES} == {}
    assert statistics.median(lengths.values()) <= MEDIAN_LINES


def test_functions_have_few_parameters() -> None:
    wrong = []
    for path in files():
        for function in functions(tree(path)):
            given = function.args
            named = [argument.arg for argument in given.posonlyargs + given.args + given.kwonlyargs]
            count = len([argument for argument in named if argument not in ("self", "cls")])
            excused = {name(path), f"{name(path)}:{function.name}"} & set(MORE_PARAMETERS)
            if count > PARAMETERS and not excused:
                wrong.append(f"{name(path)}:{function.name} takes {count}")
    assert not wrong
