"""The legend of dimension letters, the tensor types built from it, and what one sample looks like.

    b batch      c channels    h height    w width
    n samples    d features    z latent    p points' coordinates

The annotations are documentation, and are checked at run time by the tests only (jaxtyping, a development dependency).
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
else:
    try:
        from jaxtyping import Float, Int
    except ImportError:
        Image = Sample = Latent = Labels = Logits = PerSample = Features = Tensor
    else:
        Image = Float[Tensor, "b c h w"]
        Sample = Float[Tensor, "b *sample"]
        Latent = Float[Tensor, "b z"]
        Labels = Int[Tensor, " b"]
        Logits = Float[Tensor, " b"]
        PerSample = Float[Tensor, " b"]
        Features = Float[Tensor, "b d"]


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What one sample is: the only thing that networks know of the data.

    Arguments:
        shape: `(channels, height, width)` of a picture, or `(coordinates,)` of a point.
        classes: number of labels; 0 means that the set has none.
        other: `(channels, height, width)` of the second domain's pictures, of the same height and width; None where there is one
            domain only.
    """

    shape: tuple[int, ...]
    classes: int = 0
    other: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if len(self.shape) not in (1, 3) or min(self.shape) < 1 or self.classes < 0:
            raise ValueError(
                f"a sample is (c, h, w) or (coordinates,), not {self.shape} with {self.classes} classes"
            )
        if self.other is not None and not (len(self.shape) == 3 and self.other[1:] == self.shape[1:]):
            raise ValueError(f"pictures of {self.shape} and {self.other} differ in more than channels")

    @property
    def is_image(self) -> bool:
        return len(self.shape) == 3

    @property
    def size(self) -> int:
        """Number of values in one sample."""
        size = 1
        for side in self.shape:
            size *= side
        return size

    def packed(self, count: int) -> "Spec":
        """The spec of `count` samples stacked along the channels (or coordinates), as PacGAN's discriminator sees them."""
        return Spec(shape=(self.shape[0] * count, *self.shape[1:]), classes=self.classes)
