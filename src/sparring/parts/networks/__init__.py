"""Networks: generators from latents to samples, discriminator bodies from samples to features, image-to-image
translators and PatchGAN discriminators.
"""

from typing import Protocol, runtime_checkable

from torch import nn

from sparring.core.shapes import SampleSpec
from sparring.parts.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from sparring.parts.networks.layers.instance_norm import fixed_statistics
from sparring.parts.networks.mlp import MLPDiscriminator, MLPGenerator
from sparring.parts.networks.patchgan import PatchGAN
from sparring.parts.networks.r3gan import R3GANDiscriminator, R3GANGenerator
from sparring.parts.networks.resnet import ResNetDiscriminator, ResNetGenerator
from sparring.parts.networks.resnet_translator import ResNetTranslator
from sparring.parts.networks.unet import UNet


@runtime_checkable
class GeneratorNetwork(Protocol):
    """Settings of a module `forward(z (b, latent), y (b,) | None) -> samples (b, *sample)`.

    It looks at labels if, and only if, the spec has classes.
    """

    @property
    def latent(self) -> int: ...

    def build(self, spec: SampleSpec) -> nn.Module: ...


@runtime_checkable
class DiscriminatorNetwork(Protocol):
    """Settings of a module `forward(x (b, *sample)) -> features (b, num_features)`.

    Its attribute `spectral` says whether a head on it should be normalised spectrally as well.
    """

    def build(self, spec: SampleSpec) -> nn.Module: ...


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


@runtime_checkable
class TranslatorNetwork(Protocol):
    """Settings of a module `forward(x (b, c, h, w)) -> (b, c', h, w)` in [-1, 1], for images of any size.

    Its attribute `multiple` is what heights and widths are padded to; `encode(x, layers)` gives features of the encoder half.
    """

    def build(self, shape_in: tuple[int, ...], shape_out: tuple[int, ...]) -> nn.Module: ...


@runtime_checkable
class PatchDiscriminatorNetwork(Protocol):
    """Settings of a judge `features(x) -> (b, f, h', w')`, `head(features) -> logits (b h' w',)`.

    `num_patches(height, width)` says how many logits a image gets. With norm `instance` or `none` each image is judged by
    itself, so that real and generated ones may go through it in one batch, which is faster than two.
    """

    def build(self, channels: int, size: tuple[int, int] | None = None) -> nn.Module: ...


TRANSLATORS: dict[str, type[TranslatorNetwork]] = {"unet": UNet, "resnet": ResNetTranslator}

PATCH_DISCRIMINATORS: dict[str, type[PatchDiscriminatorNetwork]] = {"patchgan": PatchGAN}

__all__ = [
    "DCGANDiscriminator",
    "DCGANGenerator",
    "DISCRIMINATORS",
    "DiscriminatorNetwork",
    "GENERATORS",
    "GeneratorNetwork",
    "MLPDiscriminator",
    "MLPGenerator",
    "PATCH_DISCRIMINATORS",
    "PatchDiscriminatorNetwork",
    "PatchGAN",
    "R3GANDiscriminator",
    "R3GANGenerator",
    "ResNetDiscriminator",
    "ResNetGenerator",
    "ResNetTranslator",
    "TRANSLATORS",
    "TranslatorNetwork",
    "UNet",
    "fixed_statistics",
]
