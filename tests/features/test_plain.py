"""Pixels, their principal components, points; and what the table refuses."""

import numpy as np
import pytest
import torch

from sparring.core.errors import ConfigError, DataError
from sparring.core.runtime import Runtime
from sparring.features import EXTRACTORS, load
from sparring.features.pixels_pca import PCAExtractor, PixelExtractor

CPU = Runtime(torch.device("cpu"))


def random_images(count: int = 40, *shape: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, *(shape or (9, 7, 3))), dtype=np.uint8)


def test_pixels_are_pixels() -> None:
    samples = random_images(1200)
    pixels = PixelExtractor((9, 7, 3))
    assert pixels.dimension == 189
    expected = samples.transpose(0, 3, 1, 2).reshape(1200, -1) / np.float32(255)
    assert np.array_equal(pixels(samples).features.numpy(), expected)
    assert PixelExtractor((64, 20, 1)).dimension == 32 * 20 == pixels_of(random_images(2, 64, 20, 1)).shape[1]
    assert pixels_of(random_images(2, 5, 5, 4)).shape == (2, 75)


def pixels_of(samples: np.ndarray) -> torch.Tensor:
    return load("pixels", runtime=CPU)(samples).features


def test_grey_and_coloured_images_are_not_mixed() -> None:
    assert PixelExtractor((4, 4, 3))(random_images(2, 4, 4, 1)).features.shape == (2, 48)
    with pytest.raises(DataError, match="colour images"):
        PixelExtractor((4, 4, 1))(random_images(2, 4, 4, 3))


def test_principal_components_are_those_of_the_covariance() -> None:
    """Smooth images, whose spectrum falls: exact eigenvectors, up to the sign, which is fixed."""
    rows = np.random.default_rng(2).normal(size=(300, 12)) * 2.0 ** -np.arange(12)
    waves = np.cos(np.outer(np.arange(12), np.arange(100)) * np.pi / 100 + 0.1)
    samples = (128 + 20 * rows @ waves).clip(0, 255).astype(np.uint8).reshape(300, 10, 10, 1)
    pca = PCAExtractor(samples)
    x = samples.reshape(300, -1) / 255.0
    _, vectors = np.linalg.eigh(np.cov(x, rowvar=False))
    exact = vectors[:, ::-1][:, :5]
    found = pca.matrix[:, :5].double().numpy()
    assert np.abs(np.abs((exact * found).sum(0)) - 1).max() < 1e-6
    assert (found[np.abs(found).argmax(0), range(5)] > 0).all()
    features = pca(samples).features
    assert features.shape == (300, 30)
    assert torch.allclose(
        features.var(0)[:5].double(), torch.linalg.eigvalsh(torch.tensor(np.cov(x.T))).flip(0)[:5]
    )


def test_what_it_was_fitted_on_looks_like_what_it_was_not() -> None:
    """Else fresh images of a small set would look as if they were copied, or nearer to the middle than they are."""
    fitted, fresh = (
        np.random.default_rng(seed).integers(0, 256, (100, 6, 6, 1), np.uint8) for seed in (1, 2)
    )
    pca = PCAExtractor(fitted)
    ratio = pca(fresh).features.var(0).sum() / pca(fitted).features.var(0).sum()
    assert pca.dimension == 10
    assert ratio > 0.5  # 64 components of noise in 784 pixels would leave a tenth
    assert PCAExtractor(random_images(12)).dimension == 2


def test_the_digest_is_the_fit() -> None:
    assert PCAExtractor(random_images()).digest == PCAExtractor(random_images()).digest
    assert PCAExtractor(random_images(39)).digest != PCAExtractor(random_images()).digest


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((0, 4, 4, 3), np.uint8),
        np.zeros((2, 0, 4, 3), np.uint8),
        np.zeros((2, 4, 4, 3), np.float32),
        np.zeros((2, 4, 4, 2), np.uint8),
        np.zeros((4, 4, 3), np.uint8),
    ],
)
def test_arrays_that_are_not_images_are_refused(wrong: np.ndarray) -> None:
    with pytest.raises(DataError, match="uint8 images"):
        pixels_of(wrong)


def test_points_are_points() -> None:
    points = load("points", runtime=CPU)
    x = np.ones((3, 2), np.float32)
    assert np.array_equal(points(x).features.numpy(), x)
    x[1] = np.nan
    with pytest.raises(DataError, match="not finite, of 1 of 3"):
        points(x)
    with pytest.raises(DataError, match="float32 points"):
        points(random_images())


def test_the_table_refuses_what_it_can_not_make() -> None:
    with pytest.raises(ConfigError, match="did you mean pixels"):
        load("pixel", runtime=CPU)
    with pytest.raises(ConfigError, match="without a set"):
        load("pca", runtime=CPU)
    with pytest.raises(ConfigError, match="weights for the extractor 'pixels'"):
        load("pixels", runtime=CPU, weights="file.pth")
    assert set(EXTRACTORS) >= {"pixels", "pca", "points"}
