"""Requests to an explorer in this process, exactly as they are written: no client mends paths or headers on the way."""

import asyncio
import json
from pathlib import Path
from typing import Any, NamedTuple

from sparring.serve.app import create_app, create_context
from sparring.serve.model import ReloadingModel

PORT = 8137
CANARY = b"canary-4f1c"  # what a file outside of the run holds
HOST = f"127.0.0.1:{PORT}"


class Answer(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        return dict(self.headers).get(name, "")

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Explorer:
    """An explorer of a run, and the cookie of a browser that came in."""

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

    def get(self, path: str, **given: Any) -> Answer:
        """A GET of our own page."""
        return self.ask("GET", path, **given)

    def post(self, path: str, body: bytes = b"", **given: Any) -> Answer:
        extra = {"origin": f"http://{HOST}", "content-length": str(len(body))}
        return self.ask("POST", path, headers={**extra, **given.pop("headers", {})}, body=body, **given)

    def ask(
        self,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        bare: bool = False,
    ) -> Answer:
        own = {} if bare else {"host": HOST, "cookie": self.cookie}
        pairs = {**own, **(headers or {})}
        return self.runner.run(self._ask(method, path, list(pairs.items()), body))

    def many(self, requests: list[tuple[str, str, list[tuple[str, str]]]]) -> list[Answer]:
        """Requests one after another in one go of the loop."""

        async def all_of_them() -> list[Answer]:
            return [await self._ask(method, path, headers) for method, path, headers in requests]

        return self.runner.run(all_of_them())

    def together(self, paths: list[str]) -> list[Answer]:
        """Requests at once."""

        async def at_once() -> list[Answer]:
            own = [("host", HOST), ("cookie", self.cookie)]
            return list(await asyncio.gather(*(self._ask("GET", path, own) for path in paths)))

        return self.runner.run(at_once())

    async def _ask(self, method: str, path: str, headers: list[tuple[str, str]], body: bytes = b"") -> Answer:
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
        told = [(name.decode(), value.decode("latin-1")) for name, value in start["headers"]]
        return Answer(start["status"], told, b"".join(message.get("body", b"") for message in sent[1:]))


def _unquoted(raw: str) -> str:
    from urllib.parse import unquote

    return unquote(raw)
