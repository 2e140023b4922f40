"""Networks from pictures to pictures, and the judges of patches."""

from typing import Protocol, runtime_checkable

from torch import nn

from sparring.translators.norm import fixed_statistics
from sparring.translators.patchgan import PatchGan
from sparring.translators.resnet import ResnetTranslator
from sparring.translators.unet import UNet


@runtime_checkable
class TranslatorNetwork(Protocol):
    """Settings of a module `forward(x (b, c, h, w)) -> (b, c', h, w)` in [-1, 1], for pictures of any size.

    Its attribute `multiple` is what heights and widths are padded to; `encode(x, layers)` gives features of the encoder half.
    """

    def build(self, shape_in: tuple[int, ...], shape_out: tuple[int, ...]) -> nn.Module: ...


@runtime_checkable
class PatchDiscriminatorNetwork(Protocol):
    """Settings of a judge `features(x) -> (b, f, h', w')`, `head(features) -> logits (b h' w',)`.

    `num_patches(height, width)` says how many logits a picture gets. With norm `instance` or `none` each picture is judged by
    itself, so that real and generated ones may go through it in one batch, which is faster than two.
    """

    def build(self, channels: int, size: tuple[int, int] | None = None) -> nn.Module: ...


TRANSLATORS: dict[str, type[TranslatorNetwork]] = {"unet": UNet, "resnet": ResnetTranslator}

PATCH_DISCRIMINATORS: dict[str, type[PatchDiscriminatorNetwork]] = {"patchgan": PatchGan}

__all__ = [
    "PATCH_DISCRIMINATORS",
    "TRANSLATORS",
    "PatchDiscriminatorNetwork",
    "PatchGan",
    "ResnetTranslator",
    "TranslatorNetwork",
    "UNet",
    "fixed_statistics",
]
