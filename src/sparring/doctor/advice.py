"""What to set, in terms of the settings that a run has: each advice is None where it does not fit the run."""

from collections.abc import Sequence
from typing import Any

from sparring.doctor.finding import Advice
from sparring.doctor.history import History

SLOPES = ("r1", "r2")


def chosen(*offers: Advice | None, most: int = 3) -> tuple[Advice, ...]:
    """Those that fit, at most so many."""
    return tuple(offer for offer in offers if offer is not None)[:most]


def slower(history: History, player: str, factor: float = 0.5) -> Advice | None:
    """A lower learning rate."""
    settings = scaled(history, ("optimizers", player, "lr"), factor)
    times = f"{1 / factor:g}"
    return Advice(f"lower the {player}'s learning rate {times} times", tuple(settings)) if settings else None


def both_slower(history: History, factor: float) -> Advice | None:
    """Lower learning rates for all players."""
    players = history.setting("optimizers")
    names = list(players) if isinstance(players, dict) else []
    settings = [one for name in names for one in scaled(history, ("optimizers", name, "lr"), factor)]
    return Advice(f"lower the learning rates {1 / factor:g} times", tuple(settings)) if settings else None


def penalty(history: History) -> Advice | None:
    """A gradient penalty, where there is none."""
    if not adversarial(history) or _penalties(history):
        return None
    return Advice(
        "add a gradient penalty (R1), which keeps the discriminator smooth",
        ("game.penalties=[{type: r1, gamma: 1.0}]",),
    )


def gamma(history: History, factor: float) -> Advice | None:
    """Another weight of the gradient penalties that are there."""
    settings: list[str] = []
    for number, one in enumerate(_penalties(history)):
        name = "gamma" if "gamma" in one else "weight"
        settings += _scaled(f"game.penalties.{number}.{name}", one.get(name), factor)
    how = f"{factor:g} times stronger" if factor > 1 else f"{1 / factor:g} times weaker"
    return Advice(f"make the gradient penalty {how}", tuple(settings)) if settings else None


def augmentation(history: History) -> Advice | None:
    """Augmentation, where there is none."""
    if not adversarial(history) or history.setting("game", "augmentations"):
        return None
    if not history.pictures:
        settings = ("game.augmentations=[{type: noise, sigma: 0.05}]",)
        return Advice("blur what the discriminator sees with a little noise", settings)
    return Advice(
        "augment what the discriminator sees (DiffAugment), so that it can't learn the pictures by heart",
        ("game.augmentations=[{type: diffaugment}]",),
    )


def mirror(history: History) -> Advice | None:
    """Mirrored pictures, which are twice as many."""
    if not history.pictures or history.setting("data", "flip") is not False:
        return None
    return Advice("mirror half of the pictures, if left and right do not matter", ("data.flip=true",))


def packing(history: History) -> Advice | None:
    """Samples judged in pairs, which shows the discriminator that they repeat."""
    single = adversarial(history) and history.setting("game", "packing") == 1
    if not single or history.setting("game", "conditional") or history.setting("game", "batch_features"):
        return None
    even = history.setting("training", "batch")
    if not isinstance(even, int) or even % 2 or history.setting("training", "micro_batch"):
        return None
    return Advice("let the discriminator judge samples in pairs (packing)", ("game.packing=2",))


def relativistic(history: History) -> Advice | None:
    """The objective under which modes are not lost, with the penalties that it needs."""
    if not adversarial(history) or history.objective == "relativistic":
        return None
    penalties = "game.penalties=[{type: r1, gamma: 1.0}, {type: r2, gamma: 1.0}]"
    return Advice(
        "use the relativistic objective, which judges fakes against reals and so punishes lost modes",
        ("game.objective={type: relativistic}", penalties),
    )


def adversarial(history: History) -> bool:
    """Whether two players play, by the settings."""
    return history.setting("game", "type") == "adversarial"


def scaled(history: History, path: Sequence[str], factor: float) -> list[str]:
    """Settings that multiply a number, or both ends of a schedule."""
    return _scaled(".".join(path), history.setting(*path), factor)


def _scaled(path: str, value: Any, factor: float) -> list[str]:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return [f"{path}={value * factor:g}"]
    ends = ("start", "end") if isinstance(value, dict) else ()
    return [
        f"{path}.{end}={value[end] * factor:g}"
        for end in ends
        if isinstance(value.get(end), int | float) and value[end]
    ]


def _penalties(history: History) -> list[dict[str, Any]]:
    found = history.setting("game", "penalties")
    found = found if isinstance(found, list) else []
    return [one for one in found if isinstance(one, dict) and one.get("type") != "historical"]
