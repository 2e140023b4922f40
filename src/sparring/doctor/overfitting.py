"""Overfitting: a discriminator that memorises, copies of training samples, a metric that gets worse."""

from typing import Any

from sparring.doctor import advice
from sparring.doctor.finding import Advice, Finding
from sparring.doctor.history import History, as_number, trailing_span
from sparring.protocols.catalogue import METRICS_INFO

MEMORISED_ABOVE, OVERFITTED_ABOVE = 0.9, 0.75  # how often a training sample is judged above a held-out one
FEW_SAMPLES, MANY_EPOCHS = 2_000, 100  # samples; times that each was seen
COPY_RATIO = 0.5  # of the authenticity that real samples have
REGRESSION = 0.2  # of the best value


def detect_overfitting(history: History) -> Finding | None:
    """The discriminator knows the samples that it was trained on from those that it was not."""
    series = history.diagnostic("memorised")
    since, length = trailing_span(series, lambda value: value > OVERFITTED_ABOVE)
    if since is None or length < 2:
        return None
    now = series[-1][1]
    held, train = (history.recent_median(f"vitals/{name}", 1) or 0.0 for name in ("apart_held", "apart"))
    by_heart = now > MEMORISED_ABOVE and held < train - 0.15
    return Finding(
        name="memorisation",
        severity="bad" if by_heart else "warning",
        title=f"The discriminator learns the data by heart since image {since:,}: too few samples, or seen too often",
        message=f"It judges samples that it was trained on above held-out ones {now:.0%} of the time (half would be right). "
        f"Training samples beat generated ones {train:.0%} of the time, held-out ones {held:.0%}."
        + _describe_repeats(history),
        since=since,
        values={"memorised": now, "apart": train, "apart_held": held},
        advice=_advise_against_overfitting(history),
        checkpoint=history.last_good_checkpoint(since),
    )


def detect_few_samples(history: History) -> Finding | None:
    """So few samples, seen so often, that they are likely learned by heart; it could not be measured."""
    if (
        history.diagnostic("memorised")
        or not 0 < history.count < FEW_SAMPLES
        or advice.add_augmentation(history) is None
    ):
        return None
    if history.images < MANY_EPOCHS * history.count:
        return None
    return Finding(
        name="few_samples",
        severity="note",
        title="Few samples without augmentation: they may be learned by heart",
        message=_describe_repeats(history).strip() + " Nothing was held out, so it can't be measured.",
        values={"samples": history.count, "times seen": history.images / history.count},
        advice=_advise_against_overfitting(history),
    )


def _describe_repeats(history: History) -> str:
    if not history.count:
        return ""
    return f" There are {history.count:,} samples, each seen {history.images / history.count:,.0f} times."


def _advise_against_overfitting(history: History) -> tuple[Advice, ...]:
    more = Advice("find more data, or stop earlier")
    return advice.select(
        advice.add_augmentation(history),
        advice.add_flips(history),
        advice.add_gradient_penalty(history),
        more,
    )


def detect_copies(history: History) -> Finding | None:
    """The generator's samples are near copies of training samples."""
    for line in reversed(history.evaluations):
        if metric_name(line) != "auth":
            continue
        now, real = headline_value(line), _real_authenticity(line)
        if now is None or now >= COPY_RATIO * real:
            return None
        return Finding(
            name="copies",
            severity="bad",
            title="The generator copies training samples",
            message=f"{now:.0%} of its samples are no near copies of a training sample; of real samples {real:.0%}.",
            values={"authenticity": now, "of real samples": real},
            advice=_advise_against_overfitting(history),
        )
    return None


def _real_authenticity(line: Any) -> float:
    for name in ("train_against_test", "floor"):
        row = line.get(name)
        values = row.get("values") if isinstance(row, dict) else None
        value = as_number(values.get("authenticity")) if isinstance(values, dict) else None
        if value is not None:
            return value
    return 0.5


def detect_metric_regression(history: History) -> Finding | None:
    """A metric whose latest value is clearly worse than its best."""
    for name in dict.fromkeys(str(line.get("protocol")) for line in history.evaluations):
        lines = [line for line in history.evaluations if str(line.get("protocol")) == name]
        found = [
            (at, value)
            for line in lines
            if (value := headline_value(line)) is not None and (at := images_of(line))
        ]
        if len(found) < 3:
            continue
        lower = METRICS_INFO[metric_name(lines[-1])].better == "lower"
        best = min(found, key=lambda point: point[1] if lower else -point[1])
        last = [value for _, value in found[-2:]]
        loss = min(value - best[1] if lower else best[1] - value for value in last)
        if loss <= max(REGRESSION * abs(best[1]), interval_width(lines[-1])) or _is_as_good_as_real(
            lines[-1], last[-1], lower
        ):
            continue
        kept = max((images for images in history.checkpoints if 0 < images <= best[0]), default=None)
        return Finding(
            name="got_worse",
            severity="warning",
            title=f"It gets worse since image {best[0]:,}, by {name}",
            message=f"The best value was {best[1]:.4g}, at image {best[0]:,}; the last two are {last[0]:.4g} and {last[1]:.4g}.",
            since=best[0],
            values={"best": best[1], "now": last[1]},
            advice=advice.select(
                Advice(f"stop there: --images {best[0]}"),
                advice.add_augmentation(history),
                advice.lower_learning_rates(history, 0.5),
            ),
            checkpoint=kept,
        )
    return None


def _is_as_good_as_real(line: Any, value: float, lower: bool) -> bool:
    """Whether it is as good as what real samples get: then its ups and downs mean nothing."""
    floor = line.get("floor")
    real = headline_value({**line, "values": floor.get("values")}) if isinstance(floor, dict) else None
    return real is not None and (value <= real if lower else value >= real)


def metric_name(line: Any) -> str:
    """The short name of a metric: the letters that a protocol's name begins with."""
    name = str(line.get("protocol", ""))
    return next(
        (metric for metric in sorted(METRICS_INFO, key=len, reverse=True) if _has_metric(name, metric)), ""
    )


def _has_metric(name: str, metric: str) -> bool:
    return name.startswith(metric) and name[len(metric) : len(metric) + 1].isdigit()


def headline_value(line: Any) -> float | None:
    """The headline of an evaluation; None where it is not a known one."""
    metric, values = metric_name(line), line.get("values")
    return (
        as_number(values.get(METRICS_INFO[metric].headline)) if metric and isinstance(values, dict) else None
    )


def images_of(line: Any) -> int:
    """The checkpoint that an evaluation is of; 0 where that is unknown."""
    compared = line.get("compared")
    for found in (line.get("images"), compared.get("images") if isinstance(compared, dict) else None):
        if isinstance(found, int):
            return found
    return 0


def interval_width(line: Any) -> float:
    """How far the interval of an evaluation reaches."""
    interval = line.get("interval")
    low, high = (
        as_number(interval.get(end)) if isinstance(interval, dict) else None for end in ("low", "high")
    )
    return high - low if low is not None and high is not None else 0.0
