"""The data that a run was trained on, opened for display and nearest-neighbour search, if it is still there."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from sparring.core.errors import SparringError
from sparring.data import Dataset, open_data, split_held_out
from sparring.metrics.authenticity import nearest_real
from sparring.runs.run_json import RUN_FILE, load_experiment
from sparring.serve.http import HTTPError, strip_folders

MAX_SEARCHED = 10_000  # samples that are searched, evenly spaced over the data set
SEARCH_SIZE = 16  # pixels of the longer side, to which images are reduced for the search


class TrainingSamples:
    """The training data of a run.

    Arguments:
        run: its folder.
    """

    def __init__(self, run: Path) -> None:
        self.run = run
        self.dataset: Dataset | None = None
        self.error_message = ""
        self.rows: np.ndarray = np.zeros(0, np.int64)
        self.search_features = torch.empty(0, 0)

    def data(self) -> Dataset:
        """The training set, opened on first use.

        Raises:
            HTTPError: it is missing or has changed since training.
        """
        if self.dataset is None and not self.error_message:
            try:
                self._open()
            except (SparringError, OSError) as error:
                self.error_message = strip_folders(str(error).splitlines()[0])[:200]
        if self.dataset is None:
            raise HTTPError(409, f"the training data are not available: {self.error_message}")
        return self.dataset

    def _open(self) -> None:
        experiment, metadata = load_experiment(self.run / RUN_FILE)
        dataset = open_data(experiment.data)
        if dataset.fingerprint != metadata.get("fingerprint"):
            raise SparringError("they have changed since the run was trained")
        dataset = split_held_out(dataset, experiment.data.held_out)[0]
        count = min(len(dataset), MAX_SEARCHED)
        self.rows = np.unique(np.linspace(0, len(dataset) - 1, count).astype(np.int64))
        self.search_features = torch.from_numpy(
            np.stack([downsample(np.asarray(dataset.samples[row])) for row in self.rows])
        )
        self.dataset = dataset

    def nearest_samples(self, sample: np.ndarray, count: int) -> list[tuple[int, float]]:
        """The training samples nearest to one (h, w, c) or (d,): index and distance, the nearest first.

        The distance is the root mean square difference of downsampled images, in grey levels; for points it is Euclidean.
        """
        self.data()
        nearest = nearest_real(
            self.search_features,
            torch.from_numpy(downsample(sample))[None],
            min(count, len(self.search_features)),
        )
        scale = 1.0 if sample.ndim == 1 else self.search_features.shape[1] ** -0.5
        pairs = zip(nearest.indices[0].tolist(), nearest.distances[0].tolist(), strict=True)
        return [(int(self.rows[row]), distance * scale) for row, distance in pairs]

    def sample(self, index: int) -> np.ndarray:
        """One training sample, (h, w, c) or (d,)."""
        dataset = self.data()
        if index >= len(dataset):
            raise HTTPError(404, "no such training sample")
        return np.asarray(dataset.samples[index])


def downsample(sample: np.ndarray) -> np.ndarray:
    """An image (h, w, c) averaged to at most 16 x 16 pixels, flat, float32; a point (d,) unchanged."""
    if sample.ndim == 1:
        return sample.astype(np.float32)
    height, width, channels = sample.shape
    if max(height, width) <= SEARCH_SIZE:
        return sample.astype(np.float32).ravel()
    factor = SEARCH_SIZE / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    planes = [Image.fromarray(sample[:, :, channel]) for channel in range(channels)]
    small = [np.asarray(plane.resize(size, Image.Resampling.BOX), np.float32) for plane in planes]
    return np.stack(small, 2).ravel()
