"""What the answers share: the run, its generator, the queue."""

from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request

from sparring.data.points import POINT_SETS
from sparring.runfile import RUN_FILE
from sparring.serve.access import Access
from sparring.serve.arena import Arena
from sparring.serve.asked import Asked
from sparring.serve.jobs import Worker
from sparring.serve.model import Model
from sparring.serve.real import Real


@dataclass(frozen=True)
class Context:
    """One explorer.

    Arguments:
        run: the run folder, or a generator file.
        model: its generator.
        real: its training data, opened when first asked for.
        arena: the game on points that is played there.
        drawing: the thread of all that torch does.
        reading: the thread of what only reads files.
        access: who may come in.
        address: of the server, as in `http://127.0.0.1:8765`.
        files: content and type of the page's files, by name.
        hosts: values of the Host header that are its own.
    """

    run: Path
    model: Model
    real: Real
    arena: Arena
    drawing: Worker
    reading: Worker
    access: Access
    address: str
    hosts: frozenset[str]
    files: dict[str, tuple[bytes, str]]

    @property
    def is_run(self) -> bool:
        """Whether there is a folder with a record, not a generator file alone."""
        return (self.run / RUN_FILE).is_file()

    @property
    def arena_alone(self) -> bool:
        """Whether there is no run at all, but a set of points that comes along, to play with."""
        return is_points(self.run)


def is_points(run: Path) -> bool:
    """Whether this names a set of points that comes along, and no file or folder of that name is there."""
    return str(run) in POINT_SETS and not run.exists()


def context(request: Request) -> Context:
    """The explorer that a request is for."""
    found = request.scope["sparring"]
    assert isinstance(found, Context)
    return found


def asked(request: Request, *known: str) -> Asked:
    """The query, checked."""
    return Asked(request.scope["query_string"], known)
