"""DataConfig: what to train on, and how it is brought to one size."""

from dataclasses import dataclass
from typing import Literal, get_args

from sparring.core.errors import ConfigError

Fit = Literal["crop", "pad", "stretch"]
Pairing = Literal["auto", "one", "paired", "unpaired"]
Derivation = Literal["", "edges", "grey", "downsampled", "masked"]
MAX_SIDE = 4096


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """The data of a run, and how it is read.

    Arguments:
        source: a path (folder, zip, npz, npy, idx), a built-in name, or either followed by `:class[,class]`.
        size: (height, width) of the samples in pixels; None chooses it from the data (see `images.resize.choose_size`).
        channels: 1 grey, 3 colour, 4 colour and transparency; None chooses: 1 if all images are grey, 4 if most have
            transparent pixels, else 3.
        fit: how images of another aspect ratio are fitted: `crop` scales to cover and cuts out the centre, `pad` scales to
            fit and fills with the most frequent colour of the outermost pixels, `stretch` ignores the ratio.
        flip: mirror half of the samples in training, chosen at random.
        labels: use the labels that come with the data.
        pseudo_classes: for data without labels, the number of clusters that serve as classes; 0 for none.
        max_size: longest side in pixels where `size` is None.
        held_out: number of samples that are not trained on, for evaluation (see `split.split_held_out`). With 0, the test split
            that came with data of two domains is held out.
        source_b: the DATA of domain B; empty where `source` holds both domains, or there is one.
        pairing: `one` domain, or two domains A and B, `paired` or `unpaired`; `auto` decides by the names of the folders (see
            `readers.domains`).
        derive_input: derive A from the images, which become B: `edges`, `grey`, `downsampled` or `masked` (see `readers.derived`).
        swap_domains: exchange A and B.
        channels_b: of domain B, as `channels`.
        random_crop: in training, enlarge each image by this fraction and cut a random window out of it; the same window for both
            images of a pair.

    Raises:
        ConfigError: a setting is out of range.

    >>> DataConfig(source="animals", size=(48, 80)).fit
    'crop'
    """

    source: str = "animals"
    size: tuple[int, int] | None = None
    channels: int | None = None
    fit: Fit = "crop"
    flip: bool = False
    labels: bool = True
    pseudo_classes: int = 0
    max_size: int = 64
    held_out: int = 0
    source_b: str = ""
    pairing: Pairing = "auto"
    derive_input: Derivation = ""
    swap_domains: bool = False
    channels_b: int | None = None
    random_crop: float = 0.0

    def __post_init__(self) -> None:
        if not self.source:
            raise ConfigError("source: empty", "a path or a built-in name", "name the data")
        if self.size is not None and (
            len(self.size) != 2 or not all(1 <= side <= MAX_SIDE for side in self.size)
        ):
            raise ConfigError(
                f"size: {self.size}", f"(height, width), 1 to {MAX_SIDE} pixels", "write it as 48x80"
            )
        for name in ("channels", "channels_b"):
            if getattr(self, name) not in (None, 1, 3, 4):
                expected = "1 (grey), 3 (colour) or 4 (and transparency)"
                raise ConfigError(f"{name}: {getattr(self, name)}", expected, "choose one")
        for name, choice in (("fit", Fit), ("pairing", Pairing), ("derive_input", Derivation)):
            known = get_args(choice)
            if getattr(self, name) not in known:
                expected = ", ".join(value or "nothing" for value in known)
                raise ConfigError(f"{name}: {getattr(self, name)!r}", expected, "choose one of these")
        if not 0 <= self.pseudo_classes <= 1000:
            raise ConfigError(f"pseudo_classes: {self.pseudo_classes}", "0 (none) to 1000", "30 is usual")
        if not 1 <= self.max_size <= MAX_SIDE:
            raise ConfigError(f"max_size: {self.max_size}", f"1 to {MAX_SIDE} pixels", "fix the number")
        if self.held_out < 0:
            raise ConfigError(f"held_out: {self.held_out}", "0 (none) or more samples", "fix the number")
        if not 0 <= self.random_crop <= 1:
            raise ConfigError(f"random_crop: {self.random_crop}", "0 (none) to 1", "0.12 is usual")
