"""Augmentation: what is done to samples, real and generated alike, before the discriminator sees them."""

from sparring.augment.diffaugment import DiffAugment
from sparring.augment.noise import InstanceNoise
from sparring.augment.packing import pack
from sparring.roles import Augmentation

AUGMENTATIONS: dict[str, type[Augmentation]] = {
    "diffaugment": DiffAugment,
    "noise": InstanceNoise,
}

__all__ = ["AUGMENTATIONS", "DiffAugment", "InstanceNoise", "pack"]
