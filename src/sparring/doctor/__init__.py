"""The doctor reads the records of a run and says what is wrong with it, if anything. No torch in here.

    >>> from pathlib import Path
    >>> import sparring.doctor
    >>> sparring.doctor.examine(Path("runs/none"))
    Traceback (most recent call last):
    sparring.core.errors.SparringError: no run.json in runs/none that can be read
      expected: a run folder
      do this: give the folder that was --out of `sparring train`

Each detector is a pure function of the records. Its thresholds are at the top of its file; how often they are
right: docs/results.md, "The doctor".

References: Goodfellow 2016, arXiv:1701.00160, section 5 (failure modes); Brock et al. 2019, arXiv:1809.11096,
section 4 (collapse and memorising seen in the discriminator); Karras et al. 2020, arXiv:2006.06676, section 3
(few samples).
"""

from collections.abc import Callable
from pathlib import Path

from sparring.doctor import balance, collapse, numerics, overfitting, translators
from sparring.doctor.diagnosis import Diagnosis
from sparring.doctor.finding import ORDER, Advice, Finding
from sparring.doctor.history import History, read_history

DETECTORS: dict[str, Callable[[History], Finding | None]] = {
    "diverged": numerics.detect_divergence,
    "not_finite": numerics.detect_non_finite_steps,
    "collapse": collapse.detect_collapse,
    "modes_missing": collapse.detect_missing_modes,
    "memorisation": overfitting.detect_overfitting,
    "copies": overfitting.detect_copies,
    "discriminator_wins": balance.detect_discriminator_wins,
    "discriminator_useless": balance.detect_discriminator_useless,
    "little_variety": collapse.detect_low_diversity,
    "got_worse": overfitting.detect_metric_regression,
    "oscillation": balance.detect_oscillation,
    "penalty_too_weak": balance.detect_weak_penalty,
    "penalty_too_strong": balance.detect_strong_penalty,
    "saturated": collapse.detect_clipped_pixels,
    "standstill": numerics.detect_stall,
    "unsaved": numerics.detect_checkpoint_failure,
    "few_samples": overfitting.detect_few_samples,
    "copies_input": translators.detect_copied_input,
    "judge_wins": translators.detect_patch_discriminator_wins,
    "learns_nothing": translators.detect_no_progress,
}

CONSEQUENCES = {
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
    return diagnose(read_history(run))


def diagnose(history: History) -> Diagnosis:
    """What is wrong with a run of this history; what follows from something worse is not told on top of it."""
    found = {name: finding for name, detect in DETECTORS.items() if (finding := detect(history))}
    hidden = {
        one
        for name, finding in found.items()
        if finding.severity == "bad"
        for one in CONSEQUENCES.get(name, ())
    }
    told = [finding for name, finding in found.items() if name not in hidden]
    return Diagnosis(history, tuple(sorted(told, key=lambda finding: ORDER.index(finding.severity))))


__all__ = ["DETECTORS", "Advice", "Diagnosis", "Finding", "History", "diagnose", "examine", "read_history"]
