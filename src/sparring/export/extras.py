"""Optional dependencies of the exporters, and their console output."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator

from sparring.core.errors import SparringError


class MissingExtraError(SparringError):
    """An optional dependency is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"{package} is not installed", f"the extra `{extra}`", f'pip install "sparring[{extra}]"'
        )


@contextlib.contextmanager
def suppress_output() -> Iterator[None]:
    """A context in which libraries print, warn and log nothing."""
    previous = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(previous)
