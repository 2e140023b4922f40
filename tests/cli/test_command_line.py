"""The command line as a whole: `--help` without torch, the one meaning of `--json`, errors of writing, the public names."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

import sparring as package
from sparring import cli
from sparring.cli import complete_json
from sparring.cli.output import STDOUT, write_file, write_json, writing
from sparring.core.errors import SparringError
from sparring.core.version import __version__

COMMANDS = [
    "train",
    "sample",
    "translate",
    "reconstruct",
    "classify",
    "evaluate",
    "export",
    "inspect",
    "report",
]
COMMANDS += ["doctor", "explore", "recipes"]
LATENT_COMMANDS = ["walk", "grid", "mix", "morph", "directions", "edit", "invert"]


def run_python(program: str, *arguments: object) -> None:
    command = [sys.executable, "-c", program, *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)


def test_the_version_is_printed(sparring) -> None:
    assert sparring("--version") == (0, f"sparring {__version__}\n", "")


def test_help_needs_neither_torch_nor_numpy() -> None:
    helps = [[], *([name] for name in COMMANDS), *(["latent", name] for name in LATENT_COMMANDS)]
    program = """
import json, sys
from sparring import cli
for arguments in json.loads(sys.argv[1]):
    try:
        cli.run([*arguments, "--help"])
    except SystemExit as error:
        assert error.code == 0, arguments
    assert "torch" not in sys.modules and "numpy" not in sys.modules, arguments
for arguments in (["trian"], ["recipes"], ["--version"]):
    try:
        cli.run(arguments)
    except SystemExit:
        pass
assert "torch" not in sys.modules and "numpy" not in sys.modules
"""
    run_python(program, json.dumps(helps))


@pytest.mark.parametrize("command", ["report", "doctor"])
def test_commands_that_only_read_records_do_not_need_torch(run: Path, command: str) -> None:
    program = "import sys; from sparring import cli; assert cli.run(sys.argv[1:]) == 0 and 'torch' not in sys.modules"
    run_python(program, command, run)


@pytest.mark.parametrize("command", ["translate", "classify", "reconstruct"])
def test_required_arguments_are_marked(sparring, command: str) -> None:
    _, out, _ = sparring(command, "--help")
    assert "default: )" not in out
    assert "required" in next(line for line in out.split("IMAGES")[2:])


def test_a_closed_output_ends_the_command_silently() -> None:
    program = "import sys; from sparring import cli; cli.main(['recipes'])"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        errors = process.stderr.read()
    assert process.returncode == 141
    assert errors == b""


@pytest.mark.parametrize(
    ("arguments", "completed"),
    [
        (["train", "--json"], ["train", "--json", "-"]),
        (["train", "--json", "--size", "8"], ["train", "--json", "-", "--size", "8"]),
        (["train", "--json", "-"], ["train", "--json", "-"]),
        (["train", "--json", "a.json"], ["train", "--json", "a.json"]),
        (["train", "--json=a.json"], ["train", "--json=a.json"]),
        ([], []),
    ],
)
def test_json_without_a_path_is_standard_output(arguments: list[str], completed: list[str]) -> None:
    assert complete_json(arguments) == completed


def test_json_means_the_same_for_every_command(sparring, run: Path, messy: Path, tmp_path: Path) -> None:
    small = "--set", "game.generator.width=4", "game.discriminator.width=4"
    commands = {
        "train": ["--out", run],
        "doctor": [run],
        "inspect": [messy, "--size", "8", "--recipe", "dcgan", "--out", tmp_path / "c.png", *small],
    }
    for name, arguments in commands.items():
        path = tmp_path / "folder" / f"{name}.json"
        code, out, _ = sparring(name, *arguments, "--json", path)
        assert code == 0
        assert out, "with a path the text is printed as usual"
        code, printed, _ = sparring(name, *arguments, "--json")
        assert code == 0
        assert len(printed.splitlines()) == 1
        assert json.loads(printed).keys() == json.loads(path.read_text()).keys()
        assert sparring(name, *arguments, "--json", "-")[1].count("\n") == 1


def test_write_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_json({"a": 1}, None)
    write_json({"a": 1}, STDOUT)
    write_json({"a": 1}, tmp_path / "new" / "a.json")
    assert capsys.readouterr().out == '{"a": 1}\n'
    assert json.loads((tmp_path / "new" / "a.json").read_text()) == {"a": 1}


def test_errors_of_the_file_system_name_the_option(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "x"
    for write, option in ((write_file, "--out"), (write_json, "--json")):
        arguments = (path, b"") if write is write_file else ({}, path)
        with pytest.raises(SparringError) as caught:
            write(*arguments)
        assert caught.value.got.startswith(f"{option} {path}")
        assert option in caught.value.fix
    with pytest.raises(ZeroDivisionError), writing(path):
        raise ZeroDivisionError


def test_two_data_are_two_domains_and_the_flag_for_them_is_gone(sparring, tmp_path: Path) -> None:
    code, _, err = sparring("train", "--domains", "a", "b", "--out", tmp_path / "run")
    assert code == 2
    assert "--domains" in err


def test_the_public_names_of_the_package() -> None:
    program = """
import sys, sparring
assert "torch" not in sys.modules and set(sparring.__all__) <= set(dir(sparring))
assert sparring.latent.walk and sparring.latent is sys.modules["sparring.inference.latent"]
assert callable(sparring.train) and callable(sparring.load) and isinstance(sparring.Run, type)
try:
    sparring.trian
except AttributeError:
    sys.exit(0)
sys.exit(1)
"""
    run_python(program)
    assert "latent" in package.__all__


@pytest.mark.parametrize("module", ["sparring", "sparring.inference", "sparring.inference.latent"])
def test_every_name_in_all_exists(module: str) -> None:
    imported = importlib.import_module(module)
    assert [name for name in imported.__all__ if not hasattr(imported, name)] == []


def test_unexpected_errors_keep_their_traceback(monkeypatch: pytest.MonkeyPatch, run: Path) -> None:
    def fail(path: Path) -> Path:
        raise ZeroDivisionError

    monkeypatch.setattr("sparring.report.write", fail)
    with pytest.raises(ZeroDivisionError):
        cli.run(["report", str(run)])
