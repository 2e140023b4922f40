"""What all routes share: the run, its model, the workers and the sessions (one-time tokens in links,
exchanged for cookies).
"""

import hmac
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request

from sparring.data.readers.points import POINT_SETS
from sparring.runs.run_json import RUN_FILE
from sparring.serve.http import Query
from sparring.serve.model import ReloadingModel
from sparring.serve.playground.game import Playground
from sparring.serve.training_data import TrainingSamples
from sparring.serve.worker import Worker

TOKEN_BYTES = 32  # of a token: 256 bits
MAX_LINKS = 8  # open at once
MAX_SESSIONS = 64
MAX_COOKIES = 4  # of our name that are looked at
LINK_SECONDS = 12 * 3600.0


class SessionStore:
    """The open links, and the browsers that came in by one.

    Arguments:
        port: of the server; cookies are shared by all ports of a host, so it is part of their name.
    """

    def __init__(self, port: int) -> None:
        self.cookie = f"sparring-{port}"
        self.links: dict[str, float] = {}
        self.sessions: list[str] = []

    def create_token(self) -> str:
        """A token that opens the door once."""
        while len(self.links) >= MAX_LINKS:
            self.links.pop(next(iter(self.links)))
        token = secrets.token_urlsafe(TOKEN_BYTES)
        self.links[token] = time.monotonic() + LINK_SECONDS
        return token

    def exchange(self, token: str) -> str | None:
        """The secret of a new session, for a token that is still good; it is not, after this."""
        found = next((one for one in list(self.links) if _is_equal_constant_time(one, token)), None)
        if found is None or self.links.pop(found) < time.monotonic():
            return None
        session = secrets.token_urlsafe(TOKEN_BYTES)
        self.sessions = [*self.sessions[-MAX_SESSIONS + 1 :], session]
        return session

    def has_session(self, session: str) -> bool:
        """Whether a cookie's value is that of a session. All are compared, in constant time."""
        return sum(_is_equal_constant_time(one, session) for one in self.sessions) > 0


def get_cookies(header: str, cookie_name: str) -> list[str]:
    """The values of the cookies of this name. Those of other servers on the same host come along, in whatever shape; they are none
    of our business, and must not hide ours.

    >>> get_cookies('other={"a": 1; b}; sparring-1=x', "sparring-1")
    ['x']
    """
    pairs = [part.strip().partition("=") for part in header.split(";")]
    return [value for name, _, value in pairs if name == cookie_name][:MAX_COOKIES]


def _is_equal_constant_time(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(), right.encode("utf-8", "surrogateescape"))


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
    model: ReloadingModel
    real: TrainingSamples
    playground: Playground
    compute_worker: Worker
    io_worker: Worker
    session_store: SessionStore
    address: str
    hosts: frozenset[str]
    files: dict[str, tuple[bytes, str]]

    @property
    def is_run(self) -> bool:
        """Whether there is a folder with a record, not a generator file alone."""
        return (self.run / RUN_FILE).is_file()

    @property
    def is_playground_only(self) -> bool:
        """Whether there is no run at all, but a set of points that comes along, to play with."""
        return is_builtin_points(self.run)


def is_builtin_points(run: Path) -> bool:
    """Whether this names a set of points that comes along, and no file or folder of that name is there."""
    return str(run) in POINT_SETS and not run.exists()


def get_context(request: Request) -> Context:
    """The explorer that a request is for."""
    found = request.scope["sparring"]
    assert isinstance(found, Context)
    return found


def parse_query(request: Request, *known: str) -> Query:
    """The query, checked."""
    return Query(request.scope["query_string"], known)
