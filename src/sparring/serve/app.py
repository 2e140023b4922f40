"""The table of routes behind the security middleware. What is not in it does not exist."""

from pathlib import Path

from starlette.routing import Route, Router
from starlette.types import ASGIApp

from sparring.serve.context import Context, SessionStore
from sparring.serve.model import ReloadingModel
from sparring.serve.playground.game import Playground
from sparring.serve.routes import images, latent, page, playground, training
from sparring.serve.security import SecurityMiddleware
from sparring.serve.training_data import TrainingSamples
from sparring.serve.worker import Worker

ROUTES = [
    Route("/", page.index, methods=["GET"]),
    Route("/page/{name:str}", page.get_page_file, methods=["GET"]),
    Route("/api/about", page.about, methods=["GET"]),
    Route("/api/link", page.create_link, methods=["POST"]),
    Route("/api/wall", images.sample_images, methods=["GET"]),
    Route("/api/picture", images.sample_image, methods=["GET"]),
    Route("/api/walk", images.walk_latents, methods=["GET"]),
    Route("/api/map", images.map_latents, methods=["GET"]),
    Route("/api/points", images.sample_points, methods=["GET"]),
    Route("/api/directions", latent.list_directions, methods=["GET"]),
    Route("/api/invert", latent.invert_image, methods=["POST"]),
    Route("/api/translate", images.translate_image, methods=["POST"]),
    Route("/api/closest", images.find_nearest, methods=["GET"]),
    Route("/api/real", images.get_training_image, methods=["GET"]),
    Route("/api/real-points", images.get_training_points, methods=["GET"]),
    Route("/api/progress", training.progress, methods=["GET"]),
    Route("/api/sheet", training.get_preview, methods=["GET"]),
    Route("/api/arena", playground.get_options, methods=["GET"]),
    Route("/api/arena/begin", playground.begin_game, methods=["POST"]),
    Route("/api/arena/step", playground.step_game, methods=["POST"]),
]


def create_context(run: Path, hosts: list[str], port: int, model: ReloadingModel) -> Context:
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
        real=TrainingSamples(run),
        playground=Playground(model.runtime),
        compute_worker=Worker("drawing"),
        io_worker=Worker("reading"),
        session_store=SessionStore(port),
        address=f"http://{hosts[0]}:{port}",
        hosts=frozenset(f"{host}:{port}" for host in hosts),
        files=page.read_page_files(),
    )


def create_app(context: Context) -> ASGIApp:
    """The explorer as an ASGI application."""
    return SecurityMiddleware(Router(ROUTES, redirect_slashes=False), context)
