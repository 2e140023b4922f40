"""Data: folders, zips and arrays of pictures, points, and the sets that come along.

Every reader ends in a `Dataset`; a new format is one file and a line in `opening.py`.
"""

from sparring.data.config import DataConfig
from sparring.data.dataset import Dataset, to_input, to_output
from sparring.data.groups import grouped
from sparring.data.opening import BUILTIN, open_data
from sparring.data.order import indices
from sparring.data.report import DataReport, Stopped
from sparring.data.sheet import contact_sheet, grid_image, points_image
from sparring.data.split import split

__all__ = [
    "BUILTIN",
    "DataConfig",
    "DataReport",
    "Dataset",
    "Stopped",
    "contact_sheet",
    "grid_image",
    "grouped",
    "indices",
    "open_data",
    "points_image",
    "split",
    "to_input",
    "to_output",
]
