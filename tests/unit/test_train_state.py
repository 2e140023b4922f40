"""One training step: micro-batches and optimizers; and checkpoints with a foreign state."""

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
def test_micro_batches_are_equal_to_the_batch(toy_data, micro):
    """Without batch statistics; also where the last micro-batch is smaller."""
    whole = toy.train_state(toy_data, more=PLAIN)
    parts = toy.train_state(toy_data, more=(*PLAIN, f"training.micro_batch={micro}"))
    for _ in range(3):
        one, other = ({n: float(v) for n, v in state.train_step().items()} for state in (whole, parts))
        assert other == pytest.approx(one, rel=1e-4)
    for name, tensor in whole.tensors().items():
        if not name.startswith("optimizer"):
            torch.testing.assert_close(parts.tensors()[name], tensor, rtol=1e-3, atol=2e-5)


def test_every_player_needs_one_optimizer(toy_data):
    with pytest.raises(ConfigError, match="generator"):
        toy.train_state(toy_data, more=("optimizers={generator: {type: adam}}",))
    with pytest.raises(ConfigError, match="encoder"):
        toy.train_state(toy_data, more=("optimizers.encoder={type: adam}",))


TORCHS = {
    Adam(lr=0.1, beta1=0.5): lambda weights: torch.optim.Adam(weights, lr=0.1, betas=(0.5, 0.999)),
    RMSProp(lr=0.1): lambda weights: torch.optim.RMSprop(weights, lr=0.1),
    SGD(lr=0.1): lambda weights: torch.optim.SGD(weights, lr=0.1, momentum=0.5),
}


@pytest.mark.parametrize("optimizer", TORCHS)
def test_updates_equal_those_of_torch(optimizer):
    ours, theirs = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    theirs.load_state_dict(ours.state_dict())
    player_optimizer, plain = PlayerOptimizer(optimizer, ours), TORCHS[optimizer](list(theirs.parameters()))
    names = set(player_optimizer.tensors())
    for step in range(4):
        for layer in (ours, theirs):
            layer.zero_grad()
            (layer(torch.ones(1, 3)) * torch.arange(1.0, 3.0)).square().sum().backward()
        player_optimizer.step(step)
        plain.step()
        for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(one, other)
    assert set(player_optimizer.tensors()) == names


def test_the_learning_rate_follows_its_schedule_and_factor():
    layer = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.zeros_(layer.weight)
    player_optimizer = PlayerOptimizer(
        SGD(lr=LinearSchedule(start=1.0, end=0.0, duration=100), momentum=0.0), layer
    )
    for images, factor, moved in ((0, 1.0, 1.0), (50, 1.0, 0.5), (50, 0.5, 0.25), (200, 1.0, 0.0)):
        before = float(layer.weight.detach())
        layer(torch.ones(1, 1)).sum().backward()
        player_optimizer.step(images, factor)
        assert before - float(layer.weight.detach()) == pytest.approx(moved)


def sign(folder):
    files = {name: (folder / name).read_bytes() for name in ("tensors.safetensors", "state.json")}
    manifest = {n: {"size": len(d), "sha256": hashlib.sha256(d).hexdigest()} for n, d in files.items()}
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.fixture
def checkpointed_run(toy_data, tmp_path):
    """A run with a single checkpoint, at two thirds of its length."""
    run_request = toy.request(toy_data, steps=6, save=2, report=2)
    toy.train(run_request, tmp_path)
    for images in checkpoint.list_checkpoints(tmp_path):
        if images != 4 * toy.BATCH:
            checkpoint.delete(tmp_path, images)
    return run_request, tmp_path, tmp_path / checkpoint.CHECKPOINTS_FOLDER / f"{4 * toy.BATCH:012d}"


WRONG = {
    "clock": {"step": 4, "images": 32, "salt": 0},
    "roll_backs": -1,
    "seconds": float("nan"),
    "record": {"a": [1.0]},
}


@pytest.mark.parametrize("name", WRONG)
def test_a_malformed_state_is_an_error(checkpointed_run, name):
    run_request, run, folder = checkpointed_run
    state = json.loads((folder / "state.json").read_text())
    (folder / "state.json").write_text(json.dumps(state | {name: WRONG[name]}))
    sign(folder)
    with pytest.raises(CorruptFileError) as caught:
        toy.train(run_request, run)
    assert caught.value.got.startswith("state.json")


def test_a_renamed_checkpoint_is_refused(checkpointed_run):
    run_request, run, folder = checkpointed_run
    folder.rename(folder.with_name(f"{8:012d}"))
    with pytest.raises(CorruptFileError, match="a clock at 32 in the checkpoint of 8"):
        toy.train(run_request, run)


def test_a_checkpoint_with_a_nan_ends_the_run(checkpointed_run):
    """A checkpoint that verifies but holds a NaN must not lead to endless roll-backs."""
    run_request, run, folder = checkpointed_run
    data = bytearray((folder / "tensors.safetensors").read_bytes())
    data[-40:] = b"\xff" * 40
    (folder / "tensors.safetensors").write_bytes(data)
    state = json.loads((folder / "state.json").read_text())
    state["clock"] |= {"step": 2, "images": 16}
    (folder / "state.json").write_text(json.dumps(state))
    sign(folder)
    folder.rename(folder.with_name(f"{16:012d}"))
    with pytest.raises(DivergedError):
        toy.train(run_request, run)


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("can't allocate memory: you tried 9"), torch.OutOfMemoryError()]
)
def test_too_little_memory_is_an_error_with_advice(toy_data, tmp_path, monkeypatch, error):
    def step(self):
        raise error

    monkeypatch.setattr(TrainState, "train_step", step)
    with pytest.raises(ConfigError, match="not enough memory"):
        toy.train(toy.request(toy_data, steps=2), tmp_path)
