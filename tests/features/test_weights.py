"""Weights come in as data only, from where the user says, and only the right ones."""

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from sparring.core.errors import ConfigError, CorruptFileError
from sparring.core.runtime import Runtime
from sparring.features import efficientnet, inception, load, weights

CPU = Runtime(torch.device("cpu"))


@pytest.fixture(autouse=True)
def _places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARRING_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv(weights.ENV_VARIABLE, raising=False)


def published(path: Path) -> weights.PublishedWeights:
    return weights.PublishedWeights(
        file=path.name, sha256=hashlib.sha256(path.read_bytes()).hexdigest(), how_to_get="look around"
    )


def test_absent_weights_are_explained_in_three_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError) as caught:
        load("inception", runtime=CPU)
    assert "no weights for the extractor 'inception'" in caught.value.got
    assert "6726825d" in caught.value.expected
    assert "pytorch-fid" in caught.value.fix
    assert weights.ENV_VARIABLE in caught.value.fix
    monkeypatch.setenv(weights.ENV_VARIABLE, str(tmp_path))
    with pytest.raises(ConfigError, match="weights-inception-2015"):
        load("inception", runtime=CPU)
    with pytest.raises(ConfigError, match="nowhere.pth"):
        load("dinov2_s", runtime=CPU, weights=tmp_path / "nowhere.pth")


def test_they_are_found_in_the_folder_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(weights.ENV_VARIABLE, str(tmp_path))
    other = tmp_path / inception.WEIGHTS.other_names[0]
    other.write_bytes(b"")
    assert weights.find_weights(inception.WEIGHTS, None, "inception") == other
    assert weights.find_weights(inception.WEIGHTS, tmp_path, "inception") == other


def test_other_files_are_refused(tmp_path: Path) -> None:
    wrong = tmp_path / inception.WEIGHTS.file
    wrong.write_bytes(b"something else")
    with pytest.raises(CorruptFileError, match="begins with 6726825d0af5f729"):
        load("inception", runtime=CPU, weights=wrong)
    with pytest.raises(CorruptFileError, match="begins with 579344248a93e230"):
        load("efficientnet_lite0", runtime=CPU, weights=wrong)


def test_pth_files_are_converted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "weights.pth"
    torch.save({"state_dict": {"a": torch.arange(3.0), "b": torch.ones(2, 2).t()}}, path)
    source = published(path)
    tensors, digest = weights.read_weights(source, path)
    assert tensors["a"].tolist() == [0, 1, 2]
    assert digest == source.sha256
    monkeypatch.setattr(weights, "_convert_in_subprocess", lambda *_: pytest.fail("converted again"))
    assert set(weights.read_weights(source, path)[0]) == {"a", "b"}
    (stored,) = (tmp_path / "cache" / "weights").iterdir()
    stored.write_bytes(stored.read_bytes()[:-4])
    with pytest.raises(CorruptFileError, match="is converted again"):
        weights.read_weights(source, path)


class Trap:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("sprung",)


def test_a_file_that_would_run_something_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "trap.pth"
    torch.save({"a": Trap()}, path)
    with pytest.raises(CorruptFileError, match="can't be read as weights"):
        weights.read_weights(published(path), path)
    assert "sprung" not in capfd.readouterr().out
    assert not list((tmp_path / "cache" / "weights").iterdir())


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"_fc.weight": torch.zeros(10, 1280)}, path)
    with torch.device("meta"):
        network = efficientnet.EfficientNetLite0()
    with pytest.raises(CorruptFileError, match="missing, too many or of another shape"):
        weights.fill_state_dict(network, weights.read_weights(published(path), path)[0], path)
