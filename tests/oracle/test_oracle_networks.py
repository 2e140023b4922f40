"""The networks against the ones that others use: the same numbers, from uint8 images, resize included."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from sparring.core.runtime import Runtime
from sparring.features import efficientnet, inception, load, weights
from sparring.features.resize import resize, to_rgb
from tests.helpers.random_weights import random_state_dict

pytest.importorskip("torch_fidelity", reason="`make oracle` has the packages to compare with")
from efficientnet_lite_pytorch import EfficientNet
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore")]
CPU = Runtime(torch.device("cpu"))
LAYERS = ["2048", "logits_unbiased", "logits"]


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Our Inception and torch-fidelity's with the same random weights."""
    folder = tmp_path_factory.mktemp("weights")
    with torch.device("meta"):
        names = inception.InceptionV3().state_dict()
    state = random_state_dict(inception.InceptionV3())
    assert set(state) == set(names)
    torch.save(state, folder / "theirs.pth")
    save_file(state, folder / "ours.safetensors")
    theirs = FeatureExtractorInceptionV3(
        "oracle", LAYERS, feature_extractor_weights_path=str(folder / "theirs.pth")
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weights, "file_sha256", lambda _: inception.WEIGHTS.sha256)
        ours = load("inception", runtime=CPU, weights=folder / "ours.safetensors")
    return ours, theirs


@pytest.mark.parametrize(("height", "width"), [(32, 32), (28, 45), (299, 299), (330, 310)])
def test_inception(both, animals, agree, height, width):
    """2,048 features, and logits without the bias; ours are from the folded network."""
    ours, theirs = both
    if height < 40:
        samples = resize(to_rgb(animals[0][:4]), height, width).byte().permute(0, 2, 3, 1).numpy()
    else:
        samples = np.random.default_rng(0).integers(0, 256, (2, height, width, 3), dtype=np.uint8)
    found = ours(samples)
    features, unbiased, biased = theirs(torch.from_numpy(samples).permute(0, 3, 1, 2))
    agree("Inception's features, torch-fidelity", found.features, features, 1e-5)
    agree("Inception's logits, torch-fidelity", found.logits, unbiased, 1e-5)
    spread = features - features.mean(0)  # what is common to all images makes up most of random features
    assert (found.features - features).abs().max() < 1e-3 * spread.abs().max()
    assert not torch.allclose(found.logits, biased, atol=1e-3)


@pytest.fixture(scope="module")
def reference():
    path = weights.find_weights(efficientnet.WEIGHTS, None, "efficientnet_lite0")
    return EfficientNet.from_pretrained("efficientnet-lite0", weights_path=str(path)).eval()


@pytest.mark.parametrize("kind", ["animals", "noise"])
def test_efficientnet(reference, animals, extracted, agree, kind):
    """Features and logits of the folded and mirrored network, on real images and on noise of the network's own size."""
    if kind == "noise":
        samples = np.random.default_rng(0).integers(0, 256, (3, 224, 224, 3), dtype=np.uint8)
        found = load("efficientnet_lite0", runtime=CPU)(samples)
    else:
        samples, found = animals[0][:6], extracted[0]
    with torch.no_grad():
        x = (resize(to_rgb(samples), 224, 224) - 127) / 128
        features, logits = reference.extract_features(x).mean((2, 3)), reference(x)
    many = len(samples)
    agree("EfficientNet-Lite0's features, efficientnet-lite-pytorch", found.features[:many], features, 1e-5)
    agree("EfficientNet-Lite0's logits, efficientnet-lite-pytorch", found.logits[:many], logits, 1e-5)


def test_resize_is_pillows(agree):
    """Bicubic and antialiased, on float channels, as clean-fid has it: nothing rounded in between, overshoots cut."""
    from cleanfid.resize import make_resizer

    draw = np.random.default_rng(0).integers(0, 256, (1, 100, 130, 3), dtype=np.uint8)
    theirs = make_resizer("PIL", False, "bicubic", (64, 48))(draw[0])
    ours = resize(to_rgb(draw), 48, 64)[0].permute(1, 2, 0).numpy()
    agree("the resize, clean-fid", ours, theirs, 1e-5)
