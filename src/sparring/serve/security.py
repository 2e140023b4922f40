"""Security middleware: every request passes it. It checks host, origin, session and sizes, and sets the
headers of every response.

It lets through what it knows to be right, and nothing else. References: MLflow CVE-2025-14279 (no check of
Host), Gradio CVE-2024-47084 and CVE-2024-47165 (exceptions for cookies and `null`), Ray CVE-2025-62593 and
CVE-2026-27482 (lists of what is wrong).
"""

import asyncio
import sys
import traceback
from collections.abc import Coroutine, Mapping

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sparring.core.errors import SparringError
from sparring.serve.context import Context, get_cookies
from sparring.serve.http import BusyError, HTTPError, strip_folders

METHODS = ("GET", "HEAD", "POST")
MAX_BODY_BYTES, MAX_HEADERS, MAX_PATH_BYTES = 10 * 2**20, 64, 200
BODY_TIMEOUT_SECONDS = 10.0
MAX_CONCURRENT_REQUESTS = 64  # requests in flight
MAX_CONCURRENT_UPLOADS = 2  # uploads in flight
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
SECURITY_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


class SecurityMiddleware:
    """The gate before an application.

    Arguments:
        app: that answers what is let through.
        here: the explorer: its hosts (exact values of the Host header, as `127.0.0.1:8137`) and who may come in.
    """

    def __init__(self, app: ASGIApp, context: Context) -> None:
        self.app, self.context = app, context
        self.in_flight = self.uploads_in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
            return
        self.in_flight += 1
        scope["sparring"] = self.context
        try:
            await self._answer(scope, receive, _with_headers(send))
        finally:
            self.in_flight -= 1

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if self.in_flight > MAX_CONCURRENT_REQUESTS:
                raise BusyError
            self.check(scope)
            await self._with_body(scope, receive, send)
        except HTTPError as refused:
            await _error_response(refused)(scope, receive, send)
        except SparringError as error:
            await _error_response(HTTPError(400, strip_folders(str(error))))(scope, receive, send)
        except Exception:  # a fault of ours: told on the terminal, not to the client
            traceback.print_exc(file=sys.stderr)
            await _error_response(HTTPError(500, "a fault in the explorer; see its terminal"))(
                scope, receive, send
            )

    async def _with_body(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        if self.uploads_in_flight >= MAX_CONCURRENT_UPLOADS:
            raise BusyError
        self.uploads_in_flight += 1
        try:
            scope["sparring.body"] = await _with_timeout(_read_body(scope, receive))
            await self.app(scope, receive, send)
        finally:
            self.uploads_in_flight -= 1

    def check(self, scope: Scope) -> None:
        """Raises Refused where a request is not one of ours."""
        headers = _unique_headers(scope)
        if scope["method"] not in METHODS:
            raise HTTPError(405, "GET and POST alone", {"Allow": ", ".join(METHODS)})
        raw = scope.get("raw_path") or scope["path"].encode()
        if len(raw) > MAX_PATH_BYTES or b"%" in raw or b"\\" in raw or scope["path"].encode() != raw:
            raise HTTPError(404, "nothing there")
        if headers.get("host") not in self.context.hosts:
            raise HTTPError(403, "another host's name")
        _check_origin(scope["method"], headers)
        opening = scope["path"] == "/" and scope["method"] == "GET"
        if not opening and not self.has_session(headers):
            raise HTTPError(401, "open the link that `sparring explore` printed")

    def has_session(self, headers: Mapping[str, str]) -> bool:
        """Whether one of a request's cookies is that of a session."""
        return any(
            self.context.session_store.has_session(value)
            for value in get_cookies(headers.get("cookie", ""), self.context.session_store.cookie)
        )


def _unique_headers(scope: Scope) -> dict[str, str]:
    """The headers, of which those that matter may come but once."""
    if len(scope["headers"]) > MAX_HEADERS:
        raise HTTPError(431, "too many headers")
    names = [name.decode("latin-1").lower() for name, _ in scope["headers"]]
    for name in ("host", "origin", "cookie", "sec-fetch-site", "content-length", "content-encoding"):
        if names.count(name) > 1:
            raise HTTPError(400, f"{name} comes twice")
    return dict(zip(names, (value.decode("latin-1") for _, value in scope["headers"]), strict=True))


def _check_origin(method: str, headers: Mapping[str, str]) -> None:
    """From our own page, or typed into the address bar. `null` is no exception, nor is a cookie."""
    own = f"http://{headers.get('host', '')}"
    if headers.get("origin", own) != own or (method == "POST" and "origin" not in headers):
        raise HTTPError(403, "another page's request")
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise HTTPError(403, "another page led here; copy the link into the address bar")


async def _with_timeout(body: Coroutine[None, None, bytes]) -> bytes:
    try:
        return await asyncio.wait_for(body, BODY_TIMEOUT_SECONDS)
    except TimeoutError:
        raise HTTPError(408, "too slow") from None


async def _read_body(scope: Scope, receive: Receive) -> bytes:
    """The body of a request, of known length and at most `MAX_BODY_BYTES`."""
    headers = _unique_headers(scope)
    told = headers.get("content-length", "")
    if not told.isascii() or not told.isdigit() or "transfer-encoding" in headers:
        raise HTTPError(411, "a body of known length")
    if (
        len(told) > 9
        or int(told) > MAX_BODY_BYTES
        or headers.get("content-encoding", "identity") != "identity"
    ):
        raise HTTPError(413, f"a plain body of at most {MAX_BODY_BYTES >> 20} MiB")
    body = bytearray()
    while True:
        message: Message = await receive()
        if message["type"] == "http.disconnect":
            raise HTTPError(400, "an incomplete body")
        body += message.get("body", b"")
        if len(body) > int(told):
            raise HTTPError(413, "more than was said")
        if not message.get("more_body", False):
            return bytes(body)


def _with_headers(send: Send) -> Send:
    """`send`, with the headers of every answer; what the answer says itself of caching stays."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            there = {name.lower() for name, _ in message["headers"]}
            extra = [(name.encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]
            if b"cache-control" not in there:
                extra.append((b"cache-control", b"no-store"))
            message = {**message, "headers": [*message["headers"], *extra]}
        await send(message)

    return sending


def _error_response(refused: HTTPError) -> Response:
    return JSONResponse({"error": refused.message}, refused.status, refused.headers)
