"""Configuration of the playground: a recipe's settings with small networks for points in the plane, and what
the page can change.
"""

import re
from dataclasses import dataclass, fields, replace
from typing import Any

from sparring.core.interfaces import Constraint, Penalty
from sparring.core.optimizers import Adam, OptimizerConfig, RMSProp
from sparring.core.shapes import SampleSpec
from sparring.experiment import Experiment, TrainingConfig
from sparring.games.adversarial import AdversarialConfig
from sparring.parts.networks.mlp import MLPDiscriminator, MLPGenerator
from sparring.parts.objectives import OBJECTIVES
from sparring.parts.penalties import CONSTRAINTS, PENALTIES
from sparring.recipes.facts import Facts
from sparring.recipes.table import RECIPES

POINT_SPEC = SampleSpec(shape=(2,))
SCHEDULE_IMAGES = 2_000_000  # length of a recipe's schedules in images; training continues after that
HIDDEN_LAYERS = 3
INIT_GAIN = 1.4
FOURIER_OCTAVES = (4, 6)  # of the generator's and the discriminator's Fourier features
SPECTRAL_NORM_RECIPES = ("sngan",)

LEARNING_RATE_RANGE, PENALTY_WEIGHT_RANGE = (0.00001, 0.1), (0.0, 100.0)  # lowest and highest
CRITIC_STEPS_RANGE, LATENT_RANGE, WIDTH_RANGE, BATCH_SIZE_RANGE = (1, 10), (1, 16), (4, 128), (8, 512)


@dataclass(frozen=True, kw_only=True)
class PlaygroundConfig:
    """What the page can change. `routes/playground.py` checks the ranges.

    Arguments:
        dataset: `ring`, `grid`, `swissroll`, or `run` for the points of the explored run.
        recipe: gives everything that the other fields do not: optimizer, packing, spectral normalisation.
        objective: a name in `OBJECTIVES`.
        penalty: a name of `list_penalties()`.
        penalty_weight: the penalty's weight (`weight_clip`: the limit); 0 disables it.
        generator_lr, discriminator_lr: learning rates.
        critic_steps: discriminator updates for each generator update.
        latent: latent dimension.
        width: units of each of the three hidden layers.
        fourier_features: 1 adds Fourier features of their inputs to both networks, 0 does not.
        batch_size: points in a batch.
        seed: of initialisation, latents and batches.
    """

    dataset: str = "ring"
    recipe: str = "gan"
    objective: str = "nonsaturating"
    penalty: str = "none"
    penalty_weight: float = 0.0
    generator_lr: float = 0.001
    discriminator_lr: float = 0.001
    critic_steps: int = 1
    latent: int = 2
    width: int = 64
    fourier_features: int = 0
    batch_size: int = 128
    seed: int = 0


NO_PENALTY, R1_AND_R2 = "none", "r1_r2"
DEFAULT_PENALTY_WEIGHT = 0.1
# Titles and weights that suit two coordinates; a penalty without a row here gets its class's name and the default weight.
PENALTY_TITLES: dict[str, str] = {
    NO_PENALTY: "None",
    "r1": "R1 (on real points)",
    "r2": "R2 (on generated points)",
    R1_AND_R2: "R1 + R2",
    "gradient_penalty": "Gradient penalty (WGAN-GP)",
    "weight_clip": "Weight clipping (WGAN)",
}
PENALTY_WEIGHTS: dict[str, float] = {NO_PENALTY: 0.0, "gradient_penalty": 1.0, "dragan": 1.0}

# The settings of the recipes are for images; these were tuned for 64 units and two coordinates.
RECIPE_SETTINGS: dict[str, dict[str, Any]] = {
    "gan": {"objective": "nonsaturating"},
    "lsgan": {"objective": "least_squares"},
    "wgan": {
        "objective": "wasserstein",
        "penalty": "weight_clip",
        "penalty_weight": 0.1,
        "generator_lr": 0.0005,
        "discriminator_lr": 0.0005,
        "critic_steps": 5,
    },
    "wgan_gp": {
        "objective": "wasserstein",
        "penalty": "gradient_penalty",
        "penalty_weight": 1.0,
        "critic_steps": 5,
    },
    "dragan": {"objective": "nonsaturating", "penalty": "dragan", "penalty_weight": 1.0},
    "sngan": {"objective": "hinge", "critic_steps": 5},
    "pacgan": {"objective": "nonsaturating"},
    "r3gan": {"objective": "relativistic", "penalty": "r1_r2", "penalty_weight": 0.1},
    "auto": {
        "objective": "relativistic",
        "penalty": "r1_r2",
        "penalty_weight": 0.02,
        "generator_lr": 0.002,
        "discriminator_lr": 0.002,
        "fourier_features": 1,
        "batch_size": 256,
    },
}


def build_recipe_config(recipe: str, dataset: str = "ring") -> PlaygroundConfig:
    """The playground's default settings of a recipe."""
    return PlaygroundConfig(dataset=dataset, recipe=recipe, **RECIPE_SETTINGS[recipe])


def make_title(part: type) -> str:
    """The name of a part's class as words.

    >>> make_title(OBJECTIVES["least_squares"])
    'Least squares'
    """
    first, *rest = re.split(r"(?<=[a-z])(?=[A-Z])", part.__name__)
    return " ".join([first, *(word.lower() for word in rest)])


def list_objectives() -> list[dict[str, Any]]:
    """Name and title of every objective."""
    return [{"name": name, "title": make_title(part)} for name, part in OBJECTIVES.items()]


def list_penalties() -> list[dict[str, Any]]:
    """Name, title and default weight of every penalty and constraint on the discriminator, `none` first."""
    titles = {NO_PENALTY: "", R1_AND_R2: ""}
    titles |= {name: make_title(part) for name, part in {**PENALTIES, **CONSTRAINTS}.items()}
    return [
        {
            "name": name,
            "title": PENALTY_TITLES.get(name, title),
            "penalty_weight": PENALTY_WEIGHTS.get(name, DEFAULT_PENALTY_WEIGHT),
        }
        for name, title in titles.items()
    ]


def build_experiment(config: PlaygroundConfig) -> Experiment:
    """The experiment of a configuration."""
    base = RECIPES[config.recipe](Facts(spec=POINT_SPEC, count=1, images=SCHEDULE_IMAGES))
    assert isinstance(base.game, AdversarialConfig)
    octaves = FOURIER_OCTAVES if config.fourier_features else (0, 0)
    hidden = (config.width,) * HIDDEN_LAYERS
    game = replace(
        base.game,
        generator=MLPGenerator(latent=config.latent, hidden=hidden, fourier=octaves[0], init_gain=INIT_GAIN),
        discriminator=MLPDiscriminator(
            hidden=hidden,
            fourier=octaves[1],
            init_gain=INIT_GAIN,
            spectral=config.recipe in SPECTRAL_NORM_RECIPES,
        ),
        objective=OBJECTIVES[config.objective](),
        penalties=build_penalties(config),
        constraints=build_constraints(config),
        critic_steps=config.critic_steps,
    )
    optimizers: dict[str, OptimizerConfig] = {}
    for player, lr in (("generator", config.generator_lr), ("discriminator", config.discriminator_lr)):
        optimizer = base.optimizers[player]
        assert isinstance(optimizer, Adam | RMSProp)
        optimizers[player] = replace(optimizer, lr=lr)
    training = TrainingConfig(
        total_images=10**12, batch=config.batch_size, seed=config.seed, ema_half_life=0.0
    )
    return replace(base, game=game, optimizers=optimizers, training=training)


def build_penalties(config: PlaygroundConfig) -> tuple[Penalty, ...]:
    """The discriminator's penalties: rows of `PENALTIES`."""
    if config.penalty_weight == 0:
        return ()
    names = ("r1", "r2") if config.penalty == R1_AND_R2 else (config.penalty,)
    return tuple(_build_part(PENALTIES[name], config.penalty_weight) for name in names if name in PENALTIES)


def build_constraints(config: PlaygroundConfig) -> tuple[Constraint, ...]:
    """The constraints on the discriminator's weights: rows of `CONSTRAINTS`."""
    if config.penalty_weight == 0 or config.penalty not in CONSTRAINTS:
        return ()
    return (_build_part(CONSTRAINTS[config.penalty], config.penalty_weight),)


def _build_part(part: type, weight: float) -> Any:
    """A penalty or constraint. Its weight (`weight`, `gamma`, `limit`) is its first field, by convention."""
    names = [field.name for field in fields(part)]
    return part(**{names[0]: weight}) if names and names[0] != "every" else part()


PRESETS: dict[str, tuple[str, PlaygroundConfig]] = {
    "The first GAN": (
        "the GAN of 2014: it moves from mode to mode before it converges",
        build_recipe_config("gan"),
    ),
    "Mode collapse": (
        "the generator learns five times as fast as the discriminator: its points crowd into one mode, then the next",
        replace(build_recipe_config("gan"), generator_lr=0.005),
    ),
    "A faster discriminator": (
        "the discriminator learns ten times as fast as the generator",
        replace(build_recipe_config("gan"), discriminator_lr=0.01),
    ),
    "All modes covered": (
        "relativistic pairing, and R1 and R2 keep the discriminator's gradients small: R3GAN",
        build_recipe_config("r3gan"),
    ),
    "Gradient norm 1": (
        "WGAN-GP: a gradient penalty keeps the critic's gradient norm near 1",
        build_recipe_config("wgan_gp"),
    ),
    "Learning rate too high": (
        "a learning rate of 0.1",
        replace(build_recipe_config("lsgan"), generator_lr=0.1, discriminator_lr=0.1),
    ),
    "25 modes": (
        "the recipe `auto`, with Fourier features, on the grid",
        build_recipe_config("auto", "grid"),
    ),
    "Swiss roll": ("one long spiral instead of modes", build_recipe_config("r3gan", "swissroll")),
}
