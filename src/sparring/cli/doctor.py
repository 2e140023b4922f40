"""`sparring doctor`: its options, and the diagnosis of a run as text or JSON."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from sparring.cli.options import NO_DEFAULT_HINT


@dataclass(frozen=True, kw_only=True)
class Doctor:
    """Say in plain words what is wrong with a run, if anything, and what to do. It may still be going on.

    Args:
        run: A run folder.
        json: Write all of it there as JSON as well; `-` prints that instead of the words.
    """

    run: Annotated[Positional[Path], arg(metavar="RUN")]
    json: Annotated[Path | None, arg(metavar="PATH", help_behavior_hint=NO_DEFAULT_HINT)] = None

    def __call__(self) -> int:
        return doctor(self)


def doctor(options: Doctor) -> int:
    """Examine a run and say what was found; 0 whatever that is."""
    from sparring.core.errors import SparringError
    from sparring.doctor import examine
    from sparring.doctor.diagnosis import format_diagnosis
    from sparring.terminal.text import printable

    diagnosis = examine(options.run)
    text = json.dumps(diagnosis.to_json(), indent=1)
    if options.json == Path("-"):
        print(text)
        return 0
    if options.json is not None:
        try:
            options.json.parent.mkdir(parents=True, exist_ok=True)
            options.json.write_text(text + "\n")
        except OSError as error:
            raise SparringError(
                f"--json {options.json}: {error}", "a path that can be written to", "choose another"
            ) from error
    print(printable("\n".join(format_diagnosis(diagnosis))))
    return 0
