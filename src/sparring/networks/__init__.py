"""Networks: generators from latents to samples, and discriminators' bodies from samples to features."""

from typing import Protocol, runtime_checkable

from torch import nn

from sparring.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from sparring.networks.mlp import MLPDiscriminator, MLPGenerator
from sparring.networks.r3gan import R3GANDiscriminator, R3GANGenerator
from sparring.networks.resnet import ResNetDiscriminator, ResNetGenerator
from sparring.shapes import Spec


@runtime_checkable
class GeneratorNetwork(Protocol):
    """Settings of a module `forward(z (b, latent), y (b,) | None) -> samples (b, *sample)`.

    It looks at labels if, and only if, the spec has classes.
    """

    @property
    def latent(self) -> int: ...

    def build(self, spec: Spec) -> nn.Module: ...


@runtime_checkable
class DiscriminatorNetwork(Protocol):
    """Settings of a module `forward(x (b, *sample)) -> features (b, num_features)`.

    Its attribute `spectral` says whether a head on it should be normalised spectrally as well.
    """

    def build(self, spec: Spec) -> nn.Module: ...


GENERATORS: dict[str, type[GeneratorNetwork]] = {
    "mlp": MLPGenerator,
    "dcgan": DCGANGenerator,
    "resnet": ResNetGenerator,
    "r3gan": R3GANGenerator,
}

DISCRIMINATORS: dict[str, type[DiscriminatorNetwork]] = {
    "mlp": MLPDiscriminator,
    "dcgan": DCGANDiscriminator,
    "resnet": ResNetDiscriminator,
    "r3gan": R3GANDiscriminator,
}

__all__ = [
    "DISCRIMINATORS",
    "GENERATORS",
    "DCGANDiscriminator",
    "DCGANGenerator",
    "DiscriminatorNetwork",
    "GeneratorNetwork",
    "MLPDiscriminator",
    "MLPGenerator",
    "R3GANDiscriminator",
    "R3GANGenerator",
    "ResNetDiscriminator",
    "ResNetGenerator",
]
