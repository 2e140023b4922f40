"""At which scale a picture is translated, and what becomes of the result's size."""

from dataclasses import dataclass, field

from sparring.data.config import LONGEST_SIDE, Fit
from sparring.data.fit import Size
from sparring.errors import ConfigError
from sparring.translation.tiles import Tiling


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How pictures are brought to a translator and back. Nothing is ever cut off.

    Arguments:
        scale: `trained`: as large as pictures were in training, by the rule of the run's data: `crop` until the frame is
            covered (what lies outside is translated too), `pad` until the picture fits in, `stretch` to the very frame. `keep`:
            as they are. A number: until the shorter side has so many pixels.
        raw: leave the result at the size at which it was made; otherwise it gets the size of the picture that was given.
        tiling: of pictures that are large at that scale.
    """

    scale: str | int = "trained"
    raw: bool = False
    tiling: Tiling = field(default_factory=Tiling)

    def __post_init__(self) -> None:
        good = isinstance(self.scale, int) and 1 <= self.scale <= LONGEST_SIDE
        if not good and self.scale not in ("trained", "keep"):
            raise ConfigError(
                f"scale {self.scale!r}",
                f"trained, keep, or the shorter side in pixels (1 to {LONGEST_SIDE})",
                "leave it out for the scale of the training",
            )

    @classmethod
    def parse(cls, scale: str, raw: bool = False, tile: int = Tiling.side) -> "Manner":
        """From what is written on the command line.

        >>> Manner.parse("256").scale
        256
        """
        overlap = min(Tiling.overlap, max(1, tile // 4))
        tiling = Tiling(side=tile, overlap=overlap)
        return cls(scale=int(scale) if scale.isdigit() else scale, raw=raw, tiling=tiling)

    def size(self, given: Size, trained: Size, fit: Fit) -> Size:
        """The (height, width) at which a picture of size `given` is translated.

        >>> Manner().size((500, 1000), (64, 64), "crop"), Manner().size((500, 1000), (64, 64), "pad")
        ((64, 128), (32, 64))
        """
        if self.scale == "keep":
            return given
        if self.scale == "trained" and fit == "stretch":
            return trained
        height, width = given
        if isinstance(self.scale, int):
            factor = self.scale / min(given)
        else:
            across, down = trained[1] / width, trained[0] / height
            factor = max(across, down) if fit == "crop" else min(across, down)
        return max(1, round(height * factor)), max(1, round(width * factor))
