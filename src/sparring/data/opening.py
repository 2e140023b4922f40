"""From what the user wrote to a data set: which reader it is for."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from sparring.data.config import DataConfig
from sparring.data.dataset import Dataset
from sparring.data.entries import Container
from sparring.data.folder import Folder
from sparring.data.pictures import open_pictures
from sparring.data.points import POINT_SETS, open_builtin_points
from sparring.data.report import Progress
from sparring.data.sides import Opener, open_sides
from sparring.data.source import split_source
from sparring.data.stacks import open_array
from sparring.data.watch import Watch
from sparring.data.zipped import Zip
from sparring.errors import DataError, nearest

SETS = Path(__file__).parent / "sets"
BUILTIN = {"animals": SETS / "animals.npz", "ring": None, "grid": None, "swissroll": None}


def open_data(
    config: DataConfig, progress: Progress | None = None, stop: Callable[[], bool] | None = None
) -> Dataset:
    """The data that `config.source` names, decoded (or found in the cache) and ready to deal.

    Arguments:
        config: what to open and how to bring it to one size.
        progress: told (done, total) as files are read.
        stop: polled; true ends the work with `Stopped`.

    Raises:
        DataError: nothing usable, or not what was asked for; it says what was seen.
    """
    watch = Watch(progress, stop)
    container = None if config.sides == "one" else _container(config.source, watch)
    opener = Opener(lambda side: _open_one(side, watch), lambda source: _container(source, watch), watch)
    dataset = open_sides(config, container, opener)
    if dataset is None:
        dataset = _open_one(config, watch, container)
        dataset.config = replace(dataset.config, sides="one")
    return dataset


def _container(source: str, watch: Watch) -> Container | None:
    """The folder or zip that is meant as a whole."""
    name, wanted = split_source(source, BUILTIN)
    path = Path(name).expanduser()
    if wanted or not path.exists():
        return None
    if path.is_dir():
        return Folder(path, watch.poll)
    return Zip(path, watch.poll) if path.is_file() and path.suffix.lower() == ".zip" else None


def _open_one(config: DataConfig, watch: Watch, container: Container | None = None) -> Dataset:
    if container is not None:
        return open_pictures(container, config, (), watch)
    name, wanted = split_source(config.source, BUILTIN)
    path = Path(name).expanduser()
    if name in BUILTIN and not path.exists():
        if name in POINT_SETS:
            if wanted:
                raise DataError(f"{config.source}: {name} has no classes", "the name alone", f"write {name}")
            return open_builtin_points(name, config)
        path = BUILTIN[name] or path
    if path.is_dir():
        return open_pictures(Folder(path, watch.poll), config, wanted, watch)
    if path.is_file():
        return _open_file(path, config, wanted, watch)
    what = "is neither a file nor a folder" if path.exists() else "does not exist"
    fix = nearest(name, sorted(BUILTIN)) if "/" not in name else "check the path"
    raise DataError(
        f"{config.source}: {what}", "a folder, zip, npz, npy or idx file, or a built-in name", fix
    )


def _open_file(path: Path, config: DataConfig, wanted: tuple[str, ...], watch: Watch) -> Dataset:
    suffix = path.suffix.lower()
    if suffix == ".zip":
        return open_pictures(Zip(path, watch.poll), config, wanted, watch)
    if suffix in (".npz", ".npy") or "idx" in path.name.lower() or _starts_like_idx(path):
        return open_array(path, config, wanted, watch)
    expected = "a folder or zip of pictures, or an npz, npy or idx file"
    raise DataError(
        f"{config.source}: a single file that is none of the known sets",
        expected,
        "name the folder that it is in",
    )


def _starts_like_idx(path: Path) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(3) == b"\0\0\x08"
    except OSError:
        return False
