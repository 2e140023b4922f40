"""The arena's three answers: what can be chosen, a new game, the next steps of it."""

from dataclasses import asdict
from functools import lru_cache
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sparring.data import Dataset
from sparring.data.points import POINT_SETS
from sparring.objectives import OBJECTIVES
from sparring.recipes import NAMES
from sparring.serve import arena_rules as rules_
from sparring.serve.answers import plain
from sparring.serve.arena import STEPS, builtin
from sparring.serve.arena_rules import PENALTIES, PRESETS, RECIPE_RULES, Rules, rules_of
from sparring.serve.asked import SEED, Asked
from sparring.serve.context import Context, asked, context
from sparring.serve.refused import Refused

OWN = "own"
CHOSEN = tuple(Rules.__dataclass_fields__)
GAMES = 2**31


async def about(request: Request) -> Response:
    """What can be chosen, and with which numbers each recipe begins."""
    asked(request)
    here = context(request)
    return plain(await here.reading.run(lambda: choices(here)))


async def begin(request: Request) -> Response:
    """Start a game with the rules of the query; the first frame."""
    query, here = asked(request, *CHOSEN), context(request)
    _no_body(request)
    rules = chosen(query)
    dataset = await here.reading.run(lambda: points(here, rules.points))
    return plain(await here.drawing.run(lambda: here.arena.begin(rules, dataset)))


async def step(request: Request) -> Response:
    """Play up to `n` steps of the game that the page shows; 409 where another was begun since."""
    query, here = asked(request, "game", "n"), context(request)
    _no_body(request)
    game, count = query.whole("game", 1, GAMES), query.whole("n", 1, STEPS, 1)

    def job() -> dict[str, Any]:
        if here.arena.playing is None or here.arena.playing.number != game:
            raise Refused(409, "another game was begun since; start anew")
        return here.arena.step(count)

    return plain(await here.drawing.run(job))


def chosen(query: Asked) -> Rules:
    """The rules in a query, each in its range."""
    begins = rules_of(query.choice("recipe", tuple(RECIPE_RULES)))
    return Rules(
        points=query.choice("points", (*POINT_SETS, OWN)),
        recipe=begins.recipe,
        objective=query.choice("objective", (begins.objective, *OBJECTIVES)),
        penalty=query.choice("penalty", (begins.penalty, *PENALTIES)),
        weight=query.number("weight", *rules_.WEIGHT, begins.weight),
        rate=query.number("rate", *rules_.RATE, begins.rate),
        rate_judge=query.number("rate_judge", *rules_.RATE, begins.rate_judge),
        moves=query.whole("moves", *rules_.MOVES, begins.moves),
        latent=query.whole("latent", *rules_.LATENT, begins.latent),
        width=query.whole("width", *rules_.WIDTH, begins.width),
        waves=query.whole("waves", 0, 1, begins.waves),
        batch=2 * (query.whole("batch", *rules_.BATCH, begins.batch) // 2),  # packs are of two
        seed=query.whole("seed", 0, SEED, begins.seed),
    )


def choices(here: Context) -> dict[str, Any]:
    """For the page: sets of points, recipes with their numbers, games worth seeing."""
    first = own_name(here)
    names = [first, *(name for name in POINT_SETS if name != first)] if first else list(POINT_SETS)
    return {
        "points": names,
        "recipes": [
            {"name": name, "words": NAMES[name], "rules": asdict(rules_of(name, names[0]))}
            for name in RECIPE_RULES
        ],
        "objectives": list(OBJECTIVES),
        "penalties": list(PENALTIES.items()),
        "presets": [
            {"words": words, "why": why, "rules": asdict(rules)} for words, (why, rules) in PRESETS.items()
        ],
        "steps": STEPS,
    }


def own_name(here: Context) -> str:
    """What the explorer was opened with: a set that comes along, `own` for another set of points in the plane, or nothing."""
    if here.arena_alone:
        return str(here.run)
    try:
        data = here.real.data()
    except Refused:
        return ""
    source = data.config.source
    if source in POINT_SETS:
        return source
    return OWN if data.spec.shape == (2,) else ""


def points(here: Context, name: str) -> Dataset:
    """The points that are to be imitated."""
    if name != OWN:
        return kept(name)
    if here.arena_alone or not here.is_run:
        raise Refused(409, "there are no points of a run here")
    return here.real.data()


@lru_cache(maxsize=len(POINT_SETS))
def kept(name: str) -> Dataset:
    """A set that comes along, made once."""
    return builtin(name)


def _no_body(request: Request) -> None:
    if request.scope["sparring.body"]:
        raise Refused(400, "no body is asked for")
