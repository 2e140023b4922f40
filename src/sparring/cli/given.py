"""Pictures that a trained run is given to work on, brought to its size; with their labels where they have any."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from sparring.data import DataConfig, open_data
from sparring.data.labels import find_labels
from sparring.data.named import is_named, named_pictures
from sparring.run import Run
from sparring.runfile import fit_of


class Given(NamedTuple):
    """What was given.

    names: of the pictures, relative, with '/'.
    samples: uint8 (n, h, w, c), or points (n, d) in their own units.
    skipped: name and reason of what can't be used.
    labels: the name of each one's class; None where they have none.
    """

    names: list[str]
    samples: np.ndarray
    skipped: list[tuple[str, str]]
    labels: list[str] | None


def given(run: Run, source: str) -> Given:
    """What `source` names: a picture, a folder, an array file, a zip, or a built-in set.

    Raises:
        DataError: there is nothing that can be used.
    """
    spec, place = run.generator.kept.spec, Path(source)
    if not spec.is_image:
        found = open_data(DataConfig(source=source))
    elif is_named(place):
        names, pictures, skipped = named_pictures(place, spec.shape[1:], spec.shape[0], fit_of(run.path))  # type: ignore[arg-type]
        return Given(names, pictures, skipped, _by_folder(names) if place.is_dir() else None)
    else:
        size = (spec.shape[1], spec.shape[2])
        found = open_data(DataConfig(source=source, size=size, channels=spec.shape[0], fit=fit_of(run.path)))
    names = [f"{number:06d}.png" for number in range(len(found))]
    told = None if found.labels is None else [found.classes[label] for label in found.labels]
    return Given(names, np.asarray(found.samples), list(found.report.skipped), told)


def _by_folder(names: list[str]) -> list[str] | None:
    labels, _ = find_labels(names, {})
    told = [label for label in labels or [] if label is not None]
    return told if len(told) == len(names) else None
