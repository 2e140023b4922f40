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
    """The data of a run.

    Arguments:
        source: a path (folder, zip, npz, npy, idx), a built-in name, or either followed by `:class[,class]`.
        size: (height, width) of the samples; None chooses it from the data (see `fit.choose_size`).
        channels: 1 grey, 3 colour, 4 colour and transparency; None chooses: a grey set 1, any colour 3, real
            transparency in most files 4.
        fit: how other aspect ratios are fitted: `crop` scales to cover and cuts the centre out, `pad` scales to
            fit and fills with the commonest colour of the image's outermost pixels, `stretch` ignores the ratio.
        flip: mirror half of the samples in training (keyed draw).
        labels: use the labels that are there.
        groups: where there are no labels, this many groups of alike images stand in for them; 0 for none.
        largest: the longest side that is chosen when `size` is None, in pixels.
        held_out: so many samples are kept apart and never trained on, to judge by (see `split.split`). With 0, data of two domains
            that came with a test part keeps that apart.
        other: the second DATA, whose images are domain B; empty where one DATA holds all.
        sides: `one` domain, or two domains A and B, `paired` or `unpaired`; `auto` tells by the names of the folders (see
            `domains.find_layout`).
        derive: make A from B, so that a folder of images is enough: `edges`, `grey`, `downsampled` or `masked` (see `derived`).
        swap: exchange A and B.
        other_channels: of B, as `channels` is of A.
        jitter: in training, a random window of a image enlarged by this share; the same window for both of a pair.

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
                expected = ", ".join(word or "nothing" for word in known)
                raise ConfigError(f"{name}: {getattr(self, name)!r}", expected, "choose one of these")
        if not 0 <= self.pseudo_classes <= 1000:
            raise ConfigError(f"groups: {self.pseudo_classes}", "0 (none) to 1000", "30 is usual")
        if not 1 <= self.max_size <= MAX_SIDE:
            raise ConfigError(f"largest: {self.max_size}", f"1 to {MAX_SIDE} pixels", "fix the number")
        if self.held_out < 0:
            raise ConfigError(f"held_out: {self.held_out}", "0 (none) or more samples", "fix the number")
        if not 0 <= self.random_crop <= 1:
            raise ConfigError(f"jitter: {self.random_crop}", "0 (none) to 1", "0.12 is usual")
