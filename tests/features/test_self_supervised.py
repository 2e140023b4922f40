"""The self-supervised extractor: it learns without labels, is cached, and ranks ladders of corruptions."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from sparring.core.errors import DataError
from sparring.core.runtime import Runtime
from sparring.data import DataConfig, Dataset, open_data, split_held_out
from sparring.features import load
from sparring.features.self_supervised import contrastive_loss, random_view
from sparring.metrics.kernel_mmd import mmd_squared

CPU = Runtime(torch.device("cpu"))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPARRING_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "self_supervised"


def small_set(tmp_path: Path, count: int = 64, channels: int = 3) -> Dataset:
    images = np.random.default_rng(0).integers(0, 256, (count, 12, 12, channels), dtype=np.uint8)
    np.savez(tmp_path / "set.npz", images=images)
    return open_data(DataConfig(source=str(tmp_path / "set.npz")))


def test_it_is_cached_and_the_same_when_made_again(tmp_path: Path, cache: Path) -> None:
    dataset = small_set(tmp_path)
    first = load("self_supervised", runtime=CPU, fitted_on=dataset, fit_images=128)
    (cached,) = cache.glob("*.safetensors")
    before = cached.stat().st_mtime_ns
    again = load("self_supervised", runtime=CPU, fitted_on=dataset, fit_images=128)
    assert (cached.stat().st_mtime_ns, again.digest) == (before, first.digest)
    cached.write_bytes(cached.read_bytes()[:-3])
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    assert load("self_supervised", runtime=CPU, fitted_on=dataset, fit_images=128).digest == first.digest
    assert torch.get_num_threads() == 2
    torch.set_num_threads(threads)
    assert load("self_supervised", runtime=CPU, fitted_on=dataset, fit_images=192).digest != first.digest
    part = split_held_out(dataset, 10)[0]
    assert load("self_supervised", runtime=CPU, fitted_on=part, fit_images=128).digest != first.digest


def test_features_of_an_image_do_not_depend_on_the_others(tmp_path: Path) -> None:
    dataset = small_set(tmp_path)
    extractor = load("self_supervised", runtime=CPU, fitted_on=dataset, fit_images=128)
    found = extractor(dataset.samples).features
    assert found.shape == (64, extractor.dimension)
    assert torch.equal(extractor(dataset.samples[5:9]).features, found[5:9])
    assert torch.allclose(found.square().mean(1), torch.ones(64), atol=1e-4)


def test_what_it_refuses(tmp_path: Path) -> None:
    grey = load("self_supervised", runtime=CPU, fitted_on=small_set(tmp_path, channels=1), fit_images=64)
    with pytest.raises(DataError, match="colour images"):
        grey(np.zeros((2, 12, 12, 3), np.uint8))
    with pytest.raises(DataError, match="at least 20"):
        load("self_supervised", runtime=CPU, fitted_on=small_set(tmp_path, count=19))


def test_views_are_crops_at_the_native_resolution() -> None:
    """Without jitter every view is found in its image, pixel by pixel: nothing is resampled, mirrored or padded."""
    x = torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    views = random_view(x, torch.Generator().manual_seed(0), jitter=0.0)
    assert views.shape == (6, 1, 6, 6)
    for image, view in zip(x, views, strict=True):
        windows = image[0].unfold(0, 6, 1).unfold(1, 6, 1).flatten(0, 1)
        assert (windows == view[0]).flatten(1).all(1).sum() == 1


def test_the_loss_is_that_of_the_paper() -> None:
    codes = torch.randn(6, 4, generator=torch.Generator().manual_seed(0)).double()
    z = F.normalize(codes, dim=1)
    expected = 0.0
    for i in range(6):
        similarity = (z @ z[i] / 0.5).exp()
        expected -= torch.log(similarity[(i + 3) % 6] / (similarity.sum() - similarity[i])).item() / 6
    assert contrastive_loss(codes, 0.5).item() == pytest.approx(expected)


def blurred(images: np.ndarray, weight: float) -> np.ndarray:
    x = torch.from_numpy(images).permute(0, 3, 1, 2).float()
    side = torch.tensor([weight / 2, 1.0, weight / 2]) / (1 + weight)
    y = F.conv2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), torch.outer(side, side)[None, None])
    return y.permute(0, 2, 3, 1).round().byte().numpy()


def noisy(images: np.ndarray, std: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(size=images.shape) * std
    return (images + noise).clip(0, 255).astype(np.uint8)


def test_it_ranks_ladders_of_corruptions_of_the_built_in_set() -> None:
    """Noise, blur and missing classes are worse the stronger they are; blur is what pixels can hardly see."""
    training, held_out = split_held_out(open_data(DataConfig()), 300)
    assert held_out is not None
    assert training.labels is not None
    extractor = load("self_supervised", runtime=CPU, fitted_on=training, fit_images=2_048)
    order = np.random.default_rng(1).permutation(len(training))
    images = np.asarray(training.samples[order[:300]])
    real = extractor(np.asarray(held_out.samples)).features

    def distance(samples: np.ndarray) -> float:
        return mmd_squared(real, extractor(samples).features)

    def of_classes(count: int) -> np.ndarray:
        rows = order[np.isin(training.labels[order], range(count))][:300]
        return np.asarray(training.samples[rows])

    floor = distance(images)
    ladders = {
        "noise": [noisy(images, std) for std in (16, 32, 64)],
        "blur": [blurred(images, weight) for weight in (0.25, 0.5, 1.0)],
        "fewer classes": [of_classes(count) for count in (5, 2, 1)],
    }
    for name, ladder in ladders.items():
        values = [floor, *map(distance, ladder)]
        assert values == sorted(values), f"{name}: {values}"
        assert values[-1] > floor + 0.05, f"{name}: {values}"
