"""Advice in terms of the run's own settings. Each function returns None where its advice does not apply."""

from collections.abc import Sequence
from typing import Any

from sparring.doctor.finding import Advice
from sparring.doctor.history import History


def select(*offers: Advice | None, max_count: int = 3) -> tuple[Advice, ...]:
    """The first `max_count` of those that apply."""
    return tuple(offer for offer in offers if offer is not None)[:max_count]


def lower_learning_rate(history: History, player: str, factor: float = 0.5) -> Advice | None:
    """Multiply one player's learning rate by `factor`."""
    settings = scale_setting(history, ("optimizers", player, "lr"), factor)
    message = f"divide the learning rate of the {player} by {1 / factor:g}"
    return Advice(message, tuple(settings)) if settings else None


def lower_learning_rates(history: History, factor: float) -> Advice | None:
    """Multiply the learning rates of all players by `factor`."""
    players = history.setting("optimizers")
    names = list(players) if isinstance(players, dict) else []
    settings = [one for name in names for one in scale_setting(history, ("optimizers", name, "lr"), factor)]
    return Advice(f"divide all learning rates by {1 / factor:g}", tuple(settings)) if settings else None


def add_gradient_penalty(history: History) -> Advice | None:
    """Add R1, where the game has no gradient penalty."""
    if not is_adversarial(history) or _gradient_penalties(history):
        return None
    message = "add a gradient penalty (R1), which keeps the discriminator smooth"
    return Advice(message, ("game.penalties=[{type: r1, gamma: 1.0}]",))


def scale_gradient_penalty(history: History, factor: float) -> Advice | None:
    """Multiply the weights of the game's gradient penalties by `factor`."""
    settings: list[str] = []
    for index, penalty in enumerate(_gradient_penalties(history)):
        name = "gamma" if "gamma" in penalty else "weight"
        settings += _scale(f"game.penalties.{index}.{name}", penalty.get(name), factor)
    how = f"multiply the weight of the gradient penalty by {factor:g}"
    if factor < 1:
        how = f"divide the weight of the gradient penalty by {1 / factor:g}"
    return Advice(how, tuple(settings)) if settings else None


def add_augmentation(history: History) -> Advice | None:
    """Augment the discriminator's inputs, where they are not augmented."""
    if not is_adversarial(history) or history.setting("game", "augmentations"):
        return None
    if not history.is_image:
        settings = ("game.augmentations=[{type: instance_noise, sigma: 0.05}]",)
        return Advice("add a little noise to the inputs of the discriminator (instance noise)", settings)
    return Advice(
        "augment the inputs of the discriminator (DiffAugment), so that it can't memorise the images",
        ("game.augmentations=[{type: diffaugment}]",),
    )


def add_flips(history: History) -> Advice | None:
    """Mirror half of the images, which doubles their number."""
    if not history.is_image or history.setting("data", "flip") is not False:
        return None
    return Advice("mirror half of the images, if left and right do not matter", ("data.flip=true",))


def use_packing(history: History) -> Advice | None:
    """Show the discriminator two samples at a time, so that it can see repetitions."""
    is_single = is_adversarial(history) and history.setting("game", "packing") == 1
    if not is_single or history.setting("game", "conditional") or history.setting("game", "batch_features"):
        return None
    batch = history.setting("training", "batch")
    if not isinstance(batch, int) or batch % 2 or history.setting("training", "micro_batch"):
        return None
    return Advice("show the discriminator two samples at a time (packing)", ("game.packing=2",))


def use_relativistic(history: History) -> Advice | None:
    """The relativistic objective with R1 and R2, under which modes are rarely lost."""
    if not is_adversarial(history) or history.objective == "relativistic":
        return None
    return Advice(
        "use the relativistic objective, which compares real with generated samples and so penalises lost modes",
        (
            "game.objective={type: relativistic}",
            "game.penalties=[{type: r1, gamma: 1.0}, {type: r2, gamma: 1.0}]",
        ),
    )


def is_adversarial(history: History) -> bool:
    """Whether the game is the adversarial one of a generator and a discriminator."""
    return history.setting("game", "type") == "adversarial"


def scale_setting(history: History, path: Sequence[str], factor: float) -> list[str]:
    """Settings that multiply a number, or both ends of a schedule, by `factor`; none if there is no such number."""
    return _scale(".".join(path), history.setting(*path), factor)


def _scale(path: str, value: Any, factor: float) -> list[str]:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return [f"{path}={value * factor:g}"]
    ends = ("start", "end") if isinstance(value, dict) else ()
    return [
        f"{path}.{end}={value[end] * factor:g}"
        for end in ends
        if isinstance(value.get(end), int | float) and value[end]
    ]


def _gradient_penalties(history: History) -> list[dict[str, Any]]:
    penalties = history.setting("game", "penalties")
    penalties = penalties if isinstance(penalties, list) else []
    return [one for one in penalties if isinstance(one, dict) and one.get("type") != "historical_averaging"]
