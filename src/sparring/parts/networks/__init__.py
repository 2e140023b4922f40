"""Networks: generators from latents to samples, discriminator bodies from samples to features, image-to-image
translators and PatchGAN discriminators.
"""

from typing import Protocol, runtime_checkable

from torch import nn

from sparring.core.shapes import SampleSpec
from sparring.parts.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from sparring.parts.networks.mlp import MLPDiscriminator, MLPGenerator
from sparring.parts.networks.patchgan import PatchGAN
from sparring.parts.networks.r3gan import R3GANDiscriminator, R3GANGenerator
from sparring.parts.networks.resnet import ResNetDiscriminator, ResNetGenerator
from sparring.parts.networks.resnet_translator import ResNetTranslator
from sparring.parts.networks.unet import UNet


@runtime_checkable
class GeneratorNetwork(Protocol):
    """Settings of a module `forward(z (b, latent), y (b,) | None) -> samples (b, *sample)`.

    It is conditional on labels if, and only if, the spec has classes.
    """

    @property
    def latent(self) -> int: ...

    def build(self, spec: SampleSpec) -> nn.Module: ...


@runtime_checkable
class DecoderNetwork(GeneratorNetwork, Protocol):
    """Settings of a generator whose output can be unbounded, as likelihoods need it."""

    def as_decoder(self, latent: int) -> GeneratorNetwork:
        """The same settings for codes of this size, without bounds on the output."""
        ...


@runtime_checkable
class DiscriminatorNetwork(Protocol):
    """Settings of a module `forward(x (b, *sample)) -> features (b, num_features)`.

    The module has the attributes `num_features` and `spectral`: whether a head on it is to be normalised spectrally as well; and
    the method `stages_from_image()`: its stages in order from the image to the features, each as a tuple of modules.
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

    The module has the attribute `multiple`, to which heights and widths are padded, and the method `encode(x, layers)`, which
    returns features of the encoder half.
    """

    def build(self, shape_in: tuple[int, ...], shape_out: tuple[int, ...]) -> nn.Module: ...


@runtime_checkable
class PatchDiscriminatorNetwork(Protocol):
    """Settings of a module with `features(x) -> (b, f, h', w')` and `head(features) -> logits (b h' w',)`.

    Its method `num_patches(height, width)` returns the number of logits per image. With norm `instance` or `none` no logit
    depends on other images of the batch, so that real and generated images may pass in one batch, which is faster than two.
    """

    def build(self, channels: int, size: tuple[int, int] | None = None) -> nn.Module: ...


TRANSLATORS: dict[str, type[TranslatorNetwork]] = {"unet": UNet, "resnet": ResNetTranslator}

PATCH_DISCRIMINATORS: dict[str, type[PatchDiscriminatorNetwork]] = {"patchgan": PatchGAN}

__all__ = [
    "DCGANDiscriminator",
    "DCGANGenerator",
    "DISCRIMINATORS",
    "DecoderNetwork",
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
]
