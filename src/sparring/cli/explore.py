"""`sparring explore`: its options, and the local server of the explorer."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from sparring.cli.options import Device, Flag, OptionalInt

REQUIRED_PACKAGES = ("starlette", "uvicorn")


@dataclass(frozen=True, kw_only=True)
class Explore:
    """Play with a run in the browser: its samples, its latent space, and how it goes while it is trained.

    Args:
        run: A run folder, or a generator.safetensors; it is only read. Or ring, grid or swissroll, to watch the game itself.
        port: Of the server; 0 takes any that is free.
        host: The address to serve at. By default this machine alone can reach it.
        browser: Open the link in a browser.
        device: auto, cpu, cuda or mps.
        threads: Of the CPU.
    """

    run: Annotated[Positional[Path], arg(metavar="RUN|FILE|POINTS")]
    port: Annotated[int, arg(metavar="N")] = 8137
    host: Annotated[str, arg(metavar="ADDRESS")] = "127.0.0.1"
    browser: Flag = True
    device: Device = "auto"
    threads: OptionalInt = None

    def __call__(self) -> int:
        return explore(self)


def explore(options: Explore) -> int:
    """Serve until Ctrl-C."""
    from importlib.util import find_spec

    from sparring.core.errors import SparringError

    missing = [name for name in REQUIRED_PACKAGES if find_spec(name) is None]
    if missing:
        raise SparringError(
            f"no {' and no '.join(missing)}, which the explorer is served with",
            "the extra `serve`",
            "pip install 'sparring[serve]'",
        )
    if not 0 <= options.port <= 65535:
        raise SparringError(f"--port {options.port}", "0 to 65535", "leave --port out, or take another")
    from sparring.serve.server import ServerOptions, serve

    wish = ServerOptions(
        run=options.run, host=options.host, port=options.port, device=options.device, threads=options.threads
    )
    serve(wish, options.browser)
    return 0
