"""Samples that a user passes to a trained run: read, resized to the run's size, with labels where folders
give them. Imported inside of commands only: it needs torch.
"""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
from torch import Tensor

from sparring.api import Run
from sparring.data import DataConfig, open_data
from sparring.data.readers.inputs import is_image_path, read_images
from sparring.data.readers.labels import find_labels
from sparring.inference.sampling import to_model_input
from sparring.runs.run_json import load_resize_mode


class InputSamples(NamedTuple):
    """Samples of a user.

    Arguments:
        names: of the images, relative, with '/'; `000000.png` ... where they have none.
        samples: uint8 (n, h, w, c) of the run's size, or points (n, d) in their own units.
        skipped: (name, reason) of each file that can't be used.
        labels: the name of the class of each sample; None without labels.
    """

    names: list[str]
    samples: np.ndarray
    skipped: list[tuple[str, str]]
    labels: list[str] | None


def load_inputs(run: Run, source: str) -> InputSamples:
    """Read samples for a run, at its size and with its channels.

    Arguments:
        source: an image, a folder, an array file, a zip, or a built-in data set.

    Raises:
        DataError: nothing in it can be used.
    """
    spec, path = run.generator.model.spec, Path(source)
    if not spec.is_image:
        dataset = open_data(DataConfig(source=source))
    else:
        size, fit = (spec.shape[1], spec.shape[2]), load_resize_mode(run.path)
        if is_image_path(path):
            names, samples, skipped = read_images(path, size, spec.shape[0], fit)
            return InputSamples(
                names, samples, skipped, _labels_from_folders(names) if path.is_dir() else None
            )
        dataset = open_data(DataConfig(source=source, size=size, channels=spec.shape[0], fit=fit))
    names = [f"{number:06d}.png" for number in range(len(dataset))]
    labels = None if dataset.labels is None else [dataset.classes[label] for label in dataset.labels]
    return InputSamples(names, np.asarray(dataset.samples), list(dataset.report.skipped), labels)


def input_tensor(run: Run, inputs: InputSamples) -> Tensor:
    """The samples as the run's networks take them: float32 (n, *sample)."""
    return to_model_input(run.generator.model.spec, run.generator.metadata, inputs.samples)


def input_labels(run: Run, inputs: InputSamples, label: str | None) -> Tensor | None:
    """One class for all samples: (n,); None without `--label`."""
    return None if label is None else run.labels(len(inputs.names), label)


def png_names(names: Sequence[str]) -> list[str]:
    """Names of PNG files for results: those of the inputs, with the ending changed.

    Where two inputs differ in their ending only, that of the one which is no PNG is kept.

    >>> png_names(["a.jpg", "b/c.png", "b/c.jpg"])
    ['a.png', 'b/c.png', 'b/c.jpg.png']
    """
    stems = [str(PurePosixPath(name).with_suffix("")) for name in names]
    return [
        f"{stem if stems.count(stem) == 1 or name.endswith('.png') else name}.png"
        for name, stem in zip(names, stems, strict=True)
    ]


def _labels_from_folders(names: list[str]) -> list[str] | None:
    labels, _ = find_labels(names, {})
    known = [label for label in labels or [] if label is not None]
    return known if len(known) == len(names) else None
