"""The command line: parses the arguments, runs one command and returns its exit code.

Exit codes: 0 finished; 130 or 143 stopped by a signal, state saved; 2 the user's mistake; 3 training diverged, or
collapsed again after its last remedy.
"""

import os
import sys
from collections.abc import Sequence
from itertools import pairwise

from sparring.core.errors import DivergedError, SparringError
from sparring.core.version import __version__
from sparring.terminal.text import printable

DESCRIPTION = f"""Sparring {__version__}: train generative adversarial networks on your own data.

Start with `sparring train FOLDER`, or with `sparring train` alone for the built-in data set."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit with its code."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code.

    Errors that are not a mistake of the user propagate with their traceback.
    """
    try:
        code = _run(list(arguments))
        sys.stdout.flush()
        return code
    except SparringError as error:
        print(f"sparring: {printable(str(error))}", file=sys.stderr)
        return 3 if isinstance(error, DivergedError) else 2
    except BrokenPipeError:  # the reader of our output has exited: print no more, and nothing at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        return 130


def _run(arguments: list[str]) -> int:
    if arguments == ["--version"]:
        print(f"sparring {__version__}")
        return 0
    import tyro

    from sparring.cli.commands import Command

    config = (tyro.conf.FlagCreatePairsOff,)
    arguments = complete_json(arguments)
    command: Command = tyro.cli(
        Command, prog="sparring", description=DESCRIPTION, config=config, args=arguments
    )
    return command()


def complete_json(arguments: Sequence[str]) -> list[str]:
    """Give a `--json` without a path the path `-`, which stands for standard output.

    >>> complete_json(["inspect", "photos", "--json", "--size", "64"])
    ['inspect', 'photos', '--json', '-', '--size', '64']
    """
    completed: list[str] = []
    for argument, following in pairwise([*arguments, "--"]):
        bare = argument == "--json" and following.startswith("-") and following != "-"
        completed += [argument, "-"] if bare else [argument]
    return completed
