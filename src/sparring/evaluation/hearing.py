"""All that an evaluation has before it, opened step by step."""

from collections.abc import Callable
from dataclasses import replace

from sparring import features
from sparring.data import Dataset
from sparring.data.watch import Watch
from sparring.errors import DataError
from sparring.evaluation.amounts import Facts, installed
from sparring.evaluation.before import Say, opened
from sparring.evaluation.choose import complete
from sparring.evaluation.closest import Sheet, sheet
from sparring.evaluation.drawn import class_numbers
from sparring.evaluation.fitting import enough, require
from sparring.evaluation.line import Line
from sparring.evaluation.measure import How, measure
from sparring.evaluation.protocol import Protocol
from sparring.evaluation.sides import Reference, Sampled
from sparring.evaluation.subject import Subject
from sparring.evaluation.wish import Evaluation, Wish
from sparring.features.extracted import Extractor
from sparring.runtime import Runtime

FOUND_BY_PATH = ("inception", "dinov2_s", "dinov2_b", "dinov2_l")


class Hearing:
    """What an evaluation has before it: the subject, the references, the extractors, and the samples when made."""

    def __init__(self, wish: Wish, start: Callable[[bool], Runtime], watch: Watch, say: Say) -> None:
        self.wish, self.start, self.watch, self.say = wish, start, watch, say
        self.done = Evaluation(wish=wish)
        self.subject: Subject | None = None
        self.made: Dataset | None = None
        self.sampled: dict[str, Sampled] = {}
        self.extractors: dict[str, Extractor] = {}
        self.refused: DataError | None = None
        self.labelled = True

    def open(self) -> None:
        """Read the subject and the real samples."""
        self.before = opened(self.wish, self.start, self.watch, self.say)
        self.subject, self.made, self.real = self.before.subject, self.before.made, self.before.real
        self.done.images = self.subject.images if self.subject is not None else None
        self.references = self.real.references()
        self.done.notes += self.real.notes
        self._match_labels()

    def _match_labels(self) -> None:
        """Labels count where both sides have them, under the same names."""
        real = self.real.some.classes
        ours: tuple[str, ...] = self.made.classes if self.made is not None else ()
        if self.subject is not None:
            ours = tuple(str(name) for name in self.subject.facts["classes"])
        same = class_numbers(ours, real) is not None if self.made is not None else ours == real
        self.labelled = bool(ours) and bool(real) and same
        both = self.references.get("test") or self.references["train"]
        self.labelled = self.labelled and both.classes == real
        if ours and real and not same:
            self.done.notes.append("the classes have other names on both sides: labels are left aside")

    def protocols(self) -> list[Protocol]:
        """What is to be measured."""
        spec = self.real.some.spec
        main = self.references.get("test") or self.references["train"]
        facts = Facts(
            spec=replace(spec, classes=spec.classes if self.labelled else 0),
            counts={name: len(one.samples) for name, one in self.references.items()},
            made=None if self.made is None else len(self.made),
            source=main.source,
            network=installed(),
            accelerated=self.before.runtime.device.type != "cpu",
            inputs={name: len(task.given) for name, task in self.before.tasks.items()},
            known=self.before.known(main.split),
        )
        self.done.chosen = not self.wish.metrics
        found = complete(self.wish.metrics, facts, self.wish.n)
        if not self.wish.metrics and facts.extractor == "pca" and not facts.network:
            self.done.notes.append(
                "features are principal components of the pixels: they see layout and colour, hardly detail; "
                "pip install 'sparring[features]' brings a network of photographs"
            )
        for protocol in found:
            require(protocol, self.before.known(protocol.split))
        return list(dict.fromkeys(found))

    def extractor(self, name: str) -> Extractor:
        """Loaded once."""
        if name not in self.extractors:
            self.say(f"preparing {name}")
            weights = self.wish.weights if name in FOUND_BY_PATH else None
            self.extractors[name] = features.load(
                name, runtime=self.before.runtime, weights=weights, fitted_on=self.real.some
            )
        return self.extractors[name]

    def prepare(self, protocols: list[Protocol]) -> None:
        """Make the samples, or take those that are there; before that, see that nothing else is missing."""
        for protocol in protocols:
            if not self.done.chosen:
                enough(
                    protocol, self.references[protocol.split], None if self.made is None else len(self.made)
                )
            self.extractor(protocol.extractor)
        self.sampled = self.before.samples(self.wish, protocols, self.watch, self.say, labelled=self.labelled)

    def measured(self, protocol: Protocol) -> Line | None:
        """A result. What was not asked for by name and can't be had is left out, with a note."""
        reference = self.references[protocol.split]
        other = (
            self.references.get("test" if protocol.split == "train" else "train") if self.real.apart else None
        )
        how = How(seed=self.wish.seed, watch=self.watch)
        try:
            made = self.sampled[protocol.split]
            return measure(protocol, made, reference, self.extractor(protocol.extractor), other, how)
        except DataError as error:
            if not self.done.chosen:
                raise
            self.refused = error
            self.done.notes.append(f"{protocol} left out: {error.got}; {error.fix}")
            return None

    def sheet(self) -> Sheet | None:
        """Against all that may have been copied: the training set if there is one. In features that are quick to get."""
        reference: Reference = self.references.get("train") or self.references["test"]
        made = next(iter(self.sampled.values()))
        if made.samples.ndim != 4 or made.origin is not None:
            return None
        return sheet(made, reference, self.extractor("pca"), self.watch)
