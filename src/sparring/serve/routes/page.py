"""The page's files, sessions, and a description of the run."""

from importlib.resources import files
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from sparring.inference.latent.decoding import can_blend
from sparring.models.generator import GeneratorModel
from sparring.serve.context import Context, get_context, get_cookies, parse_query
from sparring.serve.http import HTTPError, make_json_response
from sparring.serve.model import CurrentModel
from sparring.serve.security import MAX_BODY_BYTES

MEDIA_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
NO_SESSION_TEXT = (
    "This is a Sparring explorer. This browser has no session.\n\n"
    "Open the link that `sparring explore` printed. It works once; for another browser press\n"
    "Enter in the terminal, or create a new link on the page.\n"
)
MAX_CLASS_NAMES = 1_000  # names that are sent


def read_page_files() -> dict[str, tuple[bytes, str]]:
    """Content and media type of the page's files, by name. They are read once, so that no request reaches the disk."""
    folder = files("sparring.serve") / "page"
    kinds = {entry.name: MEDIA_TYPES.get("." + entry.name.rpartition(".")[2]) for entry in folder.iterdir()}
    return {name: ((folder / name).read_bytes(), kind) for name, kind in kinds.items() if kind}


async def index(request: Request) -> Response:
    """The page, for browsers with a session; a valid token opens one."""
    query, context = parse_query(request, "token"), get_context(request)
    store = context.session_store
    if "token" in query.values:
        session = store.exchange(query.values["token"])
        if session is not None:
            response: Response = RedirectResponse("/", 303)
            response.set_cookie(store.cookie, session, httponly=True, samesite="strict", path="/")
            return response
    cookies = get_cookies(request.headers.get("cookie", ""), store.cookie)
    if not any(store.has_session(value) for value in cookies):
        return PlainTextResponse(NO_SESSION_TEXT, 401)
    return (
        RedirectResponse("/", 303)
        if "token" in query.values
        else HTMLResponse(_find_page_file(request, "index.html")[0])
    )


async def get_page_file(request: Request) -> Response:
    """A file of the page."""
    parse_query(request)
    content, kind = _find_page_file(request, request.path_params["name"])
    return Response(content, media_type=kind, headers={"Cache-Control": "private, no-cache"})


def _find_page_file(request: Request, name: str) -> tuple[bytes, str]:
    file = get_context(request).files.get(name)
    if file is None:
        raise HTTPError(404, "not found")
    return file


async def create_link(request: Request) -> Response:
    """A one-time link for another browser."""
    parse_query(request)
    context = get_context(request)
    return make_json_response({"link": f"{context.address}/?token={context.session_store.create_token()}"})


async def get_run(request: Request) -> Response:
    """The run's description."""
    parse_query(request)
    context = get_context(request)
    return make_json_response(await context.compute_worker.run(lambda: describe_run(context)))


def describe_run(context: Context) -> dict[str, Any]:
    """Name (without its path), kind, recipe, and which views of the page the run supports."""
    name = context.run.resolve().name if context.is_run else context.run.name
    document: dict[str, Any] = {
        "name": name,
        "has_record": context.is_run,
        "max_upload_bytes": MAX_BODY_BYTES,
        "kind": "none",
    }
    if context.is_playground_only:
        return {**document, "kind": "playground", "playground": True}
    try:
        current = context.model.current()
    except HTTPError as error:
        return {**document, "error": error.message}
    metadata = current.loaded.metadata
    document |= {"digest": current.digest, "recipe": metadata["recipe"], "images": metadata["images"]}
    model = current.loaded.model
    if isinstance(model, GeneratorModel):
        return document | _describe_generator(model, current)
    return document | {"kind": model.kind, **model.facts()}


def _describe_generator(model: GeneratorModel, current: CurrentModel) -> dict[str, Any]:
    spec = model.spec
    return {
        "kind": "images" if spec.is_image else "points",
        "shape": list(spec.shape),
        "latent": model.latent,
        "classes": [
            str(name)[:80]
            for name in current.loaded.metadata["classes"][: min(spec.num_classes, MAX_CLASS_NAMES)]
        ],
        "can_blend": can_blend(model),
        "has_map": model.latent == 2 and spec.is_image,
        "playground": spec.shape == (2,),
        "has_encoder": model.encoder is not None,
    }
