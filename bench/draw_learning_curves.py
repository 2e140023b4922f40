"""The curves of `learning_curves.py` as an image.

python bench/draw_learning_curves.py curves.json docs/images/learning-curves.png
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

WIDE, HIGH, LEFT, TOP, RIGHT, BELOW = 560, 400, 70, 44, 20, 52
COLOURS = {"naive_bayes": (196, 78, 20), "logistic": (20, 88, 168)}
NAMES = {"naive_bayes": "naive Bayes (generative)", "logistic": "logistic regression (discriminative)"}
FROM, TO, LOW, TOP_ERROR = 8, 80_000, 0.05, 0.8
LETTERS = ImageFont.load_default(14)


def place(count: float, error: float) -> tuple[float, float]:
    """Both axes are logarithmic."""
    x = math.log(count / FROM) / math.log(TO / FROM)
    y = math.log(error / LOW) / math.log(TOP_ERROR / LOW)
    return LEFT + x * (WIDE - LEFT - RIGHT), HIGH - BELOW - y * (HIGH - TOP - BELOW)


def panel(title: str, curves: dict) -> Image.Image:
    canvas = Image.new("RGB", (WIDE, HIGH), "white")
    pen = ImageDraw.Draw(canvas)
    pen.text((LEFT, 10), title, "black", LETTERS)
    for count in (10, 100, 1_000, 10_000):
        x, _ = place(count, LOW)
        pen.line([(x, TOP), (x, HIGH - BELOW)], (225, 225, 225))
        pen.text((x - 8, HIGH - BELOW + 6), f"{count:,}", "black", LETTERS)
    for error in (0.05, 0.1, 0.2, 0.4, 0.8):
        _, y = place(FROM, error)
        pen.line([(LEFT, y), (WIDE - RIGHT, y)], (225, 225, 225))
        pen.text((LEFT - 44, y - 9), f"{100 * error:.0f} %", "black", LETTERS)
    pen.text((LEFT + 130, HIGH - 24), "training images m", "black", LETTERS)
    for row, (name, curve) in enumerate(curves["curves"].items()):
        colour = COLOURS[name]
        line = [place(int(count), float(np.mean(errors))) for count, errors in curve.items()]
        pen.line(line, colour, 3)
        for count, errors in curve.items():
            for error in errors:
                x, y = place(int(count), error)
                pen.ellipse([x - 2, y - 2, x + 2, y + 2], colour)
        pen.text((LEFT + 170, TOP + 8 + 20 * row), NAMES[name], colour, LETTERS)
    if curves["crossing"] is not None:
        x, _ = place(curves["crossing"], LOW)
        for y in range(TOP + 60, HIGH - BELOW, 8):
            pen.line([(x, y), (x, y + 3)], (90, 90, 90))
        pen.text((x + 5, HIGH - BELOW - 22), f"cross at m = {curves['crossing']:.0f}", (90, 90, 90), LETTERS)
    return canvas


def main() -> None:
    curves = json.loads(Path(sys.argv[1]).read_text())
    panels = [panel(title, curves) for title, curves in curves.items()]
    whole = Image.new("RGB", (2 * WIDE, HIGH * math.ceil(len(panels) / 2)), "white")
    for number, one in enumerate(panels):
        whole.paste(one, (number % 2 * WIDE, number // 2 * HIGH))
    whole.quantize(64).save(sys.argv[2], optimize=True)


if __name__ == "__main__":
    main()
