"""What a recipe may know of the data and the machine before it chooses."""

from dataclasses import dataclass

from sparring.data import DataConfig
from sparring.shapes import Spec


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The data and the machine at hand.

    Arguments:
        spec: what one sample is.
        count: number of samples.
        images: the length that was asked for; None leaves it to the recipe.
    """

    spec: Spec
    count: int
    images: int | None = None

    def length(self, default: int) -> int:
        """The length that was asked for, or else `default`."""
        return self.images if self.images is not None else default

    @property
    def data(self) -> DataConfig:
        """A placeholder for the data's settings, which are known already."""
        return DataConfig()


TINY = Facts(spec=Spec(shape=(1, 16, 16), classes=3), count=64, images=64)
TINY_POINTS = Facts(spec=Spec(shape=(2,)), count=64, images=64)
TINY_SIDES = Facts(spec=Spec(shape=(3, 16, 16), other=(3, 16, 16)), count=64, images=64)
