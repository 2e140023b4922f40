"""A finished run leaves the best generator where the last is clearly worse, and says so; else the last one."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import sparring as product
from sparring.cli.sample import Sample
from sparring.core.errors import SparringError
from sparring.doctor import examine
from sparring.runs import checkpoint, generator_file, records
from sparring.training import loop, setup
from tests.helpers import toy

METRIC = "kd100-pixels-test"
TOTAL, EVERY = 60 * toy.BATCH, 12 * toy.BATCH
COMMON = (
    "data.held_out=100",
    f"training.metric={METRIC}",
    f"training.evaluate_every={EVERY}",
    "game.discriminator={type: mlp, hidden: [16]}",
    "game.generator={type: mlp, latent: 4, hidden: [16]}",
    "game.generator_penalties=[]",
    "training.ema_half_life=8.0",
)
DESTROYED = (  # the generator learns for 48 steps; then its learning rate is absurd
    "optimizers.generator.lr={type: linear, start: 0.003, end: 5.0, delay: 384, duration: 64}",
)
STEADY = ("optimizers.generator.lr=1e-9",)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """400 grey images: half bright, half dark in the middle."""
    draw = np.random.default_rng(0)
    images = np.full((400, 8, 8, 1), 128.0) + draw.normal(0, 8, (400, 8, 8, 1))
    images[:, 2:6, 2:6] += draw.choice([-40.0, 40.0], (400, 1, 1, 1))
    path = tmp_path_factory.mktemp("data") / "set.npz"
    np.savez(path, images=images.clip(0, 255).astype(np.uint8))
    return path


def request(data: Path, *more: str):
    return toy.request(data, steps=60, save=12, report=12, more=(*COMMON, *more))


@pytest.fixture(scope="module")
def destroyed(data: Path, tmp_path_factory: pytest.TempPathFactory):
    run = tmp_path_factory.mktemp("destroyed") / "run"
    return run, toy.train(request(data, *DESTROYED), run)


def weights(run: Path, **options) -> list[torch.Tensor]:
    return list(product.load(run, "cpu", **options).generator.model.state_dict().values())


def is_same(first: list[torch.Tensor], second: list[torch.Tensor]) -> bool:
    return all(map(torch.equal, first, second))


def test_a_run_that_is_destroyed_late_ends_with_the_earlier_generator(destroyed) -> None:
    run, result = destroyed
    rows = records.read_evaluations(run)
    assert [row["images"] for row in rows] == list(range(EVERY, TOTAL + 1, EVERY))
    assert all(len(row["blocks"]) == 10 and row["interval"]["low"] < row["value"] for row in rows)
    best = min(rows, key=lambda row: row["value"])["images"]
    assert best < TOTAL
    assert generator_file.read_images(run / "generator.safetensors") == best
    assert checkpoint.best_checkpoint(run) == best
    assert checkpoint.list_checkpoints(run)[-1] == TOTAL
    (event,) = [event for event in toy.events(run) if event["event"] == "earlier_generator"]
    assert (event["images"], event["holds"], event["metric"]) == (TOTAL, best, METRIC)
    assert "clearly worse than the best" in result.generator_summary
    assert f"holds image {best:,}" in result.generator_summary
    assert (run / "samples.png").read_bytes() == (run / "samples" / f"{best:012d}.png").read_bytes()


def test_sampling_takes_what_the_file_says_and_the_last_is_still_there(destroyed) -> None:
    run, _ = destroyed
    held = weights(run)
    assert product.load(run, "cpu").generator.metadata["images"] == checkpoint.best_checkpoint(run)
    assert is_same(held, weights(run, checkpoint="best"))
    assert not is_same(held, weights(run, checkpoint="last"))
    assert is_same(weights(run, checkpoint=TOTAL), weights(run, checkpoint="last"))


def test_the_command_line_names_checkpoints(destroyed, tmp_path: Path) -> None:
    run, _ = destroyed
    samples = {}
    for name in (None, "best", "last", str(TOTAL)):
        out = tmp_path / f"{name}.npz"
        assert Sample(run=run, n=8, checkpoint=name, out=out, device="cpu", quiet=True)() == 0
        samples[name] = np.load(out)["images"]
    assert np.array_equal(samples[None], samples["best"])
    assert np.array_equal(samples["last"], samples[str(TOTAL)])
    assert not np.array_equal(samples["best"], samples["last"])
    with pytest.raises(SparringError, match="best, last"):
        Sample(run=run, checkpoint="first", out=tmp_path / "x.npz", device="cpu", quiet=True)()
    with pytest.raises(SparringError, match="a run folder"):
        Sample(run=run / "generator.safetensors", checkpoint="last", out=tmp_path / "x.npz", device="cpu")()


def test_doctor_and_report_agree(destroyed) -> None:
    run, _ = destroyed
    diagnosis = examine(run)
    assert "clearly worse than the best" in diagnosis.metric
    assert json.loads(json.dumps(diagnosis.to_json()))["metric"] == diagnosis.metric
    page = product.load(run, "cpu").report().read_text()
    assert "generator.safetensors is of image" in page


def test_a_finished_run_is_left_alone(data: Path, destroyed) -> None:
    run, result = destroyed
    before = (run / "events.jsonl").read_bytes(), (run / "generator.safetensors").read_bytes()
    again = toy.train(request(data, *DESTROYED), run)
    assert (again.was_finished, again.generator_summary) == (True, result.generator_summary)
    assert before == ((run / "events.jsonl").read_bytes(), (run / "generator.safetensors").read_bytes())


@pytest.mark.parametrize("moment", ["before", "after the event"])
def test_a_kill_after_the_last_save_changes_nothing(
    data: Path, destroyed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    class Killed(BaseException):
        pass

    def kill(*arguments, **options):
        raise Killed

    with monkeypatch.context() as patch:
        if moment == "before":
            patch.setattr(loop, "keep_best_generator", kill)
        else:
            patch.setattr("sparring.training.final_generator.load_checkpoint_model", kill)
        with pytest.raises(Killed):
            toy.train(request(data, *DESTROYED), tmp_path)
    assert checkpoint.list_checkpoints(tmp_path)[-1] == TOTAL
    assert generator_file.read_images(tmp_path / "generator.safetensors") == TOTAL
    result = toy.train(request(data, *DESTROYED), tmp_path)
    assert (result.outcome, result.was_finished) == ("finished", False)
    assert toy.digest(tmp_path) == toy.digest(destroyed[0])
    assert len([event for event in toy.events(tmp_path) if event["event"] == "earlier_generator"]) == 1
    assert toy.train(request(data, *DESTROYED), tmp_path).was_finished


def test_without_its_checkpoint_the_last_one_stays(data: Path, tmp_path: Path, monkeypatch) -> None:
    """A damaged best checkpoint can't be served; the run ends, and is finished."""
    save = checkpoint.save

    def damaging_save(run, images, tensors, state):
        save(run, images, tensors, state)
        for other in checkpoint.list_checkpoints(run):
            if 0 < other < TOTAL and images == TOTAL:
                (run / "checkpoints" / f"{other:012d}" / "tensors.safetensors").write_bytes(b"")

    monkeypatch.setattr(checkpoint, "save", damaging_save)
    assert toy.train(request(data, *DESTROYED), tmp_path).outcome == "finished"
    assert generator_file.read_images(tmp_path / "generator.safetensors") == TOTAL
    assert toy.train(request(data, *DESTROYED), tmp_path).was_finished


def test_values_that_wobble_within_noise_keep_the_last_one(data: Path, tmp_path: Path) -> None:
    result = toy.train(request(data, *STEADY), tmp_path)
    assert generator_file.read_images(tmp_path / "generator.safetensors") == TOTAL
    assert "can't be told from" in result.generator_summary
    assert checkpoint.best_checkpoint(tmp_path) == TOTAL
    assert not [
        event for event in toy.events(tmp_path) if event["event"] in ("earlier_generator", "metric_stalled")
    ]
    assert "clearly" not in examine(tmp_path).metric


def test_a_costly_metric_is_opened_once_the_length_of_a_timed_run_is_known(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The length of the self-supervised network's training follows that of the run."""
    monkeypatch.setenv("SPARRING_CACHE", str(tmp_path / "cache"))
    fits = []
    monkeypatch.setattr(setup, "choose_fit_images", lambda total: fits.append(total) or 256)
    metric = ("data.held_out=100", "training.metric=kd100-self_supervised-test", "training.evaluate_every=0")
    timed = toy.request(data, images=None, until="1s", more=metric)
    assert toy.train(timed, tmp_path / "run").outcome == "finished"
    rows = records.read_evaluations(tmp_path / "run")
    assert fits == [rows[-1]["images"]]
    assert {row["protocol"] for row in rows} == {"kd100-self_supervised-test"}
    assert len(rows[-1]["blocks"]) == 10
    assert len(list((tmp_path / "cache" / "self_supervised").iterdir())) == 1
