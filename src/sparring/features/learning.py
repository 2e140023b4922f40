"""How the small classifier is trained: its network, its settings, and from labelled pictures to weights.

References: LeCun et al. 1998, doi:10.1109/5.726791 (the shape); Kingma & Ba 2014, arXiv:1412.6980 (Adam); He et al. 2015,
arXiv:1502.01852, equation (10) (initial weights).
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sparring import tensorfile
from sparring.data.dataset import Dataset
from sparring.errors import DataError
from sparring.features.extracted import Extracted
from sparring.features.resize import channels_first, resized
from sparring.keyed import generator
from sparring.runtime import Runtime

SIDE, FEATURES = 32, 128


@dataclass(frozen=True, kw_only=True)
class Training:
    """How the classifier is trained.

    Arguments:
        images: seen in all.
        batch: of one step.
        rate: learning rate of Adam, falling linearly to zero.
    """

    images: int = 100_000
    batch: int = 128
    rate: float = 1e-3


class Network(nn.Module):
    """Logits and features of pictures (n, c, 32, 32) in [-1, 1]."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(channels, 32, 3, padding=1), nn.Conv2d(32, 64, 3, padding=1)
        self.hidden, self.last = nn.Linear(64 * (SIDE // 4) ** 2, FEATURES), nn.Linear(FEATURES, classes)

    def forward(self, x: Tensor) -> Extracted:
        x = F.max_pool2d(F.relu(self.first(x)), 2)
        x = F.max_pool2d(F.relu(self.second(x)), 2)
        features = F.relu(self.hidden(x.flatten(1)))
        return Extracted(features, self.last(features))


def prepared(pictures: np.ndarray, channels: int) -> Tensor:
    x = channels_first(pictures)
    if x.shape[1] > channels:
        raise DataError(
            "coloured pictures",
            "grey ones, as those that the classifier was trained on",
            "prepare both sets with the same channels (--set data.channels=1)",
        )
    return resized(x.expand(-1, channels, -1, -1), SIDE, SIDE) / 127.5 - 1


def trained(dataset: Dataset, training: Training, runtime: Runtime) -> bytes:
    """The weights of a classifier of this set, as a safetensors file with the accuracy on the tenth that it has not seen."""
    assert dataset.labels is not None
    channels = 1 if dataset.samples.shape[3] == 1 else 3
    network = _initial(channels, len(dataset.classes))
    runtime.place(network)
    order = torch.randperm(len(dataset), generator=generator(0, "classifier", 0))
    kept = min(5_000, len(dataset) // 10)
    x = torch.cat([_half(dataset.samples[at : at + 500], channels) for at in range(0, len(dataset), 500)])
    y = torch.from_numpy(dataset.labels)
    _fit(network, x, y, order[kept:], training, runtime)
    with torch.no_grad():
        guesses = [
            network(x[rows].to(runtime.device).float()).logits.argmax(1).cpu()
            for rows in order[:kept].split(500)
        ]
    accuracy = float((torch.cat(guesses) == y[order[:kept]]).double().mean())
    return tensorfile.render(network.state_dict(), {"accuracy": repr(accuracy)})


def _half(pictures: np.ndarray, channels: int) -> Tensor:
    """Prepared, in half the memory: the rounding is below a hundredth of a grey level."""
    return prepared(pictures, channels).half().contiguous(memory_format=torch.channels_last)


def _initial(channels: int, classes: int) -> Network:
    with torch.device("meta"):
        network = Network(channels, classes)
    network.to_empty(device="cpu")
    for index, parameter in enumerate(network.parameters()):
        inputs = parameter[0].numel() if parameter.ndim > 1 else 0
        draw = torch.randn(parameter.shape, generator=generator(0, "classifier weights", index))
        parameter.data.copy_(draw * (2 / inputs) ** 0.5 if inputs else torch.zeros_like(draw))
    return network


def _fit(network: Network, x: Tensor, y: Tensor, rows: Tensor, training: Training, runtime: Runtime) -> None:
    optimizer = torch.optim.Adam(network.parameters(), training.rate)
    steps = max(1, training.images // training.batch)
    per_epoch = max(1, len(rows) // training.batch)
    for step in range(steps):
        if step % per_epoch == 0:
            order = torch.randperm(len(rows), generator=generator(0, "classifier", 1 + step // per_epoch))
        start = step % per_epoch * training.batch
        chosen = rows[order[start : start + training.batch]]
        optimizer.param_groups[0]["lr"] = training.rate * (1 - step / steps)
        with runtime.autocast():
            logits = network(x[chosen].to(runtime.device).float()).logits
        loss = F.cross_entropy(logits.float(), y[chosen].to(runtime.device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
