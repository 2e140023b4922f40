"""The playground's three routes: the available settings, a new game, its next steps."""

from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sparring.data import Dataset
from sparring.data.readers.points import POINT_SETS
from sparring.parts.objectives import OBJECTIVES
from sparring.recipes import RECIPE_DESCRIPTIONS
from sparring.serve.context import Context, get_context, parse_query
from sparring.serve.http import MAX_SEED, HTTPError, Query, make_json_response
from sparring.serve.playground.config import (
    BATCH_SIZE_RANGE,
    CRITIC_STEPS_RANGE,
    LATENT_RANGE,
    LEARNING_RATE_RANGE,
    PENALTY_WEIGHT_RANGE,
    PRESETS,
    RECIPE_SETTINGS,
    WIDTH_RANGE,
    PlaygroundConfig,
    build_recipe_config,
    list_objectives,
    list_penalties,
)
from sparring.serve.playground.game import MAX_STEPS

RUN_DATASET = "run"  # the points of the explored run
CONFIG_FIELDS = tuple(PlaygroundConfig.__dataclass_fields__)
MAX_GAME_ID = 2**31


async def get_options(request: Request) -> Response:
    """The choices for each setting, and the default settings of each recipe."""
    parse_query(request)
    context = get_context(request)
    return make_json_response(await context.io_worker.run(lambda: list_options(context)))


async def begin_game(request: Request) -> Response:
    """Start a game with the settings in the query; its first frame."""
    query, context = parse_query(request, *CONFIG_FIELDS), get_context(request)
    _require_empty_body(request)
    config = parse_config(query)
    dataset = await context.io_worker.run(lambda: load_points(context, config.dataset))
    return make_json_response(
        await context.compute_worker.run(lambda: context.playground.begin(config, dataset))
    )


async def step_game(request: Request) -> Response:
    """Train up to `n` steps of the game that the page shows; 409 if another has been started since."""
    query, context = parse_query(request, "game", "n"), get_context(request)
    _require_empty_body(request)
    game_id, count = query.integer("game", 1, MAX_GAME_ID), query.integer("n", 1, MAX_STEPS, 1)

    def job() -> dict[str, Any]:
        if context.playground.game is None or context.playground.game.game_id != game_id:
            raise HTTPError(409, "another game has been started since; restart")
        return context.playground.step(count)

    return make_json_response(await context.compute_worker.run(job))


def parse_config(query: Query) -> PlaygroundConfig:
    """The settings in a query, each checked; what is left out is the recipe's."""
    base = build_recipe_config(query.choice("recipe", tuple(RECIPE_SETTINGS)))
    penalties = [row["name"] for row in list_penalties()]
    return PlaygroundConfig(
        dataset=query.choice("dataset", (*POINT_SETS, RUN_DATASET)),
        recipe=base.recipe,
        objective=query.choice("objective", (base.objective, *OBJECTIVES)),
        penalty=query.choice("penalty", (base.penalty, *penalties)),
        penalty_weight=query.decimal("penalty_weight", *PENALTY_WEIGHT_RANGE, base.penalty_weight),
        generator_lr=query.decimal("generator_lr", *LEARNING_RATE_RANGE, base.generator_lr),
        discriminator_lr=query.decimal("discriminator_lr", *LEARNING_RATE_RANGE, base.discriminator_lr),
        critic_steps=query.integer("critic_steps", *CRITIC_STEPS_RANGE, base.critic_steps),
        latent=query.integer("latent", *LATENT_RANGE, base.latent),
        width=query.integer("width", *WIDTH_RANGE, base.width),
        fourier_features=query.integer("fourier_features", 0, 1, base.fourier_features),
        batch_size=2
        * (query.integer("batch_size", *BATCH_SIZE_RANGE, base.batch_size) // 2),  # PacGAN packs two
        seed=query.integer("seed", 0, MAX_SEED, base.seed),
    )


def list_options(context: Context) -> dict[str, Any]:
    """Data sets, recipes with their settings, objectives, penalties and presets, for the page's form."""
    first = find_default_points(context)
    names = [first, *(name for name in POINT_SETS if name != first)] if first else list(POINT_SETS)
    return {
        "datasets": names,
        "recipes": [
            {
                "name": name,
                "description": RECIPE_DESCRIPTIONS[name],
                "config": asdict(build_recipe_config(name, names[0])),
            }
            for name in RECIPE_SETTINGS
        ],
        "objectives": list_objectives(),
        "penalties": list_penalties(),
        "presets": [
            {"title": title, "description": description, "config": asdict(config)}
            for title, (description, config) in PRESETS.items()
        ],
        "max_steps": MAX_STEPS,
    }


def find_default_points(context: Context) -> str:
    """What the explorer was opened with: a built-in set, `run` for another set of points in the plane, or an empty string."""
    if context.is_playground_only:
        return str(context.run)
    try:
        dataset = context.training_samples.data()
    except HTTPError:
        return ""
    source = dataset.config.source
    if source in POINT_SETS:
        return source
    return RUN_DATASET if dataset.spec.shape == (2,) else ""


def load_points(context: Context, name: str) -> Dataset:
    """The data set of this name."""
    if name != RUN_DATASET:
        return context.playground.builtin_points(name)
    if context.is_playground_only or not context.is_run:
        raise HTTPError(409, "there is no run whose points could be used")
    return context.training_samples.data()


def _require_empty_body(request: Request) -> None:
    if request.scope["sparring.body"]:
        raise HTTPError(400, "the body must be empty")
