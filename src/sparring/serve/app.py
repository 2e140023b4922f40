"""The table of routes, behind the security middleware. Anything else is a 404."""

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
    Route("/api/run", page.get_run, methods=["GET"]),
    Route("/api/link", page.create_link, methods=["POST"]),
    Route("/api/samples", images.sample_images, methods=["GET"]),
    Route("/api/sample", images.sample_image, methods=["GET"]),
    Route("/api/walk", images.walk_latents, methods=["GET"]),
    Route("/api/latent-map", images.map_latents, methods=["GET"]),
    Route("/api/points", images.sample_points, methods=["GET"]),
    Route("/api/directions", latent.list_directions, methods=["GET"]),
    Route("/api/invert", latent.invert_image, methods=["POST"]),
    Route("/api/translate", images.translate_image, methods=["POST"]),
    Route("/api/nearest", images.find_nearest, methods=["GET"]),
    Route("/api/training-image", images.get_training_image, methods=["GET"]),
    Route("/api/training-points", images.get_training_points, methods=["GET"]),
    Route("/api/progress", training.get_progress, methods=["GET"]),
    Route("/api/preview", training.get_preview, methods=["GET"]),
    Route("/api/playground", playground.get_options, methods=["GET"]),
    Route("/api/playground/begin", playground.begin_game, methods=["POST"]),
    Route("/api/playground/step", playground.step_game, methods=["POST"]),
]


def create_context(run: Path, hosts: list[str], port: int, model: ReloadingModel) -> Context:
    """The state that all routes share.

    Arguments:
        run: a run folder, a generator file, or the name of a built-in set of points.
        hosts: names of this machine; the first is the one in links.
        port: of the server.
        model: the run's model.
    """
    return Context(
        run=run,
        model=model,
        training_samples=TrainingSamples(run),
        playground=Playground(model.runtime),
        compute_worker=Worker("compute"),
        io_worker=Worker("io"),
        session_store=SessionStore(port),
        address=f"http://{hosts[0]}:{port}",
        hosts=frozenset(f"{host}:{port}" for host in hosts),
        files=page.read_page_files(),
    )


def create_app(context: Context) -> ASGIApp:
    """The explorer as an ASGI application."""
    return SecurityMiddleware(Router(ROUTES, redirect_slashes=False), context)
