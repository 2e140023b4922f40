"""The latent space on generators with known answers: interpolation, arithmetic, directions of linear maps, inversion, files."""

import json
import os

import pytest
import torch
from torch import nn

from sparring.core import storage
from sparring.core.errors import CorruptFileError, SparringError
from sparring.core.shapes import SampleSpec
from sparring.inference import latent, video
from sparring.inference.latent.effects import first_successful
from sparring.inference.latent.image_distance import laplacian_pyramid_distance, psnr
from sparring.models.generator import GeneratorModel
from sparring.recipes.table import TINY_RECIPES


class Linear(nn.Module):
    """x = W z, as a point or as an image."""

    def __init__(self, weight, shape):
        super().__init__()
        self.layer, self.shape = nn.Linear(weight.shape[1], weight.shape[0], bias=False), shape
        self.layer.weight.data.copy_(weight)

    def forward(self, z, y=None):
        return self.layer(z).view(-1, *self.shape)


def linear(weight, shape=None):
    shape = shape or (weight.shape[0],)
    return (
        GeneratorModel(Linear(weight, shape), weight.shape[1], SampleSpec(shape=shape))
        .eval()
        .requires_grad_(False)
    )


def conditional():
    return (
        TINY_RECIPES["cgan"]()
        .game.build_model(SampleSpec(shape=(1, 8, 8), num_classes=3))
        .eval()
        .requires_grad_(False)
    )


class Coordinates:
    """An attribute scorer: the coordinates of points."""

    names, num_classes = ("right", "up", "far"), 0

    def __call__(self, x):
        return x[:, :3]


def test_decode_gives_the_same_samples_in_any_batch() -> None:
    generation = conditional()
    z, y = latent.sample_latents(generation, 3, range(21)), generation.draw_labels(3, range(21))
    whole = latent.decode(generation, z, y)
    assert torch.equal(whole, generation.sample(3, range(21)))
    assert torch.equal(whole[18:], latent.decode(generation, z[18:], y[18:]))


def test_a_blend_of_one_class_is_that_class_and_half_of_two_is_neither() -> None:
    generation = conditional()
    z, y = latent.sample_latents(generation, 0, range(6)), torch.arange(6) % 3
    weights = latent.to_class_weights(y, 3)
    before = [value.clone() for value in generation.state_dict().values()]
    assert torch.allclose(latent.decode(generation, z, weights), latent.decode(generation, z, y), atol=1e-6)
    half = latent.decode(generation, z, torch.tensor([[0.5, 0.5, 0.0]]).expand(6, 3))
    for k in (0, 1):
        assert not torch.allclose(half, latent.decode(generation, z, torch.full((6,), k)), atol=1e-6)
    assert all(torch.equal(a, b) for a, b in zip(before, generation.state_dict().values(), strict=True))
    spec = SampleSpec(shape=(1, 4, 4), num_classes=3)
    without_embeddings = TINY_RECIPES["naive_bayes"]().game.build_model(spec).eval()
    assert not latent.can_blend(without_embeddings)
    with pytest.raises(SparringError) as caught:
        latent.decode(without_embeddings, torch.randn(6, 16, generator=torch.Generator()), weights)
    assert "embeddings" in caught.value.got


@pytest.mark.parametrize("y", [None, torch.tensor([3]), torch.tensor([0, 1]), torch.ones(1, 2)])
def test_classes_that_do_not_fit_are_an_error(y) -> None:
    with pytest.raises(SparringError):
        latent.decode(conditional(), torch.zeros(1, conditional().latent), y)


def test_the_spherical_path_has_constant_length_and_angular_speed() -> None:
    a, b = 3 * torch.eye(5)[0], 3 * torch.eye(5)[1]
    way = latent.interpolate(a, b, 5)
    assert torch.allclose(way.norm(dim=1), torch.full((5,), 3.0), atol=1e-5)
    cosines = (way[1:] * way[:-1]).sum(1) / 9
    assert torch.allclose(cosines.acos(), torch.full((4,), torch.pi / 8), atol=1e-4)
    straight = latent.interpolate(a, b, 5, "linear")
    assert float(straight[2].norm()) == pytest.approx(3 / 2**0.5)
    for end in (a, -a):  # where the spherical path is not defined
        assert bool(latent.interpolate(a, end, 3).isfinite().all())


def test_a_closed_walk_has_no_seam_and_a_grid_has_its_corners() -> None:
    points = torch.randn(4, 6, generator=torch.Generator().manual_seed(0))
    way = latent.closed_walk(points, 5)
    assert torch.allclose(way[::5], points, atol=1e-5)
    assert torch.allclose(latent.open_walk(points, 5)[-1], points[-1])
    square = latent.interpolate_corners(points, 3, 4).view(3, 4, 6)
    assert torch.allclose(square[[0, 0, 2, 2], [0, 3, 0, 3]], points, atol=1e-5)


def test_arithmetic_of_means_has_a_typical_length() -> None:
    a, b = torch.ones(3, 4), torch.eye(4)[:1]
    assert torch.equal(latent.arithmetic([a], [b], typical=False), torch.tensor([0.0, 1, 1, 1]))
    assert float(latent.arithmetic([a], [b]).norm()) == pytest.approx(2.0)


WEIGHT = torch.diag(torch.tensor([0.5, 3.0, 1.0, 2.0]))


def test_sefa_and_pca_find_the_axes_of_a_linear_generator_by_size() -> None:
    directions = latent.sefa_directions(linear(WEIGHT), 3)
    axes = torch.stack([each.vector for each in directions])
    assert torch.allclose(axes, torch.eye(4)[[1, 3, 2]], atol=1e-4)
    assert directions[0].statistics["share"] == pytest.approx(9 / 14.25, rel=1e-4)
    components = torch.stack(
        [each.vector for each in latent.pca_directions(linear(WEIGHT), 2, n=2_000, layer=0)]
    )
    assert torch.allclose(components, torch.eye(4)[[1, 3]], atol=0.15)


@pytest.mark.parametrize("find", [latent.direction_from_gradient, latent.direction_from_scores])
def test_supervised_directions_of_a_linear_generator_are_its_rows(find) -> None:
    generation = linear(torch.tensor([[3.0, 4, 0, 0], [0, 0, 1, 0], [1, 0, 0, 1], [0, 0, 0, 1]]))
    direction = find(generation, Coordinates(), "right", n=1_000)
    assert float(direction.vector @ torch.tensor([0.6, 0.8, 0, 0])) > 0.99


def test_entanglement_is_zero_for_independent_axes_and_counts_other_changes() -> None:
    generation = linear(torch.eye(4))
    right = latent.Direction(name="right", vector=torch.eye(4)[0])
    effects = latent.measure_strengths(generation, right, Coordinates(), strengths=(0.4, 4.0), n=200)
    assert effects[0].increase_rate == 0.0
    assert effects[1].increase_rate == effects[1].success_rate == effects[1].class_preservation == 1.0
    assert effects[1].entanglement == pytest.approx(0, abs=1e-6)
    assert first_successful(effects) is effects[1]
    both = latent.Direction(name="right", vector=torch.tensor([1.0, 1, 0, 0]))
    mixed = latent.measure_direction(generation, both, Coordinates(), strength=4.0, n=200)
    assert mixed.entanglement == pytest.approx(0.5, rel=0.2)  # one of two others changes as much
    orthogonal = both.without([latent.Direction(name="up", vector=torch.eye(4)[1])])
    assert torch.allclose(orthogonal.vector, torch.eye(4)[0])
    with pytest.raises(SparringError, match="leave one of them out"):
        right.without([right])


def test_statistics_see_what_their_names_say() -> None:
    scorer = latent.StatisticsScorer(SampleSpec(shape=(3, 8, 8)))
    dark = torch.full((1, 3, 8, 8), -1.0)
    left, wide, red = dark.clone(), dark.clone(), dark.clone()
    left[:, :, :, 0], wide[:, :, 4], red[:, 0] = 1, 1, 1
    values = {
        name: scorer(torch.cat([left, wide, red]))[:, k].tolist() for k, name in enumerate(scorer.names)
    }
    assert values["x"][0] == pytest.approx(1 / 16)
    assert values["width"][1] > 0.25 > 0.01 > values["width"][0]
    assert values["redness"] == pytest.approx([0, 0, 1], abs=1e-6)
    assert values["brightness"] == pytest.approx([1 / 8, 1 / 8, 1 / 3])


def test_directions_are_saved_and_loaded(tmp_path) -> None:
    path, z = tmp_path / "d.safetensors", torch.zeros(2, 4)
    saved = [latent.Direction(name=name, vector=torch.eye(4)[k], scale=2.0) for k, name in enumerate("ab")]
    latent.save_directions(path, saved)
    loaded = latent.load_directions(path)
    assert [each.name for each in loaded] == ["a", "b"]
    assert torch.equal(
        latent.select_direction(loaded, "b").apply(z, torch.tensor([1.0, -1])),
        2 * torch.tensor([[0.0, 1, 0, 0], [0, -1, 0, 0]]),
    )
    for name in ("", "c"):
        with pytest.raises(SparringError) as caught:
            latent.select_direction(loaded, name)
        assert "0 a, 1 b" in caught.value.expected


@pytest.mark.parametrize(
    ("old", "new"), [('"kind"', '"kjnd"'), ("4,4", "9,9"), ('\\"format\\": 1', '\\"format\\": 2')]
)
def test_a_tampered_file_of_directions_is_an_error(tmp_path, old, new) -> None:
    path = tmp_path / "d.safetensors"
    latent.save_directions(
        path, [latent.Direction(name=str(k), vector=torch.eye(4)[k], kind="x") for k in range(4)]
    )
    data = path.read_bytes()
    old = old.replace('"kind"', json.dumps('"kind"')[1:-1])
    new = new.replace('"kjnd"', json.dumps('"kjnd"')[1:-1])
    assert old.encode() in data
    path.write_bytes(data.replace(old.encode(), new.encode()))
    with pytest.raises(CorruptFileError):
        latent.load_directions(path)


def test_inversion_finds_the_latents_of_samples_and_reports_the_psnr() -> None:
    generation = linear(
        torch.linalg.qr(torch.randn(64, 4, generator=torch.Generator().manual_seed(1))).Q, (1, 8, 8)
    )
    z = latent.sample_latents(generation, 5, range(3))
    x = latent.decode(generation, z)
    inversion = latent.invert(generation, x, options=latent.InversionOptions(steps=200, prior=0.0))
    assert torch.allclose(inversion.z, z, atol=0.02)
    assert float(inversion.psnr.min()) > 45
    none = latent.invert(generation, x, options=latent.InversionOptions(steps=0, starts=1))
    assert float(none.psnr.max()) < float(inversion.psnr.min())
    perfect = latent.invert(
        generation, x, encoder=lambda x, y: (z, None), options=latent.InversionOptions(steps=0)
    )
    assert torch.equal(perfect.z, z)


def test_an_unknown_class_is_searched_for() -> None:
    generation = conditional()
    z, y = latent.sample_latents(generation, 2, range(2)), torch.tensor([1, 2])
    inversion = latent.invert(
        generation, latent.decode(generation, z, y), options=latent.InversionOptions(steps=8, starts=2)
    )
    assert inversion.y.shape == (2, 3)
    assert torch.allclose(inversion.y.sum(1), torch.ones(2))
    assert latent.with_hard_labels(inversion).y.shape == (2,)


def test_a_fitted_encoder_predicts_latents_and_is_saved_with_its_generator(tmp_path) -> None:
    generation = linear(torch.randn(64, 3, generator=torch.Generator().manual_seed(2)) / 4, (1, 8, 8))
    calls = []
    encoder = latent.fit_encoder(
        generation, steps=60, progress=lambda done, total: calls.append((done, total)) or done == 50
    )
    z = latent.sample_latents(generation, 9, range(32))
    predicted, _ = encoder(latent.decode(generation, z))
    assert float((predicted - z).square().mean()) < 0.5
    assert calls[-1] == (50, 60)
    path = tmp_path / "encoder.safetensors"
    assert latent.load_encoder(generation, path) is None
    latent.save_encoder(path, encoder, generation)
    assert torch.equal(latent.load_encoder(generation, path)(latent.decode(generation, z))[0], predicted)
    assert latent.load_encoder(linear(torch.ones(64, 3), (1, 8, 8)), path) is None


def test_latents_are_saved_and_loaded_and_fit_their_generator(tmp_path) -> None:
    path, z, y = tmp_path / "latents.safetensors", torch.randn(2, 4), torch.tensor([[0.5, 0.5, 0.0]] * 2)
    latent.save_latents(path, ["a.png", "b.png"], z, None)
    loaded, classes = latent.load_latents(linear(torch.eye(4)), path)
    assert torch.equal(loaded, z)
    assert classes is None
    with pytest.raises(CorruptFileError):
        latent.load_latents(linear(torch.ones(4, 3)), path)
    z = torch.randn(2, conditional().latent)
    latent.save_latents(path, ["a.png", "b.png"], z, y)
    assert torch.equal(latent.load_latents(conditional(), path)[1], y)
    with pytest.raises(SparringError) as caught:
        latent.load_latents(conditional(), tmp_path / "missing")
    assert "missing" in caught.value.got


@pytest.mark.parametrize("recipe", ["vae", "ae", "svae"])
def test_the_latents_of_a_models_own_encoder_decode_to_its_codes(recipe) -> None:
    generation = (
        TINY_RECIPES[recipe]().game.build_model(SampleSpec(shape=(1, 8, 8))).eval().requires_grad_(False)
    )
    x = latent.decode(generation, latent.sample_latents(generation, 0, range(3))).clamp(-1, 1)
    z, _ = latent.model_encoder(generation)(x, None)
    encoder, decoder = generation.encoder_decoder()
    assert torch.allclose(decoder.prior(z), encoder(x), atol=1e-3)


def test_image_distances_of_equal_and_of_opposite_images() -> None:
    x = torch.ones(1, 1, 9, 6)
    assert float(psnr(x, -x)) == pytest.approx(0)
    assert float(psnr(x, x)) == pytest.approx(10 * torch.log10(torch.tensor(4e10)).item())
    assert float(laplacian_pyramid_distance(x, x)) == 0
    assert float(laplacian_pyramid_distance(x, x - 0.5)) == pytest.approx(
        0.5
    )  # a constant difference is in the last band only


def test_an_mp4_without_an_encoder_is_an_error(monkeypatch, tmp_path) -> None:
    import numpy as np

    monkeypatch.setattr(video.shutil, "which", lambda name: None)
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(SparringError) as caught:
        video.save_video(tmp_path / "x.mp4", np.zeros((2, 5, 5, 1), np.uint8))
    assert ".webp or .gif" in caught.value.fix


def test_untrusted_directions_are_sized_before_they_are_read_and_hold_no_control_characters(
    tmp_path, monkeypatch
):
    path = tmp_path / "d.safetensors"
    latent.save_directions(path, [latent.Direction(name="\x1b]0;pwned\x07a", vector=torch.ones(3))])
    assert latent.load_directions(path)[0].name == "]0;pwneda"
    os.truncate(path, 2**36)  # sparse
    monkeypatch.setattr(storage, "read", lambda path: pytest.fail("the file was read"))
    with pytest.raises(CorruptFileError, match="at most"):
        latent.load_directions(path)
