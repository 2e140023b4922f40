"""The user's own classifier: it learns, it is kept, and it is the same when it is made again."""

from pathlib import Path

import numpy as np
import pytest
import torch

from sparring.core.errors import ConfigError, DataError
from sparring.core.runtime import Runtime
from sparring.data import DataConfig, Dataset, open_data, split_held_out
from sparring.features import load
from sparring.features.classifier import ClassifierExtractor, ClassifierTraining
from sparring.features.extractor import ExtractorOptions

CPU = Runtime(torch.device("cpu"))
SHORT = ClassifierTraining(images=3_200, batch=32)


def stripes(tmp_path: Path, classes: int = 2, count: int = 200) -> Dataset:
    """Noise with stripes along one of two directions: linear in no pixel."""
    draw = np.random.default_rng(0)
    labels = np.arange(count) % classes
    waves = np.sin(np.arange(16)[None] * 1.5 + draw.uniform(0, 6, count)[:, None])[:, None].repeat(16, 1)
    images = np.where(labels[:, None, None] == 0, waves, waves.transpose(0, 2, 1)) * 60 + 128
    images = (images + 20 * draw.normal(size=images.shape)).clip(0, 255).astype(np.uint8)
    np.savez(tmp_path / "set.npz", images=images[..., None], labels=labels)
    return open_data(DataConfig(source=str(tmp_path / "set.npz")))


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    monkeypatch.setenv("SPARRING_CACHE", str(tmp_path / "cache"))
    return stripes(tmp_path)


def trained(dataset: Dataset, training: ClassifierTraining = SHORT) -> ClassifierExtractor:
    return ClassifierExtractor(ExtractorOptions(name="classifier", runtime=CPU, fitted_on=dataset), training)


def test_it_learns_and_is_cached(dataset: Dataset, tmp_path: Path) -> None:
    first = trained(dataset)
    assert first.accuracy > 0.9
    (cached,) = (tmp_path / "cache" / "classifiers").glob("*.safetensors")
    before = cached.stat().st_mtime_ns
    again = trained(dataset)
    assert cached.stat().st_mtime_ns == before
    assert again.digest == first.digest
    found = first(dataset.samples)
    assert found.features.shape == (200, 128)
    assert float((found.logits.argmax(1).numpy() == dataset.labels).mean()) > 0.9
    assert torch.equal(again(dataset.samples[70:75]).features, found.features[70:75])


def test_retraining_gives_the_same_and_a_damaged_file_is_replaced(dataset: Dataset, tmp_path: Path) -> None:
    short = ClassifierTraining(images=64, batch=32)
    first = trained(dataset, short).digest
    (cached,) = (tmp_path / "cache" / "classifiers").glob("*.safetensors")
    cached.write_bytes(cached.read_bytes()[:-5])
    assert trained(dataset, short).digest == first
    assert trained(dataset, ClassifierTraining(images=96, batch=32)).digest != first


def test_one_that_saw_all_samples_does_not_stand_in_where_some_are_held_out(dataset: Dataset) -> None:
    short = ClassifierTraining(images=64, batch=32)
    training, held = split_held_out(dataset, 40)
    assert training.fingerprint == dataset.fingerprint
    digests = {
        trained(part, short).digest for part in (dataset, training, held, split_held_out(dataset, 41)[0])
    }
    assert len(digests) == 4


def test_it_needs_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARRING_CACHE", str(tmp_path / "cache"))
    one = stripes(tmp_path, classes=1)
    with pytest.raises(DataError, match="without labels, or of one class"):
        load("classifier", runtime=CPU, fitted_on=one)
    with pytest.raises(ConfigError, match="without a set"):
        load("classifier", runtime=CPU)
