"""Raw ASGI requests to an explorer in this process: no HTTP client normalises paths or headers on the way."""

import asyncio
import json
from pathlib import Path
from typing import Any, NamedTuple

from sparring.serve.app import create_app, create_context
from sparring.serve.model import ReloadingModel

PORT = 8137
CANARY = b"canary-4f1c"  # content of a file outside the run
HOST = f"127.0.0.1:{PORT}"


class Response(NamedTuple):
    """Status, headers and body of a response."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        return dict(self.headers).get(name, "")

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Explorer:
    """An explorer of a run, and the cookie of a browser with a session."""

    def __init__(self, run: Path) -> None:
        self.context = create_context(run, ["127.0.0.1", "localhost"], PORT, ReloadingModel(run, "cpu", 1))
        self.app = create_app(self.context)
        self.runner = asyncio.Runner()
        self.session = self.context.session_store.exchange(self.context.session_store.create_token())
        self.cookie = f"{self.context.session_store.cookie}={self.session}"

    def close(self) -> None:
        self.context.compute_worker.close()
        self.context.io_worker.close()
        self.runner.close()

    def get(self, path: str, **options: Any) -> Response:
        """A GET, with the explorer's host and the session's cookie."""
        return self.request("GET", path, **options)

    def post(self, path: str, body: bytes = b"", **options: Any) -> Response:
        """A POST of the explorer's own page."""
        extra = {"origin": f"http://{HOST}", "content-length": str(len(body))}
        return self.request(
            "POST", path, headers={**extra, **options.pop("headers", {})}, body=body, **options
        )

    def request(
        self,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        bare: bool = False,
    ) -> Response:
        """One request; `bare` sends neither host nor cookie, except those in `headers`."""
        own = {} if bare else {"host": HOST, "cookie": self.cookie}
        pairs = {**own, **(headers or {})}
        return self.runner.run(self._request(method, path, list(pairs.items()), body))

    def sequential(self, requests: list[tuple[str, str, list[tuple[str, str]]]]) -> list[Response]:
        """Requests one after another, in one run of the event loop."""

        async def send_all() -> list[Response]:
            return [await self._request(method, path, headers) for method, path, headers in requests]

        return self.runner.run(send_all())

    def concurrent(self, paths: list[str]) -> list[Response]:
        """GET requests at the same time."""

        async def send_all() -> list[Response]:
            own = [("host", HOST), ("cookie", self.cookie)]
            return list(await asyncio.gather(*(self._request("GET", path, own) for path in paths)))

        return self.runner.run(send_all())

    async def _request(
        self, method: str, path: str, headers: list[tuple[str, str]], body: bytes = b""
    ) -> Response:
        raw, _, query = path.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "path": _unquoted(raw),
            "raw_path": raw.encode("utf-8", "surrogateescape"),
            "query_string": query.encode("utf-8", "surrogateescape"),
            "headers": [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers],
            "http_version": "1.1",
            "scheme": "http",
            "root_path": "",
        }
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        start = sent[0]
        pairs = [(name.decode(), value.decode("latin-1")) for name, value in start["headers"]]
        return Response(start["status"], pairs, b"".join(message.get("body", b"") for message in sent[1:]))


def _unquoted(raw: str) -> str:
    from urllib.parse import unquote

    return unquote(raw)
