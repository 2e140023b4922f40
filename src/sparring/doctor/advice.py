"""Advice in terms of the run's own settings; each function returns None where it does not apply."""

from collections.abc import Sequence
from typing import Any

from sparring.doctor.finding import Advice
from sparring.doctor.history import History

GRADIENT_PENALTIES = ("r1", "r2")


def select(*offers: Advice | None, most: int = 3) -> tuple[Advice, ...]:
    """Those that fit, at most so many."""
    return tuple(offer for offer in offers if offer is not None)[:most]


def lower_learning_rate(history: History, player: str, factor: float = 0.5) -> Advice | None:
    """A lower learning rate."""
    settings = scale_setting(history, ("optimizers", player, "lr"), factor)
    times = f"{1 / factor:g}"
    return Advice(f"lower the {player}'s learning rate {times} times", tuple(settings)) if settings else None


def lower_learning_rates(history: History, factor: float) -> Advice | None:
    """Lower learning rates for all players."""
    players = history.setting("optimizers")
    names = list(players) if isinstance(players, dict) else []
    settings = [one for name in names for one in scale_setting(history, ("optimizers", name, "lr"), factor)]
    return Advice(f"lower the learning rates {1 / factor:g} times", tuple(settings)) if settings else None


def add_gradient_penalty(history: History) -> Advice | None:
    """A gradient penalty, where there is none."""
    if not is_adversarial(history) or _gradient_penalties(history):
        return None
    return Advice(
        "add a gradient penalty (R1), which keeps the discriminator smooth",
        ("game.penalties=[{type: r1, gamma: 1.0}]",),
    )


def scale_gradient_penalty(history: History, factor: float) -> Advice | None:
    """Another weight of the gradient penalties that are there."""
    settings: list[str] = []
    for number, one in enumerate(_gradient_penalties(history)):
        name = "gamma" if "gamma" in one else "weight"
        settings += _scale(f"game.penalties.{number}.{name}", one.get(name), factor)
    how = f"{factor:g} times stronger" if factor > 1 else f"{1 / factor:g} times weaker"
    return Advice(f"make the gradient penalty {how}", tuple(settings)) if settings else None


def add_augmentation(history: History) -> Advice | None:
    """Augmentation, where there is none."""
    if not is_adversarial(history) or history.setting("game", "augmentations"):
        return None
    if not history.is_image:
        settings = ("game.augmentations=[{type: instance_noise, sigma: 0.05}]",)
        return Advice("blur what the discriminator sees with a little noise", settings)
    return Advice(
        "augment what the discriminator sees (DiffAugment), so that it can't learn the images by heart",
        ("game.augmentations=[{type: diffaugment}]",),
    )


def add_flips(history: History) -> Advice | None:
    """Mirrored images, which are twice as many."""
    if not history.is_image or history.setting("data", "flip") is not False:
        return None
    return Advice("mirror half of the images, if left and right do not matter", ("data.flip=true",))


def use_packing(history: History) -> Advice | None:
    """Samples judged in pairs, which shows the discriminator that they repeat."""
    single = is_adversarial(history) and history.setting("game", "packing") == 1
    if not single or history.setting("game", "conditional") or history.setting("game", "batch_features"):
        return None
    even = history.setting("training", "batch")
    if not isinstance(even, int) or even % 2 or history.setting("training", "micro_batch"):
        return None
    return Advice("let the discriminator judge samples in pairs (packing)", ("game.packing=2",))


def use_relativistic(history: History) -> Advice | None:
    """The objective under which modes are not lost, with the penalties that it needs."""
    if not is_adversarial(history) or history.objective == "relativistic":
        return None
    penalties = "game.penalties=[{type: r1, gamma: 1.0}, {type: r2, gamma: 1.0}]"
    return Advice(
        "use the relativistic objective, which judges fakes against reals and so punishes lost modes",
        ("game.objective={type: relativistic}", penalties),
    )


def is_adversarial(history: History) -> bool:
    """Whether two players play, by the settings."""
    return history.setting("game", "type") == "adversarial"


def scale_setting(history: History, path: Sequence[str], factor: float) -> list[str]:
    """Settings that multiply a number, or both ends of a schedule."""
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
    found = history.setting("game", "penalties")
    found = found if isinstance(found, list) else []
    return [one for one in found if isinstance(one, dict) and one.get("type") != "historical_averaging"]
