"""Adding a thing touches what DESIGN's table says, and nothing else.

A copy of the source gets a toy of each kind: one file, made from an existing one by renaming, and its row. In the copy the
contract tests, a training, the explorer's playground, the doctor and the export must take the toys without any other change.
"""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.helpers.source import REPOSITORY

DRIVER = Path(__file__).with_name("additions_driver.py")


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of a table, made from another row.

    Arguments:
        file: below the package.
        table: name of the dict, or of the tuple of names.
        like: key of the row that is copied.
        key: of the new row.
    """

    file: str
    table: str
    like: str
    key: str


@dataclass(frozen=True, kw_only=True)
class Toy:
    """A new thing: one file and its rows.

    Arguments:
        file: the new file, below the package.
        source: the file that it is made from.
        renames: words of the source and of the copied rows, and what they become. Names of classes first.
        rows: in the order in which they are added.
        functions: (file, function) that are copied beside themselves, with the same renames.
    """

    file: str
    source: str
    renames: dict[str, str]
    rows: tuple[Row, ...]
    functions: tuple[tuple[str, str], ...] = ()


def part(role: str, table: str, source: str, like: str, key: str, renames: dict[str, str]) -> Toy:
    """A loss, penalty, head or augmentation: one file in its folder and its row in the folder's table."""
    row = Row(file=f"parts/{role}/__init__.py", table=table, like=like, key=key)
    return Toy(
        file=f"parts/{role}/{key}.py", source=f"parts/{role}/{source}.py", renames=renames, rows=(row,)
    )


NETWORKS = "parts/networks/__init__.py"
TOYS = {
    "loss": part("objectives", "OBJECTIVES", "hinge", "hinge", "toy_loss", {"Hinge": "ToyLoss"}),
    "penalty": part("penalties", "PENALTIES", "dragan", "dragan", "toy_penalty", {"DRAGAN": "ToyPenalty"}),
    "conditioning": part(
        "conditioning",
        "HEADS",
        "projection",
        "projection",
        "toy_head",
        {"ProjectionHead": "ToyModule", "Projection": "ToyHead", '"projection"': '"toy_head"'},
    ),
    "augmentation": part(
        "augmentation",
        "AUGMENTATIONS",
        "instance_noise",
        "instance_noise",
        "toy_noise",
        {"InstanceNoise": "ToyNoise"},
    ),
    "network": Toy(
        file="parts/networks/toy_net.py",
        source="parts/networks/dcgan.py",
        renames={"DCGAN": "ToyNet", "dcgan": "toy_net"},
        rows=(
            Row(file=NETWORKS, table="GENERATORS", like="dcgan", key="toy_net"),
            Row(file=NETWORKS, table="DISCRIMINATORS", like="dcgan", key="toy_net"),
        ),
    ),
    "extractor": Toy(
        file="features/toy_features.py",
        source="features/pixels_pca.py",
        renames={
            "PixelExtractor": "ToyExtractor",
            "pixels_pca": "toy_features",
            '"pixels"': '"toy_features"',
        },
        rows=(
            Row(file="features/__init__.py", table="EXTRACTORS", like="pixels", key="toy_features"),
            Row(
                file="protocols/catalogue.py", table="EXTRACTORS_INFO", like="pixels", key="toy_features"
            ),  # the facts, without torch
        ),
    ),
    "metric": Toy(
        file="metrics/toy_distance.py",
        source="metrics/sliced_wasserstein.py",
        renames={
            "metrics.sliced_wasserstein_distance": "toy_distance",
            "sliced_wasserstein_distance": "toy_distance",
            "swd": "toymetric",
        },
        rows=(
            Row(file="protocols/catalogue.py", table="METRICS_INFO", like="swd", key="toymetric"),
            Row(file="evaluation/compute.py", table="METRICS", like="swd", key="toymetric"),
        ),
        functions=(("evaluation/compute.py", "swd"),),
    ),
    "game": Toy(
        file="games/toy_game.py",
        source="games/adversarial.py",
        renames={
            "AdversarialConfig": "ToyGameConfig",
            "Adversarial(": "ToyGame(",
            '"Adversarial"': '"ToyGame"',
        },
        rows=(Row(file="games/__init__.py", table="GAMES", like="adversarial", key="toy_game"),),
    ),
    "recipe": Toy(
        file="recipes/toy_recipe.py",
        source="recipes/dcgan.py",
        renames={"dcgan,": "toy_recipe,", '"dcgan"': '"toy_recipe"'},
        rows=(
            Row(
                file="recipes/__init__.py", table="RECIPE_DESCRIPTIONS", like="dcgan", key="toy_recipe"
            ),  # the facts, without torch
            Row(file="recipes/table.py", table="RECIPE_MODULES", like="dcgan", key="toy_recipe"),
        ),
    ),
    "model": Toy(
        file="models/toy_model.py",
        source="models/classifier.py",
        renames={"ClassifierModel": "ToyModel", '"classifier"': '"toy_model"'},
        rows=(
            Row(file="export/graph.py", table="GRAPHS", like="classifier", key="toy_model"),
            Row(file="training/previews.py", table="PREVIEWS", like="classifier", key="toy_model"),
        ),
    ),
    "export target": Toy(
        file="export/toy_target.py",
        source="export/hub.py",
        renames={"hub.write_hub_folder": "toy_target.write_hub_folder", "_export_safetensors": "_export_toy"},
        rows=(
            Row(file="export/__init__.py", table="EXPORTS", like="safetensors", key="toy_target"),
            Row(file="cli/export.py", table="SUFFIXES", like="safetensors", key="toy_target"),
        ),
        functions=(("export/__init__.py", "_export_safetensors"),),
    ),
    "command": Toy(
        file="cli/toy_command.py",
        source="cli/doctor.py",
        renames={"Doctor": "ToyCommand", '"doctor"': '"toy"'},
        rows=(Row(file="cli/commands.py", table="Command", like="doctor", key="toy"),),
    ),
    "game of the model": Toy(  # how a new kind of model comes to be trained
        file="games/toy_classifier.py",
        source="games/classifier.py",
        renames={
            "ClassifierConfig": "ToyClassifierConfig",
            "ClassifierModel": "ToyModel",
            "models.classifier": "models.toy_model",
        },
        rows=(Row(file="games/__init__.py", table="GAMES", like="classifier", key="toy_classifier"),),
    ),
}
IMPORTS = {  # the lines that the rows need
    "parts/objectives/__init__.py": "from sparring.parts.objectives.toy_loss import ToyLoss",
    "parts/penalties/__init__.py": "from sparring.parts.penalties.toy_penalty import ToyPenalty",
    "parts/conditioning/__init__.py": "from sparring.parts.conditioning.toy_head import ToyHead",
    "parts/augmentation/__init__.py": "from sparring.parts.augmentation.toy_noise import ToyNoise",
    NETWORKS: "from sparring.parts.networks.toy_net import ToyNetDiscriminator, ToyNetGenerator",
    "features/__init__.py": "from sparring.features.toy_features import ToyExtractor",
    "evaluation/compute.py": "from sparring.metrics.toy_distance import toy_distance",
    "games/__init__.py": "from sparring.games.toy_game import ToyGameConfig\n"
    "from sparring.games.toy_classifier import ToyClassifierConfig",
    "export/__init__.py": "from sparring.export import toy_target",
    "cli/commands.py": "from sparring.cli.toy_command import ToyCommand",
    "recipes/table.py": "from sparring.recipes import toy_recipe",
}
ROW_RENAMES = {  # in copied rows, beside the toy's own
    "recipe": {"dcgan": "toy_recipe"},
    "metric": {},
}


def rename(text: str, renames: dict[str, str]) -> str:
    for old, new in renames.items():
        text = text.replace(old, new)
    return text


def find_table(text: str, table: str) -> ast.expr:
    for node in ast.parse(text).body:
        targets = (
            node.targets
            if isinstance(node, ast.Assign)
            else [node.target]
            if isinstance(node, ast.AnnAssign)
            else []
        )
        if any(ast.unparse(target) == table for target in targets):
            assert isinstance(node, ast.Assign | ast.AnnAssign)
            assert node.value is not None
            return node.value
    raise AssertionError(f"no table {table}")


def add_row(text: str, row: Row, renames: dict[str, str]) -> str:
    """The source of a file with one more row, behind the last one of its table."""
    table = find_table(text, row.table)
    lines = text.splitlines(keepends=True)
    if isinstance(table, ast.BinOp):  # a union of commands
        index = next(n for n, line in enumerate(lines) if f'"{row.like}"' in line)
        return "".join([*lines[: index + 1], rename(lines[index], renames), *lines[index + 1 :]])
    if isinstance(table, ast.Dict):
        index = next(
            n for n, key in enumerate(table.keys) if isinstance(key, ast.Constant) and key.value == row.like
        )
        value = ast.get_source_segment(text, table.values[index])
        new = f'    "{row.key}": {rename(str(value), renames)},\n'
    else:
        new = f'    "{row.key}",\n'
    end = (table.end_lineno or 0) - 1
    if end == table.lineno - 1:  # on one line
        opened = lines[end].rstrip()
        assert opened[-1] in "})]"
        lines[end] = f"{opened[:-1].rstrip().rstrip(',')},\n{new}{opened[-1]}\n"
        return "".join(lines)
    return "".join([*lines[:end], new, *lines[end:]])


def add_import(text: str, line: str) -> str:
    last = max(
        (node.end_lineno or 0)
        for node in ast.parse(text).body
        if isinstance(node, ast.Import | ast.ImportFrom)
    )
    lines = text.splitlines(keepends=True)
    return "".join([*lines[:last], line + "\n", *lines[last:]])


def add_function(text: str, function: str, renames: dict[str, str]) -> str:
    """The source with a copy of one of its functions behind it."""
    node = next(
        part for part in ast.parse(text).body if isinstance(part, ast.FunctionDef) and part.name == function
    )
    copied = rename(str(ast.get_source_segment(text, node)), renames)
    lines = text.splitlines(keepends=True)
    end = node.end_lineno or 0
    return "".join([*lines[:end], f"\n\n{copied}\n", *lines[end:]])


def add_toy(package: Path, kind: str) -> None:
    """Write a toy's file and its rows; nothing else."""
    toy = TOYS[kind]
    (package / toy.file).write_text(rename((package / toy.source).read_text(), toy.renames))
    for file, function in toy.functions:
        path = package / file
        path.write_text(add_function(path.read_text(), function, toy.renames))
    for row in toy.rows:
        path = package / row.file
        text = add_row(path.read_text(), row, toy.renames | ROW_RENAMES.get(kind, {}))
        if row.file in IMPORTS and IMPORTS[row.file].splitlines()[0] not in text:
            text = add_import(text, IMPORTS[row.file])
        path.write_text(text)


def environment(folder: Path) -> dict[str, str]:
    return os.environ | {
        "PYTHONPATH": f"{folder / 'src'}:{folder}",
        "SPARRING_CACHE": str(folder / "cache"),
        "OMP_NUM_THREADS": "1",
    }


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of source and tests with all toys in it."""
    folder = tmp_path_factory.mktemp("additions")
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "src", folder / "src", ignore=ignore)
    shutil.copytree(REPOSITORY / "tests", folder / "tests", ignore=ignore)
    shutil.copytree(REPOSITORY / "docs" / "hooks", folder / "docs" / "hooks", ignore=ignore)
    shutil.copy(REPOSITORY / "pyproject.toml", folder)
    for kind in TOYS:
        add_toy(folder / "src" / "sparring", kind)
    return folder


@pytest.fixture(scope="module")
def outcomes(copy: Path) -> dict[str, str]:
    """What `additions_driver.py` did in the copy: a traceback by step, empty where it went well."""
    program = [sys.executable, str(DRIVER), str(copy / "work")]
    found = subprocess.run(
        program, env=environment(copy), cwd=copy, capture_output=True, text=True, timeout=200
    )
    assert found.returncode == 0, found.stderr[-4000:]
    return dict(json.loads(found.stdout.splitlines()[-1]))


STEPS = (
    "import", "training", "resume", "evaluation", "sampling", "report", "doctor", "doctor of the loss", "export",
    "playground", "playground page", "recipe", "model", "model export",
    "export target", "command",
)  # fmt: skip


@pytest.mark.parametrize("step", STEPS)
def test_toys_work_everywhere(step: str, outcomes: dict[str, str]) -> None:
    assert outcomes.get(step, "the driver does not have this step") == ""


def test_the_driver_has_no_other_steps(outcomes: dict[str, str]) -> None:
    assert set(outcomes) == set(STEPS)


TESTS = ("tests/contract", "tests/laws/test_law_objectives.py", "tests/laws/test_law_penalties.py")
GUARDS = ("tests/guards/test_guard_tables.py", "tests/guards/test_guard_imports.py")
CHOICE = (
    "(toy_ and not bfloat16) or second_table or both_tables or kinds_of_models or downwards or circle or folder_holds"
    " or recipes_are"
)


def test_contract_tests_and_guards_pick_the_toys_up(copy: Path) -> None:
    """The parametrised tests over the tables run for each toy and pass, and no second table has to know one."""
    options = ("-p", "no:cacheprovider", "-p", "no:xdist", "-rfE", "-k", CHOICE)
    program = [sys.executable, "-m", "pytest", *options, *TESTS, *GUARDS]
    found = subprocess.run(
        program, env=environment(copy), cwd=copy, capture_output=True, text=True, timeout=250
    )
    assert found.returncode == 0, found.stdout[-4000:]
    assert int(re.findall(r"(\d+) passed", found.stdout)[-1]) >= 60


def test_a_row_that_is_missing_is_noticed(tmp_path: Path) -> None:
    """Without its row a loss is unknown: the driver's way of adding is what makes it known."""
    text = 'A = {"x": One, "y": Two}\nB = {\n    "x": one,\n}\nC = (\n    "x",\n)\n'
    for table in ("A", "B", "C"):
        row = Row(file="", table=table, like="x", key="toy")
        found = add_row(text, row, {"One": "Toy", "one": "toy"})
        values = find_table(found, table)
        keys = values.keys if isinstance(values, ast.Dict) else values.elts  # type: ignore[attr-defined]
        assert [key.value for key in keys][-1] == "toy"  # type: ignore[union-attr]
        ast.parse(found)
