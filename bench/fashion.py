"""Fashion-MNIST, from Debian's package `dataset-fashion-mnist` (MIT licence), and a frozen classifier for Frechet distances.

The classifier is ours and small; distances over its features are comparable with each other, and with no published number.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

CACHE = Path(os.environ.get("SPARRING_BENCH", Path.home() / ".cache" / "sparring-bench"))
SETS = CACHE / "fashion" / "usr" / "share" / "datasets" / "fashion-mnist"
SIDE = 32


def source(split: str = "train") -> Path:
    """The idx file of images of a split (`train` or `t10k`), fetched once."""
    path = SETS / f"{split}-images-idx3-ubyte.gz"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        subprocess.run(["apt-get", "download", "-qq", "dataset-fashion-mnist"], check=True, cwd=CACHE)
        package = next(CACHE.glob("dataset-fashion-mnist_*.deb"))
        subprocess.run(["dpkg-deb", "-x", str(package), str(CACHE / "fashion")], check=True)
    return path


def load_images(split: str = "train") -> tuple[np.ndarray, np.ndarray]:
    """uint8 images (n, 32, 32, 1), resized as Sparring does, and int64 labels (n,)."""
    from sparring.data import DataConfig, open_data

    dataset = open_data(DataConfig(source=str(source(split)), size=(SIDE, SIDE)))
    return np.asarray(dataset.samples), dataset.labels


def tensor(images: np.ndarray) -> Tensor:
    """Images as float32 (n, 1, h, w) in [-1, 1]."""
    return torch.from_numpy(np.array(images)).permute(0, 3, 1, 2).float() / 127.5 - 1


class Classifier(nn.Module):
    """Two convolutions and two layers; `features` (n, 128) are those before the last."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 32, 3, padding=1), nn.Conv2d(32, 64, 3, padding=1)
        self.hidden, self.last = nn.Linear(64 * 8 * 8, 128), nn.Linear(128, 10)

    def features(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.first(x)), 2)
        x = F.max_pool2d(F.relu(self.second(x)), 2)
        return F.relu(self.hidden(x.flatten(1)))

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.features(x))


def classifier(name: str = "classifier", epochs: int = 3) -> Classifier:
    """The frozen classifier of this name, trained once and cached; prints its hash and its accuracy."""
    path = CACHE / f"{name}.safetensors"
    net = Classifier()
    if not path.exists():
        _train(net, epochs)
        save_file(net.state_dict(), path)
    net.load_state_dict(load_file(path))
    net.eval().requires_grad_(False)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    images, labels = load_images("t10k")
    right = (classes(net, images) == labels).mean()
    print(f"classifier {digest}: {right:.2%} of the test images", file=sys.stderr)
    return net


def _train(net: Classifier, epochs: int) -> None:
    torch.manual_seed(0)
    images, labels = load_images("train")
    x, y = tensor(images), torch.from_numpy(labels)
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    for epoch in range(epochs):
        optimizer.param_groups[0]["lr"] = 1e-3 * (1 - epoch / epochs)
        for rows in torch.randperm(len(x)).split(128):
            loss = F.cross_entropy(net(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


@torch.no_grad()
def features(net: Classifier, images: np.ndarray) -> np.ndarray:
    """Float64 features (n, 128)."""
    parts = [net.features(tensor(images[at : at + 500])) for at in range(0, len(images), 500)]
    return torch.cat(parts).double().numpy()


@torch.no_grad()
def classes(net: Classifier, images: np.ndarray) -> np.ndarray:
    """The predicted classes (n,)."""
    parts = [net(tensor(images[at : at + 500])).argmax(1) for at in range(0, len(images), 500)]
    return torch.cat(parts).numpy()


def frechet(real: np.ndarray, fake: np.ndarray) -> float:
    """The Frechet distance of two Gaussians fitted to features (Dowson & Landau 1982; Heusel et al. 2017)."""
    gap = real.mean(0) - fake.mean(0)
    one, two = np.cov(real, rowvar=False), np.cov(fake, rowvar=False)
    roots = np.sqrt(np.linalg.eigvals(one @ two).real.clip(0))
    return float(gap @ gap + np.trace(one) + np.trace(two) - 2 * roots.sum())


class Evaluator:
    """Measures generated images against the test set."""

    def __init__(self) -> None:
        self.net = classifier()
        self.real = features(self.net, load_images("t10k")[0])

    def distance(self, images: np.ndarray) -> float:
        """Of uint8 images (n, 32, 32, 1), n as large as the test set."""
        assert images.dtype == np.uint8
        assert len(images) == len(self.real)
        return frechet(self.real, features(self.net, images))

    def floor(self) -> float:
        """Of training images, as many."""
        return self.distance(load_images("train")[0][: len(self.real)])
