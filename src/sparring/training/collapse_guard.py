"""Notice from the diagnostics that a run has collapsed or that its discriminator has won, and know where to go back to.

Bit for bit repeatable: what the guard decides is a function of the reports and of its own state, which every checkpoint
holds. It goes back only to checkpoints of the schedule (`training.save_every`, and the best evaluations), which an
undisturbed run has as well; those that a signal or the time of day caused do not count. Until the next save the decision
is nowhere on the disk: a run that is killed before it goes on from the older checkpoint and decides the same again.
"""

from collections.abc import Mapping
from typing import Any

from sparring.core.interfaces import Objective
from sparring.experiment import Experiment
from sparring.protocols.rescue import ObjectiveFacts, Rescue, Trouble

LOGGED = (  # columns of the record that are logged with a rescue
    "diag/diversity",
    "diag/near_duplicates",
    "diag/auc_real_vs_fake",
    "discriminator/adversarial",
    "discriminator/accuracy_real",
    "discriminator/accuracy_fake",
    "generator/adversarial",
)


class CollapseGuard:
    """Counts bad measurements in a row.

    Arguments:
        experiment: of the run; without `training.rescue` nothing is ever bad.
    """

    def __init__(self, experiment: Experiment) -> None:
        self.rescue: Rescue | None = experiment.training.rescue
        self.facts = _objective_facts(experiment)
        self.bad_measurements = 0  # in a row
        self.last_saved = 0  # images of the last checkpoint of the schedule
        self.anchor = 0  # images of the checkpoint to go back to

    def observe(self, row: Mapping[str, Any]) -> Trouble | None:
        """Take note of a report.

        Returns:
            What is wrong, if it has been so for long enough.
        """
        if self.rescue is None or "diag/diversity" not in row:
            return None
        trouble = self.rescue.find_trouble(row, self.facts)
        if trouble is None:
            self.bad_measurements = 0
            if self.rescue.is_healthy(row, self.facts):
                self.anchor = self.last_saved
            return None
        self.bad_measurements += 1
        return trouble if self.bad_measurements >= self.rescue.patience else None

    def remedy(self, level: int) -> tuple[str, ...] | None:
        """The settings that the rescue after `level` earlier ones changes; None if there is none left."""
        remedies = self.rescue.remedies if self.rescue is not None else ()
        return remedies[level] if level < len(remedies) else None

    def went_back(self, images: int) -> None:
        """Begin to count anew, after the state of `images` was restored."""
        self.bad_measurements, self.last_saved, self.anchor = 0, images, images

    @property
    def needed_checkpoints(self) -> set[int]:
        """The checkpoints that must not be removed, by images."""
        return {self.anchor, self.last_saved} if self.rescue is not None else set()

    def state(self) -> dict[str, int]:
        """The guard's part of a checkpoint; empty without `training.rescue`."""
        names = ("bad_measurements", "last_saved", "anchor")
        return {name: getattr(self, name) for name in names} if self.rescue is not None else {}

    def restore(self, state: Mapping[str, int]) -> None:
        """Restore what `state` returned."""
        for name in self.state():
            setattr(self, name, state[name])


def _objective_facts(experiment: Experiment) -> ObjectiveFacts:
    objective = getattr(experiment.game, "objective", None)
    if not isinstance(objective, Objective):
        return ObjectiveFacts(generator_lost_above=None, has_zero=False)
    lost_above, centre = objective.generator_lost_above, objective.logit_scale.centre
    return ObjectiveFacts(generator_lost_above=lost_above, has_zero=centre == 0.0)
