"""Sheets, charts and tables of `curve.py`."""

import math
import statistics
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from curve_measures import BETTER
from sparring.data import grid_image
from sparring.report.charts import BOTTOM, HEIGHT, LEFT, RIGHT, WIDTH, Axis, format_short, ticks

SHEET_SIDE, MARGIN, HEADING = 8, 120, 24
COLOURS = ("#1f77b4", "#d6531f", "#2ca02c", "#9467bd", "#8c564b", "#e377c2", "#17a2b8", "#808000")
LETTERS = ImageFont.load_default(14)
TITLE_HEIGHT = 40
Result = dict[str, Any]  # of one run, as in result.json


def sheet(images: np.ndarray) -> Image.Image:
    """The first 64 images, 8 x 8, as they come."""
    return grid_image(images[: SHEET_SIDE**2], SHEET_SIDE).convert("RGB")


def combined_sheet(cells: dict[tuple[str, str], np.ndarray], real: np.ndarray) -> Image.Image:
    """Rows: recipes and sources; columns: lengths; above them a strip of real images.

    Arguments:
        cells: samples by (row, column), in order.
        real: held-out images.
    """
    rows = list(dict.fromkeys(row for row, _ in cells))
    columns = list(dict.fromkeys(column for _, column in cells))
    sheets = {key: sheet(images) for key, images in cells.items()}
    wide, high = next(iter(sheets.values())).size
    across = SHEET_SIDE * max(1, len(columns))
    strip = grid_image(real[: 2 * across], across).convert("RGB")
    width = MARGIN + max(len(columns) * wide, strip.width)
    top = HEADING + strip.height + HEADING
    canvas = Image.new("RGB", (width, top + len(rows) * (high + 4)), "white")
    pen = ImageDraw.Draw(canvas)
    pen.text((6, HEADING + 6), "real", "black", LETTERS)
    canvas.paste(strip, (MARGIN, HEADING))
    for number, column in enumerate(columns):
        pen.text((MARGIN + number * wide + 6, HEADING + strip.height + 3), column, "black", LETTERS)
    for line, row in enumerate(rows):
        pen.text((6, top + line * (high + 4) + 6), row.replace(" ", "\n"), "black", LETTERS)
        for number, column in enumerate(columns):
            if (row, column) in sheets:
                canvas.paste(sheets[row, column], (MARGIN + number * wide, top + line * (high + 4)))
    return canvas


# ---- the chart -------------------------------------------------------------------------------------------------------


def chart(results: Sequence[Result], real: dict[str, Any], title: str) -> str:
    """Every measure against CPU minutes (logarithmic), one panel each, as one SVG.

    A dot is a run, its bar the interval; the line goes through the means over seeds. Dashed: real images.
    """
    measures = [name for name in BETTER if any(name in result["measures"] for result in results)]
    names = list(dict.fromkeys(result["name"] for result in results))
    wide, high = WIDTH + 20, HEIGHT + TITLE_HEIGHT
    height = TITLE_HEIGHT + math.ceil(len(measures) / 2) * high
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * wide} {height}" width="{2 * wide}" height="{height}" '
        'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="#fff"/>'
    ]
    x = LEFT
    parts.append(f'<text x="{x}" y="16" font-weight="bold">{escape(title)}</text>')
    for number, name in enumerate(names):
        colour = COLOURS[number % len(COLOURS)]
        parts.append(f'<text x="{x}" y="34" fill="{colour}">&#9679; {escape(name)}</text>')
        x += 30 + 8 * len(name)
    for place, measure in enumerate(measures):
        left, top = place % 2 * wide, TITLE_HEIGHT + place // 2 * high
        parts.append(f'<g transform="translate({left} {top})">{_panel(measure, results, real, names)}</g>')
    return "".join([*parts, "</svg>"])


def _panel(measure: str, results: Sequence[Result], real: dict[str, Any], names: Sequence[str]) -> str:
    rows = [result for result in results if measure in result["measures"]]
    minutes = [math.log10(row["cpu_seconds"] / 60) for row in rows]
    figures = [row["measures"][measure] for row in rows]
    values = [figure[end] for figure in figures for end in ("low", "high")]
    values += [real[measure]["value"]] if measure in real else []
    margin = 0.06 * (max(values) - min(values)) or 0.1
    low, high = min(minutes), max(minutes)
    x_axis = Axis(low - 0.08, high + 0.08, LEFT, WIDTH - RIGHT)
    y_axis = Axis(
        min(values) - margin, max(values) + margin, TITLE_HEIGHT + HEIGHT - BOTTOM, TITLE_HEIGHT - 12
    )
    parts = [f'<text x="{LEFT}" y="18" font-weight="bold">{escape(measure)} <tspan font-weight="normal">']
    parts += [f"(best: {escape(BETTER[measure])}) against CPU minutes</tspan></text>"]
    for value in ticks(y_axis.low, y_axis.high, 5):
        y = y_axis.at(value)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" stroke="#e3e3e3"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{format_short(value)}</text>')
    for value in sorted({round(10**minute, 2 if minute < 0 else 1) for minute in minutes}):
        x = x_axis.at(math.log10(value)) if value > 0 else LEFT
        parts.append(
            f'<text x="{x}" y="{TITLE_HEIGHT + HEIGHT - 6}" text-anchor="middle">{format_short(value)}</text>'
        )
    if measure in real:
        y = y_axis.at(real[measure]["value"])
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" stroke="#777" stroke-dasharray="5 4"/>'
        )
    for number, name in enumerate(names):
        own = [row for row in rows if row["name"] == name]
        parts.append(_curve(own, measure, x_axis, y_axis, COLOURS[number % len(COLOURS)]))
    return "".join(parts)


def _curve(rows: Sequence[Result], measure: str, x_axis: Axis, y_axis: Axis, colour: str) -> str:
    parts, means = [], []
    for length in dict.fromkeys(row["length"] for row in rows):
        same = [row for row in rows if row["length"] == length]
        xs = [math.log10(row["cpu_seconds"] / 60) for row in same]
        means.append(
            (statistics.fmean(xs), statistics.fmean(row["measures"][measure]["value"] for row in same))
        )
        for minute, row in zip(xs, same, strict=True):
            x, figure = x_axis.at(minute), row["measures"][measure]
            low, middle, high = (y_axis.at(figure[key]) for key in ("low", "value", "high"))
            parts.append(f'<line x1="{x}" x2="{x}" y1="{low}" y2="{high}" stroke="{colour}"/>')
            parts.append(f'<circle cx="{x}" cy="{middle}" r="3" fill="{colour}"/>')
    line = " ".join(f"{x_axis.at(x)},{y_axis.at(y)}" for x, y in sorted(means))
    return f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.6"/>' + "".join(parts)


# ---- the table -------------------------------------------------------------------------------------------------------


def table(results: Sequence[Result], real: dict[str, Any]) -> str:
    """All runs as a table in Markdown, the real images first; +- is half of an interval."""
    measures = [
        name for name in BETTER if any(name in result["measures"] for result in results) or name in real
    ]
    lines = ["| run | length | seed | images | CPU-s | " + " | ".join(measures) + " |"]
    lines.append("|" + "---|" * (5 + len(measures)))
    lines.append("| real images | | | | | " + " | ".join(_cell(real.get(name)) for name in measures) + " |")
    for row in results:
        bound = ">= " if row["cpu_is_lower_bound"] else ""
        cells = [
            row["name"],
            row["length"],
            str(row["seed"]),
            f"{row['images']:,}",
            f"{bound}{row['cpu_seconds']:.0f}",
        ]
        cells += [_cell(row["measures"].get(name)) for name in measures]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(figure: dict[str, float] | None) -> str:
    if figure is None:
        return ""
    half = (figure["high"] - figure["low"]) / 2
    digits = 2 if abs(figure["value"]) >= 1 else 4 if abs(figure["value"]) < 0.1 else 3
    return f"{figure['value']:.{digits}f} +- {half:.{digits}f}"


def write_drawings(
    out: Path, title: str, results: Sequence[Result], held_out: np.ndarray, real: dict[str, Any]
) -> None:
    """`curve.svg`, `sheet.png` and `curve.md` in `out`, of all runs there."""
    cells = {}
    for row in results:
        cells[f"{row['name']} seed {row['seed']}", row["length"]] = np.load(
            out / row["folder"] / "samples.npz"
        )["images"]
    combined_sheet(cells, held_out).save(out / "sheet.png", optimize=True)
    (out / "curve.svg").write_text(chart(results, real, title))
    (out / "curve.md").write_text(table(results, real) + "\n")
