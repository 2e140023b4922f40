"""Training curves as SVG: losses, discriminator accuracy, diagnostics, metrics, speed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from sparring.report.html import is_number


@dataclass(frozen=True)
class Axis:
    """A linear scale from `low` to `high` in the data to `start` to `end` on the paper."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + min(max(share, 0.0), 1.0) * (self.end - self.start), 1)


def display_range(ys: Sequence[float]) -> tuple[float, float]:
    """The range to show: all but the outermost hundredth at each end, with some room."""
    cut = len(ys) // 100
    low, high = ys[cut], ys[-1 - cut]
    room = 0.06 * (high - low) or max(abs(high), 1.0) * 0.1
    bottom = 0.0 if low >= 0 else low - room
    return bottom, high + room


def ticks(low: float, high: float, count: int) -> list[float]:
    """About `count` round numbers between.

    >>> ticks(0.0, 1.0, 5)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    rough = (high - low) / count
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(at * step, 12) for at in range(first, last + 1)]


def format_short(value: float) -> str:
    """A number with few letters.

    >>> format_short(0.25), format_short(12000.0), format_short(2500000.0)
    ('0.25', '12k', '2.5M')
    """
    for limit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:g}{letter}"
    return f"{value:.3g}"


WIDTH, HEIGHT = 480, 230
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 8, 24
MAX_POINTS = 300  # of a curve; of longer records the means of as many spans are drawn
NUM_COLOURS = 6
ACCURACY_TITLE = "how often the discriminator is right, of 1"
DIAGNOSTIC_TITLES = {"logit": "the discriminator's judgements", "modes": "modes with samples"}

Series = list[tuple[float, float]]


def render_charts(rows: Sequence[Mapping[str, Any]]) -> str:
    """All curves of a record."""
    found = [(title, render_chart(title, series)) for title, series in group_columns(rows).items()]
    figures = [
        f"<figure>{drawing}<figcaption>{escape(title)}</figcaption></figure>"
        for title, drawing in found
        if drawing
    ]
    return f'<div class="charts">{"".join(figures)}</div>' if figures else ""


def group_columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Series]]:
    """The record's columns by chart."""
    groups: dict[str, dict[str, Series]] = {}
    names = dict.fromkeys(name for row in rows for name in row)
    for name in names:
        title, label = chart_of_column(str(name))
        points = [
            (row["images"], row[name])
            for row in rows
            if name in row and is_number(row.get("images")) and is_number(row[name])
        ]
        if title and points:
            groups.setdefault(title, {})[label] = [(float(x), float(y)) for x, y in points]
    return dict(sorted(groups.items(), key=lambda item: ("speed" in item[0], "right" in item[0], item[0])))


def chart_of_column(name: str) -> tuple[str, str]:
    """The chart and the label of a column; no chart for counters."""
    if name in ("images", "step", "seconds"):
        return "", name
    if name == "images_per_second":
        return "speed, images a second", "images/s"
    player, slash, term = name.partition("/")
    if term.startswith("accuracy") and player.startswith("discriminator"):
        labels = {"accuracy_real": "on real", "accuracy_fake": "on generated"}
        return ACCURACY_TITLE, labels.get(term, term.replace("_", " "))
    if player == "vitals":
        return DIAGNOSTIC_TITLES.get(term.partition("_")[0], "vital signs, of 1"), term.replace("_", " ")
    if player == "metric":
        return "judged while it was trained", term
    return (f"losses of the {player}", term) if slash else ("other", name)


def render_chart(title: str, series: Mapping[str, Series]) -> str:
    """Some curves over images seen, with a legend that gives their last values."""
    xs = [x for points in series.values() for x, _ in points]
    ys = sorted(y for points in series.values() for _, y in points)
    low, high = (0.0, 1.0) if title == ACCURACY_TITLE else display_range(ys)
    across = Axis(min(xs), max(xs) if max(xs) > min(xs) else min(xs) + 1, LEFT, WIDTH - RIGHT)
    down = Axis(low, high, HEIGHT - BOTTOM, TOP)
    lines = [render_curve(points, across, down, at) for at, points in enumerate(series.values())]
    legend = "".join(
        legend_entry(label, points[-1][1], at) for at, (label, points) in enumerate(series.items())
    )
    drawing = "".join([*render_grid(across, down), *lines])
    label = escape(", ".join(series))
    frame = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{drawing}</svg>'
    return f'<div class="legend">{legend}</div>{frame}'


def render_curve(points: Series, across: Axis, down: Axis, colour: int) -> str:
    """One line; a dot where there is but one point."""
    stroke = f"var(--c{colour % NUM_COLOURS})"
    places = [f"{across.at(x)},{down.at(y)}" for x, y in downsample(points)]
    if len(places) == 1:
        x, y = places[0].split(",")
        return f'<circle cx="{x}" cy="{y}" r="3" style="fill:{stroke}"/>'
    style = f"fill:none;stroke:{stroke};stroke-width:1.6;stroke-linejoin:round"
    return f'<polyline points="{" ".join(places)}" style="{style}"/>'


def downsample(points: Series) -> Series:
    """At most `MAX_POINTS` of them: means over spans."""
    if len(points) <= MAX_POINTS:
        return points
    spans = [
        points[len(points) * at // MAX_POINTS : len(points) * (at + 1) // MAX_POINTS]
        for at in range(MAX_POINTS)
    ]
    return [(sum(x for x, _ in span) / len(span), sum(y for _, y in span) / len(span)) for span in spans]


def render_grid(across: Axis, down: Axis) -> list[str]:
    """Lines and numbers at round values."""
    marks = []
    for value in ticks(down.low, down.high, 5):
        y = down.at(value)
        marks.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" style="stroke:var(--line)"/>')
        marks.append(f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{format_short(value)}</text>')
    for value in ticks(across.low, across.high, 5):
        marks.append(
            f'<text x="{across.at(value)}" y="{HEIGHT - 6}" text-anchor="middle">{format_short(value)}</text>'
        )
    return marks


def legend_entry(label: str, last: float, colour: int) -> str:
    """An entry of the legend."""
    mark = f'<i style="background:var(--c{colour % NUM_COLOURS})"></i>'
    return f'<span>{mark}{escape(label)} <span class="soft">{escape(format_short(last))}</span></span>'
