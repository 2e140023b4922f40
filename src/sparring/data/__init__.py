"""Data: image folders, zips, arrays and points as a `Dataset` of one or two domains.

Every reader ends in a `Dataset`; a new format is one file in `readers/` and a line in `open.py`.
"""

from sparring.core.progress import StopRequested
from sparring.data.config import DataConfig
from sparring.data.dataset import Dataset, shuffled_indices, to_input, to_output
from sparring.data.image_grid import contact_sheet, grid_image, points_image
from sparring.data.mirror_test import MirrorTest, run_mirror_test
from sparring.data.open import BUILTIN, open_data
from sparring.data.pseudo_classes import add_pseudo_classes, is_pseudo_class
from sparring.data.report import DataReport
from sparring.data.split import split_held_out

__all__ = [
    "BUILTIN",
    "DataConfig",
    "DataReport",
    "Dataset",
    "MirrorTest",
    "StopRequested",
    "contact_sheet",
    "grid_image",
    "add_pseudo_classes",
    "is_pseudo_class",
    "shuffled_indices",
    "open_data",
    "points_image",
    "run_mirror_test",
    "split_held_out",
    "to_input",
    "to_output",
]
