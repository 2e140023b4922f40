"""Augmentation: random transforms of the discriminator's inputs, the same for real and generated samples."""

from sparring.core.interfaces import Augmentation
from sparring.parts.augmentation.ada import ADA
from sparring.parts.augmentation.diffaugment import DiffAugment
from sparring.parts.augmentation.instance_noise import InstanceNoise
from sparring.parts.augmentation.packing import pack

AUGMENTATIONS: dict[str, type[Augmentation]] = {
    "ada": ADA,
    "diffaugment": DiffAugment,
    "instance_noise": InstanceNoise,
}

__all__ = ["ADA", "AUGMENTATIONS", "DiffAugment", "InstanceNoise", "pack"]
