"""A translator that is killed on the command line and resumed ends with the same bits: image pool, heads, all networks."""

import numpy as np
import pytest
from PIL import Image

RECIPES = ("cyclegan", "cut", "pix2pix")


@pytest.fixture(scope="module")
def two_folders(tmp_path_factory):
    """Images of two domains, as many as do not fit together: the shorter side begins anew within the run."""
    root, draws = tmp_path_factory.mktemp("two"), np.random.default_rng(0)
    for side, count in (("one", 7), ("two", 10)):
        (root / side).mkdir()
        for number in range(count):
            pixels = draws.integers(0, 256, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / side / f"{number}.png")
    return root


@pytest.mark.parametrize("recipe", RECIPES)
def test_killed_twice_and_given_again(trials, two_folders, tmp_path, recipe):
    asked = {"data": two_folders, "recipe": recipe}
    whole = trials("translating", folder=tmp_path / "whole", kills=[], **asked)
    killed = trials("translating", folder=tmp_path / "killed", kills=[3, 7], **asked)
    assert (whole["codes"], killed["codes"]) == ([0], [-9, -9, 0])
    assert killed["began"] == [0, 8, 24], "it resumed from the last save"
    assert killed["digest"] == whole["digest"]


def test_a_pool_that_is_forgotten_is_noticed(trials, two_folders, tmp_path):
    asked = {"data": two_folders, "recipe": "cyclegan"}
    whole = trials("translating", folder=tmp_path / "whole", kills=[], **asked)
    killed = trials("translating", folder=tmp_path / "killed", kills=[5], forget=True, **asked)
    assert killed["digest"] != whole["digest"]
