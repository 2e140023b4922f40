"""Fixtures of all tests: one torch thread, a separate cache, a toy data set, and a process that forks crash trials."""

import os
import tempfile
from pathlib import Path

import pytest
import torch

from tests.helpers import toy
from tests.helpers.trials_client import Trials

torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARRING_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def toy_data(tmp_path_factory):
    """48 images of noise, 8x8, in three classes."""
    return toy.write_data(tmp_path_factory.mktemp("toy"))


@pytest.fixture
def quick(tmp_path):
    """A folder in memory where there is one, for what forces hundreds of files to the disk."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(prefix="sparring-", dir=memory) as place:
        yield Path(place)


@pytest.fixture(scope="session")
def trials(_own_cache):
    """Calls the functions of `trials.py` in a process of one thread, which can fork."""
    server = Trials()
    yield server
    server.close()
