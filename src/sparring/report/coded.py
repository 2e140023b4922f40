"""The section of games with an encoder: what comes back of the data, and the map of codes of two numbers."""

from pathlib import Path

from sparring.report import pictures
from sparring.report.parts import pictured


def coded(run: Path) -> str:
    """The latest sheet of reconstructions and the map of codes; nothing without them."""
    sheets = {
        "reconstructions.png": "rows in turn: samples of the data, and what comes back of their codes",
        "codes.png": "codes of samples of the data, a colour for each class",
    }
    found = {name: pictures.inlined(run / name, small=False) for name in sheets}
    figures = [pictured(source, sheets[name]) for name, source in found.items() if source]
    return f'<div class="two">{"".join(figures)}</div>' if figures else ""
