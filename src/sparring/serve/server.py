"""The HTTP server: opens a socket on this machine and prints a one-time link."""

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
HEADER_TIMEOUT_SECONDS = 8.0  # for the headers of a request
MAX_HEADER_BYTES = 16_384
MAX_CONNECTIONS = 512


@dataclass(frozen=True, kw_only=True)
class ServerOptions:
    """Options of `serve`.

    Arguments:
        run: a run folder, a generator.safetensors, or the name of a built-in set of points.
        host: an address of this machine.
        port: 0 chooses a free one.
        device: to generate images on.
        threads: of the CPU.
    """

    run: Path
    host: str = "127.0.0.1"
    port: int = PORT
    device: str = "auto"
    threads: int | None = None


class TimeoutProtocol(H11Protocol):
    """Closes a connection on which no complete request arrives in time, whether it is the first one or a later one."""

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        self.loop.call_later(HEADER_TIMEOUT_SECONDS, self._close_if_idle, None)

    def on_response_complete(self) -> None:
        done = self.cycle
        super().on_response_complete()  # may start the next request
        self.loop.call_later(HEADER_TIMEOUT_SECONDS, self._close_if_idle, done)

    def _close_if_idle(self, last: Any) -> None:
        if self.cycle is last and not self.transport.is_closing():
            self.transport.close()


def list_host_names(host: str) -> list[str]:
    """The host names under which browsers on this machine (for a network address: on others) reach the server.

    Raises:
        SparringError: not an IP address or `localhost`, or a wildcard address such as 0.0.0.0.
    """
    try:
        address = ip_address(host)
    except ValueError:
        address = None
    if (address is None and host != "localhost") or (address is not None and address.is_unspecified):
        raise SparringError(
            f"--host {host}",
            "one address of this machine (a wildcard would accept requests under any name)",
            "omit --host to serve this machine only, or pass the network address under which others reach it",
        )
    name = f"[{host}]" if address is not None and address.version == 6 else host
    local = ["localhost"] if address is None or address.is_loopback else []
    return list(dict.fromkeys([name, *local, *(["127.0.0.1"] if host == "localhost" else [])]))


def bind_socket(host: str, port: int) -> socket.socket:
    """A listening socket on this address.

    Raises:
        SparringError: the port is in use, or the address is not one of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1" if host == "localhost" else host, port))
        listener.listen()  # from now on connections are queued rather than refused
    except (OSError, OverflowError) as error:
        listener.close()
        raise SparringError(
            f"--host {host} --port {port}: {error}",
            "an address of this machine and a free port",
            "choose another --port, or --port 0 for a free one",
        ) from error
    return listener


def serve(options: ServerOptions, browser: bool = True) -> None:
    """Serve the explorer of a run until Ctrl-C."""
    run = options.run if is_builtin_points(options.run) else load(options.run).path
    hosts, listener = list_host_names(options.host), bind_socket(options.host, options.port)
    context = create_context(
        run, hosts, listener.getsockname()[1], ReloadingModel(run, options.device, options.threads)
    )
    with contextlib.suppress(HTTPError):  # no generator yet
        context.model.warm_up()
    _print_link(context, options.host)
    if browser:
        webbrowser.open(_create_link(context))
    if sys.stdin is not None and sys.stdin.isatty():
        threading.Thread(target=_print_links_on_enter, args=(context,), daemon=True).start()
    try:
        uvicorn.Server(make_uvicorn_config(context)).run(sockets=[listener])
    finally:
        context.compute_worker.close()
        context.io_worker.close()


def make_uvicorn_config(context: Context) -> uvicorn.Config:
    """Settings of uvicorn: no access log (it would contain tokens), short timeouts, small buffers."""
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
        f"explore {context.run}: open this link (it works once; press Enter for another, Ctrl-C to stop)\n\n"
        f"  {_create_link(context)}\n",
        flush=True,
    )
    if host != "localhost" and not ip_address(host).is_loopback:
        print(
            "The connection is not encrypted: others in this network can read it.\n",
            file=sys.stderr,
            flush=True,
        )


def _print_links_on_enter(context: Context) -> None:
    for _ in sys.stdin:
        print(f"  {_create_link(context)}", flush=True)
