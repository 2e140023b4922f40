"""Judging a run while it is trained, without disturbing it.

The samples come from keyed draws and a copy of the averaged generator, and nothing of the match is written to: a run that is
examined ends with the same bits as one that is not. Of several processes the first one examines; the others wait for it.
"""

import numpy as np

from sparring.data import Dataset, Stopped, to_output
from sparring.data.watch import Watch
from sparring.errors import ConfigError
from sparring.evaluation.fitting import require
from sparring.evaluation.line import Line
from sparring.evaluation.measure import How, measure
from sparring.evaluation.protocol import Protocol
from sparring.evaluation.sides import Reference, Sampled
from sparring.evaluation.translating import Task, translated
from sparring.features import Extractor, load
from sparring.games.translation import Translation
from sparring.match import Match
from sparring.record import Record, best, stale
from sparring.runtime import Runtime

STALE, NOT_EVALUATED = "no better since", "not evaluated"
SEED = 0  # of the samples: the same ones at every evaluation, and those that `sparring sample` makes first
BLOCK = 256  # samples between two looks at the wish to stop


class Examiner:
    """Measures one protocol, again and again, against the same real samples.

    Arguments:
        protocol: what is measured.
        sides: the samples trained on, and those held out.
        runtime: where features are computed.

    Raises:
        ConfigError, DataError: it can't be measured; found out by measuring real samples in the place of generated ones.
    """

    def __init__(self, protocol: Protocol, sides: tuple[Dataset, Dataset | None], runtime: Runtime) -> None:
        self.protocol = protocol
        training, held = sides
        if protocol.split == "test" and held is None:
            raise ConfigError(
                f"training.metric={protocol}, but no sample is held out",
                "some to judge by",
                f"--set data.held_out={min(500, len(training) // 20)}, or use the split `train`",
            )
        chosen = held if held is not None and protocol.split == "test" else training
        self.task = Task.of(chosen) if chosen.other is not None else None
        wanted, seen = (side.other or side for side in (chosen, training))
        self.reference = Reference.of(wanted, "test" if protocol.split == "test" else "train")
        self.extractor: Extractor = load(protocol.extractor, runtime=runtime, fitted_on=seen)
        if self.task is None and not protocol.meaning.generation:
            bank, count = self.reference.bank, min(protocol.count, len(chosen))
            real = Sampled(samples=bank.samples(0, count), labels=bank.labels(0, count), source="this data")
            self._measure(real, Watch())

    def rehearse(self, translation: Translation) -> None:
        """Raises ConfigError or DataError where a translator like this one can't be measured."""
        assert self.task is not None
        require(self.protocol, self.task.known(translation))
        self._measure(self.task.real(translation, self.protocol.count), Watch())

    def _measure(self, fake: Sampled, watch: Watch) -> Line:
        how = How(seed=SEED, resamples=0, watch=watch, baselines=False)
        return measure(self.protocol, fake, self.reference, self.extractor, how=how)

    def look(self, match: Match, record: Record, watch: Watch) -> bool:
        """Measure the match as it is, and write down what came of it. Whatever goes wrong is an event, and training goes on.

        Returns:
            Whether it is better than ever before.
        """
        images = match.clock.images
        try:
            line = self._measure(self._sampled(match, watch), watch)
        except Stopped:
            return False  # owed to the next start
        except Exception as error:  # an evaluation is never worth a run
            record.event(NOT_EVALUATED, images, why=f"{type(error).__name__}: {error}"[:500])
            return False
        row = {"value": line.value, "better": line.protocol.meaning.better, **line.to_json()}
        record.evaluated({"images": images, "step": match.clock.step, **row})
        self._advise(record, images)
        return best(record.evaluations) is record.evaluations[-1]

    def _sampled(self, match: Match, watch: Watch) -> Sampled:
        if self.task is not None:
            kept, facts = match.kept, {"source": "the run", "images": match.clock.images}
            assert isinstance(kept, Translation)
            return translated(kept, self.task, self.protocol.count, watch, **facts)
        generation, units = match.generation, match.dealer.dataset.units
        count = 1 if self.protocol.meaning.generation else self.protocol.count
        labels, parts = generation.draw_labels(SEED, range(count)), []
        for at in range(0, count, BLOCK):
            watch.poll()
            block = range(at, min(at + BLOCK, count))
            told = None if labels is None else labels[block.start : block.stop]
            made = generation.sample(SEED, block, labels=told)
            parts.append(to_output(made, generation.spec, units))
        return Sampled(
            samples=np.concatenate(parts),
            labels=None if labels is None else labels.numpy(),
            generation=generation,
            source="the run",
            images=match.clock.images,
            units=units,
        )

    def _advise(self, record: Record, images: int) -> None:
        since = stale(record.evaluations)
        if since is not None:
            record.event(STALE, images, since=since, metric=str(self.protocol))
