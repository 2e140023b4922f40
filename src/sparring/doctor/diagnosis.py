"""All that the doctor says of a run: the verdict, the findings, what could not be seen, and the command that takes the advice."""

import shlex
from dataclasses import dataclass
from typing import Any

from sparring.doctor.finding import Advice, Finding
from sparring.doctor.history import History
from sparring.doctor.translators import translates

SOON = 200  # steps before which little can be told


@dataclass(frozen=True)
class Diagnosis:
    """What was found in a history, the worst first."""

    history: History
    findings: tuple[Finding, ...]

    @property
    def worst(self) -> str:
        """`bad`, `warning`, `early` or `well`."""
        ill = [finding.severity for finding in self.findings if finding.severity != "note"]
        return ill[0] if ill else "early" if self.early else "well"

    @property
    def early(self) -> bool:
        """Whether too little was seen to tell."""
        return self.history.step < SOON and not self.history.finished

    @property
    def verdict(self) -> str:
        """The verdict in a sentence."""
        if self.worst == "bad":
            return "This run is in trouble."
        if self.worst == "warning":
            return "This run goes on, but something may be wrong."
        if self.early or not self.history.rows:
            return f"Too early to tell: {self.history.step:,} steps were recorded; look again after {SOON}."
        return "Nothing is wrong: " + self.signs + "." if self.signs else "Nothing wrong can be seen."

    @property
    def signs(self) -> str:
        """The figures of a healthy run, in words."""
        history = self.history
        diversity, apart = history.recent("vitals/diversity", 1), history.recent("vitals/apart", 1)
        moved, truth = history.recent("vitals/moved", 1), history.recent("psnr", 1)
        memorised, modes = history.recent("vitals/memorised", 1), history.recent("vitals/modes", 1)
        parts = []
        if modes is not None:
            parts.append(f"samples in {modes:.0f} of {history.recent('vitals/modes_of', 1) or 0:.0f} modes")
        if moved is not None:
            parts.append(f"pictures leave their inputs ({moved:.0%} of the way to the other domain)")
        if truth is not None:
            parts.append(f"they are {truth:.1f} dB from their truth in training")
        if diversity is not None:
            parts.append(f"two samples differ by {diversity:.0%} of what two real ones differ by")
        if apart is not None:
            parts.append(f"the discriminator tells real from generated {apart:.0%} of the time")
        if memorised is not None:
            parts.append(f"and learns nothing by heart ({memorised:.0%}, where 50% is right)")
        losses = [history.recent(f"{player}/adversarial") for player in ("discriminator", "generator")]
        if not parts and None not in losses:
            parts.append(f"the losses stay finite and of usual size ({losses[0]:.2f} and {losses[1]:.2f})")
        return ", ".join(parts)

    @property
    def unseen(self) -> tuple[Advice, ...]:
        """What the record does not tell, and what would make it tell."""
        history, found = self.history, []
        if not history.rows:
            return (Advice("nothing was recorded yet"),)
        if not history.measured and translates(history):
            found.append(
                Advice("whether inputs are copied or outputs repeat: no vital signs yet (a short run)")
            )
        elif not history.measured:
            found.append(
                Advice(
                    "collapse and memorising: the record holds no vital signs (a short run, or an older Sparring)"
                )
            )
        elif not history.vital("memorised") and history.vital("apart"):
            some = max(64, min(1_000, history.count // 10))
            fits = history.count >= 4 * some
            found.append(
                Advice("memorising: no samples are held out", (f"data.held_out={some}",) if fits else ())
            )
        if not history.evaluations:
            metric = "kd1k-pca-train" if history.pictures else "swd1k-points-train"
            if history.setting("game", "type") == "paired":
                metric = f"psnr{max(1, min(100, history.count))}-pixels-train"
            elif translates(history):
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
            "unseen": [{"words": one.words, "settings": list(one.settings)} for one in self.unseen],
            "command": self.command,
        }
