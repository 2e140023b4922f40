"""The security middleware: path traversal, foreign hosts and origins, browsers without a session. A sabotaged twin of
each check shows that the test would detect its absence.
"""

from itertools import product

import pytest
from starlette.responses import Response
from starlette.routing import Route, Router

from sparring.serve import app, security
from sparring.serve.security import SecurityMiddleware
from tests.helpers.raw_asgi import CANARY, HOST, Explorer

TARGETS = [
    "canary.txt",
    "run/run.json",
    "run/generator.safetensors",
    "run/samples/000000000999.png",
    "etc/passwd",
]
STEPS = [
    "../",
    "..%2f",
    "%2e%2e/",
    "%2e%2e%2f",
    "..%252f",
    "..\\",
    "..%5c",
    "....//",
    "..;/",
    "..%00/",
    "%c0%ae%c0%ae/",
    "..%c0%af",
]
BEFORE = ["", "/", "//", "./", "file:///", "C:\\", "\\\\host\\c$\\", "%2f", "index.html/", "page.css%00/"]
PREFIXES = ["/page/", "/", "/api/", "/page", "/page/./", "/api/preview/"]


def attacks() -> list[str]:
    """About 11,000 requests for a file by its path."""
    paths = [
        f"{prefix}{before}{step * depth}{target}"
        for prefix, before, step, depth, target in product(PREFIXES, BEFORE, STEPS, (0, 1, 2), TARGETS)
    ]
    queries = [f"/api/preview?images={step}{target}" for step, target in product(STEPS, TARGETS)]
    return [
        *paths,
        *queries,
        *(f"{prefix}?{name}=../canary.txt" for prefix, name in product(PREFIXES, ("name", "file", "path"))),
    ]


def count_leaks(explorer: Explorer, workspace) -> tuple[int, int, set[int]]:
    """The number of requests, how many responses contain a file's content, and the set of status codes."""
    secrets = [CANARY, (workspace / "run" / "run.json").read_bytes()[:200], b"root:"]
    own = [("host", HOST), ("cookie", explorer.cookie)]
    answers = explorer.sequential([("GET", path, own) for path in attacks()])
    out = sum(any(secret in answer.body for secret in secrets) for answer in answers)
    return len(answers), out, {answer.status for answer in answers}


def test_no_path_traversal(explorer, workspace, image_run):
    count, out, codes = count_leaks(explorer, workspace)
    assert count >= 10_000
    assert out == 0
    assert codes <= {400, 404, 414}


def test_handler_that_joins_paths_would_be_detected(explorer, workspace, image_run, monkeypatch):
    async def joined(request):
        place = image_run / "samples" / request.path_params["name"]
        return Response(place.read_bytes() if place.is_file() else b"", 200)

    explorer.app = SecurityMiddleware(Router([Route("/page/{name:path}", joined)]), explorer.context)
    assert count_leaks(explorer, workspace)[1] > 0


def test_symbolic_links_are_not_followed(explorer):
    assert explorer.get("/api/preview?images=999").status == 404
    assert explorer.get("/api/preview?images=64").status == 200


HOSTS = [
    "evil.example",
    f"{HOST}.evil.example",
    "127.0.0.1",
    "127.0.0.1:1",
    "2130706433:8137",
    "0.0.0.0:8137",
    f"user@{HOST}",
]
HOSTS += ["", "[::1]:8137", f"{HOST}, evil.example", f"{HOST} ", "LOCALHOST.:8137", "127.1:8137"]
ORIGINS = [
    "http://evil.example",
    "null",
    "https://127.0.0.1:8137",
    "http://127.0.0.1",
    "http://127.0.0.1:1",
    f"http://{HOST}.evil.example",
]
ORIGINS += ["", "http://localhost:8137", "file://", f"http://{HOST}/"]
SITES = ["cross-site", "same-site", "", "None", "same-origin, cross-site"]
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get"]


def invalid_requests(explorer: Explorer) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Requests with one invalid header each, by every method."""
    path, cookie, own = "/api/run", ("cookie", explorer.cookie), ("origin", f"http://{HOST}")
    requests = [(method, path, [("host", host), cookie, own]) for method, host in product(METHODS, HOSTS)]
    requests += [
        (method, path, [("host", host), cookie, ("origin", f"http://{host}")])
        for method, host in product(METHODS, HOSTS)
    ]
    requests += [
        (method, path, [("host", HOST), cookie, ("origin", origin)])
        for method, origin in product(METHODS, ORIGINS)
    ]
    requests += [
        (method, path, [("host", HOST), cookie, own, ("sec-fetch-site", site)])
        for method, site in product(METHODS, SITES)
    ]
    requests += [("POST", "/api/link", [("host", HOST), cookie])]
    wrong = [
        "",
        "x",
        f"{explorer.context.session_store.cookie}=x",
        explorer.cookie[:-1],
        explorer.cookie.replace("-8137", "-8138"),
    ]
    paths = [getattr(route, "path", "").replace("{name:str}", "main.js") for route in app.ROUTES] + ["/none"]
    requests += [(m, p, [("host", HOST), own, ("cookie", w)]) for m, p, w in product(METHODS, paths, wrong)]
    requests += [
        ("GET", path, [("host", HOST), ("host", HOST), cookie]),
        ("GET", path, [cookie]),
        ("GET", path, [("host", HOST), cookie, cookie]),
    ]
    return requests


def count_accepted(explorer: Explorer) -> tuple[int, int]:
    """The number of invalid requests, and how many of them succeeded."""
    answers = explorer.sequential(invalid_requests(explorer))
    assert not [a for a in answers if any(name.startswith("access-control") for name, _ in a.headers)]
    assert not [a for a in answers if a.status >= 500]
    assert all(
        answer.header("content-security-policy") == security.CONTENT_SECURITY_POLICY for answer in answers
    )
    return len(answers), sum(answer.status < 400 for answer in answers)


def test_invalid_requests_are_refused(explorer):
    count, accepted = count_accepted(explorer)
    assert count > 1_000
    assert accepted == 0
    assert explorer.get("/api/run").status == 200
    assert (
        explorer.get("/api/run", headers={"host": "localhost:8137", "sec-fetch-site": "same-origin"}).status
        == 200
    )


class Everything(frozenset):
    """A set that contains everything."""

    def __contains__(self, _: object) -> bool:
        return True


@pytest.mark.parametrize("disabled", ["hosts", "origin", "cookie"])
def test_disabled_check_would_be_detected(explorer, monkeypatch, disabled):
    if disabled == "hosts":
        object.__setattr__(explorer.context, "hosts", Everything())
    if disabled == "origin":
        monkeypatch.setattr(security, "_check_origin", lambda *_: None)
    if disabled == "cookie":
        monkeypatch.setattr(SecurityMiddleware, "has_session", lambda *_: True)
    assert count_accepted(explorer)[1] > 0


def test_link_works_once(explorer):
    token = explorer.context.session_store.create_token()
    assert len(token) >= 43  # 256 bits
    first = explorer.request("GET", f"/?token={token}", {"host": HOST}, bare=True)
    cookie = first.header("set-cookie")
    assert first.status == 303
    assert all(word in cookie for word in ("HttpOnly", "SameSite=strict", "Path=/"))
    assert explorer.request("GET", f"/?token={token}", {"host": HOST}, bare=True).status == 401
    assert explorer.request("GET", "/?token=x", {"host": HOST}, bare=True).status == 401
    assert (
        explorer.request("GET", "/", {"host": HOST, "cookie": cookie.split(";")[0]}, bare=True).status == 200
    )
    again = explorer.post("/api/link").json["link"]
    assert token not in again
    assert explorer.request("GET", again[again.index("/?") :], {"host": HOST}, bare=True).status == 303


@pytest.mark.parametrize(
    ("headers", "body", "code"),
    [
        ({"content-length": str(2**30)}, b"", 413),
        ({"content-length": "99999999999999999999"}, b"", 413),
        ({"content-length": "-1"}, b"", 411),
        ({"content-length": "3", "transfer-encoding": "chunked"}, b"abc", 411),
        ({"content-length": "3", "content-encoding": "gzip"}, b"abc", 413),
        ({"content-length": "2"}, b"abc", 413),
        ({"content-length": "3"}, b"abc", 400),  # no image
    ],
)
def test_body_size_is_limited(explorer, headers, body, code):
    assert explorer.post("/api/invert", body, headers=headers).status == code


def test_number_of_headers_and_url_length_are_limited(explorer):
    many = [("host", HOST), ("cookie", explorer.cookie), *((f"x-{n}", "") for n in range(100))]
    assert explorer.sequential([("GET", "/api/run", many)])[0].status == 431
    assert explorer.get("/" + "a" * 5_000).status == 404
    assert explorer.get("/api/samples?digest=" + "a" * 5_000).status == 414


@pytest.mark.parametrize(
    "other", ['x={"a": 1}', "x=[1,2]", "a b=c", '=","', "sparring-8137=forged", "sparring-81370=x"]
)
def test_cookies_of_other_servers_are_ignored(explorer, other):
    for both in (f"{other}; {explorer.cookie}", f"{explorer.cookie}; {other}"):
        assert explorer.get("/api/run", headers={"cookie": both}).status == 200
        assert explorer.get("/", headers={"cookie": both}).status == 200
    assert explorer.get("/api/run", headers={"cookie": other}).status == 401
    assert explorer.get("/", headers={"cookie": other}).status == 401
