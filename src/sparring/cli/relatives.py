"""`sparring reconstruct` and `sparring classify`: their options."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from sparring.cli.options import PLAIN, Device, Flag


@dataclass(frozen=True, kw_only=True)
class Reconstruct:
    """Send pictures through a run's encoder and decoder, and show what comes back.

    Args:
        run: The run folder of an autoencoder (ae, dae, vae, svae ...), or its generator.safetensors.
        images: A picture, or a folder of them; or an array file, zip or built-in name as for `sparring train`.
        label: Name or number of their class, for a run that is told labels.
        out: x.png: originals and reconstructions in turn, row by row; else a folder, in which names are kept.
        device: auto, cpu, cuda or mps.
        quiet: Print nothing but errors.
    """

    run: Annotated[Positional[Path], arg(metavar="RUN")]
    images: Annotated[Positional[str], arg(metavar="IMAGES")]
    label: Annotated[str | None, arg(metavar="K", help_behavior_hint=PLAIN)] = None
    out: Annotated[Path, arg(metavar="PATH")] = Path("reconstructions")
    device: Device = "auto"
    quiet: Flag = False

    def __call__(self) -> int:
        from sparring.cli.reconstructing import reconstruct

        return reconstruct(self)


@dataclass(frozen=True, kw_only=True)
class Classify:
    """Tell the classes of pictures, and how often that is right where a folder tells them.

    Args:
        run: The run folder of a classifier (logistic, acgan) or of a model with a likelihood for each class (naive_bayes,
            cvae), or its generator.safetensors.
        images: A picture, or a folder of them, with a sub-folder for each class or without; or an array file, zip or
            built-in name as for `sparring train`.
        json: Write all that is found here.
        device: auto, cpu, cuda or mps.
        quiet: Print nothing but errors.
    """

    run: Annotated[Positional[Path], arg(metavar="RUN")]
    images: Annotated[Positional[str], arg(metavar="IMAGES")]
    json: Annotated[Path | None, arg(metavar="PATH", help_behavior_hint=PLAIN)] = None
    device: Device = "auto"
    quiet: Flag = False

    def __call__(self) -> int:
        from sparring.cli.classifying import classify

        return classify(self)
