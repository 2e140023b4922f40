"""Open the data that the user names (a path, a built-in set, `name:class,class`) with the reader that fits."""

import os
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

from sparring.core.errors import DataError, did_you_mean
from sparring.core.progress import ProgressCallback, ProgressMonitor
from sparring.data.config import DataConfig
from sparring.data.dataset import Dataset
from sparring.data.readers.array_dataset import open_array
from sparring.data.readers.container import Container, Folder
from sparring.data.readers.image_folder import open_images
from sparring.data.readers.points import POINT_SETS, open_builtin_points
from sparring.data.readers.two_domains import SourceOpener, open_two_domains
from sparring.data.readers.zip import Zip

SETS = Path(__file__).parent / "sets"
BUILTIN = {"animals": SETS / "animals.npz", "ring": None, "grid": None, "swissroll": None}


def open_data(
    config: DataConfig, progress: ProgressCallback | None = None, stop: Callable[[], bool] | None = None
) -> Dataset:
    """Open, decode and resize the data that `config.source` names; decoded samples are cached on disk.

    Arguments:
        config: what to open, and how to bring it to one size.
        progress: called with (done, total) as files are read.
        stop: polled; true raises `StopRequested`.

    Raises:
        DataError: no usable samples, or data that does not fit the settings; it says what was found.

    >>> open_data(DataConfig(source="ring")).spec.shape
    (2,)
    """
    monitor = ProgressMonitor(progress, stop)
    container = None if config.pairing == "one" else _find_container(config.source, monitor)
    opener = SourceOpener(
        lambda config: _open_single_domain(config, monitor),
        lambda source: _find_container(source, monitor),
        monitor,
    )
    dataset = open_two_domains(config, container, opener)
    if dataset is None:
        dataset = _open_single_domain(config, monitor, container)
        dataset = dataset.replace(config=replace(dataset.config, pairing="one"))
    return dataset


def _find_container(source: str, monitor: ProgressMonitor) -> Container | None:
    """The folder or zip that a source names, without a selection of classes; None for anything else."""
    name, keep_classes = parse_source(source, BUILTIN)
    path = Path(name).expanduser()
    if keep_classes or not path.exists():
        return None
    if path.is_dir():
        return Folder(path, monitor.poll)
    return Zip(path, monitor.poll) if path.is_file() and path.suffix.lower() == ".zip" else None


def _open_single_domain(
    config: DataConfig, monitor: ProgressMonitor, container: Container | None = None
) -> Dataset:
    if container is not None:
        return open_images(container, config, (), monitor)
    name, keep_classes = parse_source(config.source, BUILTIN)
    path = Path(name).expanduser()
    if name in BUILTIN and not path.exists():
        if name in POINT_SETS:
            if keep_classes:
                raise DataError(f"{config.source}: {name} has no classes", "the name alone", f"write {name}")
            return open_builtin_points(name, config)
        path = BUILTIN[name] or path
    if path.is_dir():
        return open_images(Folder(path, monitor.poll), config, keep_classes, monitor)
    if path.is_file():
        return _open_file(path, config, keep_classes, monitor)
    problem = "is neither a file nor a folder" if path.exists() else "does not exist"
    fix = did_you_mean(name, sorted(BUILTIN)) if "/" not in name else "check the path"
    raise DataError(
        f"{config.source}: {problem}", "a folder, zip, npz, npy or idx file, or a built-in name", fix
    )


def _open_file(
    path: Path, config: DataConfig, keep_classes: tuple[str, ...], monitor: ProgressMonitor
) -> Dataset:
    suffix = path.suffix.lower()
    if suffix == ".zip":
        return open_images(Zip(path, monitor.poll), config, keep_classes, monitor)
    if suffix in (".npz", ".npy") or "idx" in path.name.lower() or _is_idx_file(path):
        return open_array(path, config, keep_classes, monitor)
    expected = "a folder or zip of images, or an npz, npy or idx file"
    raise DataError(
        f"{config.source}: a single file that is none of the known sets",
        expected,
        "name the folder that it is in",
    )


def _is_idx_file(path: Path) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(3) == b"\0\0\x08"
    except OSError:
        return False


def parse_source(source: str, builtin: Collection[str]) -> tuple[str, tuple[str, ...]]:
    """Split `name:class,class` into the path or built-in name, and the classes.

    A path that exists is taken as it is, so that colons in names (and Windows drives) do no harm.

    >>> parse_source("animals:cat,dog", ["animals"]), parse_source("animals", ["animals"])
    (('animals', ('cat', 'dog')), ('animals', ()))
    """
    if os.path.lexists(source):
        return source, ()
    colon = source.rfind(":")
    while colon > 0:
        name, classes = source[:colon], source[colon + 1 :].split(",")
        if name in builtin or os.path.lexists(name):
            return name, tuple(dict.fromkeys(text.strip() for text in classes if text.strip()))
        colon = source.rfind(":", 0, colon)
    return source, ()
