"""Who may come in: a one-time token in the link, exchanged for a cookie."""

import hmac
import secrets
import time

BYTES = 32  # of a token: 256 bits
LINKS = 8  # open at once
SESSIONS = 64
MOST_COOKIES = 4  # of our name that are looked at
LINK_SECONDS = 12 * 3600.0


class Access:
    """The open links, and the browsers that came in by one.

    Arguments:
        port: of the server; cookies are shared by all ports of a host, so it is part of their name.
    """

    def __init__(self, port: int) -> None:
        self.cookie = f"sparring-{port}"
        self.links: dict[str, float] = {}
        self.sessions: list[str] = []

    def link(self) -> str:
        """A token that opens the door once."""
        while len(self.links) >= LINKS:
            self.links.pop(next(iter(self.links)))
        token = secrets.token_urlsafe(BYTES)
        self.links[token] = time.monotonic() + LINK_SECONDS
        return token

    def exchange(self, token: str) -> str | None:
        """The secret of a new session, for a token that is still good; it is not, after this."""
        found = next((one for one in list(self.links) if _same(one, token)), None)
        if found is None or self.links.pop(found) < time.monotonic():
            return None
        session = secrets.token_urlsafe(BYTES)
        self.sessions = [*self.sessions[-SESSIONS + 1 :], session]
        return session

    def knows(self, session: str) -> bool:
        """Whether a cookie's value is that of a session. All are compared, in constant time."""
        return sum(_same(one, session) for one in self.sessions) > 0


def cookies(header: str, wanted: str) -> list[str]:
    """The values of the cookies of this name. Those of other servers on the same host come along, in whatever shape; they are none
    of our business, and must not hide ours.

    >>> cookies('other={"a": 1; b}; sparring-1=x', "sparring-1")
    ['x']
    """
    pairs = [part.strip().partition("=") for part in header.split(";")]
    return [value for name, _, value in pairs if name == wanted][:MOST_COOKIES]


def _same(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(), right.encode("utf-8", "surrogateescape"))
