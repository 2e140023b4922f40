"""Sparring: train, judge and use generative adversarial networks and their relatives on your own data.

    run = sparring.train("photos/", out="runs/photos")
    pictures = run.sample(16, seed=0)

The public names are looked up when they are first used, so that `import sparring` costs nothing.
"""

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sparring.run import Run as Run
    from sparring.run import load as load

__version__ = "0.1.0"
__all__ = ["Run", "__version__", "load", "train"]


class _Package(ModuleType):
    """Importing the module `sparring.train` must not put it in the place of the function of that name."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "train" and isinstance(value, ModuleType):
            return
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name not in ("Run", "load", "train"):
        raise AttributeError(f"module 'sparring' has no attribute {name!r}")
    from sparring import run, starting

    globals().update(Run=run.Run, load=run.load, train=starting.train)
    return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
