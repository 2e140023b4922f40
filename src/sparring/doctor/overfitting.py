"""Overfitting: a discriminator that memorises, copies of training samples, a metric that gets worse."""

from collections.abc import Mapping
from typing import Any

from sparring.doctor import advice
from sparring.doctor.finding import Advice, Finding
from sparring.doctor.history import History, as_number, trailing_span
from sparring.protocols.catalogue import METRICS_INFO
from sparring.runs.best import Verdict, compare_evaluations, format_value, is_clearly_worse

MEMORISED_ABOVE, OVERFITTED_ABOVE = 0.9, 0.75  # AUC of training against held-out samples
HELD_OUT_GAP = 0.15  # of the AUC against generated samples, between training and held-out samples
FEW_SAMPLES, MANY_EPOCHS = 2_000, 100
COPY_RATIO = 0.5  # of the authenticity of real samples
UNKNOWN_AUTHENTICITY = 0.5  # of real samples, where it was not measured


def detect_overfitting(history: History) -> Finding | None:
    """The discriminator tells training samples from held-out ones: it memorises the data."""
    series = history.diagnostic("auc_train_vs_held_out")
    since, length = trailing_span(series, lambda value: value > OVERFITTED_ABOVE)
    if since is None or length < 2:
        return None
    now = series[-1][1]
    train = history.recent_median("diag/auc_real_vs_fake", 1) or 0.0
    held_out = history.recent_median("diag/auc_held_out_vs_fake", 1) or 0.0
    memorises = now > MEMORISED_ABOVE and held_out < train - HELD_OUT_GAP
    return Finding(
        name="discriminator_overfits",
        severity="bad" if memorises else "warning",
        title=f"The discriminator overfits since image {since:,}: too few samples, or too many epochs",
        message=f"It ranks a training sample above a held-out one in {now:.0%} of pairs (50% without overfitting), a "
        f"training sample above a generated one in {train:.0%}, a held-out sample above a generated one in {held_out:.0%}."
        + _describe_epochs(history),
        since=since,
        values={
            "auc_train_vs_held_out": now,
            "auc_real_vs_fake": train,
            "auc_held_out_vs_fake": held_out,
        },
        advice=_advise_against_overfitting(history),
        checkpoint=history.last_good_checkpoint(since),
    )


def detect_few_samples(history: History) -> Finding | None:
    """Few samples and many epochs without augmentation, where no held-out samples could show overfitting."""
    if history.diagnostic("auc_train_vs_held_out") or not 0 < history.num_train < FEW_SAMPLES:
        return None
    if advice.add_augmentation(history) is None or history.images < MANY_EPOCHS * history.num_train:
        return None
    return Finding(
        name="few_samples",
        severity="note",
        title="Few samples without augmentation: the discriminator may memorise them",
        message=_describe_epochs(history).strip()
        + " Overfitting can't be measured without held-out samples.",
        values={"num_train": history.num_train, "epochs": history.images / history.num_train},
        advice=_advise_against_overfitting(history),
    )


def _describe_epochs(history: History) -> str:
    if not history.num_train:
        return ""
    epochs = history.images / history.num_train
    return f" There are {history.num_train:,} training samples, each seen {epochs:,.0f} times."


def _advise_against_overfitting(history: History) -> tuple[Advice, ...]:
    return advice.select(
        advice.add_augmentation(history),
        advice.add_flips(history),
        advice.add_gradient_penalty(history),
        Advice("collect more data, or stop earlier"),
    )


def detect_copies(history: History) -> Finding | None:
    """The latest authenticity is far below that of real samples: the generator copies training samples."""
    for line in reversed(history.evaluations):
        if metric_name(line) != "auth":
            continue
        now, real = headline_value(line), _real_authenticity(line)
        if now is None or now >= COPY_RATIO * real:
            return None
        return Finding(
            name="copies_training_data",
            severity="bad",
            title="The generator copies training samples",
            message=f"{now:.0%} of the generated samples are authentic (not near-copies of a training sample); of real "
            f"samples {real:.0%}.",
            values={"authenticity": now, "authenticity_real": real},
            advice=_advise_against_overfitting(history),
        )
    return None


def _real_authenticity(line: Mapping[str, Any]) -> float:
    for name in ("train_against_test", "floor"):
        row = line.get(name)
        values = row.get("values") if isinstance(row, dict) else None
        value = as_number(values.get("authenticity")) if isinstance(values, dict) else None
        if value is not None:
            return value
    return UNKNOWN_AUTHENTICITY


def detect_metric_regression(history: History) -> Finding | None:
    """The last two evaluations of the run are clearly worse than its best, by the verdict of `runs/best.py`."""
    rows = _rows(history)
    verdict = compare_evaluations(rows)
    if verdict is None or not verdict.is_worse or not is_clearly_worse(rows[-2], verdict.best):
        return None
    best, newest, protocol = verdict.best, verdict.newest, verdict.newest["protocol"]
    return Finding(
        name="metric_regression",
        severity="warning",
        title=f"{protocol} has got worse since image {best['images']:,}",
        message=f"Its best value was {format_value(best)}, at image {best['images']:,}; the last two are "
        f"{format_value(rows[-2])} and {format_value(newest)}.",
        since=best["images"],
        values={"best": best["value"], "now": newest["value"]},
        advice=advice.select(
            Advice(f"stop there: --images {best['images']}"),
            advice.add_augmentation(history),
            advice.lower_learning_rates(history, 0.5),
        ),
        checkpoint=max((at for at in history.checkpoints if 0 < at <= best["images"]), default=None),
    )


def metric_verdict(history: History) -> Verdict | None:
    """What the evaluations of the run say; None without any."""
    return compare_evaluations(_rows(history))


def _rows(history: History) -> list[dict[str, Any]]:
    return [row for line in history.evaluations if (row := _as_row(line)) is not None]


def _as_row(line: Mapping[str, Any]) -> dict[str, Any] | None:
    """An evaluation with its images, value and direction; None where one of these is missing."""
    value, images, metric = headline_value(line), images_of(line), metric_name(line)
    if value is None or not images:
        return None
    return {**line, "images": images, "value": value, "better": METRICS_INFO[metric].better}


def metric_name(line: Mapping[str, Any]) -> str:
    """The metric of an evaluation, from its protocol's name; empty if it is not a known one.

    >>> metric_name({"protocol": "fd10k-pca-test"}), metric_name({"protocol": "fdinf5k-pca-test"}), metric_name({})
    ('fd', 'fdinf', '')
    """
    protocol = str(line.get("protocol", ""))
    return next((metric for metric in METRICS_INFO if _is_protocol_of(protocol, metric)), "")


def _is_protocol_of(protocol: str, metric: str) -> bool:
    return protocol.startswith(metric) and protocol[len(metric) : len(metric) + 1].isdigit()


def headline_value(line: Mapping[str, Any]) -> float | None:
    """The main value of an evaluation; None if it is missing or its metric is unknown."""
    metric, values = metric_name(line), line.get("values")
    if not metric or not isinstance(values, dict):
        return None
    return as_number(values.get(METRICS_INFO[metric].headline))


def images_of(line: Mapping[str, Any]) -> int:
    """Images seen by the evaluated model; 0 if unknown."""
    provenance = line.get("provenance")
    for images in (line.get("images"), provenance.get("images") if isinstance(provenance, dict) else None):
        if isinstance(images, int):
            return images
    return 0
