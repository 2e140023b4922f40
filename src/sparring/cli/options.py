"""Types of command-line options that several commands share, and checks of their values. No torch here:
`--help` must be quick.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, UseAppendAction, arg

from sparring.core.errors import SparringError

NO_DEFAULT_HINT = ""  # no "(default: None)" after a help text that says what happens by default

RunPath = Annotated[Positional[Path], arg(metavar="RUN|FILE")]
InputSource = Annotated[Positional[str], arg(metavar="IMAGES")]
DataSources = Annotated[
    Positional[tuple[str, ...]], arg(metavar="[DATA]", help_behavior_hint=NO_DEFAULT_HINT)
]
Settings = Annotated[
    UseAppendAction[tuple[tuple[str, ...], ...]],
    arg(name="set", metavar="PATH=VALUE", help_behavior_hint=NO_DEFAULT_HINT),
]

Precision = Literal["auto", "fp32", "bf16"]
Device = Annotated[str, arg(metavar="DEVICE")]
Flag = Annotated[bool, arg(help_behavior_hint=NO_DEFAULT_HINT)]
Json = Annotated[Path | None, arg(metavar="[PATH]", help_behavior_hint=NO_DEFAULT_HINT)]
Checkpoint = Annotated[str | None, arg(metavar="best|last|IMAGES", help_behavior_hint=NO_DEFAULT_HINT)]
Seed = Annotated[int, arg(metavar="S")]
Int = Annotated[int, arg(metavar="N")]
Float = Annotated[float, arg(metavar="X")]
OutPath = Annotated[Path, arg(metavar="PATH")]
Label = Annotated[str | None, arg(metavar="K", help_behavior_hint=NO_DEFAULT_HINT)]
Size = Annotated[str | None, arg(metavar="N|HxW", help_behavior_hint=NO_DEFAULT_HINT)]
Source = Annotated[str | None, arg(name="from", metavar="RUN|FILE", help_behavior_hint=NO_DEFAULT_HINT)]
Until = Annotated[str | None, arg(metavar="2h|fd<=20", help_behavior_hint=NO_DEFAULT_HINT)]
OptionalName = Annotated[str | None, arg(metavar="NAME", help_behavior_hint=NO_DEFAULT_HINT)]
OptionalInt = Annotated[int | None, arg(metavar="N", help_behavior_hint=NO_DEFAULT_HINT)]
OptionalFile = Annotated[Path | None, arg(metavar="FILE", help_behavior_hint=NO_DEFAULT_HINT)]

# of `sparring latent`
SampleIndices = Annotated[str | None, arg(metavar="0,4,7", help_behavior_hint=NO_DEFAULT_HINT)]
SampleGroups = Annotated[
    UseAppendAction[tuple[str, ...]], arg(metavar="0,4,7", help_behavior_hint=NO_DEFAULT_HINT)
]
DirectionFile = Annotated[str, arg(metavar="FILE[:NAME]")]
PathKind = Literal["spherical", "linear"]
DirectionMethod = Literal["auto", "pca", "sefa", "labels", "classifier"]
EncoderChoice = Literal["auto", "none", "fit"]


def split_data_and_settings(
    data: Sequence[str], settings: Sequence[Sequence[str]]
) -> tuple[list[str], list[str]]:
    """Separate DATA from settings. `--set` takes any number of values, so a DATA after it arrives as one.

    >>> split_data_and_settings(["a"], [["seed=1", "b"], ["x=2"]])
    (['a', 'b'], ['seed=1', 'x=2'])
    """
    values = [value for group in settings for value in group]
    sources = [*data, *(value for value in values if "=" not in value)]
    return sources, [value for value in values if "=" in value]


def require_at_least(count: int, minimum: int, option: str) -> int:
    """Return `count`.

    Raises:
        SparringError: it is below `minimum`.
    """
    if count < minimum:
        raise SparringError(f"{option} {count}", f"{minimum} or more", "raise the number")
    return count
