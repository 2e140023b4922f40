"""A step with a non-finite number is undone; if it recurs, training goes back to a checkpoint, and at last gives up."""

from dataclasses import asdict

import pytest
import torch

from sparring.core.errors import DivergedError
from sparring.core.optimizers import PlayerOptimizer
from sparring.core.rng import KeyedRandom
from sparring.games.adversarial import Adversarial
from sparring.parts.penalties.historical_averaging import HistoricalAveraging
from sparring.runs import checkpoint
from sparring.runs.records import RunLogger
from sparring.training.checkpointing import Checkpointer
from sparring.training.loop import MAX_ROLLBACKS, TrainingLoop
from sparring.training.nan_guard import NaNGuard, all_finite
from sparring.training.state import BatchStream, TrainState
from tests.helpers import toy

STEPS, SAVE = 21, 7
METADATA = {"units": {}, "classes": ["0", "1", "2"]}
BAD = {"nan": float("nan"), "inf": float("inf")}


def poison_images(state, monkeypatch, bad, due):
    gather = BatchStream._gather

    def poisoned(self, *arguments):
        x, y, other = gather(self, *arguments)
        if due():
            x.view(-1)[3] = bad
        return x, y, other

    monkeypatch.setattr(BatchStream, "_gather", poisoned)


def poison_latents(state, monkeypatch, bad, due):
    true = KeyedRandom.normal

    def normal(self, stream, *shape):
        values = true(self, stream, *shape)
        if stream == "latent" and due():
            values[0, 0] = bad
        return values

    monkeypatch.setattr(KeyedRandom, "normal", normal)


def poison_turn(method):
    """The losses of a turn. The turns hold bound methods, so the turns of the state are made anew."""

    def poison(state, monkeypatch, bad, due):
        true = getattr(Adversarial, method)

        def terms(self, batch):
            terms = true(self, batch)
            if due():
                name = next(iter(terms.losses))
                terms.losses[name] = terms.losses[name] * bad
            return terms

        monkeypatch.setattr(Adversarial, method, terms)
        state.turns = state.game.turns()

    return poison


def poison_penalty(state, monkeypatch, bad, due):
    """The generator's penalty, which the toy applies in every step."""
    true = HistoricalAveraging.__call__

    def penalty(self, batch):
        return true(self, batch) * bad if due() else true(self, batch)

    monkeypatch.setattr(HistoricalAveraging, "__call__", penalty)


def poison_gradient(player):
    def poison(state, monkeypatch, bad, due):
        true = PlayerOptimizer.step

        def step(self, images, factor=1.0):
            if self is state.optimizers[player] and due():
                self.parameters[0].grad.view(-1)[0] = bad
            true(self, images, factor)

        monkeypatch.setattr(PlayerOptimizer, "step", step)

    return poison


def poison_tensor(name):
    def poison(state, monkeypatch, bad, due):
        true = TrainState.train_step
        tensor = next(
            value
            for key, value in state.tensors().items()
            if key.startswith(name[0]) and key.endswith(name[1])
        )

        def step(self):
            before = due()
            noted = true(self)
            if before:
                tensor.view(-1)[0] = bad
            return noted

        monkeypatch.setattr(TrainState, "train_step", step)

    return poison


PLACES = {
    "real image": poison_images,
    "latent": poison_latents,
    "discriminator's loss": poison_turn("_discriminator_terms"),
    "generator's loss": poison_turn("_generator_terms"),
    "penalty": poison_penalty,
    "discriminator's gradient": poison_gradient("discriminator"),
    "generator's gradient": poison_gradient("generator"),
    "batch statistic": poison_tensor(("game.generation", "running_var")),
    "moment": poison_tensor(("optimizer.discriminator", "exp_avg_sq")),
    "average": poison_tensor(("average", "norm.weight")),
}


def new_state(toy_data, save=SAVE):
    return toy.train_state(toy_data, steps=STEPS, save=save, report=7)


def run_loop(state, run):
    run.mkdir(parents=True, exist_ok=True)
    checkpointer = Checkpointer(state, run, RunLogger(run), METADATA)
    return TrainingLoop(state, checkpointer).run(lambda: False)


def without_step(toy_data, bad_step):
    """The digest of a run without that step: only the clock advances."""
    state = new_state(toy_data)
    while state.clock.images < STEPS * toy.BATCH:
        if state.clock.step == bad_step:
            state.clock.step += 1
            state.clock.images += toy.BATCH
        else:
            state.train_step()
    return toy.bits(state)


@pytest.fixture(scope="module")
def skipped(toy_data):
    return {step: without_step(toy_data, step) for step in (1, 17, SAVE - 1, STEPS - 1)}


@pytest.mark.parametrize("step", [1, 17, SAVE - 1])
@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("place", PLACES)
def test_a_non_finite_step_is_undone(toy_data, tmp_path, monkeypatch, skipped, place, bad, step):
    check_step_is_skipped(toy_data, tmp_path, monkeypatch, skipped, place, BAD[bad], step)


def test_the_last_step_is_undone(toy_data, tmp_path, monkeypatch, skipped):
    check_step_is_skipped(toy_data, tmp_path, monkeypatch, skipped, "latent", BAD["nan"], STEPS - 1)


def check_step_is_skipped(toy_data, tmp_path, monkeypatch, skipped, place, bad, step):
    state = new_state(toy_data)
    PLACES[place](state, monkeypatch, bad, lambda: state.clock.step == step)
    outcome = run_loop(state, tmp_path)
    assert outcome == "finished"
    assert all_finite(list(state.tensors().values()))
    assert toy.bits(state) == skipped[step]
    logged = [event for event in toy.events(tmp_path) if event["event"] == "step_skipped"]
    assert [event["step"] for event in logged] == [step]
    assert checkpoint.list_checkpoints(tmp_path)[-1] == STEPS * toy.BATCH


def test_each_checkpoint_is_finite(toy_data, tmp_path, monkeypatch):
    saved = []
    save = checkpoint.save

    def watched(run, images, tensors, state):
        saved.append(all_finite(list(tensors.values())))
        save(run, images, tensors, state)

    monkeypatch.setattr(checkpoint, "save", watched)
    state = new_state(toy_data, save=3)
    poison_gradient("generator")(
        state, monkeypatch, float("nan"), lambda: state.clock.step in (4, 5, 8, 11, 12)
    )
    run_loop(state, tmp_path)
    assert len(saved) == 1 + STEPS // 3
    assert all(saved)


def test_a_guard_without_the_average_is_noticed(toy_data, tmp_path, monkeypatch, skipped):
    """Sabotage: a guard that does not restore the average lets a non-finite step into it."""
    state = new_state(toy_data)
    poison_gradient("generator")(state, monkeypatch, float("nan"), lambda: state.clock.step == 1)
    begin = NaNGuard.__init__

    def forgetful(self, state):
        begin(self, state)
        names = list(state.tensors())
        others = [number for number, name in enumerate(names) if not name.startswith("average")]
        self.tensors = [self.tensors[number] for number in others]
        self.snapshot = [self.snapshot[number] for number in others]

    monkeypatch.setattr(NaNGuard, "__init__", forgetful)
    run_loop(state, tmp_path)
    assert toy.bits(state) != skipped[1]


def test_repeated_non_finite_steps_end_the_run(toy_data, tmp_path, monkeypatch):
    state = new_state(toy_data, save=3)
    salts = []

    def due():
        if state.clock.step >= 10:
            salts.append((state.clock.salt, state.clock.images < state.clock.calm_until))
        return state.clock.step >= 10

    poison_gradient("discriminator")(state, monkeypatch, float("nan"), due)
    with pytest.raises(DivergedError):
        run_loop(state, tmp_path)
    logged = [event for event in toy.events(tmp_path) if event["event"] == "rolled_back"]
    assert [event["times"] for event in logged] == [1, 2, 3]
    restored = [event["to"] for event in logged]
    assert restored == [9 * toy.BATCH, 6 * toy.BATCH, 0]  # the checkpoint of step 3 was not retained
    assert {salt for salt, _ in salts} == set(range(MAX_ROLLBACKS + 1))
    assert all(calm == (salt > 0) for salt, calm in salts)
    assert len(salts) < 100
    found = next(iter(checkpoint.iterate_verified(tmp_path)))
    assert all_finite(list(found.load(state.tensors()).values()))


def test_a_roll_back_draws_other_random_numbers(toy_data, tmp_path, monkeypatch):
    state = new_state(toy_data)
    poison_latents(state, monkeypatch, float("nan"), lambda: state.clock.step >= 10 and state.clock.salt == 0)
    outcome = run_loop(state, tmp_path)
    assert outcome == "finished"
    assert state.clock.salt == 1
    assert next(iter(checkpoint.iterate_verified(tmp_path))).state["clock"] == asdict(state.clock)


@pytest.mark.parametrize("kind", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("shape", [(), (1,), (33, 5), (4, 3, 5, 5)])
def test_all_finite_finds_one_bad_number(kind, bad, shape):
    tensors = [
        torch.ones(3, 4, dtype=kind),
        torch.ones(shape, dtype=kind),
        torch.zeros(0),
        torch.ones(2).long(),
    ]
    assert all_finite(tensors)
    tensors[1].view(-1)[-1] = bad
    assert not all_finite(tensors)
    if len(shape) == 4:
        assert not all_finite([tensors[1].contiguous(memory_format=torch.channels_last)])
