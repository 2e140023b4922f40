"""Synthetic datasets whose ground truth is known.

`polygons`: pairs of a label map and a textured scene.
"""

from sparring.data.synthetic.polygons import LABEL_COLOURS, decode_colours, encode_colours, generate_scenes
from sparring.data.synthetic.textures import TEXTURE_NAMES
from sparring.data.synthetic.write_pairs import LAYOUTS, write_pairs

__all__ = [
    "LABEL_COLOURS",
    "TEXTURE_NAMES",
    "LAYOUTS",
    "encode_colours",
    "generate_scenes",
    "decode_colours",
    "write_pairs",
]
