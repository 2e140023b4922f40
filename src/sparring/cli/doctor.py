"""`sparring doctor`: its options, and the diagnosis of a run as text or JSON."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from sparring.cli.options import Json


@dataclass(frozen=True, kw_only=True)
class Doctor:
    """Diagnose a run: what is wrong with it, if anything, and what to do. It may still be training.

    Args:
        run: A run folder.
        json: Write the diagnosis as JSON to PATH; without PATH print it instead of the text.
    """

    run: Annotated[Positional[Path], arg(metavar="RUN")]
    json: Json = None

    def __call__(self) -> int:
        return doctor(self)


def doctor(options: Doctor) -> int:
    """Diagnose a run and print the findings.

    Returns:
        The exit code: 0, whatever the findings are.
    """
    from sparring.cli.output import STDOUT, print_lines, write_json
    from sparring.doctor import examine
    from sparring.doctor.diagnosis import format_diagnosis

    diagnosis = examine(options.run)
    write_json(diagnosis.to_json(), options.json)
    print_lines(options.json == STDOUT, *format_diagnosis(diagnosis))
    return 0
