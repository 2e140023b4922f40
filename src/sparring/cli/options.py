"""The kinds of options that the commands share."""

from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, UseAppendAction, arg

Precision = Literal["auto", "fp32", "bf16"]
PLAIN = ""  # no "(default: None)" behind what says itself what happens by default
Data = Annotated[Positional[tuple[str, ...]], arg(metavar="[DATA]", help_behavior_hint=PLAIN)]
Settings = Annotated[
    UseAppendAction[tuple[tuple[str, ...], ...]],
    arg(name="set", metavar="PATH=VALUE", help_behavior_hint=PLAIN),
]
Text = Annotated[str | None, arg(metavar="NAME", help_behavior_hint=PLAIN)]
Count = Annotated[int | None, arg(metavar="N", help_behavior_hint=PLAIN)]
Size = Annotated[str | None, arg(metavar="N|HxW", help_behavior_hint=PLAIN)]
Time = Annotated[str | None, arg(metavar="2h|fd<=20", help_behavior_hint=PLAIN)]
File = Annotated[Path | None, arg(metavar="FILE", help_behavior_hint=PLAIN)]
Flag = Annotated[bool, arg(help_behavior_hint=PLAIN)]
Device = Annotated[str, arg(metavar="DEVICE")]
