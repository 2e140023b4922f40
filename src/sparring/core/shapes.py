"""Tensor types, the legend of their dimension letters, and SampleSpec, the shape of one sample.

    b batch      c channels    h height    w width
    n samples    d features    z latent    p points' coordinates

The annotations are documentation; only the tests check them at run time (jaxtyping, a development
dependency).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

if TYPE_CHECKING:
    Image = Tensor
    Sample = Tensor
    Latent = Tensor
    Labels = Tensor
    Logits = Tensor
    PerSample = Tensor
    Features = Tensor
    FeatureMap = Tensor
    DecoderOutput = Tensor
    OutputImage = Tensor
else:
    try:
        from jaxtyping import Float, Int
    except ImportError:
        Image = Sample = Latent = Labels = Logits = PerSample = Features = Tensor
        FeatureMap = DecoderOutput = OutputImage = Tensor
    else:
        Image = Float[Tensor, "b c h w"]
        Sample = Float[Tensor, "b *sample"]
        Latent = Float[Tensor, "b z"]
        Labels = Int[Tensor, " b"]
        Logits = Float[Tensor, " b"]
        PerSample = Float[Tensor, " b"]
        Features = Float[Tensor, "b d"]
        FeatureMap = Float[Tensor, "b d gh gw"]  # of a patch discriminator
        DecoderOutput = Float[Tensor, "b *parameters"]  # the parameters of a likelihood
        OutputImage = Float[Tensor, "b c_out h w"]


@dataclass(frozen=True, kw_only=True)
class SampleSpec:
    """The shape of one sample and the number of classes: all that networks know about the data.

    Arguments:
        shape: `(channels, height, width)` of an image, or `(coordinates,)` of a point.
        num_classes: 0 for data without labels.
        shape_b: `(channels, height, width)` of domain B, with the same height and width; None for data of one domain.

    Raises:
        ValueError: a shape is of another form.
    """

    shape: tuple[int, ...]
    num_classes: int = 0
    shape_b: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if len(self.shape) not in (1, 3) or min(self.shape) < 1 or self.num_classes < 0:
            raise ValueError(
                f"a sample has shape (c, h, w) or (coordinates,), not {self.shape} with {self.num_classes} classes"
            )
        if self.shape_b is not None and not (len(self.shape) == 3 and self.shape_b[1:] == self.shape[1:]):
            raise ValueError(f"images of {self.shape} and {self.shape_b} differ in more than channels")

    @property
    def is_image(self) -> bool:
        """Whether samples are images; else they are points."""
        return len(self.shape) == 3

    @property
    def numel(self) -> int:
        """Number of values in one sample."""
        size = 1
        for side in self.shape:
            size *= side
        return size

    def stack_channels(self, count: int) -> "SampleSpec":
        """The spec of `count` samples stacked along the channels (or coordinates), the input of PacGAN's discriminator."""
        return SampleSpec(shape=(self.shape[0] * count, *self.shape[1:]), num_classes=self.num_classes)
