"""The one table of routes, behind the gate. What is not in it is not there."""

from pathlib import Path

from starlette.routing import Route, Router
from starlette.types import ASGIApp

from sparring.serve import (
    arena_routes,
    latent_routes,
    live_routes,
    page_routes,
    picture_routes,
    real_routes,
    translate_routes,
)
from sparring.serve.access import Access
from sparring.serve.arena import Arena
from sparring.serve.context import Context
from sparring.serve.guard import Guard
from sparring.serve.jobs import Worker
from sparring.serve.model import Model
from sparring.serve.real import Real

ROUTES = [
    Route("/", page_routes.index, methods=["GET"]),
    Route("/page/{name:str}", page_routes.page, methods=["GET"]),
    Route("/api/about", page_routes.about, methods=["GET"]),
    Route("/api/link", page_routes.link, methods=["POST"]),
    Route("/api/wall", picture_routes.wall, methods=["GET"]),
    Route("/api/picture", picture_routes.one, methods=["GET"]),
    Route("/api/walk", picture_routes.walk, methods=["GET"]),
    Route("/api/map", picture_routes.chart, methods=["GET"]),
    Route("/api/points", picture_routes.points, methods=["GET"]),
    Route("/api/directions", latent_routes.directions, methods=["GET"]),
    Route("/api/invert", latent_routes.inversion, methods=["POST"]),
    Route("/api/translate", translate_routes.translated, methods=["POST"]),
    Route("/api/closest", real_routes.closest, methods=["GET"]),
    Route("/api/real", real_routes.real, methods=["GET"]),
    Route("/api/real-points", real_routes.real_points, methods=["GET"]),
    Route("/api/progress", live_routes.progress, methods=["GET"]),
    Route("/api/sheet", live_routes.sheet, methods=["GET"]),
    Route("/api/arena", arena_routes.about, methods=["GET"]),
    Route("/api/arena/begin", arena_routes.begin, methods=["POST"]),
    Route("/api/arena/step", arena_routes.step, methods=["POST"]),
]


def opened(run: Path, hosts: list[str], port: int, model: Model) -> Context:
    """What the answers share.

    Arguments:
        run: the run folder, or a generator file.
        hosts: names of this machine, the one of the link first.
        port: of the server.
        model: the run's generator.
    """
    return Context(
        run=run,
        model=model,
        real=Real(run),
        arena=Arena(model.machine),
        drawing=Worker("drawing"),
        reading=Worker("reading"),
        access=Access(port),
        address=f"http://{hosts[0]}:{port}",
        hosts=frozenset(f"{host}:{port}" for host in hosts),
        files=page_routes.page_files(),
    )


def application(here: Context) -> ASGIApp:
    """The explorer as an ASGI application."""
    return Guard(Router(ROUTES, redirect_slashes=False), here)
