"""Settings and options are documented one by one: each field of a configuration, each option of a command."""

import ast
import re

import pytest

from tests.helpers.source import files, name, tree

CONFIGS = re.compile(r"(Config|Options|Request|Settings)$")
PARTS = ("parts/", "games/", "core/optimizers.py", "core/schedule.py")
SUBCOMMAND = "action"  # the field of `sparring latent` that holds its subcommand, which has a text itself
LEAST_HELP = 8  # letters of a help text


def is_dataclass(node: ast.ClassDef) -> bool:
    return any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list)


def is_frozen(node: ast.ClassDef) -> bool:
    return any("frozen=True" in ast.unparse(decorator) for decorator in node.decorator_list)


def fields(node: ast.ClassDef) -> list[str]:
    """Public fields of a dataclass, without class variables."""
    return [
        statement.target.id
        for statement in node.body
        if isinstance(statement, ast.AnnAssign)
        and isinstance(statement.target, ast.Name)
        and not statement.target.id.startswith("_")
        and "ClassVar" not in ast.unparse(statement.annotation)
        and statement.target.id != SUBCOMMAND
    ]


def argument_texts(docstring: str) -> dict[str, str]:
    """The texts of a docstring's section of arguments, by argument; `beta1, beta2: text` is one of both."""
    _, found, section = docstring.partition("Arguments:\n")
    section = section if found else docstring.partition("Args:\n")[2]
    lines = section.split("\n\n")[0].splitlines()
    indent = len(lines[0]) - len(lines[0].lstrip()) if lines else 0
    texts: dict[str, str] = {}
    names: list[str] = []
    for line in lines:
        head, _, text = line.strip().partition(": ")
        heads = head.rstrip(":").split(", ")
        if len(line) - len(line.lstrip()) == indent and all(one.isidentifier() for one in heads):
            names = heads
            texts |= dict.fromkeys(names, text)
        else:
            texts |= {one: f"{texts[one]} {line.strip()}" for one in names}
    return texts


def undocumented(place: str, node: ast.ClassDef) -> list[str]:
    docstring = ast.get_docstring(node) or ""
    texts = argument_texts(docstring)
    return [
        f"{place}:{node.lineno}: {node.name}.{field}"
        for field in fields(node)
        if len(texts.get(field, "").strip()) < LEAST_HELP and not shares_a_line(field, docstring)
    ]


def shares_a_line(field: str, docstring: str) -> bool:
    """Whether a field's text stands behind another one's: `penalties: on one player. more: on the other.`"""
    return bool(re.search(rf"\. {field}(?:, \w+)*: \S.{{{LEAST_HELP - 1},}}", docstring))


def is_configuration(place: str, node: ast.ClassDef) -> bool:
    public = is_dataclass(node) and not node.name.startswith("_")
    return public and (bool(CONFIGS.search(node.name)) or (is_frozen(node) and place.startswith(PARTS)))


def test_each_setting_is_documented() -> None:
    wrong = [
        line
        for path in files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef) and is_configuration(name(path), node)
        for line in undocumented(name(path), node)
    ]
    assert not wrong, "\n".join(wrong)


def commands() -> list[tuple[str, ast.ClassDef]]:
    """The options of the commands: dataclasses in cli/ that can be called."""
    return [
        (name(path), node)
        for path in files()
        if name(path).startswith("cli/")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef)
        and is_dataclass(node)
        and any(isinstance(part, ast.FunctionDef) and part.name == "__call__" for part in node.body)
    ]


@pytest.mark.parametrize(("place", "node"), commands(), ids=[node.name for _, node in commands()])
def test_each_option_has_a_help_text_of_its_own(place: str, node: ast.ClassDef) -> None:
    assert undocumented(place, node) == []
    texts = argument_texts(ast.get_docstring(node) or "")
    assert len({texts[field] for field in fields(node)}) == len(fields(node)), "two options share a text"
    assert set(texts) == set(fields(node)), "a help text without an option"


def test_commands_are_found() -> None:
    assert {"Train", "Sample", "Translate", "Evaluate", "Export"} <= {node.name for _, node in commands()}


def test_sabotage_is_noticed() -> None:
    program = '''
@dataclass(frozen=True)
class NewConfig:
    """A thing.

    Arguments:
        rate, other: of learning, in all players.
        short: x
    """

    rate: float
    other: float
    short: int = 1
    missing: int = 2
'''
    node = next(found for found in ast.walk(ast.parse(program)) if isinstance(found, ast.ClassDef))
    assert is_configuration("anywhere.py", node)
    assert [line.split(".")[-1] for line in undocumented("a.py", node)] == ["short", "missing"]
