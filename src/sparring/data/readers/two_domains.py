"""Datasets of two domains: pairs, unpaired sets, or inputs derived from the images."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from sparring.core.errors import DataError
from sparring.core.progress import ProgressMonitor
from sparring.data.config import DataConfig
from sparring.data.dataset import Dataset
from sparring.data.readers.container import Container, Entry
from sparring.data.readers.derived import add_derived_domain, source_config
from sparring.data.readers.domains import (
    ContainerSubset,
    DomainFiles,
    JoinedContainers,
    group_by_domain,
    match_by_name,
)
from sparring.data.readers.image_folder import open_images
from sparring.data.readers.pairs import (
    DatasetOpener,
    Pair,
    finalize,
    join_domains,
    open_pairs,
    resolve_config,
)
from sparring.data.readers.survey import FileInfo, Survey

WIDTH_TOLERANCE = (
    0.1  # of the height, by which the width of two images side by side may differ from twice the height
)
PAIRS_ADVICE = (
    "put the images into A/ and B/ with equal names, or make A from the images: "
    "--set data.derive_input=edges (or grey, downsampled, masked)"
)
SkippedFiles = list[tuple[str, str]]


@dataclass(frozen=True)
class SplitReader:
    """A container, divided.

    Arguments:
        container: of all images.
        division: its entries by part and domain.
        source: as the user wrote it.
        watch: told of each file.
    """

    container: Container
    division: DomainFiles
    source: str
    monitor: ProgressMonitor

    def pairs_by_name(self, part: str, config: DataConfig) -> Dataset:
        """Pairs of A and B with equal names.

        Raises:
            DataError: no names are equal.
        """
        a, b = self._side(part, "A"), self._side(part, "B")
        found, skipped = match_by_name(a, b, self.division.names)
        if not found:
            raise self._strangers(a, b)
        skipped += [(entry.name, "in neither A nor B") for entry in self._side(part, "")]
        survey = self._survey(part, [*a, *b])
        number = {entry.name: place for place, entry in enumerate(survey.entries)}
        pairs = [Pair(number[one.name], number[two.name]) for one, two in found]
        pairs = [Pair(pair.b, pair.a) for pair in pairs] if config.swap_domains else pairs
        return open_pairs(survey, pairs, skipped, config, self.monitor)

    def pairs_side_by_side(self, part: str, config: DataConfig) -> Dataset:
        """Pairs that stand side by side in one image, A on the left.

        Raises:
            DataError: most images are not twice as wide as high.
        """
        survey = self._survey(part, self._side(part, ""))
        usable = survey.usable()
        wide = [number for number in usable if _is_double_width(survey.file_infos[number])]
        if 2 * len(wide) <= len(usable):
            raise self._single(survey)
        others = set(usable) - set(wide)
        skipped = [(survey.entries[number].name, "not twice as wide as high") for number in sorted(others)]
        sides = ("right", "left") if config.swap_domains else ("left", "right")
        pairs = [Pair(number, number, sides) for number in wide]
        return open_pairs(survey, pairs, skipped, config, self.monitor)

    def single_domain(self, part: str, side: str, config: DataConfig) -> Dataset:
        """The images of one domain (or those in none: "") of this part."""
        view = ContainerSubset(self.container, self._side(part, side), f"{part}/{side}")
        source = f"{self.source} ({side or part})"
        plain = replace(config, source=source, labels=False)
        return open_images(view, plain, (), self.monitor)

    def _side(self, part: str, side: str) -> list[Entry]:
        return self.division.splits[part].get(side, [])

    def _survey(self, part: str, entries: list[Entry]) -> Survey:
        view = ContainerSubset(self.container, entries, f"{part}/pairs")
        self.monitor.begin(len(view.entries))
        return Survey(view, self.monitor)

    def _strangers(self, a: list[Entry], b: list[Entry]) -> DataError:
        shown = ["; ".join(entry.name for entry in side[:2]) for side in (a, b)]
        return DataError(
            f"{self.source}: nothing pairs by name: {len(a):,} images in A ({shown[0]}), {len(b):,} in B ({shown[1]})",
            "partners of one name (their endings may differ)",
            "rename them, or train without pairs: --recipe cyclegan",
        )

    def _single(self, survey: Survey) -> DataError:
        usable = [survey.file_infos[number] for number in survey.usable()]
        reasons = f"; {survey.skipped()[0][1]}" if survey.skipped() else ""
        seen = (
            f"the first is {usable[0].height}x{usable[0].width}" if usable else f"none can be used{reasons}"
        )
        return DataError(
            f"{self.source}: {len(survey.entries):,} images without partners ({seen})",
            "folders A/ and B/, or images that are twice as wide as high, with A on the left and B on the right",
            PAIRS_ADVICE,
        )


def _is_double_width(finding: FileInfo) -> bool:
    return abs(finding.width - 2 * finding.height) <= 2 * WIDTH_TOLERANCE * finding.height


TWO_DOMAINS_ADVICE = (
    "give two DATA (sparring train horses/ zebras/ --recipe cyclegan), or a folder with trainA/ and trainB/"
)


@dataclass(frozen=True)
class SourceOpener:
    """What `opening` lends: it opens one domain, and finds the folder or zip that a source names (None: it is neither)."""

    open_dataset: DatasetOpener
    find_container: Callable[[str], Container | None]
    monitor: ProgressMonitor


def open_two_domains(config: DataConfig, container: Container | None, opener: SourceOpener) -> Dataset | None:
    """The set of domain A with its `other`, and the `held` part that came with it; None where there is one domain.

    Arguments:
        config: what is asked for.
        container: the folder or zip that `config.source` names, if it is one.

    Raises:
        DataError: two domains are asked for, and are not there; or they are there and do not fit.
    """
    if config.pairing == "one":
        if config.source_b or config.derive_input:
            got = f"{config.source}: one domain is asked for, and a second one named"
            raise DataError(got, "data.pairing of auto, paired or unpaired", "leave data.pairing out")
        return None
    if config.derive_input:
        return _open_derived(config, container, opener)
    if config.source_b:
        return _open_two_sources(config, container, opener)
    if container is None:
        if config.pairing == "auto":
            return None
        raise DataError(
            f"{config.source}: one set of images", "two domains, A and B", _advice_for(config.pairing)
        )
    return _open_container(config, container, opener.monitor)


def _advice_for(pairing: str) -> str:
    return PAIRS_ADVICE if pairing == "paired" else TWO_DOMAINS_ADVICE


def _open_container(config: DataConfig, container: Container, monitor: ProgressMonitor) -> Dataset | None:
    parts = SplitReader(container, group_by_domain(container.entries), config.source, monitor)
    division = parts.division
    alike = division.has_both_domains and division.is_paired("train")
    if config.pairing == "auto":
        if not (division.has_both_domains and (division.explicit or (alike and division.is_mostly_domains))):
            return None
        config = replace(config, pairing="paired" if alike else "unpaired")
    a, b = (len(division.side(side)) for side in "AB")
    if bool(a) != bool(b):
        got = f"{config.source}: {a:,} images in A and {b:,} in B"
        raise DataError(got, "images of both domains", "check both folders, and what the files are")
    if not a and config.pairing == "unpaired":
        raise DataError(
            f"{config.source}: one set of {len(container.entries):,} images",
            "two domains",
            TWO_DOMAINS_ADVICE,
        )
    return _open_splits(parts, config)


def _open_splits(parts: SplitReader, config: DataConfig) -> Dataset:
    """Both parts of a divided container."""
    two = parts.division.has_both_domains

    def part(name: str, config: DataConfig) -> Dataset:
        pairs = config.pairing == "paired" or (name != "train" and parts.division.is_paired(name))
        if two and not pairs:
            return join_domains(
                lambda c: parts.single_domain(name, "A", c),
                lambda c: parts.single_domain(name, "B", c),
                config,
            )
        return parts.pairs_by_name(name, config) if two else parts.pairs_side_by_side(name, config)

    train, *others = parts.division.used_splits()
    dataset, held, remarks = part(train, config), None, []
    known = resolve_config(dataset, config)
    for name in others:
        try:
            held = part(name, known)
            remarks.append(f"{len(held):,} in {name} are held out")
        except DataError as error:
            remarks.append(f"nothing is held out: {error.got}")
    unused = [name for name in parts.division.splits if name not in (train, *others)]
    remarks += [f"{name} is left alone, as there is a test part" for name in unused]
    skipped = tuple(sorted([*dataset.report.skipped, *parts.container.skipped]))
    dataset.report = replace(dataset.report, skipped=skipped)
    return finalize(dataset, held, known, remarks)


def _open_two_sources(config: DataConfig, container: Container | None, opener: SourceOpener) -> Dataset:
    second = opener.find_container(config.source_b)
    if container is not None and second is not None:
        whole = JoinedContainers(container, second)
        parts = SplitReader(
            whole, group_by_domain(whole.entries), f"{config.source} and {config.source_b}", opener.monitor
        )
        if not (container.entries and second.entries):
            got = f"{config.source}: {len(container.entries):,} images; {config.source_b}: {len(second.entries):,}"
            raise DataError(got, "images in both", "check both, and what the files are")
        if config.pairing == "paired" or parts.division.has_test_split:
            mode = config.pairing if config.pairing != "auto" else "unpaired"
            return _open_splits(parts, replace(config, pairing=mode))
    plain = replace(config, source_b="", pairing="one", labels=False, swap_domains=False)
    a, b = (
        lambda c, name=name: opener.open_dataset(replace(c, source=name))
        for name in (config.source, config.source_b)
    )
    dataset = join_domains(a, b, replace(plain, swap_domains=config.swap_domains))
    if config.pairing == "paired":
        assert dataset.domain_b is not None
        if len(dataset) != len(dataset.domain_b):
            got = f"{config.source} and {config.source_b}: {len(dataset):,} and {len(dataset.domain_b):,} samples"
            raise DataError(got, "as many in both: arrays pair by number", "fix one, or --recipe cyclegan")
    mode = config.pairing if config.pairing != "auto" else "unpaired"
    return finalize(dataset, None, resolve_config(dataset, replace(config, pairing=mode)), [])


def _open_derived(config: DataConfig, container: Container | None, opener: SourceOpener) -> Dataset:
    if config.source_b or (container is not None and group_by_domain(container.entries).has_both_domains):
        got = f"{config.source}: data.derive_input={config.derive_input}, but there are two domains"
        raise DataError(got, "one set of images, of which the other is made", "leave out one of the two")
    plain, division = (
        source_config(config),
        group_by_domain(container.entries) if container is not None else None,
    )
    names = division.used_splits() if division is not None else ()
    if container is None or division is None or len(names) < 2:
        bases = [opener.open_dataset(plain)]
    else:
        parts = SplitReader(container, division, config.source, opener.monitor)
        bases = [parts.single_domain(names[0], "", plain)]
        bases.append(
            parts.single_domain(
                names[1], "", replace(plain, size=bases[0].config.size, channels=bases[0].config.channels)
            )
        )
        skipped = tuple(sorted([*bases[0].report.skipped, *container.skipped]))
        bases[0].report = replace(bases[0].report, skipped=skipped)
    for base in bases:
        if not base.spec.is_image:
            raise DataError(
                f"{config.source}: points", f"images, to make {config.derive_input} of", "name other data"
            )
    dataset, *held = (add_derived_domain(base, config, opener.monitor) for base in bases)
    mode = config.pairing if config.pairing != "auto" else "paired"
    remarks = [f"{len(held[0]):,} in {names[1]} are held out"] if held else []
    return finalize(
        dataset, held[0] if held else None, resolve_config(dataset, replace(config, pairing=mode)), remarks
    )
