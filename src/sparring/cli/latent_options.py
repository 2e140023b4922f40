"""The kinds of options that the commands of `sparring latent` share."""

from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, UseAppendAction, arg

from sparring.cli.options import PLAIN

RunPath = Annotated[Positional[Path], arg(metavar="RUN|FILE")]
Seed = Annotated[int, arg(metavar="S")]
Label = Annotated[str | None, arg(metavar="K", help_behavior_hint=PLAIN)]
Number = Annotated[int, arg(metavar="N")]
Real = Annotated[float, arg(metavar="X")]
Numbers = Annotated[str | None, arg(metavar="0,4,7", help_behavior_hint=PLAIN)]
Groups = Annotated[UseAppendAction[tuple[str, ...]], arg(metavar="0,4,7", help_behavior_hint=PLAIN)]
Out = Annotated[Path, arg(metavar="PATH")]
Along = Annotated[str, arg(metavar="FILE[:NAME]", help_behavior_hint=PLAIN)]
Paths = Literal["spherical", "linear"]
Ways = Literal["auto", "pca", "sefa", "labels", "classifier"]
Encoders = Literal["auto", "none", "fit"]
