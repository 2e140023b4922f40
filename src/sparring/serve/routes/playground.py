"""The playground's three routes: available options, a new game, its next steps."""

from dataclasses import asdict
from functools import lru_cache
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sparring.data import Dataset
from sparring.data.readers.points import POINT_SETS
from sparring.parts.objectives import OBJECTIVES
from sparring.recipes import RECIPE_DESCRIPTIONS
from sparring.serve.context import Context, get_context, parse_query
from sparring.serve.http import MAX_SEED, HTTPError, Query, make_json_response
from sparring.serve.playground import config as rules_
from sparring.serve.playground.config import (
    PENALTY_DESCRIPTIONS,
    PRESETS,
    RECIPE_SETTINGS,
    PlaygroundConfig,
    build_recipe_config,
)
from sparring.serve.playground.game import MAX_STEPS, open_builtin_points

RUN_POINTS = "own"
CONFIG_FIELDS = tuple(PlaygroundConfig.__dataclass_fields__)
MAX_GAME_ID = 2**31


async def get_options(request: Request) -> Response:
    """What can be chosen, and with which numbers each recipe begins."""
    parse_query(request)
    here = get_context(request)
    return make_json_response(await here.io_worker.run(lambda: list_options(here)))


async def begin_game(request: Request) -> Response:
    """Start a game with the rules of the query; the first frame."""
    query, here = parse_query(request, *CONFIG_FIELDS), get_context(request)
    _no_body(request)
    rules = parse_config(query)
    dataset = await here.io_worker.run(lambda: load_points(here, rules.points))
    return make_json_response(await here.compute_worker.run(lambda: here.playground.begin(rules, dataset)))


async def step_game(request: Request) -> Response:
    """Play up to `n` steps of the game that the page shows; 409 where another was begun since."""
    query, here = parse_query(request, "game", "n"), get_context(request)
    _no_body(request)
    game, count = query.integer("game", 1, MAX_GAME_ID), query.integer("n", 1, MAX_STEPS, 1)

    def job() -> dict[str, Any]:
        if here.playground.game is None or here.playground.game.number != game:
            raise HTTPError(409, "another game was begun since; start anew")
        return here.playground.step(count)

    return make_json_response(await here.compute_worker.run(job))


def parse_config(query: Query) -> PlaygroundConfig:
    """The rules in a query, each in its range."""
    begins = build_recipe_config(query.choice("recipe", tuple(RECIPE_SETTINGS)))
    return PlaygroundConfig(
        points=query.choice("points", (*POINT_SETS, RUN_POINTS)),
        recipe=begins.recipe,
        objective=query.choice("objective", (begins.objective, *OBJECTIVES)),
        penalty=query.choice("penalty", (begins.penalty, *PENALTY_DESCRIPTIONS)),
        weight=query.number("weight", *rules_.PENALTY_WEIGHT_RANGE, begins.weight),
        rate=query.number("rate", *rules_.LEARNING_RATE_RANGE, begins.rate),
        rate_judge=query.number("rate_judge", *rules_.LEARNING_RATE_RANGE, begins.rate_judge),
        moves=query.integer("moves", *rules_.CRITIC_STEPS_RANGE, begins.moves),
        latent=query.integer("latent", *rules_.LATENT_RANGE, begins.latent),
        width=query.integer("width", *rules_.WIDTH_RANGE, begins.width),
        waves=query.integer("waves", 0, 1, begins.waves),
        batch=2 * (query.integer("batch", *rules_.BATCH_RANGE, begins.batch) // 2),  # packs are of two
        seed=query.integer("seed", 0, MAX_SEED, begins.seed),
    )


def list_options(context: Context) -> dict[str, Any]:
    """For the page: sets of points, recipes with their numbers, games worth seeing."""
    first = find_default_points(context)
    names = [first, *(name for name in POINT_SETS if name != first)] if first else list(POINT_SETS)
    return {
        "points": names,
        "recipes": [
            {
                "name": name,
                "words": RECIPE_DESCRIPTIONS[name],
                "rules": asdict(build_recipe_config(name, names[0])),
            }
            for name in RECIPE_SETTINGS
        ],
        "objectives": list(OBJECTIVES),
        "penalties": list(PENALTY_DESCRIPTIONS.items()),
        "presets": [
            {"words": words, "why": why, "rules": asdict(rules)} for words, (why, rules) in PRESETS.items()
        ],
        "steps": MAX_STEPS,
    }


def find_default_points(context: Context) -> str:
    """What the explorer was opened with: a set that comes along, `own` for another set of points in the plane, or nothing."""
    if context.is_playground_only:
        return str(context.run)
    try:
        data = context.real.data()
    except HTTPError:
        return ""
    source = data.config.source
    if source in POINT_SETS:
        return source
    return RUN_POINTS if data.spec.shape == (2,) else ""


def load_points(context: Context, name: str) -> Dataset:
    """The points that are to be imitated."""
    if name != RUN_POINTS:
        return load_builtin_points(name)
    if context.is_playground_only or not context.is_run:
        raise HTTPError(409, "there are no points of a run here")
    return context.real.data()


@lru_cache(maxsize=len(POINT_SETS))
def load_builtin_points(name: str) -> Dataset:
    """A set that comes along, made once."""
    return open_builtin_points(name)


def _no_body(request: Request) -> None:
    if request.scope["sparring.body"]:
        raise HTTPError(400, "no body is asked for")
