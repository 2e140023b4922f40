"""Sparring: train, evaluate and use generative adversarial networks and their relatives on your own data.

    run = sparring.train("photos/", out="runs/photos")
    images = run.sample(16, seed=0)
    frames = sparring.latent.walk(run, *sparring.latent.latents_and_labels(run, range(4)))

The public names are imported when they are first used, so that `import sparring` is fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sparring.core.version import __version__

if TYPE_CHECKING:
    from sparring.api import Run as Run
    from sparring.api import load as load
    from sparring.api import train as train
    from sparring.inference import latent as latent

__all__ = ["Run", "__version__", "latent", "load", "train"]


def __getattr__(name: str) -> Any:
    if name == "latent":
        value: Any = import_module("sparring.inference.latent")
    elif name in ("Run", "load", "train"):
        value = getattr(import_module("sparring.api"), name)
    else:
        raise AttributeError(f"module 'sparring' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
