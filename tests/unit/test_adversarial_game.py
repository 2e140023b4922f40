"""The adversarial game and its turns: what is recorded, carried from turn to turn, and refused; a new objective."""

import json
from dataclasses import dataclass, replace

import pytest
import torch
from torch import nn

from sparring.core.errors import ConfigError, SparringError
from sparring.core.game import Batch, Terms, Turn
from sparring.core.interfaces import LogitScale, Objective
from sparring.core.rng import KeyedRandom
from sparring.core.runtime import DeviceOptions
from sparring.core.shapes import SampleSpec
from sparring.doctor.history import read_history
from sparring.games.adversarial import AdversarialConfig
from sparring.games.paired import PairedConfig
from sparring.parts import objectives
from sparring.parts.networks import PatchGAN, UNet
from sparring.parts.networks.mlp import MLPDiscriminator, MLPGenerator
from sparring.parts.objectives import OBJECTIVES, Hinge, NonSaturating
from sparring.parts.penalties import R1, R2, GradientPenalty
from sparring.runs.run_json import objective_facts
from sparring.serve.playground.config import PlaygroundConfig
from sparring.serve.playground.game import Playground
from sparring.training.state import BatchStream
from tests.helpers import toy

POINTS = SampleSpec(shape=(2,))
CONFIG = AdversarialConfig(
    generator=MLPGenerator(latent=3, hidden=(8,)),
    discriminator=MLPDiscriminator(hidden=(8,)),
    objective=NonSaturating(),
)
PAIRED = PairedConfig(translator=UNet(width=4), discriminator=PatchGAN(patch_size=7, width=4))


def batch(step: int = 0, turn: int = 0, carry: dict | None = None) -> Batch:
    x = torch.randn(6, 2, generator=torch.Generator().manual_seed(step))
    random = KeyedRandom(0, (step, turn, 0), 6)
    return Batch(x=x, y=None, rng=random, images=0, step=step, carry={} if carry is None else carry)


class TestCarry:
    def test_the_generator_is_trained_on_the_samples_of_the_discriminator(self):
        game, carry = replace(CONFIG, reuse_fakes=True).build(POINTS), {}
        discriminator, generator = game.turns()
        discriminator.terms(batch(carry=carry))
        (carried,) = carry.values()
        reused = generator.terms(batch(turn=1, carry=carry)).losses["adversarial"]
        assert carry == {}
        logits = game.discriminator(carried)
        assert torch.equal(reused, nn.functional.softplus(-logits))
        reused.mean().backward()
        assert all(parameter.grad is not None for parameter in game.generation.parameters())

    @pytest.mark.parametrize("reuse_fakes", [False, True])
    @pytest.mark.parametrize("objective", sorted(objectives.OBJECTIVES))
    def test_the_discriminators_losses_leave_no_gradient_in_the_generator(self, objective, reuse_fakes):
        changes = {
            "objective": objectives.OBJECTIVES[objective](),
            "penalties": (R1(gamma=1.0), R2(gamma=1.0)),
        }
        game = replace(CONFIG, reuse_fakes=reuse_fakes, **changes).build(POINTS)
        terms = game.turns()[0].terms(batch(carry={}))
        torch.stack([loss.mean() for loss in terms.losses.values()]).sum().backward()
        assert all(parameter.grad is None for parameter in game.generation.parameters())
        assert any(parameter.grad is not None for parameter in game.discriminator.parameters())

    def test_without_reuse_nothing_is_carried_and_samples_are_new(self):
        game, carry = CONFIG.build(POINTS), {}
        discriminator, generator = game.turns()
        discriminator.terms(batch(carry=carry))
        assert carry == {}
        first, second = (generator.terms(batch(turn=turn)).losses["adversarial"] for turn in (0, 1))
        assert not torch.equal(first, second)

    def test_micro_batches_have_carries_of_their_own(self, toy_data, monkeypatch):
        carries: dict[int, list[int]] = {}
        batches = BatchStream.batches

        def recorded(self, clock, turn, *rest):
            for one in batches(self, clock, turn, *rest):
                carries.setdefault(one.rng.rows.start, []).append(id(one.carry))
                yield one

        monkeypatch.setattr(BatchStream, "batches", recorded)
        toy.train_state(toy_data, more=("training.micro_batch=4",)).train_step()
        assert len(carries) > 1
        assert all(len(set(ids)) == 1 for ids in carries.values()), "one carry for all turns of the same rows"
        assert len({ids[0] for ids in carries.values()}) == len(carries)


class TestPenalties:
    def test_losses_are_named_by_the_tag(self):
        game = replace(CONFIG, penalties=(R1(), GradientPenalty()), generator_penalties=()).build(POINTS)
        losses = game.turns()[0].terms(batch()).losses
        assert list(losses) == ["adversarial", "r1", "gradient_penalty"]

    def test_different_types_add_up(self):
        both = replace(CONFIG, penalties=(R1(), R2())).build(POINTS)
        assert set(both.turns()[0].terms(batch()).losses) == {"adversarial", "r1", "r2"}

    @pytest.mark.parametrize(
        ("config", "setting"), [(CONFIG, "penalties"), (CONFIG, "generator_penalties"), (PAIRED, "penalties")]
    )
    def test_two_of_one_type_are_refused(self, config, setting):
        with pytest.raises(ConfigError) as caught:
            replace(config, **{setting: (R1(gamma=10.0), R1(gamma=1.0))})
        assert f"game.{setting}" in caught.value.got
        assert "r1" in caught.value.got

    def test_a_class_outside_the_table_is_refused(self):
        @dataclass(frozen=True)
        class Other(R1):
            pass

        with pytest.raises(ConfigError) as caught:
            replace(CONFIG, penalties=(Other(),))
        assert "Other" in caught.value.got


class TestRecord:
    def test_repeats_are_averaged(self, toy_data, monkeypatch):
        state = toy.train_state(toy_data, more=("game.critic_steps=3",))
        losses: list[float] = []
        terms = state.turns[0].terms

        def recorded(input_batch: Batch) -> Terms:
            found = terms(input_batch)
            losses.append(float(found.losses["adversarial"].detach().mean()))
            return found

        state.turns[0] = replace(state.turns[0], terms=recorded)
        row = state.train_step()
        assert len(set(losses)) == 3
        assert float(row["discriminator/adversarial"]) == pytest.approx(sum(losses) / 3, rel=1e-6)

    def test_all_names_have_the_prefix_of_their_turn(self, toy_data):
        row = toy.train_state(toy_data).train_step()
        assert {"discriminator/accuracy_real", "discriminator/accuracy_fake"} <= set(row)
        assert all(name.split("/")[0] in ("discriminator", "generator") for name in row)


class TestClock:
    def test_a_step_without_new_samples_is_refused(self, toy_data):
        state = toy.train_state(toy_data)
        state.turns = [replace(state.turns[0], active=lambda images: False), state.turns[1]]
        before = toy.bits(state)
        with pytest.raises(SparringError) as caught:
            state.train_step()
        assert "clock" in caught.value.got
        assert toy.bits(state) == before

    def test_one_active_turn_is_enough(self, toy_data):
        state = toy.train_state(toy_data)
        idle = Turn(
            name="idle", players=(), terms=lambda input_batch: Terms({}, {}), active=lambda images: False
        )
        state.turns = [*state.turns, idle]
        row = state.train_step()
        assert state.clock.images == toy.BATCH
        assert not any(name.startswith("idle") for name in row)


@dataclass(frozen=True, kw_only=True)
class SoftMargin(Objective):
    """An objective that no other module knows of."""

    def discriminator(self, batch):
        return nn.functional.softplus(1 - batch.real_logits) + nn.functional.softplus(1 + batch.fake_logits)

    def generator(self, batch):
        return nn.functional.softplus(-batch.fake_logits)


class TestNewObjective:
    """One file and one row in the table: it trains, and the explorer and the doctor read its facts off the class."""

    @pytest.fixture(autouse=True)
    def _in_the_table(self, monkeypatch):
        monkeypatch.setitem(objectives.OBJECTIVES, "soft_margin", SoftMargin)

    def test_it_trains_in_the_playground(self, monkeypatch):
        playground = Playground(DeviceOptions(device="cpu", precision="fp32").start())
        rules = PlaygroundConfig(objective="soft_margin", width=4, batch_size=8)
        fields = [playground.begin(rules, playground.builtin_points("ring"))["field"]]
        monkeypatch.setattr(SoftMargin, "logit_scale", LogitScale(centre=-1e6, gain=1.0), raising=False)
        fields.append(playground.begin(rules, playground.builtin_points("ring"))["field"])
        assert fields[0] != fields[1], "the grey levels follow the class's scale"
        assert playground.step(1)["step"] == 1

    @pytest.mark.parametrize("limit", [None, 3.5])
    def test_its_limit_reaches_the_doctor(self, limit, monkeypatch, tmp_path, toy_data):
        monkeypatch.setattr(SoftMargin, "generator_lost_above", limit, raising=False)
        experiment = toy.train_state(toy_data, more=("game.objective=soft_margin",)).experiment
        document = {"experiment": experiment.to_json(), "objective": objective_facts(experiment), "data": {}}
        (tmp_path / "run.json").write_text(json.dumps({"format": 2, **document}))
        assert read_history(tmp_path).generator_lost_above == limit


def test_the_facts_of_the_objectives_in_the_table():
    assert OBJECTIVES["hinge"] is Hinge
    for cls in OBJECTIVES.values():
        assert isinstance(cls.logit_scale, LogitScale)
        assert cls.generator_lost_above is None or isinstance(cls.generator_lost_above, float)
