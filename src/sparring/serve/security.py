"""Security middleware: every request passes it. It checks host, origin, session and sizes, and sets the
headers of every response.

It accepts what is known to be right and refuses everything else. References: MLflow CVE-2025-14279 (no check of
Host), Gradio CVE-2024-47084 and CVE-2024-47165 (exceptions for cookies and `null`), Ray CVE-2025-62593 and
CVE-2026-27482 (deny lists).
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
MAX_CONCURRENT_REQUESTS = 64
MAX_CONCURRENT_UPLOADS = 2
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
    """Checks every request before it reaches the application.

    Arguments:
        app: the application.
        context: gives the accepted hosts (exact values of the Host header, as `127.0.0.1:8137`) and the sessions.
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
        scope["sparring.context"] = self.context
        try:
            await self._respond(scope, receive, _with_headers(send))
        finally:
            self.in_flight -= 1

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if self.in_flight > MAX_CONCURRENT_REQUESTS:
                raise BusyError
            self.check(scope)
            await self._with_body(scope, receive, send)
        except HTTPError as error:
            await _error_response(error)(scope, receive, send)
        except SparringError as error:
            await _error_response(HTTPError(400, strip_folders(str(error))))(scope, receive, send)
        except Exception:  # a bug of ours: the traceback goes to the terminal, not to the client
            traceback.print_exc(file=sys.stderr)
            await _error_response(HTTPError(500, "internal error in the explorer; see its terminal"))(
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
        """Raises HTTPError unless method, path, host, origin and session are valid."""
        headers = _unique_headers(scope)
        if scope["method"] not in METHODS:
            raise HTTPError(405, "only GET, HEAD and POST", {"Allow": ", ".join(METHODS)})
        raw = scope.get("raw_path") or scope["path"].encode()
        if len(raw) > MAX_PATH_BYTES or b"%" in raw or b"\\" in raw or scope["path"].encode() != raw:
            raise HTTPError(404, "not found")
        if headers.get("host") not in self.context.hosts:
            raise HTTPError(403, "wrong Host header")
        _check_origin(scope["method"], headers)
        is_entry = scope["path"] == "/" and scope["method"] == "GET"
        if not is_entry and not self.has_session(headers):
            raise HTTPError(401, "open the link that `sparring explore` printed")

    def has_session(self, headers: Mapping[str, str]) -> bool:
        """Whether one of a request's cookies is that of a session."""
        return any(
            self.context.session_store.has_session(value)
            for value in get_cookies(headers.get("cookie", ""), self.context.session_store.cookie)
        )


def _unique_headers(scope: Scope) -> dict[str, str]:
    """The headers by name; those that are checked must not be repeated."""
    if len(scope["headers"]) > MAX_HEADERS:
        raise HTTPError(431, "too many headers")
    names = [name.decode("latin-1").lower() for name, _ in scope["headers"]]
    for name in ("host", "origin", "cookie", "sec-fetch-site", "content-length", "content-encoding"):
        if names.count(name) > 1:
            raise HTTPError(400, f"repeated header {name}")
    return dict(zip(names, (value.decode("latin-1") for _, value in scope["headers"]), strict=True))


def _check_origin(method: str, headers: Mapping[str, str]) -> None:
    """Accepts requests of our own page, and addresses typed by the user. The origin `null` gets no exception, nor does a cookie."""
    own = f"http://{headers.get('host', '')}"
    if headers.get("origin", own) != own or (method == "POST" and "origin" not in headers):
        raise HTTPError(403, "cross-origin request")
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise HTTPError(403, "cross-site request; copy the link into the address bar")


async def _with_timeout(body: Coroutine[None, None, bytes]) -> bytes:
    try:
        return await asyncio.wait_for(body, BODY_TIMEOUT_SECONDS)
    except TimeoutError:
        raise HTTPError(408, "timeout while reading the body") from None


async def _read_body(scope: Scope, receive: Receive) -> bytes:
    """The body of a request, of a declared length of at most `MAX_BODY_BYTES`."""
    headers = _unique_headers(scope)
    length = headers.get("content-length", "")
    if not length.isascii() or not length.isdigit() or "transfer-encoding" in headers:
        raise HTTPError(411, "Content-Length required")
    if (
        len(length) > 9
        or int(length) > MAX_BODY_BYTES
        or headers.get("content-encoding", "identity") != "identity"
    ):
        raise HTTPError(413, f"the body must be uncompressed and at most {MAX_BODY_BYTES >> 20} MiB")
    body = bytearray()
    while True:
        message: Message = await receive()
        if message["type"] == "http.disconnect":
            raise HTTPError(400, "incomplete body")
        body += message.get("body", b"")
        if len(body) > int(length):
            raise HTTPError(413, "body longer than Content-Length")
        if not message.get("more_body", False):
            return bytes(body)


def _with_headers(send: Send) -> Send:
    """Wraps `send` to add the security headers, and `no-store` unless the response sets Cache-Control."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            present = {name.lower() for name, _ in message["headers"]}
            extra = [(name.encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]
            if b"cache-control" not in present:
                extra.append((b"cache-control", b"no-store"))
            message = {**message, "headers": [*message["headers"], *extra]}
        await send(message)

    return send_with_headers


def _error_response(error: HTTPError) -> Response:
    return JSONResponse({"error": error.message}, error.status, error.headers)
