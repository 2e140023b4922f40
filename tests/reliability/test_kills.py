"""A run that is killed at any instant and resumed ends with the same bits as an undisturbed one."""

import pytest


@pytest.fixture(scope="module")
def warm(trials, toy_data, tmp_path_factory):
    trials("warm_up", data=toy_data, folder=tmp_path_factory.mktemp("warm"))
    return trials


def check(count: dict, kills: int, runs: int) -> None:
    print(count)
    assert count["kills"] >= kills * 0.6, "no power: too few kills"
    assert count["saving"] >= 0.3 * count["kills"], "no power: too few kills inside a save"
    assert count["starting"] > 0, "no power: no kill during the start"
    assert (count["rejected"], count["lost"], count["left"]) == (0, 0, 0)
    assert (count["equal"], count["rows"]) == (runs, runs)


def test_kills_at_random_instants(warm, toy_data, tmp_path):
    check(warm("kill_loop", data=toy_data, folder=tmp_path, kills=42, runs=3), 42, 3)


@pytest.mark.prove
@pytest.mark.timeout(3600)
def test_two_thousand_kills(warm, toy_data, tmp_path):
    check(warm("kill_loop", data=toy_data, folder=tmp_path, kills=2_000, runs=100, seed=1), 2_000, 100)


@pytest.mark.parametrize("sabotage", ["save in place", "forget an optimizer"])
def test_the_kills_notice_sabotage(warm, toy_data, tmp_path, sabotage):
    """The kills of one run may all miss the critical instants; those of six runs hardly can."""
    for seed in range(6):
        place = tmp_path / str(seed)
        arguments = {"data": str(toy_data), "folder": str(place), "kills": 20, "runs": 1, "seed": seed}
        count = warm("in_child", called="kill_loop", sabotage=sabotage, **arguments)
        if count["equal"] == 0 or count["lost"] or count["rejected"]:
            return
    raise AssertionError(count)


def check_each(count: dict) -> None:
    print(count)
    assert count["killed"] == count["whole"] == count["equal"] == count["trials"] >= 20
    assert count["left"] == 0


def test_killed_before_each_operation(warm, toy_data, quick):
    check_each(warm("kill_before", data=toy_data, folder=quick, steps=6, stride=16, last=28))


@pytest.mark.prove
def test_killed_before_every_operation(warm, toy_data, quick):
    check_each(warm("kill_before", data=toy_data, folder=quick, steps=12, stride=1, last=0))


def check_faults(count: dict) -> None:
    print(count)
    assert not count["bad"], "\n".join(count["bad"])
    assert count["refused"] >= 5
    assert count["went on"] >= 5


def test_each_operation_fails(warm, toy_data, quick):
    check_faults(warm("faults", data=toy_data, folder=quick, steps=6, stride=7))


@pytest.mark.prove
@pytest.mark.timeout(3600)
def test_every_operation_fails(warm, toy_data, quick):
    check_faults(warm("faults", data=toy_data, folder=quick, steps=12, stride=1))


def test_the_faults_notice_sabotage(warm, toy_data, quick):
    arguments = {
        "data": str(toy_data),
        "folder": str(quick),
        "steps": 2,
        "stride": 8,
        "sabotage": "write torn",
    }
    assert warm("in_child", called="faults", **arguments)["bad"]


def test_each_operation_of_a_start_fails(warm, toy_data, quick):
    count = warm("faults_of_a_start", data=toy_data, folder=quick, stride=3)
    print(count)
    assert count["left"] > 0, "no power: the kill left nothing to remove"
    assert not count["bad"], "\n".join(count["bad"])
    assert count["refused"] >= 5
