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
MAX_CACHE_FILES = 20  # the least recently used ones are deleted
EXTRACT_BLOCK = 250  # samples between two polls of the monitor
MIN_SECONDS_TO_CACHE = 1.0  # features that took longer are written to disk
ExtractorKey = tuple[str, str, str]  # an extractor's name, digest of the weights, and preprocessing


def read_cached_features(key: str, extractor: ExtractorKey) -> ExtractorOutput | None:
    """The cached features of the first samples of a set; None if there are none, or the file is damaged.

    Arguments:
        key: identity of the samples and their order.
    """
    path = _cache_path(key, extractor)
    try:
        data = path.read_bytes()
        digest, body = data[:64], data[64:]
        if hashlib.sha256(body).hexdigest().encode() != digest:
            return None
        table, _ = tensor_file.read_header(body)
        expected = {name: torch.empty(entry["shape"], device="meta") for name, entry in table.items()}
        tensors = tensor_file.from_bytes(body, expected)
        os.utime(path)
        return ExtractorOutput(tensors["features"], tensors.get("logits"))
    except (OSError, CorruptFileError, KeyError, TypeError, ValueError, RuntimeError):
        return None


def write_cached_features(key: str, extractor: ExtractorKey, output: ExtractorOutput) -> None:
    """Cache features on disk. Does nothing if the folder can't be written to."""
    path = _cache_path(key, extractor)
    tensors = {"features": output.features.float()}
    if output.logits is not None:
        tensors["logits"] = output.logits.float()
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


class FeatureBank:
    """Samples in a fixed order, and the features of the first of them, as far as they were needed.

    Arguments:
        samples: images uint8 (n, h, w, c) or points float32 (n, d).
        labels: int64 (n,), or None.
        order: indices of samples (m,); None: as they are stored.
        cache_key: identity of the samples and their order, for the cache on disk; empty: no cache.
        transform: applied to images whenever they are read, (n, h, w, c) to (n, h, w, k); None: none.
    """

    def __init__(
        self,
        samples: np.ndarray,
        labels: np.ndarray | None,
        order: np.ndarray | None = None,
        cache_key: str = "",
        transform: Callable[[np.ndarray], np.ndarray] | None = None,
    ) -> None:
        self._samples, self._labels, self._order = samples, labels, order
        self._transform, self._cache_key = transform, cache_key
        self._outputs: dict[ExtractorKey, ExtractorOutput] = {}

    def __len__(self) -> int:
        return len(self._samples if self._order is None else self._order)

    @property
    def has_labels(self) -> bool:
        return self._labels is not None

    def samples(self, start: int, stop: int) -> np.ndarray:
        """Samples `start` to `stop` - 1 of the order."""
        assert 0 <= start <= stop <= len(self)
        rows = slice(start, stop) if self._order is None else self._order[start:stop]
        samples = np.asarray(self._samples[rows])
        return samples if self._transform is None else self._transform(samples)

    def labels(self, start: int, stop: int) -> np.ndarray | None:
        """Labels (stop - start,) of the same samples; None without labels."""
        if self._labels is None:
            return None
        return self._labels[start:stop] if self._order is None else self._labels[self._order[start:stop]]

    def extract(
        self, extractor: Extractor, start: int, stop: int, monitor: ProgressMonitor
    ) -> ExtractorOutput:
        """Features (and logits) of samples `start` to `stop` - 1.

        Raises:
            DataError: features that are not finite.
        """
        output = self._extract_first(extractor, stop, monitor)
        logits = None if output.logits is None else output.logits[start:stop]
        return ExtractorOutput(output.features[start:stop], logits)

    def _extract_first(self, extractor: Extractor, count: int, monitor: ProgressMonitor) -> ExtractorOutput:
        """Features of at least the first `count` samples: from memory, from the cache on disk, or computed."""
        key = extractor.name, extractor.digest, extractor.preprocessing
        if key not in self._outputs and self._cache_key:
            cached = read_cached_features(self._cache_key, key)
            if cached is not None and len(cached.features) <= len(self):
                self._outputs[key] = cached
        known = self._outputs.get(key)
        num_known = 0 if known is None else len(known.features)
        if known is not None and num_known >= count:
            return known
        start_time = time.monotonic()
        parts = [known] if known is not None else []
        monitor.begin(-(-(count - num_known) // EXTRACT_BLOCK))
        for at in range(num_known, count, EXTRACT_BLOCK):
            parts.append(extractor(self.samples(at, min(at + EXTRACT_BLOCK, count))))
            monitor.step()
        output = concatenate_outputs(parts)
        self._outputs[key] = output
        if self._cache_key and time.monotonic() - start_time > MIN_SECONDS_TO_CACHE:
            write_cached_features(self._cache_key, key, output)
        return output


@dataclass(frozen=True, kw_only=True)
class SampleView:
    """Samples `start` to `stop` - 1 of a bank, with their features by one extractor.

    Arguments:
        role: `real`, `generated` or `input`, for error messages.
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
        """Labels (n,). Raises DataError if there are none."""
        labels = self.bank.labels(self.start, self.stop)
        if labels is None:
            raise DataError(
                f"the {self.role} samples have no labels",
                "labels on both sides",
                "choose a metric without labels, or name data with one folder per class",
            )
        return labels

    @property
    def features(self) -> Tensor:
        """Features float32 (n, d), computed when first needed."""
        return self.bank.extract(self.extractor, self.start, self.stop, self.monitor).features

    @property
    def logits(self) -> Tensor:
        """Class logits float32 (n, k). Raises DataError if the extractor is not a classifier."""
        logits = self.bank.extract(self.extractor, self.start, self.stop, self.monitor).logits
        if logits is None:
            raise DataError(
                f"the extractor {self.extractor.name} has no classes",
                "an extractor that classifies",
                "use efficientnet_lite0, inception or classifier",
            )
        return logits
