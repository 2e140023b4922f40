"""The page's own files, sessions, and what the page must know about the run."""

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
    "This is a Sparring explorer, and it does not know this browser.\n\n"
    "Open the link that `sparring explore` printed. It works once; for another browser press\n"
    "Enter in the terminal, or take a new link from the page.\n"
)
MAX_CLASS_NAMES = 1_000  # classes whose names are sent


def read_page_files() -> dict[str, tuple[bytes, str]]:
    """Content and type of the page's files, by name: read once, so that no request leads to the disk."""
    folder = files("sparring.serve") / "page"
    kinds = {entry.name: MEDIA_TYPES.get("." + entry.name.rpartition(".")[2]) for entry in folder.iterdir()}
    return {name: ((folder / name).read_bytes(), kind) for name, kind in kinds.items() if kind}


async def index(request: Request) -> Response:
    """The page, for who has come in; with a token, the way in."""
    query, here = parse_query(request, "token"), get_context(request)
    if "token" in query.values:
        session = here.session_store.exchange(query.values["token"])
        if session is not None:
            answer: Response = RedirectResponse("/", 303)
            answer.set_cookie(here.session_store.cookie, session, httponly=True, samesite="strict", path="/")
            return answer
    own = get_cookies(request.headers.get("cookie", ""), here.session_store.cookie)
    if not any(here.session_store.has_session(value) for value in own):
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
    found = get_context(request).files.get(name)
    if found is None:
        raise HTTPError(404, "nothing there")
    return found


async def create_link(request: Request) -> Response:
    """A new link, for another browser."""
    parse_query(request)
    here = get_context(request)
    return make_json_response({"link": f"{here.address}/?token={here.session_store.create_token()}"})


async def about(request: Request) -> Response:
    """What the run is, and what can be done with it."""
    parse_query(request)
    here = get_context(request)
    return make_json_response(await here.compute_worker.run(lambda: describe_run(here)))


def describe_run(context: Context) -> dict[str, Any]:
    """Name, kind and abilities of the run; the name alone, no path."""
    name = context.run.resolve().name if context.is_run else context.run.name
    told: dict[str, Any] = {
        "name": name,
        "live": context.is_run,
        "upload_bytes": MAX_BODY_BYTES,
        "kind": "none",
    }
    if context.is_playground_only:
        return {**told, "kind": "arena", "arena": True}
    try:
        shown = context.model.current()
    except HTTPError as refused:
        return {**told, "why": refused.message}
    loaded = shown.loaded.metadata
    told |= {"digest": shown.digest, "recipe": loaded["recipe"], "images": loaded["images"]}
    kept = shown.loaded.model
    if isinstance(kept, GeneratorModel):
        return told | _describe_generator(kept, shown)
    return told | {"kind": kept.kind, **kept.facts()}


def _describe_generator(model: GeneratorModel, current: CurrentModel) -> dict[str, Any]:
    spec = model.spec
    return {
        "kind": "pictures" if spec.is_image else "points",
        "shape": list(spec.shape),
        "latent": model.latent,
        "classes": [
            str(name)[:80]
            for name in current.loaded.metadata["classes"][: min(spec.num_classes, MAX_CLASS_NAMES)]
        ],
        "blends": can_blend(model),
        "map": model.latent == 2 and spec.is_image,
        "arena": spec.shape == (2,),
        "encoder": model.encoder is not None,
    }
