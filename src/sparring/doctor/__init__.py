"""The doctor: detectors that read the records of a run and report what is wrong with it. No torch in here.

    >>> from pathlib import Path
    >>> import sparring.doctor
    >>> sparring.doctor.examine(Path("runs/none"))  # doctest: +ELLIPSIS, +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    sparring.core.errors.SparringError: ...

Each detector is a pure function of the records, with its thresholds at the top of its file. How often they are
right: docs/results.md, "The doctor".

References: Goodfellow 2016, arXiv:1701.00160, section 5 (failure modes); Brock et al. 2019, arXiv:1809.11096,
section 4 (collapse and memorisation as seen in the discriminator); Karras et al. 2020, arXiv:2006.06676,
section 3 (few samples).
"""

from collections.abc import Callable
from pathlib import Path

from sparring.doctor import balance, collapse, numerics, overfitting, translators
from sparring.doctor.diagnosis import Diagnosis
from sparring.doctor.finding import SEVERITIES, Advice, Finding
from sparring.doctor.history import History, read_history

DETECTORS: dict[str, Callable[[History], Finding | None]] = {
    "divergence": numerics.detect_divergence,
    "non_finite_steps": numerics.detect_non_finite_steps,
    "rescued": collapse.detect_rescue,
    "collapse": collapse.detect_collapse,
    "missing_modes": collapse.detect_missing_modes,
    "discriminator_overfits": overfitting.detect_overfitting,
    "copies_training_data": overfitting.detect_copies,
    "discriminator_wins": balance.detect_discriminator_wins,
    "discriminator_useless": balance.detect_discriminator_useless,
    "low_diversity": collapse.detect_low_diversity,
    "metric_regression": overfitting.detect_metric_regression,
    "oscillation": balance.detect_oscillation,
    "penalty_too_weak": balance.detect_weak_penalty,
    "penalty_too_strong": balance.detect_strong_penalty,
    "clipped_pixels": collapse.detect_clipped_pixels,
    "stalled_training": numerics.detect_stall,
    "checkpoint_failed": numerics.detect_checkpoint_failure,
    "few_samples": overfitting.detect_few_samples,
    "copies_input": translators.detect_copied_input,
    "patch_discriminator_wins": translators.detect_patch_discriminator_wins,
    "no_progress": translators.detect_no_progress,
}

CONSEQUENCES = {  # findings that follow from a worse one are not reported beside it
    "divergence": (
        "penalty_too_weak",
        "penalty_too_strong",
        "oscillation",
        "discriminator_useless",
        "clipped_pixels",
    ),
    "collapse": ("missing_modes", "clipped_pixels", "discriminator_useless"),
    "discriminator_overfits": ("discriminator_wins", "penalty_too_weak"),
}


def examine(run: Path) -> Diagnosis:
    """Diagnose a run folder.

    Raises:
        SparringError: the folder holds no run.
    """
    return diagnose(read_history(run))


def diagnose(history: History) -> Diagnosis:
    """Apply all detectors; the findings of the highest severity come first."""
    findings = {name: finding for name, detect in DETECTORS.items() if (finding := detect(history))}
    causes = [name for name, finding in findings.items() if finding.severity == "bad"]
    hidden = {name for cause in causes for name in CONSEQUENCES.get(cause, ())}
    reported = [finding for name, finding in findings.items() if name not in hidden]
    return Diagnosis(history, tuple(sorted(reported, key=lambda one: SEVERITIES.index(one.severity))))


__all__ = ["DETECTORS", "Advice", "Diagnosis", "Finding", "History", "diagnose", "examine", "read_history"]
