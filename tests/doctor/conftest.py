"""The toy of the reliability tests, the calibration of bench/, and the command line."""

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from sparring import cli

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def bench() -> ModuleType:
    found = importlib.util.spec_from_file_location("bench_doctor", ROOT / "bench" / "doctor.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory):
    before = os.environ.get("SPARRING_CACHE")
    os.environ["SPARRING_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["SPARRING_CACHE"]
    else:
        os.environ["SPARRING_CACHE"] = before


@pytest.fixture
def sparring(capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """The command line, in this process: exit code, standard output, standard error."""

    def call(*arguments: object) -> tuple[int, str, str]:
        capfd.readouterr()
        code = cli.run([str(argument) for argument in arguments])
        said = capfd.readouterr()
        return code, said.out, said.err

    return call
