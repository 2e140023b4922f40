"""When a run is looked at, what is owed of it, and whether its target is reached."""

from collections.abc import Callable

from sparring.data.watch import Watch
from sparring.evaluation.stage import Stage
from sparring.match import Match
from sparring.record import Record, best, missing, reaches


class Judge:
    """Sees to it that a match is evaluated when it is time, in the first process, and tells all of them whether it is over.

    Arguments:
        match: what is played.
        record: with the evaluations until now.
        stage: with the examiner, if there is one.
    """

    def __init__(self, match: Match, record: Record, stage: Stage | None) -> None:
        self.match, self.record, self.training = match, record, match.experiment.training
        self.held = stage.held if stage is not None else None
        self.examiner = stage.examiner if stage is not None else None
        self.watch, self.owes_look = Watch(), False
        self.reached = self._reached()

    def look(self) -> bool:
        """Evaluate, if that is owed.

        Returns:
            Whether it is better than ever before: then it must be saved.
        """
        if not (self.owes_look and self.training.metric):
            return False
        self.owes_look = False
        better = self.examiner is not None and self.examiner.look(self.match, self.record, self.watch)
        self.reached = self._reached()
        return better

    def catch_up(self, stop: Callable[[], bool]) -> bool:
        """At a start: the evaluation that a signal or an error has kept from being made.

        Arguments:
            stop: to be polled from now on.

        Returns:
            Whether to stop before the next step, as it is still missing.
        """
        self.watch = Watch(stop=stop)
        self.owes_look = self.behind()
        if not self.owes_look:
            return False
        self.look()
        return self.match.runtime.any(stop())

    def behind(self) -> bool:
        """Whether an evaluation is missing, as the first process sees it."""
        training, now = self.training, self.match.clock.images
        rows, due = self.record.evaluations, self.examiner is not None
        return self.match.runtime.any(due and missing(rows, now, training.evaluate_every, training.images))

    def _reached(self) -> bool:
        """Whether the target is reached, as the first process sees it."""
        if self.training.target is None:
            return False
        return self.match.runtime.any(reaches(best(self.record.evaluations), self.training.target))
