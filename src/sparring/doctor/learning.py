"""What is learned: pictures by heart, or worse and worse by the metric."""

from typing import Any

from sparring.doctor import advice
from sparring.doctor.finding import Advice, Finding
from sparring.doctor.history import History, number, trailing
from sparring.evaluation.meaning import MEANINGS

BY_HEART, SOME = 0.9, 0.75  # how often a training sample is judged above a held-out one
FEW, OFTEN = 2_000, 100  # samples; times that each was seen
COPIED = 0.5  # of the authenticity that real samples have
WORSE = 0.2  # of the best value


def memorises(history: History) -> Finding | None:
    """The discriminator knows the samples that it was trained on from those that it was not."""
    series = history.vital("memorised")
    since, length = trailing(series, lambda value: value > SOME)
    if since is None or length < 2:
        return None
    now = series[-1][1]
    held, train = (history.recent(f"vitals/{name}", 1) or 0.0 for name in ("apart_held", "apart"))
    by_heart = now > BY_HEART and held < train - 0.15
    return Finding(
        name="memorisation",
        severity="bad" if by_heart else "warning",
        title=f"The discriminator learns the data by heart since image {since:,}: too few samples, or seen too often",
        words=f"It judges samples that it was trained on above held-out ones {now:.0%} of the time (half would be right). "
        f"Training samples beat generated ones {train:.0%} of the time, held-out ones {held:.0%}."
        + _seen(history),
        since=since,
        figures={"memorised": now, "apart": train, "apart_held": held},
        advice=_against_memory(history),
        checkpoint=history.good_checkpoint(since),
    )


def few_samples(history: History) -> Finding | None:
    """So few samples, seen so often, that they are likely learned by heart; it could not be measured."""
    if history.vital("memorised") or not 0 < history.count < FEW or advice.augmentation(history) is None:
        return None
    if history.images < OFTEN * history.count:
        return None
    return Finding(
        name="few_samples",
        severity="note",
        title="Few samples without augmentation: they may be learned by heart",
        words=_seen(history).strip() + " Nothing was held out, so it can't be measured.",
        figures={"samples": history.count, "times seen": history.images / history.count},
        advice=_against_memory(history),
    )


def _seen(history: History) -> str:
    if not history.count:
        return ""
    return f" There are {history.count:,} samples, each seen {history.images / history.count:,.0f} times."


def _against_memory(history: History) -> tuple[Advice, ...]:
    more = Advice("find more data, or stop earlier")
    return advice.chosen(advice.augmentation(history), advice.mirror(history), advice.penalty(history), more)


def copies(history: History) -> Finding | None:
    """The generator's samples are near copies of training samples."""
    for line in reversed(history.evaluations):
        if metric_of(line) != "auth":
            continue
        now, real = value_of(line), _real(line)
        if now is None or now >= COPIED * real:
            return None
        return Finding(
            name="copies",
            severity="bad",
            title="The generator copies training samples",
            words=f"{now:.0%} of its samples are no near copies of a training sample; of real samples {real:.0%}.",
            figures={"authenticity": now, "of real samples": real},
            advice=_against_memory(history),
        )
    return None


def _real(line: Any) -> float:
    for name in ("train_against_test", "floor"):
        row = line.get(name)
        values = row.get("values") if isinstance(row, dict) else None
        value = number(values.get("authenticity")) if isinstance(values, dict) else None
        if value is not None:
            return value
    return 0.5


def got_worse(history: History) -> Finding | None:
    """A metric whose latest value is clearly worse than its best."""
    for name in dict.fromkeys(str(line.get("protocol")) for line in history.evaluations):
        lines = [line for line in history.evaluations if str(line.get("protocol")) == name]
        found = [
            (at, value) for line in lines if (value := value_of(line)) is not None and (at := images_of(line))
        ]
        if len(found) < 3:
            continue
        lower = MEANINGS[metric_of(lines[-1])].better == "lower"
        best = min(found, key=lambda point: point[1] if lower else -point[1])
        last = [value for _, value in found[-2:]]
        loss = min(value - best[1] if lower else best[1] - value for value in last)
        if loss <= max(WORSE * abs(best[1]), reach(lines[-1])) or _as_real(lines[-1], last[-1], lower):
            continue
        kept = max((images for images in history.checkpoints if 0 < images <= best[0]), default=None)
        return Finding(
            name="got_worse",
            severity="warning",
            title=f"It gets worse since image {best[0]:,}, by {name}",
            words=f"The best value was {best[1]:.4g}, at image {best[0]:,}; the last two are {last[0]:.4g} and {last[1]:.4g}.",
            since=best[0],
            figures={"best": best[1], "now": last[1]},
            advice=advice.chosen(
                Advice(f"stop there: --images {best[0]}"),
                advice.augmentation(history),
                advice.both_slower(history, 0.5),
            ),
            checkpoint=kept,
        )
    return None


def _as_real(line: Any, value: float, lower: bool) -> bool:
    """Whether it is as good as what real samples get: then its ups and downs mean nothing."""
    floor = line.get("floor")
    real = value_of({**line, "values": floor.get("values")}) if isinstance(floor, dict) else None
    return real is not None and (value <= real if lower else value >= real)


def metric_of(line: Any) -> str:
    """The short name of a metric: the letters that a protocol's name begins with."""
    name = str(line.get("protocol", ""))
    return next((metric for metric in sorted(MEANINGS, key=len, reverse=True) if _is(name, metric)), "")


def _is(name: str, metric: str) -> bool:
    return name.startswith(metric) and name[len(metric) : len(metric) + 1].isdigit()


def value_of(line: Any) -> float | None:
    """The headline of an evaluation; None where it is not a known one."""
    metric, values = metric_of(line), line.get("values")
    return number(values.get(MEANINGS[metric].headline)) if metric and isinstance(values, dict) else None


def images_of(line: Any) -> int:
    """The checkpoint that an evaluation is of; 0 where that is unknown."""
    compared = line.get("compared")
    for found in (line.get("images"), compared.get("images") if isinstance(compared, dict) else None):
        if isinstance(found, int):
            return found
    return 0


def reach(line: Any) -> float:
    """How far the interval of an evaluation reaches."""
    interval = line.get("interval")
    low, high = (number(interval.get(end)) if isinstance(interval, dict) else None for end in ("low", "high"))
    return high - low if low is not None and high is not None else 0.0
