"""What was asked for when an extractor is made."""

from dataclasses import dataclass
from pathlib import Path

from sparring.data.dataset import Dataset
from sparring.errors import ConfigError
from sparring.runtime import Runtime


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """An extractor of this name, on this machine, with these weights, fitted on this set."""

    name: str
    runtime: Runtime
    weights: Path | None = None
    fitted_on: Dataset | None = None

    def data(self, pictures: bool = True) -> Dataset:
        """The set to fit on.

        Raises:
            ConfigError: none was given, or one of the wrong kind.
        """
        if self.fitted_on is None:
            raise ConfigError(
                f"the extractor {self.name!r} without a set of samples",
                "the set that it is fitted on",
                "name the data, or take an extractor that is not fitted, such as 'efficientnet_lite0'",
            )
        if self.fitted_on.spec.is_image != pictures:
            kind, other = ("pictures", "points") if pictures else ("points", "pixels")
            raise ConfigError(
                f"the extractor {self.name!r} for samples of shape {self.fitted_on.spec.shape}",
                kind,
                f"use the extractor {other!r}",
            )
        return self.fitted_on
