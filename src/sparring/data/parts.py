"""One part (to train on, or to judge by) of a folder or zip with two domains, as a data set."""

from dataclasses import dataclass, replace

from sparring.data.config import DataConfig
from sparring.data.dataset import Dataset
from sparring.data.domains import Division, couples
from sparring.data.entries import Container, Entry
from sparring.data.paired import Pair, open_pairs
from sparring.data.pictures import open_pictures
from sparring.data.survey import Finding, Survey
from sparring.data.views import View
from sparring.data.watch import Watch
from sparring.errors import DataError

SHARE = 0.1  # of the height, by which the width of two pictures side by side may differ from twice the height
ADVICE = (
    "put the pictures into A/ and B/ with equal names, or make A from the pictures: "
    "--set data.derive=edges (or grey, downsampled, masked)"
)
Named = list[tuple[str, str]]


@dataclass(frozen=True)
class Parts:
    """A container, divided.

    Arguments:
        container: of all pictures.
        division: its entries by part and domain.
        source: as the user wrote it.
        watch: told of each file.
    """

    container: Container
    division: Division
    source: str
    watch: Watch

    def by_name(self, part: str, config: DataConfig) -> Dataset:
        """Pairs of A and B with equal names.

        Raises:
            DataError: no names are equal.
        """
        a, b = self._side(part, "A"), self._side(part, "B")
        found, skipped = couples(a, b, self.division.names)
        if not found:
            raise self._strangers(a, b)
        skipped += [(entry.name, "in neither A nor B") for entry in self._side(part, "")]
        survey = self._survey(part, [*a, *b])
        number = {entry.name: place for place, entry in enumerate(survey.entries)}
        pairs = [Pair(number[one.name], number[two.name]) for one, two in found]
        pairs = [Pair(pair.b, pair.a) for pair in pairs] if config.swap else pairs
        return open_pairs(survey, pairs, skipped, config, self.watch)

    def halves(self, part: str, config: DataConfig) -> Dataset:
        """Pairs that stand side by side in one picture, A on the left.

        Raises:
            DataError: most pictures are not twice as wide as high.
        """
        survey = self._survey(part, self._side(part, ""))
        usable = survey.usable()
        wide = [number for number in usable if _double(survey.findings[number])]
        if 2 * len(wide) <= len(usable):
            raise self._single(survey)
        others = set(usable) - set(wide)
        skipped = [(survey.entries[number].name, "not twice as wide as high") for number in sorted(others)]
        sides = ("right", "left") if config.swap else ("left", "right")
        pairs = [Pair(number, number, sides) for number in wide]
        return open_pairs(survey, pairs, skipped, config, self.watch)

    def one(self, part: str, side: str, config: DataConfig) -> Dataset:
        """The pictures of one domain (or those in none: "") of this part."""
        view = View(self.container, self._side(part, side), f"{part}/{side}")
        source = f"{self.source} ({side or part})"
        plain = replace(config, source=source, labels=False)
        return open_pictures(view, plain, (), self.watch)

    def _side(self, part: str, side: str) -> list[Entry]:
        return self.division.parts[part].get(side, [])

    def _survey(self, part: str, entries: list[Entry]) -> Survey:
        view = View(self.container, entries, f"{part}/pairs")
        self.watch.begin(len(view.entries))
        return Survey(view, self.watch)

    def _strangers(self, a: list[Entry], b: list[Entry]) -> DataError:
        shown = ["; ".join(entry.name for entry in side[:2]) for side in (a, b)]
        return DataError(
            f"{self.source}: nothing pairs by name: {len(a):,} pictures in A ({shown[0]}), {len(b):,} in B ({shown[1]})",
            "partners of one name (their endings may differ)",
            "rename them, or train without pairs: --recipe cyclegan",
        )

    def _single(self, survey: Survey) -> DataError:
        usable = [survey.findings[number] for number in survey.usable()]
        reasons = f"; {survey.skipped()[0][1]}" if survey.skipped() else ""
        seen = (
            f"the first is {usable[0].height}x{usable[0].width}" if usable else f"none can be used{reasons}"
        )
        return DataError(
            f"{self.source}: {len(survey.entries):,} pictures without partners ({seen})",
            "folders A/ and B/, or pictures that are twice as wide as high, with A on the left and B on the right",
            ADVICE,
        )


def _double(finding: Finding) -> bool:
    return abs(finding.width - 2 * finding.height) <= 2 * SHARE * finding.height
