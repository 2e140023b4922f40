"""Colours under alpha 0 train nobody, and what is visible comes back as it was."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sparring.core.rng import KeyedRandom
from sparring.core.transparency import premultiply, unpremultiply
from sparring.data import DataConfig, open_data, to_input, to_output
from sparring.data.pseudo_classes import add_pseudo_classes
from sparring.parts.augmentation.diffaugment import DiffAugment
from sparring.recipes.table import TINY_RECIPES
from sparring.training.state import TrainState
from tests.helpers.toy import cpu


def sprites(count: int, noise: int, side: int = 16) -> np.ndarray:
    """Squares on a transparent ground, with colours under alpha 0 that depend on `noise`: uint8 (count, side, side, 4)."""
    draws, hidden = np.random.default_rng(0), np.random.default_rng(noise)
    images = hidden.integers(0, 256, (count, side, side, 4), dtype=np.uint8)
    images[..., 3] = 0
    for image in images:
        top, left = draws.integers(1, side - 6, 2)
        image[top : top + 5, left : left + 5, :3] = draws.integers(0, 256, 3)
        image[top : top + 5, left : left + 5, 3] = draws.choice([60, 200, 255])
    return images


def as_folder(images: np.ndarray, folder: Path) -> Path:
    folder.mkdir()
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{number:03}.png")
    return folder


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("size", [(16, 16), (12, 20), (24, 24)])
def test_files_that_look_alike_decode_alike(tmp_path: Path, fit: str, size: tuple[int, int]) -> None:
    found = [
        open_data(
            DataConfig(source=str(as_folder(sprites(9, noise), tmp_path / str(noise))), fit=fit, size=size)
        )
        for noise in (1, 2)
    ]
    assert found[0].spec.shape[0] == 4
    assert np.array_equal(found[0].samples, found[1].samples)
    hidden = found[0].samples[found[0].samples[..., 3] == 0]
    assert len(hidden)
    assert (hidden[:, :3] == 128).all()


def test_arrays_that_look_alike_are_read_alike(tmp_path: Path) -> None:
    read = []
    for noise in (1, 2):
        np.savez(tmp_path / f"{noise}.npz", images=sprites(9, noise))
        read.append(open_data(DataConfig(source=str(tmp_path / f"{noise}.npz"))).samples)
    assert np.array_equal(*read)


def test_what_is_visible_comes_back_exactly_and_what_is_not_becomes_grey() -> None:
    levels = np.arange(256, dtype=np.uint8)
    images = np.stack(
        np.broadcast_arrays(levels[:, None], 255 - levels[:, None], levels[:, None], levels), -1
    )[None]
    x = to_input(images)
    back = to_output(x, replace(open_data(DataConfig()).spec, shape=(4, 256, 256), num_classes=0), {})
    visible = images[..., 3] > 0
    assert np.array_equal(back[visible], images[visible])
    assert (back[~visible] == (128, 128, 128, 0)).all()
    opacity = (x[:, 3:] + 1) / 2
    assert (x[:, :3].abs() <= opacity + 1e-6).all()
    torch.testing.assert_close(premultiply(unpremultiply(x)), x)


def test_images_without_alpha_are_not_touched() -> None:
    x = torch.randn(3, 3, 5, 5)
    assert premultiply(x) is x
    assert unpremultiply(x) is x
    points = torch.randn(3, 4)
    assert premultiply(points) is points


def trained(samples: np.ndarray, tmp_path: Path, recipe: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Parameters and samples after three steps."""
    np.savez(tmp_path / "x.npz", images=samples)
    tiny = TINY_RECIPES[recipe]()
    tiny = replace(tiny, data=DataConfig(source=str(tmp_path / "x.npz"), pseudo_classes=3))
    dataset = add_pseudo_classes(open_data(tiny.data), 3)
    state = TrainState(tiny, dataset, cpu())
    for _ in range(3):
        state.train_step()
    parameters = torch.cat([value.flatten() for value in state.game.parameters()])
    return parameters, state.game.model.sample(0, range(8))


@pytest.mark.parametrize("recipe", ["auto", "vae_gan", "vae"])
def test_colours_under_alpha_0_do_not_train(tmp_path: Path, recipe: str) -> None:
    first, second = (trained(sprites(32, noise), tmp_path, recipe) for noise in (1, 2))
    assert torch.equal(first[0], second[0])
    changed = sprites(32, 1)
    changed[..., 0] ^= 64  # a visible colour does
    assert not torch.equal(trained(changed, tmp_path, recipe)[0], first[0])


def test_the_discriminator_sees_generated_colours_times_alpha() -> None:
    spec = replace(open_data(DataConfig()).spec, shape=(4, 16, 16), num_classes=3)
    model = TINY_RECIPES["auto"]().game.build(spec).model
    z = torch.randn(4, model.latent)
    y = torch.zeros(4, dtype=torch.int64)
    plain, seen = model.generator(z, y), model(z, y)
    torch.testing.assert_close(seen, premultiply(plain))
    shown = to_output(seen, spec, {})
    reference = ((plain.detach() + 1) * 127.5).round().permute(0, 2, 3, 1).numpy()
    visible = shown[..., 3] > 0
    assert np.abs(shown.astype(float) - reference)[visible].max() <= 1


def test_augmentation_keeps_colours_under_alpha_0_hidden() -> None:
    x = to_input(sprites(16, 1))
    for policy in ("colour", "translation", "cutout"):
        out = DiffAugment(policy=(policy,))(x, KeyedRandom(0, (0,), 16), "real", 0)
        hidden = (out[:, 3:] <= -1).expand(-1, 3, -1, -1)
        assert hidden.any()
        assert out[:, :3][hidden].abs().max() == 0, policy
