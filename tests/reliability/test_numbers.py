"""A step that gives a number which is not finite did not happen; what never gets better is rolled back, and then given up."""

from dataclasses import asdict

import pytest
import torch

from sparring.core.adversarial_batch import AdversarialBatch
from sparring.core.errors import DivergedError
from sparring.core.optimizers import PlayerOptimizer
from sparring.games.adversarial import Adversarial
from sparring.runs import checkpoint
from sparring.training.loop import MAX_ROLLBACKS, TrainingLoop
from sparring.training.nan_guard import NaNGuard, all_finite
from sparring.training.state import BatchStream, TrainState
from tests.helpers import toy

STEPS, SAVE = 21, 7
FACTS = {"units": {}, "classes": ["0", "1", "2"]}
BAD = {"nan": float("nan"), "inf": float("inf")}


def poison_images(match, monkeypatch, bad, due):
    gather = BatchStream._gather

    def poisoned(self, *arguments):
        x, y, other = gather(self, *arguments)
        if due():
            x.view(-1)[3] = bad
        return x, y, other

    monkeypatch.setattr(BatchStream, "_gather", poisoned)


def poison_latents(match, monkeypatch, bad, due):
    true = AdversarialBatch.z.func

    def z(self):
        values = true(self)
        if due():
            values[0, 0] = bad
        return values

    monkeypatch.setattr(AdversarialBatch, "z", property(z))


def poison_terms(method):
    def poison(match, monkeypatch, bad, due):
        true = getattr(Adversarial, method)

        def terms(self, *arguments):
            found = true(self, *arguments)
            losses = found.losses if hasattr(found, "losses") else found
            if due() and losses:
                name = next(iter(losses))
                losses[name] = losses[name] * bad
            return found

        monkeypatch.setattr(Adversarial, method, terms)

    return poison


def poison_turn(method):
    """The turns hold bound methods, so the match's own turns are changed."""

    def poison(match, monkeypatch, bad, due):
        poison_terms(method)(match, monkeypatch, bad, due)
        match.turns = match.game.turns()

    return poison


def poison_gradient(player):
    def poison(match, monkeypatch, bad, due):
        true = PlayerOptimizer.step

        def step(self, images, factor=1.0):
            if self is match.optimizers[player] and due():
                self.parameters[0].grad.view(-1)[0] = bad
            true(self, images, factor)

        monkeypatch.setattr(PlayerOptimizer, "step", step)

    return poison


def poison_tensor(name):
    def poison(match, monkeypatch, bad, due):
        true = TrainState.train_step
        tensor = next(
            value
            for key, value in match.tensors().items()
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
    "penalty": poison_terms("_penalised"),
    "discriminator's gradient": poison_gradient("discriminator"),
    "generator's gradient": poison_gradient("generator"),
    "batch statistic": poison_tensor(("game.generation", "running_var")),
    "moment": poison_tensor(("optimizer.discriminator", "exp_avg_sq")),
    "average": poison_tensor(("average", "norm.weight")),
}


def fresh(toy_data, save=SAVE):
    return toy.match(toy_data, steps=STEPS, save=save, report=7)


def played(match, run):
    run.mkdir(parents=True, exist_ok=True)
    fit = TrainingLoop(match, run, FACTS, lambda status: None)
    outcome = fit.run(lambda: False)
    return fit, outcome


def without_step(toy_data, bad_step):
    """The run in which that step is left out: its time passes, nothing else."""
    match = fresh(toy_data)
    while match.clock.images < STEPS * toy.BATCH:
        if match.clock.step == bad_step:
            match.clock.step += 1
            match.clock.images += toy.BATCH
        else:
            match.train_step()
    return toy.bits(match)


@pytest.fixture(scope="module")
def skipped(toy_data):
    return {step: without_step(toy_data, step) for step in (1, 17, SAVE - 1, STEPS - 1)}


@pytest.mark.parametrize("step", [1, 17, SAVE - 1])
@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("place", PLACES)
def test_a_bad_step_did_not_happen(toy_data, tmp_path, monkeypatch, skipped, place, bad, step):
    bad_step_is_skipped(toy_data, tmp_path, monkeypatch, skipped, place, BAD[bad], step)


def test_the_last_step_is_bad(toy_data, tmp_path, monkeypatch, skipped):
    bad_step_is_skipped(toy_data, tmp_path, monkeypatch, skipped, "latent", BAD["nan"], STEPS - 1)


def bad_step_is_skipped(toy_data, tmp_path, monkeypatch, skipped, place, bad, step):
    match = fresh(toy_data)
    PLACES[place](match, monkeypatch, bad, lambda: match.clock.step == step)
    _, outcome = played(match, tmp_path)
    assert outcome == "finished"
    assert all_finite(list(match.tensors().values()))
    assert toy.bits(match) == skipped[step]
    told = [event for event in toy.events(tmp_path) if event["event"].startswith("step skipped")]
    assert [event["step"] for event in told] == [step]
    assert checkpoint.list_checkpoints(tmp_path)[-1] == STEPS * toy.BATCH


def test_each_checkpoint_is_finite(toy_data, tmp_path, monkeypatch):
    saved = []
    save = checkpoint.save

    def watched(run, images, tensors, state):
        saved.append(all_finite(list(tensors.values())))
        save(run, images, tensors, state)

    monkeypatch.setattr(checkpoint, "save", watched)
    match = fresh(toy_data, save=3)
    poison_gradient("generator")(
        match, monkeypatch, float("nan"), lambda: match.clock.step in (4, 5, 8, 11, 12)
    )
    played(match, tmp_path)
    assert len(saved) == 1 + STEPS // 3
    assert all(saved)


def test_updating_the_average_before_the_guard_is_noticed(toy_data, tmp_path, monkeypatch, skipped):
    """A guard that forgets the average lets a bad step into it."""
    match = fresh(toy_data)
    poison_gradient("generator")(match, monkeypatch, float("nan"), lambda: match.clock.step == 1)
    begin = NaNGuard.__init__

    def forgetful(self, match):
        begin(self, match)
        names = list(match.tensors())
        kept = [number for number, name in enumerate(names) if not name.startswith("average")]
        self.live = [self.live[number] for number in kept]
        self.kept = [self.kept[number] for number in kept]

    monkeypatch.setattr(NaNGuard, "__init__", forgetful)
    played(match, tmp_path)
    assert toy.bits(match) != skipped[1]


def test_what_never_gets_better_is_given_up(toy_data, tmp_path, monkeypatch):
    match = fresh(toy_data, save=3)
    salts = []

    def due():
        if match.clock.step >= 10:
            salts.append((match.clock.salt, match.clock.images < match.clock.calm_until))
        return match.clock.step >= 10

    poison_gradient("discriminator")(match, monkeypatch, float("nan"), due)
    with pytest.raises(DivergedError):
        played(match, tmp_path)
    told = [event for event in toy.events(tmp_path) if event["event"].startswith("rolled back")]
    assert [event["times"] for event in told] == [1, 2, 3]
    to = [event["to"] for event in told]
    assert to == [9 * toy.BATCH, 6 * toy.BATCH, 0]  # the checkpoint of step 3 was not retained
    assert {salt for salt, _ in salts} == set(range(MAX_ROLLBACKS + 1))
    assert all(calm == (salt > 0) for salt, calm in salts)
    assert len(salts) < 100
    found = next(iter(checkpoint.iterate_verified(tmp_path)))
    assert all_finite(list(found.load(match.tensors()).values()))


def test_a_roll_back_helps_where_other_numbers_do(toy_data, tmp_path, monkeypatch):
    match = fresh(toy_data)
    poison_latents(match, monkeypatch, float("nan"), lambda: match.clock.step >= 10 and match.clock.salt == 0)
    _, outcome = played(match, tmp_path)
    assert outcome == "finished"
    assert match.clock.salt == 1
    assert next(iter(checkpoint.iterate_verified(tmp_path))).state["clock"] == asdict(match.clock)


@pytest.mark.parametrize("kind", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("shape", [(), (1,), (33, 5), (4, 3, 5, 5)])
def test_all_finite_sees_one_bad_number(kind, bad, shape):
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
