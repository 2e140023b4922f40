"""Facts: what a recipe is given about the data (shape and number of samples), the length of training and the machine. Pretrained:
what fine-tuning is given about the model that a run begins with.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sparring.core.shapes import SampleSpec
from sparring.data import DataConfig, MirrorTest
from sparring.experiment import Experiment, GameConfig


def no_mirror_test() -> None:
    """Nothing is known about mirror images."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The data and the machine, as far as recipes depend on them.

    Arguments:
        spec: shape and classes of the samples.
        count: number of samples.
        images: requested length of training, in images; None for the recipe's default.
        has_accelerator: whether it trains on more than a CPU.
        mirror_test: measures whether the images may be mirrored (`data.flip`), when a recipe calls it; None where that is unknown.
            It takes up to a second, so that only recipes pay that use it.
    """

    spec: SampleSpec
    count: int
    images: int | None = None
    has_accelerator: bool = False
    mirror_test: Callable[[], MirrorTest | None] = no_mirror_test

    def length(self, default: int) -> int:
        """The requested length in images, else `default`."""
        return self.images if self.images is not None else default

    @property
    def data(self) -> DataConfig:
        """Default data settings; the caller replaces them by the resolved ones."""
        return DataConfig()


@dataclass(frozen=True, kw_only=True)
class Pretrained:
    """The settings of the model that a fine-tuned run begins with.

    Arguments:
        name: of the run or file, as the user gave it.
        recipe: its name.
        game: its game, with the networks.
        spec: of its samples; `num_classes` of the data that it was trained on.
        length: images of the run that its schedules were made for.
        experiment: the whole experiment; None for a generator file, which holds the game alone.
    """

    name: str
    recipe: str
    game: GameConfig
    spec: SampleSpec
    length: int
    experiment: Experiment | None = None

    def data_defaults(self) -> dict[str, Any]:
        """Data settings that bring images to the shape of the source: its size, and colour if it is a model of colour images."""
        if not self.spec.is_image:
            return {}
        channels = {"channels": self.spec.shape[0]} if self.spec.shape[0] > 1 else {}
        channels |= {"channels_b": self.spec.shape_b[0]} if self.spec.shape_b is not None else {}
        return {"size": list(self.spec.shape[1:]), **channels}


TINY_IMAGES = Facts(spec=SampleSpec(shape=(1, 16, 16), num_classes=3), count=64, images=64)
TINY_POINTS = Facts(spec=SampleSpec(shape=(2,)), count=64, images=64)
TINY_DOMAINS = Facts(spec=SampleSpec(shape=(3, 16, 16), shape_b=(3, 16, 16)), count=64, images=64)
