"""The door: where it opens, what it refuses to start with, and connections that say nothing."""

import importlib.util
import socket
import threading
import time
from http.client import HTTPConnection

import pytest
import uvicorn

from sparring import cli
from sparring.core.errors import SparringError
from sparring.serve import server
from sparring.serve.app import create_context
from sparring.serve.model import ReloadingModel


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "evil.example", "", "127.0.0.1:80", "*"])
def test_one_address_alone(host):
    with pytest.raises(SparringError, match="one address"):
        server.list_host_names(host)


def test_names_of_this_machine():
    assert server.list_host_names("127.0.0.1") == ["127.0.0.1", "localhost"]
    assert server.list_host_names("::1") == ["[::1]", "localhost"]
    assert server.list_host_names("192.168.1.5") == ["192.168.1.5"]


def test_a_port_that_is_taken_is_said_to_be(picture_run):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(SparringError, match="--port"):
            server.bind_socket("127.0.0.1", taken.getsockname()[1])


def test_without_the_extra_it_says_its_name(monkeypatch, capsys, picture_run):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert cli.run(["explore", str(picture_run)]) == 2
    assert "sparring[serve]" in capsys.readouterr().err


@pytest.fixture
def running(picture_run, monkeypatch):
    """A server on a port of its own, with little patience."""
    monkeypatch.setattr(server, "HEADER_TIMEOUT_SECONDS", 0.5)
    door = server.bind_socket("127.0.0.1", 0)
    port = door.getsockname()[1]
    here = create_context(
        picture_run, server.list_host_names("127.0.0.1"), port, ReloadingModel(picture_run, "cpu", 1)
    )
    served = uvicorn.Server(server.make_uvicorn_config(here))
    thread = threading.Thread(target=served.run, kwargs={"sockets": [door]}, daemon=True)
    thread.start()
    while not served.started:
        time.sleep(0.01)
    yield here, port
    served.should_exit = True
    thread.join(10)
    here.compute_worker.close()
    here.io_worker.close()


def status(port: int, path: str, cookie: str = "") -> tuple[int, str | None]:
    client = HTTPConnection("127.0.0.1", port, timeout=5)
    client.request("GET", path, headers={"Cookie": cookie} if cookie else {})
    answer = client.getresponse()
    found = answer.status, answer.getheader("set-cookie")
    client.close()
    return found


def test_silent_connections_are_closed_and_others_answered(running):
    here, port = running
    half = [socket.create_connection(("127.0.0.1", port)) for _ in range(100)]
    for one in half:
        one.sendall(b"GET / HT")
    code, cookie = status(port, f"/?token={here.session_store.create_token()}")
    assert (code, bool(cookie)) == (303, True)
    assert status(port, "/api/picture?at=s0.0", str(cookie).split(";")[0])[0] == 200
    assert status(port, "/api/picture?at=s0.0")[0] == 401
    for one in half:
        one.settimeout(5)
        assert one.recv(10) == b""
        one.close()


def test_a_second_request_has_no_more_time_than_the_first(running, monkeypatch):
    with socket.create_connection(("127.0.0.1", running[1])) as one:
        one.settimeout(5)
        one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"403" in one.recv(4000)
        for _ in range(40):  # a byte now and then would hold the connection for ever
            time.sleep(0.1)
            try:
                one.send(b"G")
            except (BrokenPipeError, ConnectionResetError):
                return
    pytest.fail("it is still open")


def test_large_headers_are_refused(running):
    with socket.create_connection(("127.0.0.1", running[1])) as one:
        one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 40_000)
        one.settimeout(5)
        assert one.recv(20) in (b"", b"HTTP/1.1 400 Bad Req")
