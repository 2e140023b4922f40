"""From settings to a data set of two domains: pairs, two sets without pairs, or pictures made of pictures."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from sparring.data.config import DataConfig
from sparring.data.dataset import Dataset
from sparring.data.domains import divide
from sparring.data.entries import Container
from sparring.data.joining import Reader, finished, joined, resolved
from sparring.data.made import base_config, with_derived
from sparring.data.parts import ADVICE, Parts
from sparring.data.views import Joined
from sparring.data.watch import Watch
from sparring.errors import DataError

TWO = "give two DATA (sparring train horses/ zebras/ --recipe cyclegan), or a folder with trainA/ and trainB/"


@dataclass(frozen=True)
class Opener:
    """What `opening` lends: it opens one domain, and finds the folder or zip that a source names (None: it is neither)."""

    read: Reader
    find: Callable[[str], Container | None]
    watch: Watch


def open_sides(config: DataConfig, container: Container | None, opener: Opener) -> Dataset | None:
    """The set of domain A with its `other`, and the `held` part that came with it; None where there is one domain.

    Arguments:
        config: what is asked for.
        container: the folder or zip that `config.source` names, if it is one.

    Raises:
        DataError: two domains are asked for, and are not there; or they are there and do not fit.
    """
    if config.sides == "one":
        if config.other or config.derive:
            got = f"{config.source}: one domain is asked for, and a second one named"
            raise DataError(got, "data.sides of auto, paired or unpaired", "leave data.sides out")
        return None
    if config.derive:
        return _made(config, container, opener)
    if config.other:
        return _two_data(config, container, opener)
    if container is None:
        if config.sides == "auto":
            return None
        raise DataError(f"{config.source}: one set of pictures", "two domains, A and B", _fix(config.sides))
    return _divided(config, container, opener.watch)


def _fix(sides: str) -> str:
    return ADVICE if sides == "paired" else TWO


def _divided(config: DataConfig, container: Container, watch: Watch) -> Dataset | None:
    parts = Parts(container, divide(container.entries), config.source, watch)
    division = parts.division
    alike = division.two and division.alike("train")
    if config.sides == "auto":
        if not (division.two and (division.firm or (alike and division.nearly_all))):
            return None
        config = replace(config, sides="paired" if alike else "unpaired")
    a, b = (len(division.side(side)) for side in "AB")
    if bool(a) != bool(b):
        got = f"{config.source}: {a:,} pictures in A and {b:,} in B"
        raise DataError(got, "pictures of both domains", "check both folders, and what the files are")
    if not a and config.sides == "unpaired":
        raise DataError(
            f"{config.source}: one set of {len(container.entries):,} pictures", "two domains", TWO
        )
    return _parted(parts, config)


def _parted(parts: Parts, config: DataConfig) -> Dataset:
    """Both parts of a divided container."""
    two = parts.division.two

    def part(name: str, config: DataConfig) -> Dataset:
        pairs = config.sides == "paired" or (name != "train" and parts.division.alike(name))
        if two and not pairs:
            return joined(lambda c: parts.one(name, "A", c), lambda c: parts.one(name, "B", c), config)
        return parts.by_name(name, config) if two else parts.halves(name, config)

    train, *others = parts.division.used()
    dataset, held, remarks = part(train, config), None, []
    known = resolved(dataset, config)
    for name in others:
        try:
            held = part(name, known)
            remarks.append(f"{len(held):,} in {name} are held out")
        except DataError as error:
            remarks.append(f"nothing is held out: {error.got}")
    unused = [name for name in parts.division.parts if name not in (train, *others)]
    remarks += [f"{name} is left alone, as there is a test part" for name in unused]
    skipped = tuple(sorted([*dataset.report.skipped, *parts.container.skipped]))
    dataset.report = replace(dataset.report, skipped=skipped)
    return finished(dataset, held, known, remarks)


def _two_data(config: DataConfig, container: Container | None, opener: Opener) -> Dataset:
    second = opener.find(config.other)
    if container is not None and second is not None:
        whole = Joined(container, second)
        parts = Parts(whole, divide(whole.entries), f"{config.source} and {config.other}", opener.watch)
        if not (container.entries and second.entries):
            got = f"{config.source}: {len(container.entries):,} pictures; {config.other}: {len(second.entries):,}"
            raise DataError(got, "pictures in both", "check both, and what the files are")
        if config.sides == "paired" or parts.division.parted:
            mode = config.sides if config.sides != "auto" else "unpaired"
            return _parted(parts, replace(config, sides=mode))
    plain = replace(config, other="", sides="one", labels=False, swap=False)
    a, b = (
        lambda c, name=name: opener.read(replace(c, source=name)) for name in (config.source, config.other)
    )
    dataset = joined(a, b, replace(plain, swap=config.swap))
    if config.sides == "paired":
        assert dataset.other is not None
        if len(dataset) != len(dataset.other):
            got = f"{config.source} and {config.other}: {len(dataset):,} and {len(dataset.other):,} samples"
            raise DataError(got, "as many in both: arrays pair by number", "mend one, or --recipe cyclegan")
    mode = config.sides if config.sides != "auto" else "unpaired"
    return finished(dataset, None, resolved(dataset, replace(config, sides=mode)), [])


def _made(config: DataConfig, container: Container | None, opener: Opener) -> Dataset:
    if config.other or (container is not None and divide(container.entries).two):
        got = f"{config.source}: data.derive={config.derive}, but there are two domains"
        raise DataError(got, "one set of pictures, of which the other is made", "leave out one of the two")
    plain, division = base_config(config), divide(container.entries) if container is not None else None
    names = division.used() if division is not None else ()
    if container is None or division is None or len(names) < 2:
        bases = [opener.read(plain)]
    else:
        parts = Parts(container, division, config.source, opener.watch)
        bases = [parts.one(names[0], "", plain)]
        bases.append(
            parts.one(
                names[1], "", replace(plain, size=bases[0].config.size, channels=bases[0].config.channels)
            )
        )
        skipped = tuple(sorted([*bases[0].report.skipped, *container.skipped]))
        bases[0].report = replace(bases[0].report, skipped=skipped)
    for base in bases:
        if not base.spec.is_image:
            raise DataError(
                f"{config.source}: points", f"pictures, to make {config.derive} of", "name other data"
            )
    dataset, *held = (with_derived(base, config, opener.watch) for base in bases)
    mode = config.sides if config.sides != "auto" else "paired"
    remarks = [f"{len(held[0]):,} in {names[1]} are held out"] if held else []
    return finished(
        dataset, held[0] if held else None, resolved(dataset, replace(config, sides=mode)), remarks
    )
