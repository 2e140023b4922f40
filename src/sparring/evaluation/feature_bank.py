"""Features of samples, computed once per extractor and cached on disk."""

import contextlib
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sparring.core import tensor_file
from sparring.core.errors import CorruptFileError, DataError
from sparring.core.progress import ProgressMonitor
from sparring.data.cache import cache_roots
from sparring.features.extractor import Extractor, ExtractorOutput, concatenate_outputs

CACHE_FORMAT = 1
CACHE_FOLDER = "features"
MAX_CACHE_FILES = 20  # files; the oldest go first
ExtractorKey = tuple[str, str, str]  # an extractor's name, digest and rule


def read_cached_features(key: str, extractor: ExtractorKey) -> ExtractorOutput | None:
    """The features kept for the samples of this key, the first so many of them."""
    path = _cache_path(key, extractor)
    try:
        data = path.read_bytes()
        digest, body = data[:64], data[64:]
        if hashlib.sha256(body).hexdigest().encode() != digest:
            return None
        table, _ = tensor_file.read_header(body)
        expected = {name: torch.empty(entry["shape"], device="meta") for name, entry in table.items()}
        found = tensor_file.from_bytes(body, expected)
        os.utime(path)
        return ExtractorOutput(found["features"], found.get("logits"))
    except (OSError, CorruptFileError, KeyError, TypeError, ValueError, RuntimeError):
        return None


def write_cached_features(key: str, extractor: ExtractorKey, extracted: ExtractorOutput) -> None:
    """Keep them, if there is room: it is never worth an error."""
    path = _cache_path(key, extractor)
    tensors = {"features": extracted.features.float()}
    if extracted.logits is not None:
        tensors["logits"] = extracted.logits.float()
    body = tensor_file.to_bytes(tensors)
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=".tmp-", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(hashlib.sha256(body).hexdigest().encode() + body)
            os.replace(name, path)
        finally:
            with contextlib.suppress(OSError):
                os.unlink(name)
        _delete_oldest(path.parent)


def _cache_path(key: str, extractor: ExtractorKey) -> Path:
    text = json.dumps([CACHE_FORMAT, key, *extractor])
    return cache_roots()[0] / CACHE_FOLDER / f"{hashlib.sha256(text.encode()).hexdigest()}.bin"


def _delete_oldest(folder: Path) -> None:
    files = sorted(folder.glob("*.bin"), key=lambda path: path.stat().st_mtime)
    for path in files[:-MAX_CACHE_FILES]:
        path.unlink(missing_ok=True)


EXTRACT_BLOCK = 250  # samples between two looks at the clock and at Ctrl-C
MIN_SECONDS_TO_CACHE = 1.0  # features that took longer are kept on the disk


class FeatureBank:
    """Samples in a fixed order; the features of the first so many are remembered.

    Arguments:
        samples: uint8 (n, h, w, c) or float32 points (n, d).
        labels: (n,), or None.
        order: numbers of samples; None takes them as they come.
        key: what the samples are, for the cache on the disk; empty keeps nothing there.
        change: what is made of them whenever they are read; None leaves them as they are.
    """

    def __init__(
        self,
        samples: np.ndarray,
        labels: np.ndarray | None,
        order: np.ndarray | None = None,
        key: str = "",
        change: Callable[[np.ndarray], np.ndarray] | None = None,
    ) -> None:
        if labels is not None and len(labels) != len(samples):
            raise DataError(f"{len(labels):,} labels for {len(samples):,} samples", "one each", "fix them")
        self._samples, self._labels, self._order, self.key = samples, labels, order, key
        self._change = change
        self._known: dict[tuple[str, str, str], ExtractorOutput] = {}

    def __len__(self) -> int:
        return len(self._samples if self._order is None else self._order)

    @property
    def labelled(self) -> bool:
        return self._labels is not None

    def samples(self, start: int, stop: int) -> np.ndarray:
        """Samples `start` to `stop` - 1 of the order."""
        assert 0 <= start <= stop <= len(self)
        found = np.asarray(self._samples[start:stop] if self._order is None else self._taken(start, stop))
        return found if self._change is None else self._change(found)

    def _taken(self, start: int, stop: int) -> np.ndarray:
        assert self._order is not None
        return self._samples[self._order[start:stop]]

    def labels(self, start: int, stop: int) -> np.ndarray | None:
        """Their labels (n,)."""
        if self._labels is None:
            return None
        return self._labels[start:stop] if self._order is None else self._labels[self._order[start:stop]]

    def extracted(
        self, extractor: Extractor, start: int, stop: int, monitor: ProgressMonitor
    ) -> ExtractorOutput:
        """Their features and logits."""
        known = self._prefix(extractor, stop, monitor)
        logits = None if known.logits is None else known.logits[start:stop]
        return ExtractorOutput(known.features[start:stop], logits)

    def _prefix(self, extractor: Extractor, stop: int, monitor: ProgressMonitor) -> ExtractorOutput:
        name = extractor.name, extractor.digest, extractor.preprocessing
        if name not in self._known and self.key:
            found = read_cached_features(self.key, name)
            if found is not None and len(found.features) <= len(self):
                self._known[name] = found
        known = self._known.get(name)
        have = 0 if known is None else len(known.features)
        if known is not None and have >= stop:
            return known
        began = time.monotonic()
        parts = [known] if known is not None else []
        monitor.begin(-(-(stop - have) // EXTRACT_BLOCK))
        for at in range(have, stop, EXTRACT_BLOCK):
            parts.append(extractor(self.samples(at, min(at + EXTRACT_BLOCK, stop))))
            monitor.step()
        known = concatenate_outputs(parts)
        self._known[name] = known
        if self.key and time.monotonic() - began > MIN_SECONDS_TO_CACHE:
            write_cached_features(self.key, name, known)
        return known


@dataclass(frozen=True, kw_only=True)
class SampleView:
    """Samples `start` to `stop` - 1 of a bank, seen through an extractor.

    Arguments:
        role: `real` or `generated`, for messages.
    """

    bank: FeatureBank
    start: int
    stop: int
    extractor: Extractor
    monitor: ProgressMonitor
    role: str

    def __len__(self) -> int:
        return self.stop - self.start

    @property
    def samples(self) -> np.ndarray:
        return self.bank.samples(self.start, self.stop)

    @property
    def labels(self) -> np.ndarray:
        """Raises DataError where there are none."""
        found = self.bank.labels(self.start, self.stop)
        if found is None:
            raise DataError(
                f"the {self.role} samples have no labels",
                "labels on both sides",
                "choose a metric that needs none, or name data with a folder a class",
            )
        return found

    @property
    def features(self) -> Tensor:
        return self.bank.extracted(self.extractor, self.start, self.stop, self.monitor).features

    @property
    def logits(self) -> Tensor:
        """Raises DataError where the extractor does not classify."""
        found = self.bank.extracted(self.extractor, self.start, self.stop, self.monitor).logits
        if found is None:
            raise DataError(
                f"{self.extractor.name} does not tell classes apart",
                "an extractor that classifies",
                "use efficientnet_lite0, inception or classifier",
            )
        return found
