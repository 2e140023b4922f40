"""The doctor reads the record of a run and says in plain words what is wrong with it, if anything. No torch in here.

    >>> from pathlib import Path
    >>> import sparring.doctor
    >>> sparring.doctor.examine(Path("runs/none"))
    Traceback (most recent call last):
    sparring.errors.SparringError: no run.json in runs/none that can be read
      expected: a run folder
      do this: give the folder that was --out of `sparring train`

Each detector is a pure function of the record. Its limits are at the top of its file; how often they are right: docs/results.md,
"The doctor".

References: Goodfellow 2016, arXiv:1701.00160, section 5 (what goes wrong); Brock et al. 2019, arXiv:1809.11096, section 4
(collapse and memorising seen in the discriminator); Karras et al. 2020, arXiv:2006.06676, section 3 (few samples).
"""

from collections.abc import Callable
from pathlib import Path

from sparring.doctor import balance, learning, numbers, translators, unusual, variety
from sparring.doctor.diagnosis import Diagnosis
from sparring.doctor.finding import ORDER, Advice, Finding
from sparring.doctor.history import History, read

DETECTORS: dict[str, Callable[[History], Finding | None]] = {
    "diverged": numbers.diverged,
    "not_finite": unusual.rolled_back,
    "collapse": variety.collapsed,
    "modes_missing": variety.modes_missing,
    "memorisation": learning.memorises,
    "copies": learning.copies,
    "discriminator_wins": balance.discriminator_wins,
    "discriminator_useless": balance.discriminator_useless,
    "little_variety": variety.little_variety,
    "got_worse": learning.got_worse,
    "oscillation": balance.oscillates,
    "penalty_too_weak": balance.judgements_grow,
    "penalty_too_strong": balance.penalty_heavy,
    "saturated": variety.saturated,
    "standstill": numbers.standstill,
    "unsaved": unusual.unsaved,
    "few_samples": learning.few_samples,
    "copies_input": translators.copies_input,
    "judge_wins": translators.judge_wins,
    "learns_nothing": translators.learns_nothing,
}

FOLLOWS = {
    "diverged": (
        "penalty_too_weak",
        "penalty_too_strong",
        "oscillation",
        "discriminator_useless",
        "saturated",
    ),
    "collapse": ("modes_missing", "saturated", "discriminator_useless"),
    "memorisation": ("discriminator_wins", "penalty_too_weak"),
}


def examine(run: Path) -> Diagnosis:
    """What is wrong with a run.

    Raises:
        SparringError: the folder holds no run.
    """
    return diagnose(read(run))


def diagnose(history: History) -> Diagnosis:
    """What is wrong with a run of this history; what follows from something worse is not told on top of it."""
    found = {name: finding for name, detect in DETECTORS.items() if (finding := detect(history))}
    hidden = {
        one for name, finding in found.items() if finding.severity == "bad" for one in FOLLOWS.get(name, ())
    }
    told = [finding for name, finding in found.items() if name not in hidden]
    return Diagnosis(history, tuple(sorted(told, key=lambda finding: ORDER.index(finding.severity))))


__all__ = ["DETECTORS", "Advice", "Diagnosis", "Finding", "History", "diagnose", "examine", "read"]
