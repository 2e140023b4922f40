"""Each role's table lists what its folder holds, no second table repeats it, and the command line stays as it is."""

import ast
import dataclasses
import importlib
import re
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

from sparring import cli, export, features, games, recipes
from sparring.cli import export as cli_export
from sparring.core import optimizers, schedule
from sparring.evaluation.compute import METRICS
from sparring.parts import (
    augmentation,
    conditioning,
    likelihoods,
    networks,
    objectives,
    penalties,
    posteriors,
)
from sparring.protocols.catalogue import EXTRACTORS_INFO, METRICS_INFO
from sparring.recipes.table import RECIPE_MODULES, RECIPES, TINY_RECIPES
from tests.helpers.source import ROOT, all_imports, files, name, tree

ROLES: dict[str, tuple[ModuleType, list[dict[str, type]]]] = {  # folder: the module and its tables
    "parts/augmentation": (augmentation, [augmentation.AUGMENTATIONS]),
    "parts/conditioning": (conditioning, [conditioning.HEADS, conditioning.BATCH_FEATURES]),
    "parts/likelihoods": (likelihoods, [likelihoods.LIKELIHOODS]),
    "parts/networks": (
        networks,
        [networks.GENERATORS, networks.DISCRIMINATORS, networks.TRANSLATORS, networks.PATCH_DISCRIMINATORS],
    ),
    "parts/objectives": (objectives, [objectives.OBJECTIVES]),
    "parts/penalties": (penalties, [penalties.PENALTIES, penalties.CONSTRAINTS]),
    "parts/posteriors": (posteriors, [posteriors.POSTERIORS]),
    "games": (games, [games.GAMES]),
}
MASTERS: dict[str, list[set[str]]] = {  # role: the names of its rows, by table
    "objective": [set(objectives.OBJECTIVES)],
    "penalty": [set(penalties.PENALTIES), set(penalties.CONSTRAINTS)],
    "metric": [set(METRICS)],
    "extractor": [set(features.EXTRACTORS)],
    "recipe": [set(RECIPES)],
    "game": [set(games.GAMES)],
}
ROWS_OF_METRICS = "protocols/catalogue.py"  # its table is put together from several
PARTIAL = {  # tables with a default for names that have no row; test_guard_additions.py holds that they have one
    "features/dinov2.py:VARIANTS": "the sizes of this file's own network",
    "serve/playground/config.py:RECIPE_SETTINGS": "settings for points of those recipes that the page offers",
    "serve/playground/config.py:PENALTY_TITLES": "titles; others are made from the name of the class",
    "serve/playground/config.py:PENALTY_WEIGHTS": "weights for points; others begin at a common one",
    "runs/upgrade.py:LOST_ABOVE": "what the objectives of format 1 were, whose runs do not store it; no row is ever added",
    "recipes/__init__.py:RECIPE_PAIRING": "the recipes for two domains",
}
FLAGS = {
    "train": "--recipe --out --images --seed --size --batch --from --until --set --config --device --precision --threads "
    "--quiet --json",
    "sample": "--n --seed --label --truncation --out --checkpoint --device --quiet",
    "translate": "--out --direction --scale --raw --tile --truth --device --precision --threads --quiet --json",
    "reconstruct": "--label --out --device --quiet",
    "classify": "--json --device --quiet",
    "evaluate": "--against --checkpoint --metrics --n --seed --direction --weights --out --device --precision --threads "
    "--quiet --json",
    "export": "--to --out --license --push --runtime --threads --quiet",
    "inspect": "--recipe --size --set --out --device --precision --threads --json",
    "report": "",
    "doctor": "--json",
    "explore": "--port --host --no-browser --device --threads",
    "latent": "",
    "latent walk": "--out --n --samples --steps --path --open --films --fps --label --truncation --seed --device --quiet",
    "latent grid": "--out --samples --rows --columns --path --label --truncation --seed --device --quiet",
    "latent mix": "--add --subtract --label --out --seed --device --quiet",
    "latent morph": "--classes --n --steps --out --fps --truncation --seed --device --quiet",
    "latent directions": "--by --wanted --n --data --samples --seed --out --device --threads --quiet",
    "latent edit": "--direction --without --strength --steps --images --latents --n --label --truncation --out --fps --seed "
    "--device --quiet",
    "latent invert": "--encoder --steps --starts --label --out --seed --device --threads --quiet",
    "recipes": "",
}


def folder_modules(folder: str) -> dict[str, str]:
    """The modules directly in a folder, by the name of their file."""
    paths = (path for path in (ROOT / folder).glob("*.py") if path.stem != "__init__")
    return {path.stem: f"sparring.{folder.replace('/', '.')}.{path.stem}" for path in paths}


def contract(table: dict[str, type]) -> set[str]:
    """Names that all rows of a table have in common."""
    return set.intersection(
        *({attribute for attribute in dir(row) if not attribute.startswith("_")} for row in table.values())
    )


@pytest.mark.parametrize("folder", ROLES)
def test_tables_list_what_the_folder_holds(folder: str) -> None:
    """A part lives in its folder; a file that is in no table helps others, and holds no part."""
    tables = ROLES[folder][1]
    modules = set(folder_modules(folder).values())
    listed = {row.__module__ for table in tables for row in table.values()}
    assert listed <= modules, "a part lives outside of its folder"
    imported = {found.module for path in files() for found in all_imports(path)}
    for helper in sorted(modules - listed):
        assert helper in imported, f"{helper} is in no table and nothing imports it"
        classes = [
            value for value in vars(importlib.import_module(helper)).values() if isinstance(value, type)
        ]
        parts = [
            cls.__qualname__
            for cls in classes
            if cls.__module__ == helper
            and dataclasses.is_dataclass(cls)
            and any(contract(table) and contract(table) <= set(dir(cls)) for table in tables)
        ]
        assert parts == [], f"{helper} holds a part that is in no table"


@pytest.mark.parametrize("folder", ROLES)
def test_each_part_is_frozen_settings_under_one_name(folder: str) -> None:
    for table in ROLES[folder][1]:
        members = list(table.values())
        assert len(set(members)) == len(members)
        for tag, member in table.items():
            assert re.fullmatch(r"[a-z][a-z0-9_]*", tag), tag
            assert dataclasses.is_dataclass(member), member
            assert member.__dataclass_params__.frozen, member  # type: ignore[attr-defined]


@pytest.mark.parametrize("folder", ROLES)
def test_each_part_names_its_paper(folder: str) -> None:
    silent = [
        member.__qualname__
        for table in ROLES[folder][1]
        for member in table.values()
        if "References:" not in (member.__doc__ or "") + (sys.modules[member.__module__].__doc__ or "")
    ]
    assert silent == []


def test_tables_are_literal() -> None:
    """A name from a file finds nothing but what stands in the source: no row is added or removed at run time."""
    wrong = []
    for path in files():
        for node in ast.walk(tree(path)):
            target = (
                node.value
                if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del)
                else None
            )
            if isinstance(target, ast.Name) and target.id.isupper():
                wrong.append(f"{name(path)}:{node.lineno}: {target.id}[...] is written to")
    assert wrong == []


def tables_of(parsed: ast.Module) -> Iterator[tuple[str, int, set[str]]]:
    """Literal collections of names: those assigned in a module or class, and dicts anywhere, as (name, line, keys)."""
    assigned = {}
    for node in ast.walk(parsed):
        for statement in node.body if isinstance(node, ast.Module | ast.ClassDef) else ():
            if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
                target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
                assigned[id(statement.value)] = ast.unparse(target)
    for node in ast.walk(parsed):
        title = assigned.get(id(node), "")
        if isinstance(node, ast.Dict):
            keys = node.keys
        elif isinstance(node, ast.Set | ast.List | ast.Tuple) and title and title != "__all__":
            keys = node.elts
        else:
            continue
        yield (
            title,
            node.lineno,
            {key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)},
        )


def repeated_tables(place: str, parsed: ast.Module) -> list[str]:
    """Tables whose keys are names of some rows of a role, but not of all."""
    wrong = []
    for title, line, keys in tables_of(parsed):
        for role, tables in MASTERS.items():
            shared = keys & set.union(*tables)
            # A dict inside a function may hold results by metric; an objective's name is a key nowhere else.
            if len(shared) < 2 or 2 * len(shared) <= len(keys) or not (title or role == "objective"):
                continue
            complete = keys in tables and (role != "objective" or place.startswith("parts/objectives/"))
            if not complete and place != ROWS_OF_METRICS and f"{place}:{title}" not in PARTIAL:
                wrong.append(
                    f"{place}:{line}: {title or 'a dict'} is keyed by {role}: {', '.join(sorted(shared))}"
                )
    return wrong


def test_no_second_table_knows_names_of_parts() -> None:
    """What is true of one row stands on the row's class, so that a new row needs no second table."""
    wrong = [line for path in files() for line in repeated_tables(name(path), tree(path))]
    assert not wrong, "\n".join(wrong)


def test_a_second_table_is_noticed() -> None:
    program = 'def f():\n    return {"hinge": 1, "minimax": 2}\nA = ("fd", "kd", "auth")\nB = {"fd": 1, "other": 2, "third": 3}\n'
    assert [line.split()[0] for line in repeated_tables("doctor/new.py", ast.parse(program))] == [
        "doctor/new.py:3:",
        "doctor/new.py:2:",
    ]
    complete = ast.parse(f"A = {sorted(METRICS)!r}\nB = {sorted(objectives.OBJECTIVES)!r}")
    assert [line.split()[0] for line in repeated_tables("doctor/new.py", complete)] == ["doctor/new.py:2:"]


def test_partial_tables_are_there() -> None:
    present = {f"{name(path)}:{title}" for path in files() for title, _, _ in tables_of(tree(path))}
    assert set(PARTIAL) <= present


def test_metrics_have_a_row_in_both_tables() -> None:
    assert list(METRICS) == list(METRICS_INFO)


def test_export_targets_have_a_row_in_both_tables() -> None:
    """The command line has the names without torch."""
    assert list(export.EXPORTS) == list(cli_export.SUFFIXES)


def test_extractors_have_a_row_in_both_tables() -> None:
    """The catalogue has the facts without torch."""
    assert list(features.EXTRACTORS) == list(EXTRACTORS_INFO)


def test_kinds_of_models_are_exported_and_previewed() -> None:
    """The tables by kind of model name the subclasses of `Model`, each of a kind of its own."""
    from sparring.export.graph import GRAPHS
    from sparring.models.model import Model
    from sparring.training.previews import PREVIEWS

    for stem in folder_modules("models").values():
        importlib.import_module(stem)
    kinds = [model.kind for model in Model.__subclasses__()]
    assert len(set(kinds)) == len(kinds)
    assert set(GRAPHS) == set(PREVIEWS) == set(kinds)


def test_optimizers_and_schedules_have_names_of_their_own() -> None:
    for table in (optimizers.OPTIMIZERS, schedule.SCHEDULES):
        assert all(dataclasses.is_dataclass(member) for member in table.values())


def test_recipes_are_the_files_of_their_folder() -> None:
    """A file of recipes/ is a recipe with its paper, helps several of them, or is a part of one that is too long for one file."""
    assert list(recipes.RECIPE_DESCRIPTIONS) == list(RECIPES) == list(TINY_RECIPES)
    modules = {module.__name__ for module in RECIPE_MODULES.values()}
    helpers = set(folder_modules("recipes").values()) - modules - {"sparring.recipes.table"}
    for helper in sorted(helpers):
        users = [path for path in files() if any(found.module == helper for found in all_imports(path))]
        is_part = [path.stem for path in users] == [helper.rpartition(".")[2].partition("_")[0]]
        assert len(users) > 1 or is_part, f"{helper} is no recipe and has no two users"
        assert not hasattr(importlib.import_module(helper), "tiny"), f"{helper} is a recipe without a row"
    for tag, module in RECIPE_MODULES.items():
        doc = module.__doc__ or ""
        assert tag == "auto" or re.search(r"arXiv:\d{4}\.\d{4,5}", doc), f"{tag} names no paper"


@pytest.mark.parametrize("command", FLAGS)
def test_the_command_line_stays_as_it_is(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Scripts outside lean on these names: none may go, and a new one is a decision."""
    with pytest.raises(SystemExit) as leaving:
        cli.run([*command.split(), "--help"])
    output = capsys.readouterr().out
    found = re.findall(r"^\S? {0,2}(?:-\w, )?(--[a-z][a-z-]*)", output, re.MULTILINE)
    shown = set(found) - {"--help"}
    assert leaving.value.code == 0
    assert shown == set(FLAGS[command].split())


@pytest.mark.parametrize("command", [command for command in FLAGS if "--json" in FLAGS[command]])
def test_json_takes_a_path_everywhere(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.run([*command.split(), "--help"])
    assert re.search(r"--json +\[?PATH", capsys.readouterr().out)


def test_there_are_no_other_commands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.run(["--help"])
    found = re.search(r"\{([a-z,]+)\}", capsys.readouterr().out)
    assert found is not None
    assert set(found[1].split(",")) == {command.split()[0] for command in FLAGS}
