"""FreezeD: the first stages of a discriminator keep their bits, all else is trained, and resuming is exact."""

import pytest
import torch

from sparring.core.errors import ConfigError
from sparring.runs.records import RunLogger
from sparring.training.checkpointing import Checkpointer
from tests.helpers import toy

NETWORKS = {
    "mlp": "{type: mlp, hidden: [8, 8], spectral: true}",
    "dcgan": "{type: dcgan, width: 4, max_width: 8}",
    "resnet": "{type: resnet, width: 4, max_width: 4, end_size: 4, flat_blocks: 1}",
    "r3gan": "{type: r3gan, width: 4, max_width: 8, group_size: 4, blocks: 1}",
}


def state_of(data, network, frozen=1, *more):
    plain = ("game.generator_penalties=[]", "game.penalties=[{type: r1, every: 1}]")
    settings = (f"game.discriminator={NETWORKS[network]}", f"game.freeze_discriminator={frozen}")
    return toy.train_state(data, more=(*settings, *plain, *more))


def parameters(state):
    """Copies of the discriminator's parameters, frozen and other ones, by name."""
    named = state.game.players()["discriminator"].named_parameters()
    parts = {True: {}, False: {}}
    for name, parameter in named:
        parts[parameter.requires_grad][name] = parameter.detach().clone()
    return parts[False], parts[True]


@pytest.mark.parametrize("network", NETWORKS)
def test_frozen_stages_keep_their_bits_and_the_others_change(toy_data, network):
    state = state_of(toy_data, network)
    frozen, free = parameters(state)
    assert frozen
    losses = [state.train_step() for _ in range(3)]
    frozen_after, free_after = parameters(state)
    assert all(torch.equal(frozen_after[name], value) for name, value in frozen.items())
    assert [name for name, value in free.items() if torch.equal(free_after[name], value)] == []
    assert all(float(row["discriminator/r1"]) > 0 for row in losses)
    names = {name.rpartition(".")[0] for name in state.optimizers["discriminator"].tensors()}
    assert names == set(free)


def test_without_freezing_those_parameters_change(toy_data):
    """The sabotage twin of the test above."""
    frozen = parameters(state_of(toy_data, "dcgan"))[0]
    state = state_of(toy_data, "dcgan", 0)
    before = parameters(state)[1]
    state.train_step()
    after = parameters(state)[1]
    assert not any(torch.equal(after[name], before[name]) for name in frozen)


def test_weight_clipping_leaves_frozen_stages_alone(toy_data):
    state = state_of(toy_data, "dcgan", 1, "game.constraints=[{type: weight_clip, limit: 0.001}]")
    frozen = parameters(state)[0]
    state.train_step()
    frozen_after, free = parameters(state)
    assert all(torch.equal(frozen_after[name], value) for name, value in frozen.items())
    assert all(float(value.abs().max()) <= 0.00101 for value in free.values())


@pytest.mark.parametrize("network", ["dcgan", "r3gan"])
def test_a_frozen_run_goes_on_bit_for_bit(toy_data, tmp_path, network):
    live = state_of(toy_data, network)
    for _ in range(2):
        live.train_step()
    facts = {"units": {}, "classes": []}
    Checkpointer(live, tmp_path, RunLogger(tmp_path), facts).save(final=True)
    resumed = state_of(toy_data, network)
    assert Checkpointer(resumed, tmp_path, RunLogger(tmp_path), facts).restore() == []
    for state in (live, resumed):
        for _ in range(3):
            state.train_step()
    assert toy.bits(resumed) == toy.bits(live)


@pytest.mark.parametrize(("network", "frozen"), [("mlp", 3), ("dcgan", 99), ("resnet", 99), ("r3gan", -1)])
def test_more_stages_than_there_are_is_an_error(toy_data, network, frozen):
    with pytest.raises(ConfigError, match=f"freeze_discriminator={frozen}"):
        state_of(toy_data, network, frozen)


def test_all_stages_may_be_frozen(toy_data):
    state = state_of(toy_data, "mlp", 2)
    before = parameters(state)[1]
    state.train_step()
    assert set(before) == {name for name in before if name.startswith("judge.")}
