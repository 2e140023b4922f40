"""What exporters need beside PyTorch, and what they print although nobody asked."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator

from sparring.errors import SparringError


class MissingExtra(SparringError):
    """An optional dependency is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} is not installed", f"the extra `{extra}`", f'pip install "sparring[{extra}]"'
        )


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """While entered, libraries neither print nor warn nor log."""
    before = logging.root.manager.disable
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
        logging.disable(before)
