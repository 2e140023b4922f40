"""`sparring explore`: its options, and the local server of the explorer."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from sparring.cli.options import Device, Flag, Int, OptionalInt
from sparring.core.errors import SparringError

REQUIRED_PACKAGES = ("starlette", "uvicorn")


@dataclass(frozen=True, kw_only=True)
class Explore:
    """Explore a run in the browser: its samples, its latent space, and its progress while it is trained.

    Args:
        run: A run folder or a generator.safetensors, which is only read. Or ring, grid or swissroll, to watch a
            generator and a discriminator learn points in the plane.
        port: Port of the server; 0 takes a free one.
        host: Address to serve at. By default only this machine can reach it.
        browser: Open the page in a browser.
        device: Device: auto, cpu, cuda or mps.
        threads: Number of CPU threads.
    """

    run: Annotated[Positional[Path], arg(metavar="RUN|FILE|POINTS")]
    port: Int = 8137
    host: Annotated[str, arg(metavar="ADDRESS")] = "127.0.0.1"
    browser: Flag = True
    device: Device = "auto"
    threads: OptionalInt = None

    def __call__(self) -> int:
        return explore(self)


def explore(options: Explore) -> int:
    """Serve until Ctrl-C."""
    from importlib.util import find_spec

    missing = [name for name in REQUIRED_PACKAGES if find_spec(name) is None]
    if missing:
        raise SparringError(
            f"the explorer needs {' and '.join(missing)}, not installed here",
            "the extra `serve`",
            "pip install 'sparring[serve]'",
        )
    if not 0 <= options.port <= 65535:
        raise SparringError(f"--port {options.port}", "0 to 65535", "leave --port out, or choose another")
    from sparring.serve.server import ServerOptions, serve

    server = ServerOptions(
        run=options.run, host=options.host, port=options.port, device=options.device, threads=options.threads
    )
    serve(server, options.browser)
    return 0
