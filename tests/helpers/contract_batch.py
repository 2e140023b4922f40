"""Adversarial batches for the contract tests of terms: of tiny networks, or of given logits."""

import torch
from torch import Tensor, nn

from sparring.core.adversarial_batch import AdversarialBatch, PlayerHistory
from sparring.core.game import Batch
from sparring.core.logit_statistics import LogitAverages
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

    def joint_features(self, *parts: Tensor) -> list[Tensor]:
        return list(self.features(torch.cat(parts)).split([len(part) for part in parts]))

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


class LogitDiscriminator(nn.Module):
    """The logit is the sample's only value, times the parameter `scale`."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def features(self, x: Tensor) -> Tensor:
        return self.scale * x

    def joint_features(self, *parts: Tensor) -> list[Tensor]:
        return list(self.features(torch.cat(parts)).split([len(part) for part in parts]))

    def head(self, features: Tensor, y: Tensor | None) -> Tensor:
        return features.squeeze(1)

    def classify(self, features: Tensor) -> Tensor:
        return features.expand(-1, CLASSES)


class LogitAverage(nn.Module):
    """A past of `LogitDiscriminator` whose scale was 0."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.zeros(()))


def tiny_generator(shape: tuple[int, ...] = SHAPE, seed: int = 0) -> Generator:
    """The generator of `tiny_batch`."""
    torch.manual_seed(seed)
    return Generator(shape)


def tiny_batch(
    rows: int = 6,
    shape: tuple[int, ...] = SHAPE,
    augment=None,
    seed: int = 0,
    generator: Generator | None = None,
    **options,
) -> AdversarialBatch:
    """Tiny networks: `generator` gets gradients where it is given, otherwise the generated samples are detached."""
    made_by = tiny_generator(shape, seed) if generator is None else generator
    torch.manual_seed(seed + 1)
    discriminator, average = Discriminator(shape), Discriminator(shape)
    batch = Batch(
        x=torch.randn(rows, *shape),
        y=torch.arange(rows) % CLASSES,
        rng=KeyedRandom(seed, (0,), rows),
        images=10,
        step=0,
    )

    def make_fake() -> Tensor:
        fake = made_by(batch.rng.normal("latent", 4), batch.y)
        return fake if generator is not None else fake.detach()

    options.setdefault("history", PlayerHistory(discriminator, average, LogitAverages(0.99)))
    return AdversarialBatch(batch, make_fake, discriminator, augment or (lambda x, stream: x), **options)


def batch_of_logits(real: Tensor, fake: Tensor, **options) -> AdversarialBatch:
    """Samples (b,) that are their own logits."""
    discriminator = LogitDiscriminator()
    options.setdefault("history", PlayerHistory(discriminator, LogitAverage(), LogitAverages(0.99)))
    batch = Batch(x=real[:, None], y=None, rng=KeyedRandom(0, (0,), len(real)), images=10, step=0)
    return AdversarialBatch(batch, lambda: fake[:, None], discriminator, lambda x, stream: x, **options)
