"""What an evaluation has before it: the subject, the real samples, and the pictures or samples that are judged."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sparring.data import Dataset
from sparring.data.watch import Watch
from sparring.errors import ConfigError
from sparring.evaluation import against
from sparring.evaluation.drawn import draw, in_pairs, ready_made
from sparring.evaluation.opposite import Tasks, of_pairs, of_translator, wants_pairs
from sparring.evaluation.protocol import Protocol
from sparring.evaluation.sides import Sampled
from sparring.evaluation.subject import Subject, is_generator, open_generator
from sparring.evaluation.translating import translated
from sparring.evaluation.wish import Wish
from sparring.runtime import Runtime

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Before:
    """What was read.

    Arguments:
        real: the real samples.
        runtime: the machine.
        subject: a generator or translator; None for samples made by anything.
        made: these.
        tasks: what a translator is judged on, by split.
        by_name: whether the samples are compared with those of the same names.
    """

    real: against.Against
    runtime: Runtime
    subject: Subject | None = None
    made: Dataset | None = None
    tasks: Tasks = field(default_factory=dict)
    by_name: bool = False

    def known(self, split: str) -> frozenset[str] | None:
        """What can be measured of translated pictures; None of samples that are none."""
        if self.subject is not None and self.subject.translation is not None:
            return (
                frozenset(self.tasks[split].known(self.subject.translation)) if split in self.tasks else None
            )
        return frozenset({"truth"}) if self.by_name else None

    def samples(
        self, wish: Wish, protocols: Sequence[Protocol], watch: Watch, say: Say, *, labelled: bool
    ) -> dict[str, Sampled]:
        """What is judged, by split: made now, or as it was found."""
        if self.tasks:
            return {one: self._translated(one, protocols, watch, say) for one in _splits(protocols)}
        if self.made is not None:
            made = in_pairs(self.made) if self.by_name else None
            made = made or ready_made(self.made, str(wish.subject), self.real.some.classes)
        else:
            assert self.subject is not None
            count = max((one.count for one in protocols if not one.meaning.generation), default=2)
            say(f"making {count:,} samples")
            made = draw(self.subject, count, wish.seed, watch, labelled=labelled)
        return dict.fromkeys(_splits(protocols), made)

    def _translated(self, split: str, protocols: Sequence[Protocol], watch: Watch, say: Say) -> Sampled:
        subject, count = self.subject, max(one.count for one in protocols if one.split == split)
        assert subject is not None
        assert subject.translation is not None
        say(f"translating {count:,} pictures")
        facts = {"fingerprint": subject.fingerprint, "images": subject.images}
        source = f"{subject.source} at image {subject.images:,}"
        return translated(subject.translation, self.tasks[split], count, watch, source=source, **facts)


def opened(wish: Wish, start: Callable[[bool], Runtime], watch: Watch, say: Say) -> Before:
    """Read the subject and the real samples.

    Raises:
        SparringError: what can't be read, or an option that says nothing of this subject.
    """
    if is_generator(wish.subject):
        runtime = start(True)
        subject = open_generator(wish.subject, runtime, wish.checkpoint)
        say("reading the real samples")
        if subject.translation is not None:
            real, tasks = of_translator(subject, wish.against, wish.direction, watch)
            return Before(real=real, runtime=runtime, subject=subject, tasks=tasks)
        _refuse(wish, "direction", wish.direction, "a translator's run")
        return Before(real=against.of_run(subject, wish.against, watch), runtime=runtime, subject=subject)
    _refuse(wish, "checkpoint", wish.checkpoint, "a run folder")
    _refuse(wish, "direction", wish.direction, "a translator's run")
    say("reading the samples")
    by_name = wants_pairs(wish.metrics)
    made, real = (of_pairs if by_name else against.of_samples)(wish.subject, wish.against, watch)
    return Before(real=real, runtime=start(made.spec.is_image), made=made, by_name=by_name)


def _refuse(wish: Wish, option: str, value: object, expected: str) -> None:
    if value is not None:
        raise ConfigError(f"--{option} {value} of {wish.subject}", expected, f"leave --{option} out")


def _splits(protocols: Sequence[Protocol]) -> list[str]:
    return list(dict.fromkeys(protocol.split for protocol in protocols))
