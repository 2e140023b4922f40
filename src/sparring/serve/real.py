"""The data that the run was trained on, opened to be looked at, where it is still there."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from sparring.data import Dataset, open_data, split
from sparring.errors import SparringError
from sparring.metrics.authenticity import nearest
from sparring.runfile import RUN_FILE, described
from sparring.serve.refused import Refused, without_folders

MOST = 10_000  # samples that are searched, spread evenly over the set
SIDE = 16  # pixels that pictures are reduced to for the search


class Real:
    """The training data of a run.

    Arguments:
        run: its folder.
    """

    def __init__(self, run: Path) -> None:
        self.run = run
        self.opened: Dataset | None = None
        self.why = ""
        self.rows: np.ndarray = np.zeros(0, np.int64)
        self.table = torch.empty(0, 0)

    def data(self) -> Dataset:
        """The data.

        Raises:
            Refused: it is not there any more; it says why.
        """
        if self.opened is None and not self.why:
            try:
                self._open()
            except (SparringError, OSError) as error:
                self.why = without_folders(str(error).splitlines()[0])[:200]
        if self.opened is None:
            raise Refused(409, f"the training data can't be shown: {self.why}")
        return self.opened

    def _open(self) -> None:
        experiment, about = described(self.run / RUN_FILE)
        found = open_data(experiment.data)
        if found.fingerprint != about.get("fingerprint"):
            raise SparringError("it has changed since the run was trained")
        found = split(found, experiment.data.held_out)[0]
        count = min(len(found), MOST)
        self.rows = np.unique(np.linspace(0, len(found) - 1, count).astype(np.int64))
        self.table = torch.from_numpy(
            np.stack([reduced(np.asarray(found.samples[row])) for row in self.rows])
        )
        self.opened = found

    def closest(self, sample: np.ndarray, count: int) -> list[tuple[int, float]]:
        """The training samples closest to one (h, w, c) or (d,): number and distance, the closest first.

        The distance is the root mean square difference of reduced pictures, in grey levels (of points: Euclidean).
        """
        self.data()
        found = nearest(self.table, torch.from_numpy(reduced(sample))[None], min(count, len(self.table)))
        scale = 1.0 if sample.ndim == 1 else self.table.shape[1] ** -0.5
        pairs = zip(found.indices[0].tolist(), found.distances[0].tolist(), strict=True)
        return [(int(self.rows[at]), distance * scale) for at, distance in pairs]

    def sample(self, number: int) -> np.ndarray:
        """One training sample, by its number."""
        data = self.data()
        if number >= len(data):
            raise Refused(404, "no such training sample")
        return np.asarray(data.samples[number])


def reduced(sample: np.ndarray) -> np.ndarray:
    """A picture (h, w, c) as at most 16 x 16 averages a channel, flat float32; points as they are."""
    if sample.ndim == 1:
        return sample.astype(np.float32)
    height, width, channels = sample.shape
    if max(height, width) <= SIDE:
        return sample.astype(np.float32).ravel()
    factor = SIDE / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    planes = [Image.fromarray(sample[:, :, at]) for at in range(channels)]
    small = [np.asarray(plane.resize(size, Image.Resampling.BOX), np.float32) for plane in planes]
    return np.stack(small, 2).ravel()
