"""One step of a match: micro-batches, optimizers, what is refused, and states that came from elsewhere."""

import hashlib
import json

import pytest
import torch

from sparring.core.errors import ConfigError, CorruptFileError, DivergedError
from sparring.core.optimizers import SGD, Adam, PlayerOptimizer, RMSProp
from sparring.core.schedule import LinearSchedule
from sparring.runs import checkpoint
from sparring.training.state import TrainState
from tests.helpers import toy

PLAIN = (
    "game.generator={type: mlp, latent: 4, hidden: [16]}",
    "game.discriminator={type: mlp, hidden: [16]}",
    "game.generator_penalties=[]",
)


@pytest.mark.parametrize("micro", [1, 3, 4, 5, 8])
def test_micro_batches_are_the_batch(toy_data, micro):
    """Without statistics of the batch, also where the last part is smaller than the others."""
    whole = toy.match(toy_data, more=PLAIN)
    parts = toy.match(toy_data, more=(*PLAIN, f"training.micro_batch={micro}"))
    for _ in range(3):
        noted, other = whole.train_step(), parts.train_step()
        assert {n: float(v) for n, v in other.items()} == pytest.approx(
            {n: float(v) for n, v in noted.items()}, rel=1e-4
        )
    for name, tensor in whole.tensors().items():
        if not name.startswith("optimizer"):
            torch.testing.assert_close(parts.tensors()[name], tensor, rtol=1e-3, atol=2e-5)


def test_optimizers_are_one_for_each_player(toy_data):
    with pytest.raises(ConfigError, match="generator"):
        toy.match(toy_data, more=("optimizers={generator: {type: adam}}",))
    with pytest.raises(ConfigError, match="encoder"):
        toy.match(toy_data, more=("optimizers.encoder={type: adam}",))


TORCHS = {
    Adam(lr=0.1, beta1=0.5): lambda weights: torch.optim.Adam(weights, lr=0.1, betas=(0.5, 0.999)),
    RMSProp(lr=0.1): lambda weights: torch.optim.RMSprop(weights, lr=0.1),
    SGD(lr=0.1): lambda weights: torch.optim.SGD(weights, lr=0.1, momentum=0.5),
}


@pytest.mark.parametrize("optimizer", TORCHS)
def test_learners_step_as_torchs_optimizers_do(optimizer):
    ours, theirs = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    theirs.load_state_dict(ours.state_dict())
    learner, plain = PlayerOptimizer(optimizer, ours), TORCHS[optimizer](list(theirs.parameters()))
    names = set(learner.tensors())
    for step in range(4):
        for layer in (ours, theirs):
            layer.zero_grad()
            (layer(torch.ones(1, 3)) * torch.arange(1.0, 3.0)).square().sum().backward()
        learner.step(step)
        plain.step()
        for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(one, other)
    assert set(learner.tensors()) == names


def test_the_learning_rate_follows_its_schedule_and_the_calm():
    layer = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.zeros_(layer.weight)
    learner = PlayerOptimizer(SGD(lr=LinearSchedule(start=1.0, end=0.0, duration=100), momentum=0.0), layer)
    for images, factor, moved in ((0, 1.0, 1.0), (50, 1.0, 0.5), (50, 0.5, 0.25), (200, 1.0, 0.0)):
        before = float(layer.weight.detach())
        layer(torch.ones(1, 1)).sum().backward()
        learner.step(images, factor)
        assert before - float(layer.weight.detach()) == pytest.approx(moved)


def sign(folder):
    files = {name: (folder / name).read_bytes() for name in ("tensors.safetensors", "state.json")}
    manifest = {n: {"size": len(d), "sha256": hashlib.sha256(d).hexdigest()} for n, d in files.items()}
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.fixture
def begun(toy_data, tmp_path):
    """A run with its last checkpoint alone."""
    asked = toy.request(toy_data, steps=6, save=2, report=2)
    toy.play(asked, tmp_path)
    *older, newest = checkpoint.list_checkpoints(tmp_path)
    for images in older:
        checkpoint.delete(tmp_path, images)
    return asked, tmp_path, tmp_path / checkpoint.CHECKPOINTS_FOLDER / f"{newest:012d}"


WRONG = {
    "clock": {"step": 6, "images": 48, "salt": 0},
    "roll_backs": -1,
    "seconds": float("nan"),
    "record": {"a": [1.0]},
}


@pytest.mark.parametrize("name", WRONG)
def test_a_state_that_is_none_is_refused(begun, name):
    asked, run, folder = begun
    state = json.loads((folder / "state.json").read_text())
    (folder / "state.json").write_text(json.dumps(state | {name: WRONG[name]}))
    sign(folder)
    with pytest.raises(CorruptFileError, match=r"state\.json"):
        toy.play(asked, run)


def test_a_checkpoint_under_another_number_is_refused(begun):
    asked, run, folder = begun
    folder.rename(folder.with_name(f"{8:012d}"))
    with pytest.raises(CorruptFileError, match="a clock at 48 in the checkpoint of 8"):
        toy.play(asked, run)


def test_a_state_that_is_not_finite_is_given_up(begun):
    """A stranger's checkpoint that verifies but holds a NaN: no endless roll-backs."""
    asked, run, folder = begun
    data = bytearray((folder / "tensors.safetensors").read_bytes())
    data[-40:] = b"\xff" * 40
    (folder / "tensors.safetensors").write_bytes(data)
    state = json.loads((folder / "state.json").read_text())
    state["clock"] |= {"step": 2, "images": 16}
    (folder / "state.json").write_text(json.dumps(state))
    sign(folder)
    folder.rename(folder.with_name(f"{16:012d}"))
    with pytest.raises(DivergedError):
        toy.play(asked, run)


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("can't allocate memory: you tried 9"), torch.OutOfMemoryError()]
)
def test_not_enough_memory_is_told(toy_data, tmp_path, monkeypatch, error):
    def step(self):
        raise error

    monkeypatch.setattr(TrainState, "train_step", step)
    with pytest.raises(ConfigError, match="not enough memory"):
        toy.play(toy.request(toy_data, steps=2), tmp_path)
