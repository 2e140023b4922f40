"""Translated pictures to be judged: which inputs, what they should become, and what the translator makes of them."""

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch

from sparring import keyed
from sparring.data import Dataset, to_output
from sparring.data.watch import Watch
from sparring.errors import DataError
from sparring.evaluation import baselines
from sparring.evaluation.bank import Bank
from sparring.evaluation.sides import Origin, Sampled, reference_order
from sparring.games.translation import A_TO_B, Translation
from sparring.shapes import Spec

BLOCK = 16  # pictures that go through a network together


@dataclass(frozen=True)
class Task:
    """Pictures to translate, and real ones of the domain that they are translated to.

    Arguments:
        given: the inputs. wanted: real pictures of the other domain.
        paired: whether the i-th of `wanted` is what the i-th of `given` should become.
        direction: `a-to-b` or `b-to-a`.
        learned: pairs that were trained on, for the linear baseline; None takes the task's own pairs, if it has some.
    """

    given: Dataset
    wanted: Dataset
    paired: bool
    direction: str = A_TO_B
    learned: "Task | None" = None

    @classmethod
    def of(cls, dataset: Dataset, direction: str = A_TO_B, learned: "Task | None" = None) -> "Task":
        """The task that data of two domains is."""
        assert dataset.other is not None
        ends = (dataset, dataset.other) if direction == A_TO_B else (dataset.other, dataset)
        return cls(
            *ends, dataset.paired, direction, learned if learned is not None and learned.paired else None
        )

    @cached_property
    def order(self) -> np.ndarray:
        """In which the inputs are taken: as the reference's where they are paired."""
        if self.paired:
            return reference_order(len(self.given))
        return torch.randperm(len(self.given), generator=keyed.generator(0, "inputs")).numpy()

    @property
    def ways(self) -> tuple[int, ...]:
        """Shape (h, w, c) of what comes out."""
        return self.wanted.samples.shape[1:]

    def known(self, translation: Translation) -> set[str]:
        """What of it can be measured (see `Origin.known`)."""
        found = {"input"} | ({"truth"} if self.paired else set())
        return found | ({"way back"} if len(translation.directions) > 1 else set())

    def real(self, translation: Translation, count: int) -> Sampled:
        """Real pictures in the place of translated ones, to see whether all that is needed is there."""
        bank = Bank(self.wanted.samples, None, reference_order(len(self.wanted)))
        made = bank.samples(0, min(count, len(bank)))
        blank = np.zeros((1, *self.given.samples.shape[1:]), np.uint8)
        back = (lambda pictures: blank.repeat(len(pictures), 0)) if len(translation.directions) > 1 else None
        return Sampled(
            samples=made,
            source="this data",
            origin=Origin(given=self._inputs(count), paired=self.paired, back=back),
        )

    def _inputs(self, count: int) -> Bank:
        return Bank(self.given.samples, None, self.order[:count])

    @cached_property
    def _matrix(self) -> tuple[np.ndarray | None, str]:
        """Of the linear baseline, and what it was fitted on."""
        task = self.learned or self
        if not task.paired:
            return None, ""
        pairs = f"{min(len(task.order), baselines.PAIRS):,} pairs"
        words = f"{pairs} of {'those judged' if self.learned is None else 'the training set'}"
        return baselines.fitted(task.given.samples, task.wanted.samples, task.order), words

    def origin(self, translation: Translation, count: int, watch: Watch) -> Origin:
        """What the first `count` translated pictures come from."""
        ways = {one for one in translation.directions if one != self.direction}
        matrix, fitted_on = self._matrix
        order = self.order[:count]
        words = {"inputs": self.given.config.source} | ({"linear": fitted_on} if fitted_on else {})
        return Origin(
            given=self._inputs(count),
            paired=self.paired,
            direction=self.direction,
            back=partial(through, translation, next(iter(ways)), watch=watch) if ways else None,
            baselines=baselines.of_inputs(self.given.samples, order, self.ways[2], matrix),
            words=words,
        )


def translated(translation: Translation, task: Task, count: int, watch: Watch, **facts: Any) -> Sampled:
    """The first `count` inputs of the task, translated, as they would be saved.

    Arguments:
        facts: `source`, `fingerprint`, `images`.

    Raises:
        DataError: the translator makes what is not finite.
    """
    origin = task.origin(translation, min(count, len(task.order)), watch)
    assert origin.given is not None
    made = np.empty((len(origin.given), *task.ways), np.uint8)
    watch.begin(-(-len(made) // BLOCK))
    for at in range(0, len(made), BLOCK):
        block = origin.given.samples(at, min(at + BLOCK, len(made)))
        made[at : at + BLOCK] = through(translation, task.direction, block, watch=watch)
        watch.step()
    return Sampled(samples=made, origin=origin, **facts)


def through(translation: Translation, direction: str, pictures: np.ndarray, watch: Watch) -> np.ndarray:
    """Pictures as saved (n, h, w, c) brought to the other domain, as saved (n, h, w, k)."""
    device, spec = next(translation.parameters()).device, Spec(shape=translation.ends(direction)[1])
    made = []
    for at in range(0, len(pictures), BLOCK):
        watch.poll()
        block = torch.from_numpy(np.require(pictures[at : at + BLOCK], requirements=["C", "W"]))
        x = block.permute(0, 3, 1, 2).to(device, torch.float32).div_(127.5).sub_(1)
        with torch.no_grad():
            y = translation.translate(x, direction).float()
        bad = int((~y.flatten(1).isfinite().all(1)).sum())
        if bad:
            raise DataError(
                f"{bad:,} of {len(y):,} translated pictures hold values that are not finite",
                "finite numbers",
                "the translator is broken: evaluate an older checkpoint (--checkpoint IMAGES)",
            )
        made.append(to_output(y, spec, {}))
    return np.concatenate(made)
