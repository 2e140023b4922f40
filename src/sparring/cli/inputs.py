"""Samples that a user passes to a trained run: read, resized to the run's size, with labels where folders
give them.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from sparring.api import Run
from sparring.data import DataConfig, open_data
from sparring.data.readers.inputs import is_image_path, read_images
from sparring.data.readers.labels import find_labels
from sparring.runs.run_json import load_resize_mode


class InputSamples(NamedTuple):
    """What was given.

    names: of the images, relative, with '/'.
    samples: uint8 (n, h, w, c), or points (n, d) in their own units.
    skipped: name and reason of what can't be used.
    labels: the name of each one's class; None where they have none.
    """

    names: list[str]
    samples: np.ndarray
    skipped: list[tuple[str, str]]
    labels: list[str] | None


def load_inputs(run: Run, source: str) -> InputSamples:
    """What `source` names: a image, a folder, an array file, a zip, or a built-in set.

    Raises:
        DataError: there is nothing that can be used.
    """
    spec, place = run.generator.model.spec, Path(source)
    if not spec.is_image:
        found = open_data(DataConfig(source=source))
    elif is_image_path(place):
        names, pictures, skipped = read_images(
            place, (spec.shape[1], spec.shape[2]), spec.shape[0], load_resize_mode(run.path)
        )
        return InputSamples(names, pictures, skipped, _labels_from_folders(names) if place.is_dir() else None)
    else:
        size = (spec.shape[1], spec.shape[2])
        found = open_data(
            DataConfig(source=source, size=size, channels=spec.shape[0], fit=load_resize_mode(run.path))
        )
    names = [f"{number:06d}.png" for number in range(len(found))]
    told = None if found.labels is None else [found.classes[label] for label in found.labels]
    return InputSamples(names, np.asarray(found.samples), list(found.report.skipped), told)


def _labels_from_folders(names: list[str]) -> list[str] | None:
    labels, _ = find_labels(names, {})
    told = [label for label in labels or [] if label is not None]
    return told if len(told) == len(names) else None
