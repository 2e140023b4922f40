"""Types of command-line options that several commands share. No torch here: `--help` must be quick."""

from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, UseAppendAction, arg

Precision = Literal["auto", "fp32", "bf16"]
NO_DEFAULT_HINT = ""  # no "(default: None)" behind what says itself what happens by default
DataSources = Annotated[
    Positional[tuple[str, ...]], arg(metavar="[DATA]", help_behavior_hint=NO_DEFAULT_HINT)
]
Settings = Annotated[
    UseAppendAction[tuple[tuple[str, ...], ...]],
    arg(name="set", metavar="PATH=VALUE", help_behavior_hint=NO_DEFAULT_HINT),
]
OptionalName = Annotated[str | None, arg(metavar="NAME", help_behavior_hint=NO_DEFAULT_HINT)]
OptionalInt = Annotated[int | None, arg(metavar="N", help_behavior_hint=NO_DEFAULT_HINT)]
Size = Annotated[str | None, arg(metavar="N|HxW", help_behavior_hint=NO_DEFAULT_HINT)]
Until = Annotated[str | None, arg(metavar="2h|fd<=20", help_behavior_hint=NO_DEFAULT_HINT)]
OptionalFile = Annotated[Path | None, arg(metavar="FILE", help_behavior_hint=NO_DEFAULT_HINT)]
Flag = Annotated[bool, arg(help_behavior_hint=NO_DEFAULT_HINT)]
Device = Annotated[str, arg(metavar="DEVICE")]


RunPath = Annotated[Positional[Path], arg(metavar="RUN|FILE")]
Seed = Annotated[int, arg(metavar="S")]
Label = Annotated[str | None, arg(metavar="K", help_behavior_hint=NO_DEFAULT_HINT)]
Int = Annotated[int, arg(metavar="N")]
Float = Annotated[float, arg(metavar="X")]
SampleIndices = Annotated[str | None, arg(metavar="0,4,7", help_behavior_hint=NO_DEFAULT_HINT)]
SampleGroups = Annotated[
    UseAppendAction[tuple[str, ...]], arg(metavar="0,4,7", help_behavior_hint=NO_DEFAULT_HINT)
]
OutPath = Annotated[Path, arg(metavar="PATH")]
DirectionFile = Annotated[str, arg(metavar="FILE[:NAME]", help_behavior_hint=NO_DEFAULT_HINT)]
PathKind = Literal["spherical", "linear"]
DirectionMethod = Literal["auto", "pca", "sefa", "labels", "classifier"]
EncoderChoice = Literal["auto", "none", "fit"]
