"""What a recipe may know of the data before it chooses: the kind of sample, their number, the requested
length.
"""

from dataclasses import dataclass

from sparring.core.shapes import SampleSpec
from sparring.data import DataConfig


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The data and the machine at hand.

    Arguments:
        spec: what one sample is.
        count: number of samples.
        images: the length that was asked for; None leaves it to the recipe.
    """

    spec: SampleSpec
    count: int
    images: int | None = None

    def length(self, default: int) -> int:
        """The length that was asked for, or else `default`."""
        return self.images if self.images is not None else default

    @property
    def data(self) -> DataConfig:
        """A placeholder for the data's settings, which are known already."""
        return DataConfig()


TINY_IMAGES = Facts(spec=SampleSpec(shape=(1, 16, 16), num_classes=3), count=64, images=64)
TINY_POINTS = Facts(spec=SampleSpec(shape=(2,)), count=64, images=64)
TINY_DOMAINS = Facts(spec=SampleSpec(shape=(3, 16, 16), shape_b=(3, 16, 16)), count=64, images=64)
