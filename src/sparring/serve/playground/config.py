"""Configuration of the playground: a recipe's settings with small networks for points in the plane, and what
the page may change.
"""

from dataclasses import dataclass, replace
from typing import Any

from sparring.core.interfaces import Constraint, Penalty
from sparring.core.optimizers import Adam, OptimizerConfig, RMSProp
from sparring.core.shapes import SampleSpec
from sparring.experiment import Experiment, TrainingConfig
from sparring.games.adversarial import AdversarialConfig
from sparring.parts.networks.mlp import MLPDiscriminator, MLPGenerator
from sparring.parts.objectives import OBJECTIVES
from sparring.parts.penalties import DRAGAN, R1, R2, GradientPenalty, WeightClip
from sparring.recipes.facts import Facts
from sparring.recipes.table import RECIPES

POINT_SPEC = SampleSpec(shape=(2,))
SCHEDULE_IMAGES = 2_000_000  # images over which a recipe's own schedules run; the game goes on after that
HIDDEN_LAYERS = 3
FOURIER_OCTAVES = (4, 6)  # octaves in the generator and in the discriminator, where waves are asked for
SPECTRAL_NORM_RECIPES = ("sngan",)

LEARNING_RATE_RANGE, PENALTY_WEIGHT_RANGE = (0.00001, 0.1), (0.0, 100.0)  # lowest and highest
CRITIC_STEPS_RANGE, LATENT_RANGE, WIDTH_RANGE, BATCH_RANGE = (1, 10), (1, 16), (4, 128), (8, 512)


@dataclass(frozen=True, kw_only=True)
class PlaygroundConfig:
    """What is chosen on the page. Ranges are checked where it is read, in `arena_routes.py`.

    Arguments:
        points: what is imitated: `ring`, `grid`, `swissroll`, or `own` for the run's.
        recipe: whose rules hold wherever nothing else is said: kind of optimizer, packing, spectral normalisation.
        objective: of `OBJECTIVES`.
        penalty: of `PENALTY_DESCRIPTIONS`. weight: its strength (of `weight_clip` the limit; 0 takes the penalty away).
        rate, rate_judge: learning rates of generator and discriminator.
        moves: of the discriminator for each of the generator.
        latent: dimension of the noise.
        width: units of each of the three hidden layers.
        waves: whether both networks are also given sines and cosines of their inputs.
        batch: points a move.
        seed: of everything random.
    """

    points: str = "ring"
    recipe: str = "gan"
    objective: str = "nonsaturating"
    penalty: str = "none"
    weight: float = 0.0
    rate: float = 0.001
    rate_judge: float = 0.001
    moves: int = 1
    latent: int = 2
    width: int = 64
    waves: int = 0
    batch: int = 128
    seed: int = 0


PENALTY_DESCRIPTIONS: dict[str, str] = {
    "none": "none",
    "r1": "R1: flat at real points",
    "r1_r2": "R1 + R2: flat at real and made points",
    "gradient_penalty": "gradient 1 between them (WGAN-GP)",
    "dragan": "gradient 1 around the data (DRAGAN)",
    "weight_clip": "clip weights to the limit (WGAN)",
}

# The numbers that recipes have for images do not suit 64 units and two coordinates; these were found by trying.
RECIPE_SETTINGS: dict[str, dict[str, Any]] = {
    "gan": {"objective": "nonsaturating"},
    "lsgan": {"objective": "least_squares"},
    "wgan": {
        "objective": "wasserstein",
        "penalty": "weight_clip",
        "weight": 0.1,
        "rate": 0.0005,
        "rate_judge": 0.0005,
        "moves": 5,
    },
    "wgan_gp": {"objective": "wasserstein", "penalty": "gradient_penalty", "weight": 1.0, "moves": 5},
    "dragan": {"objective": "nonsaturating", "penalty": "dragan", "weight": 1.0},
    "sngan": {"objective": "hinge", "moves": 5},
    "pacgan": {"objective": "nonsaturating"},
    "r3gan": {"objective": "relativistic", "penalty": "r1_r2", "weight": 0.1},
    "auto": {
        "objective": "relativistic",
        "penalty": "r1_r2",
        "weight": 0.02,
        "rate": 0.002,
        "rate_judge": 0.002,
        "waves": 1,
        "batch": 256,
    },
}


def build_recipe_config(recipe: str, points: str = "ring") -> PlaygroundConfig:
    """The rules that a recipe begins with."""
    return PlaygroundConfig(points=points, recipe=recipe, **RECIPE_SETTINGS[recipe])


def build_experiment(rules: PlaygroundConfig) -> Experiment:
    """The game that these rules describe."""
    base = RECIPES[rules.recipe](Facts(spec=POINT_SPEC, count=1, images=SCHEDULE_IMAGES))
    assert isinstance(base.game, AdversarialConfig)
    octaves = FOURIER_OCTAVES if rules.waves else (0, 0)
    hidden, gain = (rules.width,) * HIDDEN_LAYERS, 1.4
    game = replace(
        base.game,
        generator=MLPGenerator(latent=rules.latent, hidden=hidden, fourier=octaves[0], init_gain=gain),
        discriminator=MLPDiscriminator(
            hidden=hidden, fourier=octaves[1], init_gain=gain, spectral=rules.recipe in SPECTRAL_NORM_RECIPES
        ),
        objective=OBJECTIVES[rules.objective](),
        penalties=build_penalties(rules),
        constraints=build_constraints(rules),
        critic_steps=rules.moves,
    )
    optimizers: dict[str, OptimizerConfig] = {}
    for player, rate in (("generator", rules.rate), ("discriminator", rules.rate_judge)):
        optimizer = base.optimizers[player]
        assert isinstance(optimizer, Adam | RMSProp)
        optimizers[player] = replace(optimizer, lr=rate)
    training = TrainingConfig(total_images=10**12, batch=rules.batch, seed=rules.seed, ema_half_life=0.0)
    return replace(base, game=game, optimizers=optimizers, training=training)


def build_penalties(rules: PlaygroundConfig) -> tuple[Penalty, ...]:
    """The penalties on the discriminator."""
    weight = rules.weight
    if weight == 0:
        return ()
    made: dict[str, tuple[Penalty, ...]] = {
        "r1": (R1(gamma=weight),),
        "r1_r2": (R1(gamma=weight), R2(gamma=weight)),
        "gradient_penalty": (GradientPenalty(weight=weight),),
        "dragan": (DRAGAN(weight=weight),),
    }
    return made.get(rules.penalty, ())


def build_constraints(rules: PlaygroundConfig) -> tuple[Constraint, ...]:
    """What is done to the discriminator's weights."""
    return (WeightClip(limit=rules.weight),) if rules.penalty == "weight_clip" and rules.weight else ()


PRESETS: dict[str, tuple[str, PlaygroundConfig]] = {
    "The first GAN": (
        "the game of 2014: it wanders from mode to mode before it settles",
        build_recipe_config("gan"),
    ),
    "Mode collapse": (
        "the generator learns five times as fast as the judge: it runs to the one place that passes, again and again",
        replace(build_recipe_config("gan"), rate=0.005),
    ),
    "A faster judge": (
        "the same game, with a judge that learns ten times as fast as the generator",
        replace(build_recipe_config("gan"), rate_judge=0.01),
    ),
    "All modes held": ("pairs, and a judge with small gradients: R3GAN", build_recipe_config("r3gan")),
    "A judge like a ramp": ("WGAN-GP: gradients of one everywhere", build_recipe_config("wgan_gp")),
    "Steps too large": (
        "a learning rate of 0.1",
        replace(build_recipe_config("lsgan"), rate=0.1, rate_judge=0.1),
    ),
    "25 modes": ("the recipe `auto`, with waves, on the grid", build_recipe_config("auto", "grid")),
    "A roll": ("one long curl instead of modes", build_recipe_config("r3gan", "swissroll")),
}
