"""The page itself, the door, and what the page must know of the run."""

from importlib.resources import files
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from sparring.games.classification import Classification
from sparring.games.generation import Generation
from sparring.games.translation import Translation
from sparring.latent.decoding import can_blend
from sparring.serve.access import cookies
from sparring.serve.answers import plain
from sparring.serve.context import Context, asked, context
from sparring.serve.guard import BODY_BYTES
from sparring.serve.refused import Refused
from sparring.serve.shown import Shown

TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
DOOR = (
    "This is a Sparring explorer, and it does not know this browser.\n\n"
    "Open the link that `sparring explore` printed. It works once; for another browser press\n"
    "Enter in the terminal, or take a new link from the page.\n"
)
NAMED = 1_000  # classes whose names are sent


def page_files() -> dict[str, tuple[bytes, str]]:
    """Content and type of the page's files, by name: read once, so that no request leads to the disk."""
    folder = files("sparring.serve") / "page"
    kinds = {entry.name: TYPES.get("." + entry.name.rpartition(".")[2]) for entry in folder.iterdir()}
    return {name: ((folder / name).read_bytes(), kind) for name, kind in kinds.items() if kind}


async def index(request: Request) -> Response:
    """The page, for who has come in; with a token, the way in."""
    query, here = asked(request, "token"), context(request)
    if "token" in query.values:
        session = here.access.exchange(query.values["token"])
        if session is not None:
            answer: Response = RedirectResponse("/", 303)
            answer.set_cookie(here.access.cookie, session, httponly=True, samesite="strict", path="/")
            return answer
    own = cookies(request.headers.get("cookie", ""), here.access.cookie)
    if not any(here.access.knows(value) for value in own):
        return PlainTextResponse(DOOR, 401)
    return (
        RedirectResponse("/", 303)
        if "token" in query.values
        else HTMLResponse(_file(request, "index.html")[0])
    )


async def page(request: Request) -> Response:
    """A file of the page."""
    asked(request)
    content, kind = _file(request, request.path_params["name"])
    return Response(content, media_type=kind, headers={"Cache-Control": "private, no-cache"})


def _file(request: Request, name: str) -> tuple[bytes, str]:
    found = context(request).files.get(name)
    if found is None:
        raise Refused(404, "nothing there")
    return found


async def link(request: Request) -> Response:
    """A new link, for another browser."""
    asked(request)
    here = context(request)
    return plain({"link": f"{here.address}/?token={here.access.link()}"})


async def about(request: Request) -> Response:
    """What the run is, and what can be done with it."""
    asked(request)
    here = context(request)
    return plain(await here.drawing.run(lambda: facts(here)))


def facts(here: Context) -> dict[str, Any]:
    """Name, kind and abilities of the run; the name alone, no path."""
    name = here.run.resolve().name if here.is_run else here.run.name
    told: dict[str, Any] = {"name": name, "live": here.is_run, "upload_bytes": BODY_BYTES, "kind": "none"}
    if here.arena_alone:
        return {**told, "kind": "arena", "arena": True}
    try:
        shown = here.model.shown()
    except Refused as refused:
        return {**told, "why": refused.words}
    loaded = shown.loaded.facts
    told |= {"digest": shown.digest, "recipe": loaded["recipe"], "images": loaded["images"]}
    kept = shown.loaded.kept
    if isinstance(kept, Generation):
        return told | _generation(kept, shown)
    return told | ({"kind": "classifier"} if isinstance(kept, Classification) else _translation(kept))


def _generation(kept: Generation, shown: Shown) -> dict[str, Any]:
    spec = kept.spec
    return {
        "kind": "pictures" if spec.is_image else "points",
        "shape": list(spec.shape),
        "latent": kept.latent,
        "classes": [str(name)[:80] for name in shown.loaded.facts["classes"][: min(spec.classes, NAMED)]],
        "blends": can_blend(kept),
        "map": kept.latent == 2 and spec.is_image,
        "arena": spec.shape == (2,),
        "encoder": kept.encoder is not None,
    }


def _translation(kept: Translation) -> dict[str, Any]:
    return {"kind": "translator", "directions": list(kept.directions)}
