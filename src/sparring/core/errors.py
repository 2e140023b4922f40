"""Errors that the user can fix. Each says what was found, what was expected, and what to do.

No torch.
"""


class SparringError(ValueError):
    """Base of all errors that a user can cause and fix. The command line prints it and exits with 2.

    Arguments:
        got: the wrong value and where it was found.
        expected: what a right value looks like.
        fix: what to do now.
    """

    def __init__(self, got: str, expected: str = "", fix: str = "") -> None:
        self.got, self.expected, self.fix = got, expected, fix
        parts = [got, f"expected: {expected}" if expected else "", f"do this: {fix}" if fix else ""]
        super().__init__("\n  ".join(part for part in parts if part))


class ConfigError(SparringError):
    """A setting has an unknown name, a wrong type, or a value out of range."""


class DataError(SparringError):
    """The data is unusable, or does not fit the request."""


class InvalidImageError(DataError):
    """An image can't be read; it is skipped, and the reason goes into the data report."""


class CorruptFileError(SparringError):
    """A file of a run is damaged, or is not of the kind that its name says."""


class CheckpointWriteError(SparringError):
    """A checkpoint could not be written (disk full, no permission); the older ones are intact."""


class RunLockedError(SparringError):
    """Another process is writing to this run folder."""


class DivergedError(SparringError):
    """Training gave non-finite numbers repeatedly; the last good checkpoint is kept. Exit code 3."""


def did_you_mean(name: str, known: list[str]) -> str:
    """A sentence with the most similar known names, for the `fix` of an error.

    >>> did_you_mean("hing", ["hinge", "wasserstein"])
    'did you mean hinge?'
    """
    from difflib import get_close_matches

    swapped = [word for word in known if sorted(word) == sorted(name)]  # fd for df
    close = swapped or get_close_matches(name, known, n=2, cutoff=0.5)
    return f"did you mean {' or '.join(close)}?" if close else f"choose one of: {', '.join(sorted(known))}"
