"""Samples and the features that were made of them: each sample is looked at once by each extractor."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from sparring.data.watch import Watch
from sparring.errors import DataError
from sparring.evaluation import cache
from sparring.features.extracted import Extracted, Extractor, joined

PIECE = 250  # samples between two looks at the clock and at Ctrl-C
SLOW_SECONDS = 1.0  # features that took longer are kept on the disk


class Bank:
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
            raise DataError(f"{len(labels):,} labels for {len(samples):,} samples", "one each", "mend them")
        self._samples, self._labels, self._order, self.key = samples, labels, order, key
        self._change = change
        self._known: dict[tuple[str, str, str], Extracted] = {}

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

    def extracted(self, extractor: Extractor, start: int, stop: int, watch: Watch) -> Extracted:
        """Their features and logits."""
        known = self._prefix(extractor, stop, watch)
        logits = None if known.logits is None else known.logits[start:stop]
        return Extracted(known.features[start:stop], logits)

    def _prefix(self, extractor: Extractor, stop: int, watch: Watch) -> Extracted:
        name = extractor.name, extractor.digest, extractor.rule
        if name not in self._known and self.key:
            found = cache.features(self.key, name)
            if found is not None and len(found.features) <= len(self):
                self._known[name] = found
        known = self._known.get(name)
        have = 0 if known is None else len(known.features)
        if known is not None and have >= stop:
            return known
        began = time.monotonic()
        parts = [known] if known is not None else []
        watch.begin(-(-(stop - have) // PIECE))
        for at in range(have, stop, PIECE):
            parts.append(extractor(self.samples(at, min(at + PIECE, stop))))
            watch.step()
        known = joined(parts)
        self._known[name] = known
        if self.key and time.monotonic() - began > SLOW_SECONDS:
            cache.keep(self.key, name, known)
        return known


@dataclass(frozen=True, kw_only=True)
class Side:
    """Samples `start` to `stop` - 1 of a bank, seen through an extractor.

    Arguments:
        role: `real` or `generated`, for messages.
    """

    bank: Bank
    start: int
    stop: int
    extractor: Extractor
    watch: Watch
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
        return self.bank.extracted(self.extractor, self.start, self.stop, self.watch).features

    @property
    def logits(self) -> Tensor:
        """Raises DataError where the extractor does not classify."""
        found = self.bank.extracted(self.extractor, self.start, self.stop, self.watch).logits
        if found is None:
            raise DataError(
                f"{self.extractor.name} does not tell classes apart",
                "an extractor that classifies",
                "use efficientnet_lite0, inception or classifier",
            )
        return found
