"""The HTTP server: one socket on this machine, one link on the terminal."""

import contextlib
import socket
import sys
import threading
import webbrowser
from asyncio import BaseTransport
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from sparring.api import load
from sparring.core.errors import SparringError
from sparring.serve.app import create_app, create_context
from sparring.serve.context import Context, is_builtin_points
from sparring.serve.http import HTTPError
from sparring.serve.model import ReloadingModel

PORT = 8137
HEADER_TIMEOUT_SECONDS = 8.0  # for a request's headers to arrive
MAX_HEADER_BYTES = 16_384
MAX_CONNECTIONS = 512


@dataclass(frozen=True, kw_only=True)
class ServerOptions:
    """What is asked for.

    Arguments:
        run: a run folder, a generator.safetensors, or the name of a set of points that comes along.
        host: an address of this machine.
        port: 0 takes any that is free.
        device, threads: to draw on.
    """

    run: Path
    host: str = "127.0.0.1"
    port: int = PORT
    device: str = "auto"
    threads: int | None = None


class TimeoutProtocol(H11Protocol):
    """Closes connections on which no whole request arrives in time, be it the first one or a later one."""

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        self.loop.call_later(HEADER_TIMEOUT_SECONDS, self._look, None)

    def on_response_complete(self) -> None:
        done = self.cycle
        super().on_response_complete()  # which may begin with the next one
        self.loop.call_later(HEADER_TIMEOUT_SECONDS, self._look, done)

    def _look(self, last: Any) -> None:
        if self.cycle is last and not self.transport.is_closing():
            self.transport.close()


def list_host_names(host: str) -> list[str]:
    """The names by which browsers on the same machine (or, with an address of the network, on others) call it.

    Raises:
        SparringError: every address at once, or no address.
    """
    try:
        address = ip_address(host)
    except ValueError:
        address = None
    if (address is None and host != "localhost") or (address is not None and address.is_unspecified):
        raise SparringError(
            f"--host {host}",
            "one address of this machine, so that no other name can lead to it",
            "leave --host out for this machine alone; for others give the address at which they reach it",
        )
    shown = f"[{host}]" if address is not None and address.version == 6 else host
    local = ["localhost"] if address is None or address.is_loopback else []
    return list(dict.fromkeys([shown, *local, *(["127.0.0.1"] if host == "localhost" else [])]))


def bind_socket(host: str, port: int) -> socket.socket:
    """A socket on this address.

    Raises:
        SparringError: the port is taken, or the address is not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    door = socket.socket(family, socket.SOCK_STREAM)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind(("127.0.0.1" if host == "localhost" else host, port))
        door.listen()  # from now on browsers wait for an answer, and are not refused
    except (OSError, OverflowError) as error:
        door.close()
        raise SparringError(
            f"--host {host} --port {port}: {error}",
            "an address of this machine and a free port",
            "choose another --port, or --port 0 for any that is free",
        ) from error
    return door


def serve(options: ServerOptions, browser: bool = True) -> None:
    """Serve the explorer of a run until Ctrl-C."""
    run = options.run if is_builtin_points(options.run) else load(options.run).path
    hosts, door = list_host_names(options.host), bind_socket(options.host, options.port)
    here = create_context(
        run, hosts, door.getsockname()[1], ReloadingModel(run, options.device, options.threads)
    )
    with contextlib.suppress(HTTPError):  # no generator yet
        here.model.warm_up()
    _print_link(here, options.host)
    if browser:
        webbrowser.open(_create_link(here))
    if sys.stdin is not None and sys.stdin.isatty():
        threading.Thread(target=_print_links_on_enter, args=(here,), daemon=True).start()
    try:
        uvicorn.Server(make_uvicorn_config(here)).run(sockets=[door])
    finally:
        here.compute_worker.close()
        here.io_worker.close()


def make_uvicorn_config(context: Context) -> uvicorn.Config:
    """How uvicorn runs: no log of links, short patience, small buffers."""
    settings: dict[str, Any] = {"http": TimeoutProtocol, "ws": "none", "lifespan": "off", "loop": "asyncio"}
    return uvicorn.Config(
        create_app(context),
        access_log=False,
        log_level="error",
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=3,
        h11_max_incomplete_event_size=MAX_HEADER_BYTES,
        limit_concurrency=MAX_CONNECTIONS,
        **settings,
    )


def _create_link(context: Context) -> str:
    return f"{context.address}/?token={context.session_store.create_token()}"


def _print_link(context: Context, host: str) -> None:
    print(
        f"explore {context.run}: open this link (it works once; Enter gives another, Ctrl-C ends)\n\n  {_create_link(context)}\n",
        flush=True,
    )
    if host != "localhost" and not ip_address(host).is_loopback:
        print(
            "Others in this network can read what is sent: it is not encrypted.\n",
            file=sys.stderr,
            flush=True,
        )


def _print_links_on_enter(context: Context) -> None:
    for _ in sys.stdin:
        print(f"  {_create_link(context)}", flush=True)
