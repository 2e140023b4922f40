"""The server's socket: allowed addresses, errors at start, and connections that send nothing."""

import importlib.util
import socket
import time
from http.client import HTTPConnection

import pytest

from sparring import cli
from sparring.core.errors import SparringError
from sparring.serve import server
from tests.helpers.browser import serve_explorer


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "evil.example", "", "127.0.0.1:80", "*"])
def test_wildcard_and_foreign_hosts_are_refused(host):
    with pytest.raises(SparringError) as error:
        server.list_host_names(host)
    assert error.value.got == f"--host {host}"


def test_host_names():
    assert server.list_host_names("127.0.0.1") == ["127.0.0.1", "localhost"]
    assert server.list_host_names("::1") == ["[::1]", "localhost"]
    assert server.list_host_names("192.168.1.5") == ["192.168.1.5"]


def test_port_in_use_is_an_error():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SparringError) as error:
            server.bind_socket("127.0.0.1", port)
        assert f"--port {port}" in error.value.got


def test_missing_extra_is_named(monkeypatch, capsys, image_run):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert cli.run(["explore", str(image_run)]) == 2
    assert "sparring[serve]" in capsys.readouterr().err


@pytest.fixture
def running(image_run, monkeypatch):
    """Context and port of a server with a short timeout."""
    monkeypatch.setattr(server, "HEADER_TIMEOUT_SECONDS", 0.5)
    with serve_explorer(image_run) as opened:
        yield opened


def status(port: int, path: str, cookie: str = "") -> tuple[int, str | None]:
    client = HTTPConnection("127.0.0.1", port, timeout=5)
    client.request("GET", path, headers={"Cookie": cookie} if cookie else {})
    response = client.getresponse()
    client.close()
    return response.status, response.getheader("set-cookie")


def test_silent_connections_are_closed_and_others_served(running):
    context, port = running
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(100)]
    for one in silent:
        one.sendall(b"GET / HT")
    code, cookie = status(port, f"/?token={context.session_store.create_token()}")
    assert (code, bool(cookie)) == (303, True)
    assert status(port, "/api/sample?point=s0.0", str(cookie).split(";")[0])[0] == 200
    assert status(port, "/api/sample?point=s0.0")[0] == 401
    for one in silent:
        one.settimeout(5)
        assert one.recv(10) == b""
        one.close()


def test_timeout_applies_to_later_requests(running):
    with socket.create_connection(("127.0.0.1", running[1])) as one:
        one.settimeout(5)
        one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"403" in one.recv(4000)
        for _ in range(40):  # sending a byte from time to time must not extend the timeout
            time.sleep(0.1)
            try:
                one.send(b"G")
            except (BrokenPipeError, ConnectionResetError):
                return
    pytest.fail("the connection is still open")


def test_large_headers_are_refused(running):
    with socket.create_connection(("127.0.0.1", running[1])) as one:
        one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 40_000)
        one.settimeout(5)
        assert one.recv(20) in (b"", b"HTTP/1.1 400 Bad Req")
