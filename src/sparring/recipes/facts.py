"""Facts: what a recipe is given about the data: shape and number of samples, requested length of training, machine."""

from collections.abc import Callable
from dataclasses import dataclass

from sparring.core.shapes import SampleSpec
from sparring.data import DataConfig, MirrorTest


def no_mirror_test() -> None:
    """Nothing is known about mirror images."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The data and the machine, as far as recipes depend on them.

    Arguments:
        spec: shape and classes of the samples.
        count: number of samples.
        images: requested length of training, in images; None for the recipe's default.
        seconds: time that the run may take, where the user gives one; None otherwise.
        has_accelerator: whether it trains on more than a CPU.
        mirror_test: measures whether the images may be mirrored (`data.flip`), when a recipe calls it; None where that is unknown.
            It takes up to a second, so that only recipes pay that use it.
    """

    spec: SampleSpec
    count: int
    images: int | None = None
    seconds: float | None = None
    has_accelerator: bool = False
    mirror_test: Callable[[], MirrorTest | None] = no_mirror_test

    def length(self, default: int) -> int:
        """The requested length in images, else `default`."""
        return self.images if self.images is not None else default

    @property
    def data(self) -> DataConfig:
        """Default data settings; the caller replaces them by the resolved ones."""
        return DataConfig()


TINY_IMAGES = Facts(spec=SampleSpec(shape=(1, 16, 16), num_classes=3), count=64, images=64)
TINY_POINTS = Facts(spec=SampleSpec(shape=(2,)), count=64, images=64)
TINY_DOMAINS = Facts(spec=SampleSpec(shape=(3, 16, 16), shape_b=(3, 16, 16)), count=64, images=64)
