"""Numbers going wrong: explosions and a standstill."""

from sparring.doctor import advice
from sparring.doctor.finding import Advice, Finding
from sparring.doctor.history import History, Series
from sparring.errors import ConfigError
from sparring.schedule import SCHEDULES

LARGE = 25.0  # no loss but Wasserstein's is as large in a game that goes on
GROWN = 30.0  # times the usual, for a loss without a scale
FAR = 100.0  # logits
RECENT = 3
STILL = 0.01  # of the greatest learning rate
LEFT = 0.15  # of a run


def diverged(history: History) -> Finding | None:
    """Losses or judgements that explode."""
    culprits = {
        name: exploded
        for name in ("discriminator/adversarial", "generator/adversarial", *_judgements(history))
        if (exploded := _exploded(history, name))
    }
    if not culprits:
        return None
    since = min(images for series in culprits.values() for images, _ in series)
    last = [row["images"] for row in history.rows[-RECENT:]]
    lasting = any(series[-1][0] in last for series in culprits.values())
    name, series = max(culprits.items(), key=lambda item: max(abs(value) for _, value in item[1]))
    worst = max(series, key=lambda point: abs(point[1]))
    words = f"{_called(name)} came to {worst[1]:,.0f} at image {worst[0]:,}; a game that goes on stays within a few units."
    if not lasting:
        words += f" It has calmed down since image {series[-1][0]:,}."
    return Finding(
        name="diverged",
        severity="bad" if lasting else "note",
        title="Training diverges: the numbers explode" if lasting else "The numbers exploded for a while",
        words=words,
        since=since,
        figures={one: points[-1][1] for one, points in culprits.items()},
        advice=advice.chosen(
            advice.both_slower(history, 0.1), advice.penalty(history), advice.gamma(history, 10)
        )
        if lasting
        else (),
        checkpoint=history.good_checkpoint(since),
    )


def _judgements(history: History) -> tuple[str, ...]:
    return () if history.objective == "wasserstein" else ("vitals/logit_train", "vitals/logit_fake")


def _exploded(history: History, name: str) -> Series:
    series = history.series(name)
    if name.startswith("vitals/"):
        return [point for point in series if abs(point[1]) > FAR]
    if history.objective != "wasserstein":
        return [point for point in series if abs(point[1]) > LARGE]
    found = []
    for number, (images, value) in enumerate(series):
        before = sorted(abs(earlier) for _, earlier in series[:number])
        usual = before[len(before) // 2] if len(before) >= 5 else float("inf")
        if abs(value) > GROWN * max(usual, 1.0):
            found.append((images, value))
    return found


def _called(name: str) -> str:
    player, _, what = name.partition("/")
    if player != "vitals":
        return f"The {player}'s loss"
    return f"The discriminator's judgement of {'real' if what == 'logit_train' else 'generated'} samples"


def standstill(history: History) -> Finding | None:
    """Nothing moves any more, and much of the run is left."""
    left = 1 - history.images / history.total if history.total else 0.0
    rates = _rates(history)
    if left < LEFT or not history.rows:
        return None
    still = sorted(player for player, (now, greatest) in rates.items() if now <= STILL * greatest)
    if still:
        return Finding(
            name="standstill",
            severity="warning",
            title=f"The {' and the '.join(still)} hardly learn{'s' if len(still) == 1 else ''} any more",
            words=f"The learning rate is at most a hundredth of what it was or will be, with {left:.0%} of the run to go.",
            figures={f"learning rate of the {player}": rates[player][0] for player in still},
            advice=(Advice("let the learning rate fall later", ()),),
        )
    names = ("discriminator/adversarial", "generator/adversarial")
    last = [[value for _, value in history.series(name)[-RECENT:]] for name in names]
    if all(len(values) == RECENT and max(values) - min(values) <= 1e-6 for values in last):
        return Finding(
            name="standstill",
            severity="bad",
            title="Nothing moves: the losses are the same in every report",
            words=f"{RECENT} reports in a row have the losses {last[0][-1]:.4f} and {last[1][-1]:.4f}.",
            advice=advice.chosen(advice.both_slower(history, 0.1)),
        )
    return None


def _rates(history: History) -> dict[str, tuple[float, float]]:
    """The learning rates now, and the greatest of the run."""
    players = history.setting("optimizers")
    found = {}
    for player, one in players.items() if isinstance(players, dict) else ():
        rate = one.get("lr") if isinstance(one, dict) else None
        if isinstance(rate, int | float):
            found[str(player)] = float(rate), float(rate) or 1.0
        elif isinstance(rate, dict) and rate.get("type") in SCHEDULES:
            try:
                schedule = SCHEDULES[rate["type"]](
                    **{name: value for name, value in rate.items() if name != "type"}
                )
                steps = [schedule.at(history.total * part // 20) for part in range(21)]
                found[str(player)] = schedule.at(history.images), max(steps)
            except (TypeError, ConfigError):
                continue
    return found
