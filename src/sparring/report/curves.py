"""Curves as SVG, drawn by hand: the losses, how often the discriminator is right, the speed."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from sparring.report.axes import Axis, short, spread, ticks
from sparring.report.values import number

WIDTH, HEIGHT = 480, 230
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 8, 24
POINTS = 300  # of a curve; of longer records the means of as many spans are drawn
COLOURS = 6
RIGHT_OFTEN = "how often the discriminator is right, of 1"
VITALS = {"logit": "the discriminator's judgements", "modes": "modes with samples"}

Series = list[tuple[float, float]]


def charts(rows: Sequence[Mapping[str, Any]]) -> str:
    """All curves of a record."""
    found = [(title, chart(title, series)) for title, series in grouped(rows).items()]
    figures = [
        f"<figure>{drawing}<figcaption>{escape(title)}</figcaption></figure>"
        for title, drawing in found
        if drawing
    ]
    return f'<div class="charts">{"".join(figures)}</div>' if figures else ""


def grouped(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Series]]:
    """The record's columns by chart."""
    groups: dict[str, dict[str, Series]] = {}
    names = dict.fromkeys(name for row in rows for name in row)
    for name in names:
        title, label = placed(str(name))
        points = [
            (row["images"], row[name])
            for row in rows
            if name in row and number(row.get("images")) and number(row[name])
        ]
        if title and points:
            groups.setdefault(title, {})[label] = [(float(x), float(y)) for x, y in points]
    return dict(sorted(groups.items(), key=lambda item: ("speed" in item[0], "right" in item[0], item[0])))


def placed(name: str) -> tuple[str, str]:
    """The chart and the label of a column; no chart for counters."""
    if name in ("images", "step", "seconds"):
        return "", name
    if name == "images_per_second":
        return "speed, images a second", "images/s"
    if name.startswith("accuracy_"):
        words = {"real": "on real", "fake": "on generated"}
        return RIGHT_OFTEN, words.get(name.removeprefix("accuracy_"), name)
    player, slash, term = name.partition("/")
    if player == "vitals":
        return VITALS.get(term.partition("_")[0], "vital signs, of 1"), term.replace("_", " ")
    if player == "metric":
        return "judged while it was trained", term
    return (f"losses of the {player}", term) if slash else ("other", name)


def chart(title: str, series: Mapping[str, Series]) -> str:
    """Some curves over images seen, with a legend that gives their last values."""
    xs = [x for points in series.values() for x, _ in points]
    ys = sorted(y for points in series.values() for _, y in points)
    low, high = (0.0, 1.0) if title == RIGHT_OFTEN else spread(ys)
    across = Axis(min(xs), max(xs) if max(xs) > min(xs) else min(xs) + 1, LEFT, WIDTH - RIGHT)
    down = Axis(low, high, HEIGHT - BOTTOM, TOP)
    lines = [curve(points, across, down, at) for at, points in enumerate(series.values())]
    legend = "".join(key(label, points[-1][1], at) for at, (label, points) in enumerate(series.items()))
    drawing = "".join([*grid(across, down), *lines])
    label = escape(", ".join(series))
    frame = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{drawing}</svg>'
    return f'<div class="legend">{legend}</div>{frame}'


def curve(points: Series, across: Axis, down: Axis, colour: int) -> str:
    """One line; a dot where there is but one point."""
    stroke = f"var(--c{colour % COLOURS})"
    places = [f"{across.at(x)},{down.at(y)}" for x, y in thinned(points)]
    if len(places) == 1:
        x, y = places[0].split(",")
        return f'<circle cx="{x}" cy="{y}" r="3" style="fill:{stroke}"/>'
    style = f"fill:none;stroke:{stroke};stroke-width:1.6;stroke-linejoin:round"
    return f'<polyline points="{" ".join(places)}" style="{style}"/>'


def thinned(points: Series) -> Series:
    """At most `POINTS` of them: means over spans."""
    if len(points) <= POINTS:
        return points
    spans = [points[len(points) * at // POINTS : len(points) * (at + 1) // POINTS] for at in range(POINTS)]
    return [(sum(x for x, _ in span) / len(span), sum(y for _, y in span) / len(span)) for span in spans]


def grid(across: Axis, down: Axis) -> list[str]:
    """Lines and numbers at round values."""
    marks = []
    for value in ticks(down.low, down.high, 5):
        y = down.at(value)
        marks.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" style="stroke:var(--line)"/>')
        marks.append(f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{short(value)}</text>')
    for value in ticks(across.low, across.high, 5):
        marks.append(
            f'<text x="{across.at(value)}" y="{HEIGHT - 6}" text-anchor="middle">{short(value)}</text>'
        )
    return marks


def key(label: str, last: float, colour: int) -> str:
    """An entry of the legend."""
    mark = f'<i style="background:var(--c{colour % COLOURS})"></i>'
    return f'<span>{mark}{escape(label)} <span class="soft">{escape(short(last))}</span></span>'
