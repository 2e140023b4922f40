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

WIDTH_TOLERANCE = 0.1  # relative difference of the width of two images side by side from twice the height
PAIRS_ADVICE = (
    "put the images into A/ and B/ with equal names, or derive A from the images: "
    "--set data.derive_input=edges (or grey, downsampled, masked)"
)
SkippedFiles = list[tuple[str, str]]


@dataclass(frozen=True)
class SplitReader:
    """Reads one split of a container at a time.

    Arguments:
        container: with all images.
        files: its entries by split and domain.
        source: as the user wrote it, for errors and reports.
        monitor: counts the files and polls for a stop.
    """

    container: Container
    files: DomainFiles
    source: str
    monitor: ProgressMonitor

    def pairs_by_name(self, split: str, config: DataConfig) -> Dataset:
        """Pairs of A and B with equal names.

        Raises:
            DataError: no two names are equal.
        """
        a, b = self._entries(split, "A"), self._entries(split, "B")
        pairs_of_entries, skipped = match_by_name(a, b, self.files.names)
        if not pairs_of_entries:
            raise self._no_pairs_error(a, b)
        skipped += [(entry.name, "in neither A nor B") for entry in self._entries(split, "")]
        survey = self._survey(split, [*a, *b])
        number = {entry.name: index for index, entry in enumerate(survey.entries)}
        pairs = [Pair(number[one.name], number[two.name]) for one, two in pairs_of_entries]
        pairs = [Pair(pair.b, pair.a) for pair in pairs] if config.swap_domains else pairs
        return open_pairs(survey, pairs, skipped, config, self.monitor)

    def pairs_side_by_side(self, split: str, config: DataConfig) -> Dataset:
        """Pairs that stand side by side in one image, A on the left.

        Raises:
            DataError: most images are not twice as wide as high.
        """
        survey = self._survey(split, self._entries(split, ""))
        usable = survey.usable()
        wide = [number for number in usable if _is_double_width(survey.file_infos[number])]
        if 2 * len(wide) <= len(usable):
            raise self._single_images_error(survey)
        others = set(usable) - set(wide)
        skipped = [(survey.entries[number].name, "not twice as wide as high") for number in sorted(others)]
        halves = ("right", "left") if config.swap_domains else ("left", "right")
        pairs = [Pair(number, number, halves) for number in wide]
        return open_pairs(survey, pairs, skipped, config, self.monitor)

    def single_domain(self, split: str, domain: str, config: DataConfig) -> Dataset:
        """The images of one domain (or of those in none: "") in this split."""
        subset = ContainerSubset(self.container, self._entries(split, domain), f"{split}/{domain}")
        source = f"{self.source} ({domain or split})"
        plain = replace(config, source=source, labels=False)
        return open_images(subset, plain, (), self.monitor)

    def _entries(self, split: str, domain: str) -> list[Entry]:
        return self.files.splits[split].get(domain, [])

    def _survey(self, split: str, entries: list[Entry]) -> Survey:
        subset = ContainerSubset(self.container, entries, f"{split}/pairs")
        self.monitor.begin(len(subset.entries))
        return Survey(subset, self.monitor)

    def _no_pairs_error(self, a: list[Entry], b: list[Entry]) -> DataError:
        examples = ["; ".join(entry.name for entry in entries[:2]) for entries in (a, b)]
        return DataError(
            f"{self.source}: nothing pairs by name: "
            f"{len(a):,} images in A ({examples[0]}), {len(b):,} in B ({examples[1]})",
            "partners with equal names (their suffixes may differ)",
            "rename them, or train without pairs: --recipe cyclegan",
        )

    def _single_images_error(self, survey: Survey) -> DataError:
        usable = [survey.file_infos[number] for number in survey.usable()]
        reason = f"; {survey.skipped()[0][1]}" if survey.skipped() else ""
        example = (
            f"the first is {usable[0].height}x{usable[0].width}" if usable else f"none can be used{reason}"
        )
        return DataError(
            f"{self.source}: {len(survey.entries):,} images without partners ({example})",
            "folders A/ and B/, or images that are twice as wide as high, with A on the left and B on the right",
            PAIRS_ADVICE,
        )


def _is_double_width(info: FileInfo) -> bool:
    return abs(info.width - 2 * info.height) <= 2 * WIDTH_TOLERANCE * info.height


TWO_DOMAINS_ADVICE = (
    "give two DATA (sparring train horses/ zebras/ --recipe cyclegan), or a folder with trainA/ and trainB/"
)


@dataclass(frozen=True)
class SourceOpener:
    """The functions of `data.open` that this module needs.

    Arguments:
        open_dataset: opens one domain.
        find_container: the folder or zip that a source names, or None.
        monitor: counts the files and polls for a stop.
    """

    open_dataset: DatasetOpener
    find_container: Callable[[str], Container | None]
    monitor: ProgressMonitor


def open_two_domains(config: DataConfig, container: Container | None, opener: SourceOpener) -> Dataset | None:
    """Open data of two domains, with the test split that came with it; None where there is one domain.

    Arguments:
        config: the settings; `pairing`, `source_b` and `derive_input` say where domain B comes from.
        container: the folder or zip that `config.source` names, if it is one.

    Raises:
        DataError: two domains are requested and not there, or do not fit each other.
    """
    if config.pairing == "one":
        if config.source_b or config.derive_input:
            got = f"{config.source}: data.pairing=one, and a second domain"
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
    reader = SplitReader(container, group_by_domain(container.entries), config.source, monitor)
    files = reader.files
    is_paired = files.has_both_domains and files.is_paired("train")
    if config.pairing == "auto":
        if not (files.has_both_domains and (files.explicit or (is_paired and files.is_mostly_domains))):
            return None
        config = replace(config, pairing="paired" if is_paired else "unpaired")
    a, b = (len(files.entries_of(domain)) for domain in "AB")
    if bool(a) != bool(b):
        got = f"{config.source}: {a:,} images in A and {b:,} in B"
        raise DataError(got, "images of both domains", "check both folders, and what the files are")
    if not a and config.pairing == "unpaired":
        raise DataError(
            f"{config.source}: one set of {len(container.entries):,} images",
            "two domains",
            TWO_DOMAINS_ADVICE,
        )
    return _open_splits(reader, config)


def _open_splits(reader: SplitReader, config: DataConfig) -> Dataset:
    """The split to train on, with the held-out split as its `test_set`."""
    files = reader.files

    def open_split(split: str, config: DataConfig) -> Dataset:
        if not files.has_both_domains:
            return reader.pairs_side_by_side(split, config)
        if config.pairing == "paired" or (split != "train" and files.is_paired(split)):
            return reader.pairs_by_name(split, config)
        return join_domains(
            lambda c: reader.single_domain(split, "A", c),
            lambda c: reader.single_domain(split, "B", c),
            config,
        )

    train, *held_out = files.used_splits()
    dataset, test_set, why = open_split(train, config), None, []
    resolved = resolve_config(dataset, config)
    for split in held_out:
        try:
            test_set = open_split(split, resolved)
            why.append(f"{len(test_set):,} in {split} are held out")
        except DataError as error:
            why.append(f"nothing is held out: {error.got}")
    unused = [split for split in files.splits if split not in (train, *held_out)]
    why += [f"{split} is not used, as there is a test split" for split in unused]
    skipped = tuple(sorted([*dataset.report.skipped, *reader.container.skipped]))
    dataset = dataset.replace(report=replace(dataset.report, skipped=skipped))
    return finalize(dataset, test_set, resolved, why)


def _open_two_sources(config: DataConfig, container: Container | None, opener: SourceOpener) -> Dataset:
    pairing = config.pairing if config.pairing != "auto" else "unpaired"
    second = opener.find_container(config.source_b)
    if container is not None and second is not None:
        both = JoinedContainers(container, second)
        source = f"{config.source} and {config.source_b}"
        reader = SplitReader(both, group_by_domain(both.entries), source, opener.monitor)
        if not (container.entries and second.entries):
            got = f"{config.source}: {len(container.entries):,} images; {config.source_b}: {len(second.entries):,}"
            raise DataError(got, "images in both", "check both, and what the files are")
        if config.pairing == "paired" or reader.files.has_test_split:
            return _open_splits(reader, replace(config, pairing=pairing))
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
            raise DataError(got, "as many in both: arrays pair by index", "fix one, or --recipe cyclegan")
    return finalize(dataset, None, resolve_config(dataset, replace(config, pairing=pairing)), [])


def _open_derived(config: DataConfig, container: Container | None, opener: SourceOpener) -> Dataset:
    files = group_by_domain(container.entries) if container is not None else None
    if config.source_b or (files is not None and files.has_both_domains):
        got = f"{config.source}: data.derive_input={config.derive_input}, but there are two domains"
        raise DataError(got, "one set of images, from which the other is derived", "leave out one of the two")
    plain = source_config(config)
    splits = files.used_splits() if files is not None else ()
    if container is None or files is None or len(splits) < 2:
        bases = [opener.open_dataset(plain)]
    else:
        reader = SplitReader(container, files, config.source, opener.monitor)
        train = reader.single_domain(splits[0], "", plain)
        same_size = replace(plain, size=train.config.size, channels=train.config.channels)
        skipped = tuple(sorted([*train.report.skipped, *container.skipped]))
        train = train.replace(report=replace(train.report, skipped=skipped))
        bases = [train, reader.single_domain(splits[1], "", same_size)]
    for base in bases:
        if not base.spec.is_image:
            got = f"{config.source}: points"
            raise DataError(got, f"images, for data.derive_input={config.derive_input}", "name other data")
    dataset, *test_sets = (add_derived_domain(base, config, opener.monitor) for base in bases)
    pairing = config.pairing if config.pairing != "auto" else "paired"
    why = [f"{len(test_sets[0]):,} in {splits[1]} are held out"] if test_sets else []
    resolved = resolve_config(dataset, replace(config, pairing=pairing))
    return finalize(dataset, test_sets[0] if test_sets else None, resolved, why)
