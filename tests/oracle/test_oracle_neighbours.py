"""Precision, recall, density and coverage against their authors' package and torch-fidelity; whose argument comes first."""

import numpy as np
import pytest
import torch

from sparring.metrics import precision_recall_density_coverage

pytest.importorskip("prdc", reason="`make oracle` has the packages to compare with")
from prdc import compute_prdc
from torch_fidelity.metric_prc import prc_features_to_metric

pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore")]
NAMES = ["random", "lite, 160", "lite, 640", "pixels"]


@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize("name", NAMES)
def test_equal_to_the_last_bit(pairs, name, k):
    real, fake = pairs[name]
    theirs = compute_prdc(real.numpy(), fake.numpy(), nearest_k=k)
    ours = precision_recall_density_coverage(real, fake, k)
    assert ours == theirs
    assert 0 < ours["recall"] != ours["precision"]


def test_equal_to_the_last_bit_for_many(pairs):
    """More than a tile of ours, and a set against which every count differs."""
    draw = torch.Generator().manual_seed(5)
    real = torch.randn(2300, 12, generator=draw, dtype=torch.float64)
    fake = torch.randn(2100, 12, generator=draw, dtype=torch.float64) * 0.8
    assert precision_recall_density_coverage(real, fake) == compute_prdc(
        real.numpy(), fake.numpy(), nearest_k=5
    )


@pytest.mark.parametrize("name", NAMES)
def test_torch_fidelity_takes_generated_samples_first(pairs, name):
    real, fake = pairs[name]
    ours = precision_recall_density_coverage(real, fake, k=3)
    settings = {"prc_neighborhood": 3, "prc_batch_size": 500, "save_cpu_ram": False, "verbose": False}
    right, turned = (prc_features_to_metric(*order, **settings) for order in ((fake, real), (real, fake)))
    assert right["precision"] == pytest.approx(ours["precision"], rel=1e-6)  # their mean is of float32
    assert right["recall"] == pytest.approx(ours["recall"], rel=1e-6)
    assert turned["precision"] == pytest.approx(ours["recall"], rel=1e-6)
    assert turned["recall"] == pytest.approx(ours["precision"], rel=1e-6)


@pytest.mark.parametrize("shift", [0, 30])
def test_copies_lie_on_the_edge(shift):
    """The k-th neighbour itself is not in the ball, so k balls hold each copy on average; `prdc` leaves that to rounding."""
    draw = np.random.default_rng(0)
    real = draw.normal(size=(400, 64)) + shift
    copies = real[draw.permutation(400)]
    ours, theirs = precision_recall_density_coverage(real, copies, 5), compute_prdc(real, copies, nearest_k=5)
    assert list(ours.values()) == [1, 1, 1, 1]
    assert ours == pytest.approx(theirs, abs=0.2)
