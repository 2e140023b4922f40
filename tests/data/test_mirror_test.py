"""Whether images may be mirrored: decided by a test on the data."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from sparring.data import DataConfig, DataReport, Dataset, open_data, run_mirror_test


def dataset(images: np.ndarray, labels: np.ndarray | None = None) -> Dataset:
    classes = () if labels is None else tuple(str(label) for label in range(int(labels.max()) + 1))
    report = DataReport(source="made", kind="array", count=len(images))
    return Dataset(images, labels, classes, fingerprint="made", report=report, config=DataConfig())


def letters(text: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Letters at slightly different places and sizes, uint8 (count, 28, 28, 1), and their numbers."""
    draws, images = np.random.default_rng(0), []
    labels = draws.integers(len(text), size=count)
    for label in labels:
        image = Image.new("L", (28, 28))
        font = ImageFont.load_default(int(draws.integers(17, 23)))
        ImageDraw.Draw(image).text(tuple(draws.integers(2, 10, 2)), text[label], fill=255, font=font)
        images.append(np.asarray(image)[:, :, None])
    return np.stack(images), labels


def blobs(count: int, channels: int = 3) -> np.ndarray:
    """Coloured discs anywhere, uint8 (count, 24, 40, channels)."""
    draws = np.random.default_rng(1)
    rows, columns = np.mgrid[:24, :40]
    images = draws.integers(0, 40, (count, 24, 40, channels), dtype=np.uint8)
    for image in images:
        top, left, radius = draws.uniform(0, 24), draws.uniform(0, 40), draws.uniform(3, 9)
        inside = (rows - top) ** 2 + (columns + 0.5 - left) ** 2 < radius**2
        image[inside] = draws.integers(80, 255, channels)
    return images


def lean(images: np.ndarray, share: float, darkest: float = 0.4) -> np.ndarray:
    """Images darkened on the right side, a part of them on the left side instead."""
    shade = np.linspace(1, darkest, images.shape[2])[None, :, None]
    shaded = (images * shade).astype(np.uint8)
    mirrored = np.random.default_rng(2).random(len(images)) < share
    return np.where(mirrored[:, None, None, None], shaded[:, :, ::-1], shaded)


@pytest.mark.parametrize("count", [600, 2_500])
def test_letters_are_not_mirrored_and_discs_are(count: int) -> None:
    text = run_mirror_test(dataset(letters("FGKPRS25", count)[0]))
    discs = run_mirror_test(dataset(blobs(count)))
    assert text is not None
    assert discs is not None
    assert (text.verdict, text.allows_flips) == ("asymmetric", False)
    assert (discs.verdict, discs.allows_flips) == ("symmetric", True)
    assert text.low > 0.8
    assert discs.low < 0.5 < discs.high


def test_labels_can_forbid_what_the_images_alone_allow() -> None:
    """The mirror image of an arrow is an arrow, but of the other class."""
    images, count = blobs(1_000), 1_000
    pointing = np.where(np.arange(count)[:, None, None, None] % 2 == 0, lean(images, 0), lean(images, 1))
    labels = np.arange(count) % 2
    alone, labelled = run_mirror_test(dataset(pointing)), run_mirror_test(dataset(pointing, labels))
    assert alone is not None
    assert labelled is not None
    assert alone.allows_flips
    assert labelled.verdict == "asymmetric"


def test_a_slight_lean_overlaps_with_its_mirror_image_and_a_strong_one_does_not() -> None:
    images = blobs(2_000)
    slight, strong = (
        run_mirror_test(dataset(lean(images, 0.1, 0.8))),
        run_mirror_test(dataset(lean(images, 0))),
    )
    assert slight is not None
    assert strong is not None
    assert slight.high > 0.6  # told apart, but by little
    assert (slight.verdict, strong.verdict) == ("overlapping", "asymmetric")
    few = run_mirror_test(dataset(lean(images, 0.1, 0.8)[:1_000]))
    assert few is not None
    assert few.farther is None  # with few images every one is far from the others


def test_few_images_are_uncertain_or_not_tested() -> None:
    images = lean(blobs(300), 0.3)
    found = run_mirror_test(dataset(images))
    assert found is not None
    assert found.verdict == "uncertain"
    assert not found.allows_flips
    assert run_mirror_test(dataset(images[:199])) is None


def test_no_answer_for_points_and_for_images_that_are_their_own_mirror_image() -> None:
    assert run_mirror_test(open_data(DataConfig(source="ring"))) is None
    half = blobs(300)[:, :, :20]
    whole = run_mirror_test(dataset(np.concatenate([half, half[:, :, ::-1]], 2)))
    assert whole is not None
    assert (whole.verdict, whole.accuracy) == ("symmetric", 0.5)


def test_the_answer_is_deterministic_and_ignores_colours_under_transparency() -> None:
    colours = np.random.default_rng(3).integers(0, 255, (2, 500, 24, 40, 3), dtype=np.uint8)
    alpha = np.where(blobs(500, 1) > 60, 255, 0).astype(np.uint8)
    visible = blobs(500)
    made = [np.concatenate([np.where(alpha > 0, visible, hidden), alpha], 3) for hidden in colours]
    first, second = (run_mirror_test(dataset(images)) for images in made)
    assert first == second == run_mirror_test(dataset(made[0]))


def test_builtin_animals_face_both_ways() -> None:
    found = run_mirror_test(open_data(DataConfig(source="animals")))
    assert found is not None
    assert found.verdict == "symmetric"
    assert "held-out images" in found.reason()
    assert found.to_json()["allows_flips"] is True
