"""The first signal saves and exits, the second exits at once; and there is one writer at a time."""

import pytest


@pytest.fixture(scope="module")
def warm(trials, toy_data, tmp_path_factory):
    trials("warm_up", data=toy_data, folder=tmp_path_factory.mktemp("warm"))
    return trials


def test_signals_at_random_instants(warm, toy_data, quick):
    result = warm("signals", data=toy_data, folder=quick, count=20)
    print(result)
    assert result["bad"] == []
    assert result["stopped"] + result["finished"] == 20
    assert result["stopped"] >= 12, "no power: too few were stopped"
    assert result["current"] == result["equal"] == 20
    assert sorted(result["seconds"])[-2] < 5


def test_a_second_signal_exits_at_once(warm, toy_data, tmp_path):
    result = warm("second_signal", data=toy_data, folder=tmp_path, count=8)
    print(result)
    assert result["saving"] >= 4, "no power: no second signal came inside a save"
    assert result["at once"] >= result["saving"]
    assert result["whole"] == 8


@pytest.mark.parametrize("new", [True, False])
def test_stopped_while_the_data_is_read(warm, toy_data, tmp_path, new):
    assert warm("stop_while_opening", data=toy_data, folder=tmp_path, new=new) == {"code": 143, "left": []}


def test_one_writer(warm, toy_data, tmp_path):
    result = warm("race", data=toy_data, folder=tmp_path, count=20)
    assert result == {"winners": 1, "refused": 19, "named": 19, "next works": True}
