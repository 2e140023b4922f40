"""Sparring: train, evaluate and use generative adversarial networks and their relatives on your own data.

    run = sparring.train("photos/", out="runs/photos")
    images = run.sample(16, seed=0)

The public names are looked up when they are first used, so that `import sparring` costs nothing.
"""

from typing import TYPE_CHECKING, Any

from sparring.core.version import __version__

if TYPE_CHECKING:
    from sparring.api import Run as Run
    from sparring.api import load as load
    from sparring.api import train as train

__all__ = ["Run", "__version__", "load", "train"]


def __getattr__(name: str) -> Any:
    if name not in ("Run", "load", "train"):
        raise AttributeError(f"module 'sparring' has no attribute {name!r}")
    from sparring import api

    globals().update(Run=api.Run, load=api.load, train=api.train)
    return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
