"""The diagnosis of a run: verdict, findings, limitations of the records, the command that follows the advice,
and its text.
"""

import shlex
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from sparring.doctor.finding import Advice, Finding
from sparring.doctor.history import History
from sparring.doctor.overfitting import metric_verdict
from sparring.doctor.translators import is_translator

MIN_STEPS = 200  # before which no verdict is possible
Verdict = Literal["bad", "warning", "early", "well"]


@dataclass(frozen=True)
class Diagnosis:
    """The findings about a run, the worst first."""

    history: History
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst severity; `early` where it is too early to tell; `well` without findings."""
        severities = [finding.severity for finding in self.findings if finding.severity != "note"]
        if severities:
            return "bad" if severities[0] == "bad" else "warning"
        return "early" if self.is_early else "well"

    @property
    def is_early(self) -> bool:
        """Whether the run has done too few steps for a verdict."""
        return self.history.step < MIN_STEPS and not self.history.is_finished

    @property
    def summary(self) -> str:
        """The verdict in a sentence."""
        if self.verdict == "bad":
            return "This run has a serious problem."
        if self.verdict == "warning":
            return "This run continues, but something may be wrong."
        if self.is_early or not self.history.rows:
            return (
                f"Too early to tell: {self.history.step:,} steps were recorded; look again after {MIN_STEPS}."
            )
        details = ", ".join(_describe_healthy(self.history))
        return f"No problem was found: {details}." if details else "No problem was found."

    @property
    def metric(self) -> str:
        """What the run's metric says of its last evaluation, in a sentence; empty without evaluations."""
        verdict = metric_verdict(self.history)
        return f"{verdict.newest['protocol']}: {verdict.sentence}." if verdict is not None else ""

    @property
    def limitations(self) -> tuple[Advice, ...]:
        """What the records can't show, and the settings under which they would."""
        if not self.history.rows:
            return (Advice("nothing was recorded yet"),)
        limits = (_diagnostics_limitation(self.history), _metric_limitation(self.history))
        return tuple(limit for limit in limits if limit is not None)

    @property
    def command(self) -> str:
        """A command for a new run that follows the first advice with settings; empty if there is none."""
        serious = [finding for finding in self.findings if finding.severity != "note"]
        offers = [advice.settings for finding in serious for advice in finding.advice if advice.settings]
        if not offers:
            return ""
        run = self.history.run
        arguments = ["sparring", "train", "--config", str(run / "run.json")]
        arguments += [argument for setting in offers[0] for argument in ("--set", setting)]
        return shlex.join([*arguments, "--out", f"{run}-2"])

    def to_json(self) -> dict[str, Any]:
        """The diagnosis as plain JSON types."""
        history = self.history
        return {
            "run": str(history.run),
            "images": history.images,
            "total_images": history.total_images,
            "verdict": self.verdict,
            "message": self.summary,
            "metric": self.metric,
            "findings": [finding.to_json() for finding in self.findings],
            "limitations": [
                {"message": one.message, "settings": list(one.settings)} for one in self.limitations
            ],
            "command": self.command,
        }


def _describe_healthy(history: History) -> Iterable[str]:
    """The latest values of a healthy run, in words."""

    def last(name: str) -> float | None:
        return history.recent_median(name, 1)

    described = False
    templates = {
        "diag/modes": f"samples in {{:.0f}} of {last('diag/modes_total') or 0:.0f} modes",
        "diag/input_change": "outputs differ from their inputs by {:.0%} of the distance between the domains",
        "translator/psnr": "they reach {:.1f} dB against their targets in training",
        "diag/diversity": "the distance between two samples is {:.0%} of that between two real ones",
        "diag/auc_real_vs_fake": "the discriminator ranks a real sample above a generated one in {:.0%} of pairs",
        "diag/auc_train_vs_held_out": "and does not overfit (a training sample above a held-out one in {:.0%}, chance is 50%)",
    }
    for name, template in templates.items():
        value = last(name)
        if value is not None:
            described = True
            yield template.format(value)
    losses = [history.recent_median(f"{player}/adversarial") for player in ("discriminator", "generator")]
    if not described and None not in losses:
        yield f"the losses are finite and of usual size ({losses[0]:.2f} and {losses[1]:.2f})"


def _diagnostics_limitation(history: History) -> Advice | None:
    if not history.has_diagnostics:
        if is_translator(history):
            return Advice("whether inputs are copied or outputs repeat: no diagnostics yet (a short run)")
        return Advice("mode collapse and overfitting: the record holds no diagnostics (a short run)")
    if history.diagnostic("auc_train_vs_held_out") or not history.diagnostic("auc_real_vs_fake"):
        return None
    held_out = max(64, min(1_000, history.num_train // 10))
    settings = (f"data.held_out={held_out}",) if history.num_train >= 4 * held_out else ()
    return Advice("overfitting: no samples are held out", settings)


def _metric_limitation(history: History) -> Advice | None:
    if history.evaluations:
        return None
    metric = "kd1k-pca-train" if history.is_image else "swd1k-points-train"
    if history.setting("game", "type") == "paired":
        metric = f"psnr{max(1, min(100, history.num_train))}-pixels-train"
    elif is_translator(history):
        metric = f"kd{max(10, min(100, history.num_train))}-pca-train"
    return Advice("whether the samples improve: no metric was evaluated", (f"training.metric={metric}",))


MARKS = {"bad": "BAD", "warning": "WARNING", "note": "NOTE"}
INDENT = 9  # columns that the longest mark and a space take


def format_diagnosis(diagnosis: Diagnosis, width: int = 100) -> list[str]:
    """The diagnosis as lines of text; only commands and settings may be longer than `width`."""
    lines = [headline(diagnosis), *_wrap(diagnosis.summary, width, 0), *_wrap(diagnosis.metric, width, 0)]
    for finding in diagnosis.findings:
        lines += ["", *_format_finding(finding, width)]
    if diagnosis.command:
        lines += ["", "To follow the first advice in a new run:", f"  {diagnosis.command}"]
    if diagnosis.limitations:
        lines += ["", "What the records don't show:"]
        lines += [line for one in diagnosis.limitations for line in _format_advice(one, width, 2, "")]
    return lines


def headline(diagnosis: Diagnosis) -> str:
    """The run, how far it is, and how much was recorded."""
    history = diagnosis.history
    progress = (
        "finished" if history.is_finished else f"at image {history.images:,} of {history.total_images:,}"
    )
    parts = [f"{history.run}: {progress}", f"{history.step:,} steps", f"{len(history.rows):,} reports"]
    return ", ".join([*parts, f"{len(history.diagnostic('diversity')):,} with diagnostics"])


def _format_finding(finding: Finding, width: int) -> list[str]:
    first, *rest = _wrap(finding.title, width, INDENT)
    lines = [f"{MARKS[finding.severity]:<{INDENT}}{first.strip()}", *rest]
    lines += _wrap(finding.message, width, INDENT)
    if finding.checkpoint is not None:
        lines += _wrap(f"last good checkpoint: image {finding.checkpoint:,}", width, INDENT)
    for advice in finding.advice:
        lines += _format_advice(advice, width, INDENT, "try: ")
    return lines


def _format_advice(advice: Advice, width: int, indent: int, prefix: str) -> Iterable[str]:
    yield from _wrap(prefix + advice.message, width, indent)
    if advice.settings:
        space = " " * (indent + (len(prefix) or 2))
        yield from (f"{space}--set {shlex.quote(one)}" for one in advice.settings)


def _wrap(text: str, width: int, indent: int) -> list[str]:
    space = " " * indent
    return textwrap.wrap(text, width, initial_indent=space, subsequent_indent=space, break_on_hyphens=False)
