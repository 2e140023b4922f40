"""The diagnosis of a run: verdict, findings, limitations of the records, the command that follows the advice,
and its text.
"""

import shlex
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sparring.doctor.finding import Advice, Finding
from sparring.doctor.history import History
from sparring.doctor.translators import is_translator

MIN_STEPS = 200  # steps before which little can be told


@dataclass(frozen=True)
class Diagnosis:
    """What was found in a history, the worst first."""

    history: History
    findings: tuple[Finding, ...]

    @property
    def worst(self) -> str:
        """`bad`, `warning`, `is_early` or `well`."""
        ill = [finding.severity for finding in self.findings if finding.severity != "note"]
        return ill[0] if ill else "early" if self.is_early else "well"

    @property
    def is_early(self) -> bool:
        """Whether too little was seen to tell."""
        return self.history.step < MIN_STEPS and not self.history.is_finished

    @property
    def verdict(self) -> str:
        """The verdict in a sentence."""
        if self.worst == "bad":
            return "This run is in trouble."
        if self.worst == "warning":
            return "This run goes on, but something may be wrong."
        if self.is_early or not self.history.rows:
            return (
                f"Too early to tell: {self.history.step:,} steps were recorded; look again after {MIN_STEPS}."
            )
        return (
            "Nothing is wrong: " + self.healthy_summary + "."
            if self.healthy_summary
            else "Nothing wrong can be seen."
        )

    @property
    def healthy_summary(self) -> str:
        """The figures of a healthy run, in words."""
        history = self.history
        diversity, apart = (
            history.recent_median("diag/diversity", 1),
            history.recent_median("diag/auc_real_vs_fake", 1),
        )
        moved, truth = (
            history.recent_median("diag/input_change", 1),
            history.recent_median("translator/psnr", 1),
        )
        memorised, modes = (
            history.recent_median("diag/auc_train_vs_held_out", 1),
            history.recent_median("diag/modes", 1),
        )
        parts = []
        if modes is not None:
            parts.append(
                f"samples in {modes:.0f} of {history.recent_median('diag/modes_total', 1) or 0:.0f} modes"
            )
        if moved is not None:
            parts.append(f"images leave their inputs ({moved:.0%} of the way to the other domain)")
        if truth is not None:
            parts.append(f"they are {truth:.1f} dB from their truth in training")
        if diversity is not None:
            parts.append(f"two samples differ by {diversity:.0%} of what two real ones differ by")
        if apart is not None:
            parts.append(f"the discriminator tells real from generated {apart:.0%} of the time")
        if memorised is not None:
            parts.append(f"and learns nothing by heart ({memorised:.0%}, where 50% is right)")
        losses = [history.recent_median(f"{player}/adversarial") for player in ("discriminator", "generator")]
        if not parts and None not in losses:
            parts.append(f"the losses stay finite and of usual size ({losses[0]:.2f} and {losses[1]:.2f})")
        return ", ".join(parts)

    @property
    def limitations(self) -> tuple[Advice, ...]:
        """What the record does not tell, and what would make it tell."""
        history, found = self.history, []
        if not history.rows:
            return (Advice("nothing was recorded yet"),)
        if not history.has_diagnostics and is_translator(history):
            found.append(
                Advice("whether inputs are copied or outputs repeat: no vital signs yet (a short run)")
            )
        elif not history.has_diagnostics:
            found.append(
                Advice(
                    "collapse and memorising: the record holds no vital signs (a short run, or an older Sparring)"
                )
            )
        elif not history.diagnostic("memorised") and history.diagnostic("apart"):
            some = max(64, min(1_000, history.count // 10))
            fits = history.count >= 4 * some
            found.append(
                Advice("memorising: no samples are held out", (f"data.held_out={some}",) if fits else ())
            )
        if not history.evaluations:
            metric = "kd1k-pca-train" if history.is_image else "swd1k-points-train"
            if history.setting("game", "type") == "paired":
                metric = f"psnr{max(1, min(100, history.count))}-pixels-train"
            elif is_translator(history):
                metric = f"kd{max(10, min(100, history.count))}-pca-train"
            found.append(
                Advice(
                    "whether the samples get better: no metric was evaluated", (f"training.metric={metric}",)
                )
            )
        return tuple(found)

    @property
    def command(self) -> str:
        """A new run that takes the first advice on what is worst; empty where there is none to be taken."""
        ill = [finding for finding in self.findings if finding.severity != "note"]
        offers = [advice.settings for finding in ill for advice in finding.advice if advice.settings]
        if not offers:
            return ""
        run = self.history.run
        words = ["sparring", "train", "--config", str(run / "run.json")]
        words += [word for setting in offers[0] for word in ("--set", setting)]
        return shlex.join([*words, "--out", f"{run}-2"])

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        history = self.history
        return {
            "run": str(history.run),
            "images": history.images,
            "of": history.total,
            "verdict": self.worst,
            "words": self.verdict,
            "findings": [finding.to_json() for finding in self.findings],
            "unseen": [{"words": one.message, "settings": list(one.settings)} for one in self.limitations],
            "command": self.command,
        }


MARKS = {"bad": "BAD", "warning": "WARNING", "note": "NOTE"}
INDENT = 9


def format_diagnosis(diagnosis: Diagnosis, width: int = 100) -> list[str]:
    """All of it."""
    told = [headline(diagnosis), *_wrap(diagnosis.verdict, width, 0)]
    for finding in diagnosis.findings:
        told += ["", *_format_finding(finding, width)]
    if diagnosis.command:
        told += ["", "To try the first of these in a new run:", f"  {diagnosis.command}"]
    if diagnosis.limitations:
        told += ["", "What could not be seen:"]
        told += [line for one in diagnosis.limitations for line in _format_advice(one, width, 2, "")]
    return told


def headline(diagnosis: Diagnosis) -> str:
    """Which run, how far, and what is known of it."""
    history = diagnosis.history
    where = "finished" if history.is_finished else f"at image {history.images:,} of {history.total:,}"
    parts = [f"{history.run}: {where}", f"{history.step:,} steps", f"{len(history.rows):,} reports"]
    return ", ".join([*parts, f"{len(history.diagnostic('diversity')):,} with vital signs"])


def _format_finding(finding: Finding, width: int) -> list[str]:
    first, *rest = _wrap(finding.title, width, INDENT)
    told = [
        f"{MARKS[finding.severity]:<{INDENT}}{first.strip()}",
        *rest,
        *_wrap(finding.message, width, INDENT),
    ]
    if finding.checkpoint is not None:
        told += _wrap(f"last good checkpoint: image {finding.checkpoint:,}", width, INDENT)
    for advice in finding.advice:
        told += _format_advice(advice, width, INDENT, "try: ")
    return told


def _format_advice(advice: Advice, width: int, indent: int, before: str) -> Iterable[str]:
    yield from _wrap(before + advice.message, width, indent)
    if advice.settings:
        space = " " * (indent + (len(before) or 2))
        yield from (f"{space}--set {shlex.quote(one)}" for one in advice.settings)


def _wrap(text: str, width: int, indent: int) -> list[str]:
    space = " " * indent
    return textwrap.wrap(text, width, initial_indent=space, subsequent_indent=space, break_on_hyphens=False)
