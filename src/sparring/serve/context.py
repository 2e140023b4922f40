"""What all routes share: the run, its model, the workers, and the sessions (one-time tokens in links,
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

TOKEN_BYTES = 32  # 256 bits
MAX_LINKS = 8  # unused links that are valid at the same time
MAX_SESSIONS = 64
MAX_COOKIES = 4  # of our name, checked in a request
LINK_SECONDS = 12 * 3600.0  # before an unused link expires


class SessionStore:
    """Valid one-time tokens, and the sessions that were opened with one.

    Arguments:
        port: of the server. It is part of the cookie's name, because browsers share cookies between all ports of a host.
    """

    def __init__(self, port: int) -> None:
        self.cookie = f"sparring-{port}"
        self.links: dict[str, float] = {}
        self.sessions: list[str] = []

    def create_token(self) -> str:
        """A token that opens one session."""
        while len(self.links) >= MAX_LINKS:
            self.links.pop(next(iter(self.links)))
        token = secrets.token_urlsafe(TOKEN_BYTES)
        self.links[token] = time.monotonic() + LINK_SECONDS
        return token

    def exchange(self, token: str) -> str | None:
        """The secret of a new session for a valid token, which this uses up; None for any other."""
        link = next((one for one in list(self.links) if _is_equal_constant_time(one, token)), None)
        if link is None or self.links.pop(link) < time.monotonic():
            return None
        session = secrets.token_urlsafe(TOKEN_BYTES)
        self.sessions = [*self.sessions[-MAX_SESSIONS + 1 :], session]
        return session

    def has_session(self, session: str) -> bool:
        """Whether a cookie's value is the secret of a session. All are compared, each in constant time."""
        return sum(_is_equal_constant_time(one, session) for one in self.sessions) > 0


def get_cookies(header: str, cookie_name: str) -> list[str]:
    """The values of the cookies of this name, at most `MAX_COOKIES`. Browsers also send cookies of other servers on the same host;
    malformed ones must not hide ours.

    >>> get_cookies('other={"a": 1; b}; sparring-1=x', "sparring-1")
    ['x']
    """
    pairs = [part.strip().partition("=") for part in header.split(";")]
    return [value for name, _, value in pairs if name == cookie_name][:MAX_COOKIES]


def _is_equal_constant_time(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(), right.encode("utf-8", "surrogateescape"))


@dataclass(frozen=True)
class Context:
    """The state of one explorer.

    Arguments:
        run: a run folder, a generator file, or the name of a built-in set of points.
        model: its model.
        training_samples: its training data, opened on first use.
        playground: the GAN on points that is trained in memory.
        compute_worker: the thread that runs torch.
        io_worker: the thread that only reads files.
        session_store: tokens and sessions.
        address: of the server, as in `http://127.0.0.1:8765`.
        hosts: accepted values of the Host header.
        files: content and media type of the page's files, by name.
    """

    run: Path
    model: ReloadingModel
    training_samples: TrainingSamples
    playground: Playground
    compute_worker: Worker
    io_worker: Worker
    session_store: SessionStore
    address: str
    hosts: frozenset[str]
    files: dict[str, tuple[bytes, str]]

    @property
    def is_run(self) -> bool:
        """Whether `run` is a run folder, not a generator file alone."""
        return (self.run / RUN_FILE).is_file()

    @property
    def is_playground_only(self) -> bool:
        """Whether there is no run, only a built-in set of points for the playground."""
        return is_builtin_points(self.run)


def is_builtin_points(run: Path) -> bool:
    """Whether this is the name of a built-in set of points, and no file or folder has that name."""
    return str(run) in POINT_SETS and not run.exists()


def get_context(request: Request) -> Context:
    """The context that the security middleware put into a request."""
    context = request.scope["sparring.context"]
    assert isinstance(context, Context)
    return context


def parse_query(request: Request, *known: str) -> Query:
    """The query of a request, whose parameters must be among `known`."""
    return Query(request.scope["query_string"], known)
