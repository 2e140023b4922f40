"""Each role's table lists what its folder holds; each part says where it comes from; the command line stays as it is."""

import ast
import dataclasses
import re
import sys
from types import ModuleType

import pytest

from sparring import cli, games, recipes
from sparring.core import optimizers, schedule
from sparring.parts import (
    augmentation,
    conditioning,
    likelihoods,
    networks,
    objectives,
    penalties,
    posteriors,
)
from sparring.recipes.table import RECIPE_MODULES, RECIPES, TINY_RECIPES
from tests.helpers.source import ROOT, name, tree

ROLES: dict[str, tuple[ModuleType, list[dict[str, type]], set[str]]] = {
    # folder: the module, its tables, and files in it that are no part of their own but help others
    "augment": (augmentation, [augmentation.AUGMENTATIONS], {"packing"}),
    "conditioning": (conditioning, [conditioning.HEADS, conditioning.BATCH_FEATURES], {"labels"}),
    "likelihoods": (likelihoods, [likelihoods.LIKELIHOODS], set()),
    "networks": (networks, [networks.GENERATORS, networks.DISCRIMINATORS], {"discriminator"}),
    "objectives": (objectives, [objectives.OBJECTIVES], {"auxiliary"}),
    "penalties": (penalties, [penalties.PENALTIES, penalties.CONSTRAINTS], set()),
    "posteriors": (posteriors, [posteriors.POSTERIORS], {"posterior", "spherical"}),
    "translators": (
        networks,
        [networks.TRANSLATORS, networks.PATCH_DISCRIMINATORS],
        {"casting", "convolution", "edges", "ends", "norm", "upsampling"},
    ),
    "games": (
        games,
        [games.GAMES],
        {
            "classification",
            "classifying",
            "coding",
            "contrast",
            "generation",
            "history",
            "judging",
            "translation",
        },
    ),
}
RECIPE_HELPERS = {
    "__init__",
    "table",
    "facts",
    "choosing",
    "convolutional",
    "latent",
    "mixtures",
    "translating",
}
FLAGS = {
    "train": "--domains --recipe --out --images --seed --size --batch --until --set --config --device --precision --threads "
    "--quiet --json",
    "sample": "--n --seed --label --truncation --out --device --quiet",
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


@pytest.mark.parametrize("folder", ROLES)
def test_tables_list_what_the_folder_holds(folder: str) -> None:
    _, tables, helpers = ROLES[folder]
    files = {path.stem for path in (ROOT / folder).glob("*.py")} - {"__init__"}
    listed = {
        member.__module__.removeprefix(f"sparring.{folder}.") for table in tables for member in table.values()
    }
    assert listed <= files, "a part lives outside of its folder"
    assert files - listed == helpers, "a file is neither in a table nor named as a helper"


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
def test_each_part_says_where_it_comes_from(folder: str) -> None:
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
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(tree(path)):
            target = (
                node.value
                if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del)
                else None
            )
            if isinstance(target, ast.Name) and target.id.isupper():
                wrong.append(f"{name(path)}:{node.lineno}: {target.id}[...] is written to")
    assert wrong == []


def test_optimizers_and_schedules_have_names_of_their_own() -> None:
    for table in (optimizers.OPTIMIZERS, schedule.SCHEDULES):
        assert all(dataclasses.is_dataclass(member) for member in table.values())


def test_recipes_are_the_files_of_their_folder() -> None:
    assert list(recipes.RECIPE_DESCRIPTIONS) == list(RECIPES) == list(TINY_RECIPES)
    homes = {module.__name__.rpartition(".")[2] for module in RECIPE_MODULES.values()}
    files = {path.stem for path in (ROOT / "recipes").glob("*.py")}
    assert files - homes == RECIPE_HELPERS
    for tag, module in RECIPE_MODULES.items():
        doc = module.__doc__ or ""
        assert tag == "auto" or re.search(r"arXiv:\d{4}\.\d{4,5}", doc), f"{tag} names no paper"


@pytest.mark.parametrize("command", FLAGS)
def test_the_command_line_stays_as_it_is(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Scripts outside lean on these names: none may go, and a new one is a decision."""
    with pytest.raises(SystemExit) as leaving:
        cli.run([*command.split(), "--help"])
    found = re.findall(r"^\S? {0,2}(?:-\w, )?(--[a-z][a-z-]*)", capsys.readouterr().out, re.MULTILINE)
    shown = set(found) - {"--help"}
    assert leaving.value.code == 0
    assert shown == set(FLAGS[command].split())


def test_there_are_no_other_commands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.run(["--help"])
    found = re.search(r"\{([a-z,]+)\}", capsys.readouterr().out)
    assert found is not None
    assert set(found[1].split(",")) == {command.split()[0] for command in FLAGS}
