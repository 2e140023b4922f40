"""Training curves as SVG: losses, discriminator accuracy, diagnostics, metrics, speed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from sparring.report.html import is_number

WIDTH, HEIGHT = 480, 230
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 8, 24  # margins
MAX_POINTS = 300  # of a curve; longer ones are averaged over as many spans
NUM_COLOURS = 6
NUM_TICKS = 5
COUNTERS = ("images", "step", "seconds")  # columns without a chart
SPEED_TITLE, ACCURACY_TITLE = "speed, images per second", "discriminator accuracy"
ADAPTIVE_TITLE = "adaptive augmentation"
DIAGNOSTIC_TITLE, DIAGNOSTIC_TITLES = (
    "diagnostics",
    {  # by the first word of the name, if it is one of these
        "auc": "AUC of the discriminator",
        "clipped": "share of clipped pixels",
        "logit": "discriminator logits",
        "modes": "modes with samples",
    },
)
LOGGED_TITLES = {  # terms that are logged and no losses
    "accuracy": "accuracy",
    "psnr": "PSNR in training, dB",
    "l1": "mean absolute difference in training",
    "elbo": "evidence lower bound and its parts, nats",
    "re": "evidence lower bound and its parts, nats",
    "kl": "evidence lower bound and its parts, nats",
}

Series = list[tuple[float, float]]  # (images seen, value)


@dataclass(frozen=True)
class Axis:
    """A linear map from values in [low, high] to pixels from `start` to `end`; values outside are clamped."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """The pixel of a value, to a tenth."""
        fraction = (value - self.low) / (self.high - self.low)
        return round(self.start + min(max(fraction, 0.0), 1.0) * (self.end - self.start), 1)


def display_range(values: Sequence[float]) -> tuple[float, float]:
    """The range of a chart: ascending values without the outermost hundredth at each end, with a margin, and from 0 where
    none is negative.
    """
    cut = len(values) // 100
    low, high = values[cut], values[-1 - cut]
    margin = 0.06 * (high - low) or max(abs(high), 1.0) * 0.1
    return 0.0 if low >= 0 else low - margin, high + margin


def ticks(low: float, high: float, count: int) -> list[float]:
    """About `count` round numbers from `low` to `high`.

    >>> ticks(0.0, 1.0, 5)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    rough = (high - low) / count
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(index * step, 12) for index in range(first, last + 1)]


def format_short(value: float) -> str:
    """A number in few characters.

    >>> format_short(0.25), format_short(12000.0), format_short(2500000.0)
    ('0.25', '12k', '2.5M')
    """
    for limit, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:g}{suffix}"
    return f"{value:.3g}"


def render_charts(rows: Sequence[Mapping[str, Any]]) -> str:
    """The charts of a record as HTML; empty without curves.

    Arguments:
        rows: of metrics.jsonl.
    """
    figures = [
        f"<figure>{render_chart(title, series)}<figcaption>{escape(title)}</figcaption></figure>"
        for title, series in group_columns(rows).items()
    ]
    return f'<div class="charts">{"".join(figures)}</div>' if figures else ""


def group_columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Series]]:
    """The curves of a record by title of the chart and label; losses first, accuracy and speed last."""
    groups: dict[str, dict[str, Series]] = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        title, label = chart_of_column(str(name))
        points = [
            (float(row["images"]), float(row[name]))
            for row in rows
            if name in row and is_number(row.get("images")) and is_number(row[name])
        ]
        if title and points:
            groups.setdefault(title, {})[label] = points
    last = (ACCURACY_TITLE, SPEED_TITLE)
    return dict(sorted(groups.items(), key=lambda item: (item[0] in last, item[0])))


def chart_of_column(name: str) -> tuple[str, str]:
    """The chart of a column of metrics.jsonl, and its label there; the chart of a counter is empty.

    >>> chart_of_column("generator/adversarial"), chart_of_column("discriminator/accuracy_fake")
    (('losses of the generator', 'adversarial'), ('discriminator accuracy', 'on generated'))
    """
    if name in COUNTERS:
        return "", name
    if name == "images_per_second":
        return SPEED_TITLE, "images/s"
    player, slash, term = name.partition("/")
    if player == "diag":
        label = term.removeprefix("auc_").removeprefix("logit_").replace("_", " ")
        return DIAGNOSTIC_TITLES.get(term.partition("_")[0], DIAGNOSTIC_TITLE), label
    if player == "metric":
        return "metric", term
    if player.startswith("discriminator") and term.startswith("accuracy"):
        labels = {"real": "on real", "fake": "on generated", "a": "domain A", "b": "domain B"}
        return ACCURACY_TITLE, labels.get(term.removeprefix("accuracy_"), term)
    if term.startswith("ada_"):
        return ADAPTIVE_TITLE, term.removeprefix("ada_").replace("_", " ")
    if term in LOGGED_TITLES:
        return LOGGED_TITLES[term], term
    return (f"losses of the {player}", term) if slash else ("other", name)


def render_chart(title: str, series: Mapping[str, Series]) -> str:
    """Curves over images seen as SVG, under a legend with their last values."""
    xs = [x for points in series.values() for x, _ in points]
    ys = sorted(y for points in series.values() for _, y in points)
    low, high = (0.0, 1.0) if title == ACCURACY_TITLE else display_range(ys)
    start, end = (min(xs), max(xs)) if max(xs) > min(xs) else (0.0, max(xs[0], 1.0))
    x_axis = Axis(start, end, LEFT, WIDTH - RIGHT)
    y_axis = Axis(low, high, HEIGHT - BOTTOM, TOP)
    lines = [render_curve(points, x_axis, y_axis, index) for index, points in enumerate(series.values())]
    legend = "".join(
        legend_entry(label, points[-1][1], index) for index, (label, points) in enumerate(series.items())
    )
    drawing = "".join([*render_grid(x_axis, y_axis), *lines])
    label = escape(", ".join(series))
    frame = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{drawing}</svg>'
    return f'<div class="legend">{legend}</div>{frame}'


def render_curve(points: Series, x_axis: Axis, y_axis: Axis, colour: int) -> str:
    """One curve as SVG; a dot for a single point. `colour` counts the curves of a chart."""
    stroke = f"var(--c{colour % NUM_COLOURS})"
    places = [f"{x_axis.at(x)},{y_axis.at(y)}" for x, y in downsample(points)]
    if len(places) == 1:
        x, y = places[0].split(",")
        return f'<circle cx="{x}" cy="{y}" r="3" style="fill:{stroke}"/>'
    style = f"fill:none;stroke:{stroke};stroke-width:1.6;stroke-linejoin:round"
    return f'<polyline points="{" ".join(places)}" style="{style}"/>'


def downsample(points: Series) -> Series:
    """At most `MAX_POINTS` points: means over spans of equal length."""
    if len(points) <= MAX_POINTS:
        return points
    spans = [
        points[len(points) * index // MAX_POINTS : len(points) * (index + 1) // MAX_POINTS]
        for index in range(MAX_POINTS)
    ]
    return [(sum(x for x, _ in span) / len(span), sum(y for _, y in span) / len(span)) for span in spans]


def render_grid(x_axis: Axis, y_axis: Axis) -> list[str]:
    """Grid lines and tick labels as SVG."""
    marks = []
    for value in ticks(y_axis.low, y_axis.high, NUM_TICKS):
        y = y_axis.at(value)
        marks.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" style="stroke:var(--line)"/>')
        marks.append(f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{format_short(value)}</text>')
    for value in ticks(x_axis.low, x_axis.high, NUM_TICKS):
        x = x_axis.at(value)
        marks.append(f'<text x="{x}" y="{HEIGHT - 6}" text-anchor="middle">{format_short(value)}</text>')
    return marks


def legend_entry(label: str, last: float, colour: int) -> str:
    """An entry of the legend as HTML: label and last value."""
    mark = f'<i style="background:var(--c{colour % NUM_COLOURS})"></i>'
    return f'<span>{mark}{escape(label)} <span class="soft">{escape(format_short(last))}</span></span>'
