"""The command line: parses the arguments, runs one command and returns its exit code.

Exit codes: 0 done; 130 or 143 stopped by a signal, state saved; 2 the user's mistake; 3 training diverged.
"""

import os
import sys
from collections.abc import Sequence

from sparring.core.errors import DivergedError, SparringError
from sparring.core.version import __version__
from sparring.terminal.text import printable

DESCRIPTION = f"""Sparring {__version__}: train generative adversarial networks on your own data.

Begin with `sparring train FOLDER`, or with `sparring train` alone for the built-in set."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and leave with its exit code."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run a command.

    Returns:
        Its exit code. An error that is no mistake of the user's is raised on, with its traceback.
    """
    try:
        code = _run(list(arguments))
        sys.stdout.flush()
        return code
    except SparringError as error:
        print(f"sparring: {printable(str(error))}", file=sys.stderr)
        return 3 if isinstance(error, DivergedError) else 2
    except BrokenPipeError:  # whoever read our output has left: no more of it, and nothing at exit
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
    command: Command = tyro.cli(
        Command, prog="sparring", description=DESCRIPTION, config=config, args=arguments
    )
    return command()
