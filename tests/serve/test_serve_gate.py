"""The gate: paths that lead out, foreign hosts and pages, unknown browsers. Each with its twin: a gap is seen."""

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
DOORS = ["/page/", "/", "/api/", "/page", "/page/./", "/api/sheet/"]


def attacks() -> list[str]:
    """Ways to ask for a file by a path: 11,000 or so."""
    found = [
        f"{door}{before}{step * depth}{target}"
        for door, before, step, depth, target in product(DOORS, BEFORE, STEPS, (0, 1, 2), TARGETS)
    ]
    queries = [f"/api/sheet?images={step}{target}" for step, target in product(STEPS, TARGETS)]
    return [
        *found,
        *queries,
        *(f"{door}?{name}=../canary.txt" for door, name in product(DOORS, ("name", "file", "path"))),
    ]


def leaks(explorer: Explorer, room) -> tuple[int, int, set[int]]:
    """How many paths were tried, how many gave something of a file away, and the answers' codes."""
    secrets = [CANARY, (room / "run" / "run.json").read_bytes()[:200], b"root:"]
    own = [("host", HOST), ("cookie", explorer.cookie)]
    answers = explorer.many([("GET", path, own) for path in attacks()])
    out = sum(any(secret in answer.body for secret in secrets) for answer in answers)
    return len(answers), out, {answer.status for answer in answers}


def test_no_path_leads_to_a_file(explorer, serve_room, picture_run):
    count, out, codes = leaks(explorer, serve_room)
    assert count >= 10_000
    assert out == 0
    assert codes <= {400, 404, 414}


def test_a_handler_that_joins_paths_would_be_seen(explorer, serve_room, picture_run, monkeypatch):
    async def joined(request):
        place = picture_run / "samples" / request.path_params["name"]
        return Response(place.read_bytes() if place.is_file() else b"", 200)

    explorer.app = SecurityMiddleware(Router([Route("/page/{name:path}", joined)]), explorer.context)
    assert leaks(explorer, serve_room)[1] > 0


def test_a_link_that_leads_out_of_the_run_is_not_followed(explorer):
    assert explorer.get("/api/sheet?images=999").status == 404
    assert explorer.get("/api/sheet?images=64").status == 200


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


def intruders(explorer: Explorer) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Requests of which each has one thing wrong, or a foreign method."""
    path, cookie, own = "/api/about", ("cookie", explorer.cookie), ("origin", f"http://{HOST}")
    found = [(method, path, [("host", host), cookie, own]) for method, host in product(METHODS, HOSTS)]
    found += [
        (method, path, [("host", host), cookie, ("origin", f"http://{host}")])
        for method, host in product(METHODS, HOSTS)
    ]
    found += [
        (method, path, [("host", HOST), cookie, ("origin", origin)])
        for method, origin in product(METHODS, ORIGINS)
    ]
    found += [
        (method, path, [("host", HOST), cookie, own, ("sec-fetch-site", site)])
        for method, site in product(METHODS, SITES)
    ]
    found += [("POST", "/api/link", [("host", HOST), cookie])]
    wrong = [
        "",
        "x",
        f"{explorer.context.session_store.cookie}=x",
        explorer.cookie[:-1],
        explorer.cookie.replace("-8137", "-8138"),
    ]
    paths = [getattr(route, "path", "").replace("{name:str}", "main.js") for route in app.ROUTES] + ["/none"]
    found += [(m, p, [("host", HOST), own, ("cookie", w)]) for m, p, w in product(METHODS, paths, wrong)]
    found += [
        ("GET", path, [("host", HOST), ("host", HOST), cookie]),
        ("GET", path, [cookie]),
        ("GET", path, [("host", HOST), cookie, cookie]),
    ]
    return found


def accepted(explorer: Explorer) -> tuple[int, int]:
    """How many intruders there were, and how many got an answer."""
    answers = explorer.many(intruders(explorer))
    assert not [a for a in answers if any(name.startswith("access-control") for name, _ in a.headers)]
    assert not [a for a in answers if a.status >= 500]
    assert all(
        answer.header("content-security-policy") == security.CONTENT_SECURITY_POLICY for answer in answers
    )
    return len(answers), sum(answer.status < 400 for answer in answers)


def test_intruders_are_refused(explorer):
    count, got_in = accepted(explorer)
    assert count > 1_000
    assert got_in == 0
    assert explorer.get("/api/about").status == 200
    assert (
        explorer.get("/api/about", headers={"host": "localhost:8137", "sec-fetch-site": "same-origin"}).status
        == 200
    )


class Any(frozenset):
    def __contains__(self, _: object) -> bool:
        return True


@pytest.mark.parametrize("gone", ["hosts", "origin", "cookie"])
def test_each_guard_that_is_gone_is_missed(explorer, monkeypatch, gone):
    if gone == "hosts":
        object.__setattr__(explorer.context, "hosts", Any())
    if gone == "origin":
        monkeypatch.setattr(security, "_check_origin", lambda *_: None)
    if gone == "cookie":
        monkeypatch.setattr(SecurityMiddleware, "has_session", lambda *_: True)
    assert accepted(explorer)[1] > 0


def test_a_link_opens_the_door_once(explorer):
    token = explorer.context.session_store.create_token()
    assert len(token) >= 43  # 256 bits
    first = explorer.ask("GET", f"/?token={token}", {"host": HOST}, bare=True)
    cookie = first.header("set-cookie")
    assert first.status == 303
    assert all(word in cookie for word in ("HttpOnly", "SameSite=strict", "Path=/"))
    assert explorer.ask("GET", f"/?token={token}", {"host": HOST}, bare=True).status == 401
    assert explorer.ask("GET", "/?token=x", {"host": HOST}, bare=True).status == 401
    assert explorer.ask("GET", "/", {"host": HOST, "cookie": cookie.split(";")[0]}, bare=True).status == 200
    again = explorer.post("/api/link").json["link"]
    assert token not in again
    assert explorer.ask("GET", again[again.index("/?") :], {"host": HOST}, bare=True).status == 303


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
def test_bodies_are_bounded(explorer, headers, body, code):
    assert explorer.post("/api/invert", body, headers=headers).status == code


def test_headers_and_addresses_are_bounded(explorer):
    many = [("host", HOST), ("cookie", explorer.cookie), *((f"x-{n}", "") for n in range(100))]
    assert explorer.many([("GET", "/api/about", many)])[0].status == 431
    assert explorer.get("/" + "a" * 5_000).status == 404
    assert explorer.get("/api/wall?v=" + "a" * 5_000).status == 414


@pytest.mark.parametrize(
    "other", ['x={"a": 1}', "x=[1,2]", "a b=c", '=","', "sparring-8137=forged", "sparring-81370=x"]
)
def test_cookies_of_other_servers_do_not_hide_ours(explorer, other):
    for both in (f"{other}; {explorer.cookie}", f"{explorer.cookie}; {other}"):
        assert explorer.get("/api/about", headers={"cookie": both}).status == 200
        assert explorer.get("/", headers={"cookie": both}).status == 200
    assert explorer.get("/api/about", headers={"cookie": other}).status == 401
    assert explorer.get("/", headers={"cookie": other}).status == 401
