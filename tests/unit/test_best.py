"""The verdict on the evaluations of a run: which is the best, and what the metric can tell."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparring.core.errors import SparringError
from sparring.runs import checkpoint, records
from sparring.runs.best import best_evaluation, compare_evaluations, is_clearly_worse, stalled_since
from sparring.terminal.text import evaluation_line

SHARED = np.random.default_rng(0).normal(
    size=10
)  # what the samples have in common: the same in every evaluation


def row(images: int, value: float, noise: float = 0.0, spread: float = 0.0, **more: Any) -> dict[str, Any]:
    """An evaluation: its blocks vary by `spread` together, and by `noise` each for itself."""
    draw = np.random.default_rng(images).normal(size=10)
    blocks = spread * SHARED + noise * (draw - draw.mean())
    blocks = value + blocks - blocks.mean()
    half = 2.262 * blocks.std(ddof=1) / 10**0.5
    fields = {"protocol": "kd500-self_supervised-test", "digest": "a", "seed": 0, "real": 500, "fake": 500}
    interval = {"low": value - half, "high": value + half, "method": ""}
    found = {"images": images, "value": value, "better": "lower", "interval": interval, **fields}
    return {**found, "blocks": blocks.tolist(), **more}


def without_blocks(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name != "blocks"}


def test_common_noise_does_not_hide_a_difference() -> None:
    """The intervals overlap, and yet every block got worse: only the comparison block by block can tell."""
    good, bad = row(10, 0.30, 0.01, 0.3), row(20, 0.40, 0.01, 0.3)
    assert good["interval"]["high"] > bad["interval"]["low"]
    assert is_clearly_worse(bad, good)
    assert not is_clearly_worse(good, bad)
    assert not is_clearly_worse(without_blocks(bad), without_blocks(good))


def test_chance_is_not_clear() -> None:
    """Of many pairs of equal generators hardly any differs clearly, though one of each has the smaller value."""
    false = 0
    for seed in range(300):
        draws = np.random.default_rng(seed).normal(1.0, 0.3, (2, 10))
        pair = [row(n, float(one.mean()), blocks=one.tolist()) for n, one in enumerate(draws)]
        false += is_clearly_worse(pair[0], pair[1]) or is_clearly_worse(pair[1], pair[0])
    assert false <= 9  # 1 % of 300 is 3


def test_a_trifle_is_not_clear_however_certain() -> None:
    assert not is_clearly_worse(row(20, 0.310), row(10, 0.300))
    assert is_clearly_worse(row(20, 0.330), row(10, 0.300))
    assert not is_clearly_worse(row(20, 0.3), row(10, 0.3))


def test_coarse_features_need_a_large_difference() -> None:
    pixels = {"protocol": "kd500-pixels-test"}
    assert not is_clearly_worse(row(20, 0.004, **pixels), row(10, 0.0025, **pixels))
    assert is_clearly_worse(row(20, 0.006, **pixels), row(10, 0.0025, **pixels))
    psnr = {"protocol": "psnr100-pixels-test", "better": "higher"}
    assert is_clearly_worse(row(20, 17.0, **psnr), row(10, 20.0, **psnr))


def test_the_choice_is_the_newest_unless_it_is_clearly_worse() -> None:
    rows = [row(10, 0.9, 0.02), row(20, 0.30, 0.02), row(30, 0.305, 0.02)]
    verdict = compare_evaluations(rows)
    assert verdict is not None
    assert (verdict.best["images"], verdict.choice["images"], verdict.is_worse) == (20, 30, False)
    assert [one["images"] for one in verdict.ties] == [30]
    assert "can't be told from the best" in verdict.sentence
    verdict = compare_evaluations([*rows, row(40, 0.8, 0.02)])
    assert verdict is not None
    assert (verdict.best["images"], verdict.choice["images"], verdict.is_worse) == (20, 20, True)
    assert "clearly worse than the best" in verdict.sentence
    assert evaluation_line(rows).endswith("(can't tell it from 0.3 at 20)")
    assert evaluation_line([*rows, row(40, 0.8, 0.02)]).endswith("(best 0.3 at 20)")


def test_old_rows_keep_working() -> None:
    rows = [
        {"images": n, "protocol": "fd1k-pca-test", "value": v, "better": "lower"}
        for n, v in ((1, 2.0), (2, 9.0))
    ]
    verdict = compare_evaluations(rows)
    assert verdict is not None
    assert best_evaluation(rows) is rows[0]
    assert (verdict.choice["images"], verdict.is_worse) == (2, False)
    assert compare_evaluations([]) is None
    for damaged in ("text", [1.0, None], {"a": 1}):
        assert not is_clearly_worse(row(2, 9.0, blocks=damaged, interval=damaged), row(1, 2.0))


def test_another_extractor_is_not_compared() -> None:
    """After a longer run was chosen, the self-supervised network is another one."""
    verdict = compare_evaluations([row(10, 0.1, digest="a"), row(20, 0.9, digest="b")])
    assert verdict is not None
    assert (verdict.best["images"], verdict.is_worse, verdict.ties) == (20, False, ())


def test_stalled_only_where_the_metric_is_clearly_worse() -> None:
    worse = [row(10, 0.3), *(row(20 + n, 0.5) for n in range(6))]
    assert [stalled_since(worse[:count]) for count in range(1, 8)] == [None] * 5 + [10, None]
    assert all(
        stalled_since([row(n, 0.3 + 0.001 * n) for n in range(1, count)]) is None for count in range(2, 12)
    )


def test_names_of_checkpoints(tmp_path: Path) -> None:
    for images in (8, 16, 24):
        checkpoint.save(tmp_path, images, {}, {})
    with pytest.raises(SparringError, match="no checkpoint was evaluated"):
        checkpoint.resolve_checkpoint(tmp_path, "best")
    logger = records.RunLogger(tmp_path)
    for found in (row(8, 0.3), row(16, 0.31), row(24, 0.9), row(32, 0.1)):
        logger.log_evaluation(found)
    assert checkpoint.best_checkpoint(tmp_path) == 8  # the checkpoint of 32 is not there
    names = {"best": 8, "last": 24, "16": 16, 24: 24}
    assert {name: checkpoint.resolve_checkpoint(tmp_path, name) for name in names} == names
    for wrong in ("17", "newest", "-8"):
        with pytest.raises(SparringError, match="best, last"):
            checkpoint.resolve_checkpoint(tmp_path, wrong)
