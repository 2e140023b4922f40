"""Worlds that are drawn by a formula, so that the truth about them is known.

`polygons`: pairs of a label map and a textured scene.
"""

from sparring.data.synthetic.polygons import CODE, KINDS, colour_code, draw, read_code
from sparring.data.synthetic.writing import LAYOUTS, write

__all__ = ["CODE", "KINDS", "LAYOUTS", "colour_code", "draw", "read_code", "write"]
