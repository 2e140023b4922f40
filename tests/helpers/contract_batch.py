"""A tiny play with real networks, for the contracts of terms; and one with given logits."""

import torch
from torch import Tensor, nn

from sparring.core.adversarial_batch import AdversarialBatch
from sparring.core.game import Batch
from sparring.core.rng import KeyedRandom

SHAPE = (3, 6, 5)
CLASSES = 3


class Discriminator(nn.Module):
    def __init__(self, shape: tuple[int, ...] = SHAPE) -> None:
        super().__init__()
        size = torch.Size(shape).numel()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(size, 8), nn.Softplus())
        self.last, self.classes = nn.Linear(8, 1), nn.Linear(8, CLASSES)

    def features(self, x: Tensor) -> Tensor:
        return self.body(x)

    def head(self, features: Tensor, y: Tensor | None) -> Tensor:
        return self.last(features).squeeze(1)

    def classify(self, features: Tensor) -> Tensor:
        return self.classes(features)


class Generator(nn.Module):
    def __init__(self, shape: tuple[int, ...] = SHAPE) -> None:
        super().__init__()
        self.shape, self.body = shape, nn.Linear(4, torch.Size(shape).numel())

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return torch.tanh(self.body(z)).unflatten(1, self.shape)


class Given(nn.Module):
    """Logits that are the samples' only value, times `scale`: a play of `logits`."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def features(self, x: Tensor) -> Tensor:
        return self.scale * x

    def head(self, features: Tensor, y: Tensor | None) -> Tensor:
        return features.squeeze(1)

    def classify(self, features: Tensor) -> Tensor:
        return features.expand(-1, CLASSES)


def tiny_play(
    rows: int = 6, shape: tuple[int, ...] = SHAPE, view=None, seed: int = 0, **options
) -> AdversarialBatch:
    torch.manual_seed(seed)
    generator, discriminator, memory = Generator(shape), Discriminator(shape), Discriminator(shape)
    batch = Batch(
        x=torch.randn(rows, *shape),
        y=torch.arange(rows) % CLASSES,
        rng=KeyedRandom(seed, (0,), rows),
        images=10,
        step=0,
    )
    options.setdefault("generating", False)
    options.setdefault("player", discriminator)
    return AdversarialBatch(
        batch, generator, discriminator, 4, view or (lambda x, stream: x), memory=memory, **options
    )


def play_of_logits(real: Tensor, fake: Tensor, **options) -> AdversarialBatch:
    batch = Batch(x=real[:, None], y=None, rng=KeyedRandom(0, (0,), len(real)), images=10, step=0)
    options.setdefault("generating", True)
    return AdversarialBatch(batch, lambda z, y: fake[:, None], Given(), 4, lambda x, stream: x, **options)
