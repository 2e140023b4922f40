"""Two processes adapt as one: the same probability of ADA and the same averages of logits, from all their samples."""

import sys

import pytest
import torch

from tests.reliability import test_shared_image_pool as shared

CHILD = """
import sys, torch
from sparring.core.logit_statistics import LogitAverages
from sparring.core.runtime import start_runtime
from sparring.parts.augmentation import ADA
from tests.helpers.law_batch import batch_of_logits
from sparring.core.interfaces import LogitScale

runtime = start_runtime("cpu", "fp32", 1)
share = 8 // runtime.world_size
rows = slice(runtime.rank * share, (runtime.rank + 1) * share)
state, averages = ADA(interval=2, adjust_images=100).build_state(LogitScale(0.0)), LogitAverages(0.9)
for step in range(12):
    real, fake = torch.randn(2, 8, generator=torch.Generator().manual_seed(step))
    real[:7] = real[:7].abs() if step < 8 else real[:7]  # alone, the second process would see another r
    state.observe(batch_of_logits(real[rows], fake[rows]))
    averages.observe(real[rows], fake[rows], share)
    state.update()
    averages.update()
torch.save(state.state_dict() | averages.state_dict(), f"{sys.argv[1]}-{runtime.rank}")
runtime.close()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="gloo on one machine")
def test_two_processes_adapt_as_one(tmp_path, monkeypatch):
    monkeypatch.setattr(shared, "CHILD", CHILD)
    monkeypatch.setattr(shared, "SOURCES", (*shared.SOURCES, str(shared.ROOT)))
    (one,), (first, second) = shared.exchange(1, tmp_path / "one"), shared.exchange(2, tmp_path / "two")
    assert 0 < float(one["p"]) < 0.8
    assert one.keys() == first.keys() == {"p", "totals", "moving"}
    for name, value in one.items():
        assert torch.equal(first[name], second[name])
        torch.testing.assert_close(first[name], value)
