"""Data, settings and progress as text, for the terminal and the report. No torch in here."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sparring.protocols.protocol import EvaluationProtocol
from sparring.runs.records import best_evaluation

if TYPE_CHECKING:
    from sparring.data import Dataset
    from sparring.experiment import TrainingConfig
    from sparring.runs.records import Status

MAX_NAMES = 4
MAX_REASONS = 12
_BOUND_TERMS = ("elbo", "re", "kl")  # of a latent-variable model, in nats
_ACCURACIES = {"of real": "discriminator/accuracy_real", "of generated": "discriminator/accuracy_fake"}


def describe_data(dataset: "Dataset") -> str:
    """The data in one line."""
    report, spec = dataset.report, dataset.spec
    inspected = f"{dataset.config.source} {dataset.config.source_b}".strip()
    shape = f"{spec.shape[1]}x{spec.shape[2]}" if spec.is_image else f"{spec.shape[0]} coordinates"
    colours = (
        {1: " grey", 3: " colour", 4: " with transparency"}.get(spec.shape[0], "") if spec.is_image else ""
    )
    parts = [
        f"{report.source}: {len(dataset):,} {'pictures' if spec.is_image else 'points'} of {shape}{colours}"
    ]
    if dataset.domain_b is not None:
        kind = {1: "grey", 3: "colour", 4: "with transparency"}[dataset.domain_b.spec.shape[0]]
        partners = "their partners" if dataset.paired else f"{len(dataset.domain_b):,} others"
        held = f", {len(dataset.test_set):,} held out" if dataset.test_set is not None else ""
        parts.append(f"and {partners} ({kind}){held}")
    if dataset.classes:
        parts.append(
            f"{len(dataset.classes)} classes" if len(dataset.classes) > 1 else f"class {dataset.classes[0]}"
        )
    if report.skipped:
        parts.append(f"{len(report.skipped):,} skipped (why: sparring inspect {inspected})")
    return ", ".join(parts)


def describe_device(machine: Mapping[str, object]) -> list[str]:
    """The machine in words."""
    words = [str(machine.get("device", "")), str(machine.get("precision", ""))]
    if machine.get("device") == "cpu":
        words.append(f"{machine.get('threads')} threads" if machine.get("threads") != 1 else "1 thread")
    if machine.get("processes", 1) != 1:
        words.append(f"{machine['processes']} processes")
    return [word for word in words if word]


def progress_line(status: "Status") -> str:
    """Images, speed, time left."""
    left = f"  {format_duration(status.seconds_left)} left" if status.images < status.total_images else ""
    return f"{status.images:,}/{status.total_images:,} images  {status.images_per_second:,.0f}/s{left}"


def losses_line(latest: Mapping[str, Any]) -> str:
    """Both losses, and how often the discriminator is right; of a latent-variable model the bound and its parts."""
    named = {
        name.removesuffix("/adversarial"): value
        for name, value in latest.items()
        if name.endswith("/adversarial")
    }
    losses = [f"{name} {value:.2f}" for name, value in sorted(named.items(), reverse=True)]
    right = [f"{100 * latest[key]:.0f}% {word}" for word, key in _ACCURACIES.items() if key in latest]
    parts = [f"loss: {' '.join(losses)}"] if losses else []
    bounds = {name.rpartition("/")[2]: value for name, value in latest.items() if "/" in name}
    parts += [f"{name} {bounds[name]:.2f}" for name in _BOUND_TERMS if name in bounds]
    return "  ".join([*parts, *([f"right: {', '.join(right)}"] if right else [])])


def evaluation_line(evaluations: Sequence[Mapping[str, Any]]) -> str:
    """The latest evaluation, and the best if that is another one; nothing if there is none.

    >>> evaluation_line([{"protocol": "fd1k-pca-test", "value": 18.73, "better": "lower", "images": 800}])
    'fd1k-pca-test 18.73'
    """
    if not evaluations:
        return ""
    latest, top = evaluations[-1], best_evaluation(evaluations)
    words = f"{latest['protocol']} {latest['value']:.4g}"
    return (
        words if top is None or top is latest else f"{words} (best {top['value']:.4g} at {top['images']:,})"
    )


def describe_metric(training: "TrainingConfig") -> str:
    """By what a run is judged, and at which value it ends."""
    if not training.metric:
        return ""
    protocol = EvaluationProtocol.parse(training.metric)
    sign = "<=" if protocol.info.better == "lower" else ">="
    goal = "" if training.target is None else f"; the run ends at {sign} {training.target:g}"
    return f"{protocol} every {training.evaluate_every:,} images{goal}"


def progress_bar(fraction: float, width: int) -> str:
    """A bar.

    >>> progress_bar(0.5, 8)
    '━━━━────'
    """
    full = round(min(max(fraction, 0.0), 1.0) * width)
    return "━" * full + "─" * (width - full)


def format_duration(seconds: float) -> str:
    """A time for people.

    >>> format_duration(75), format_duration(3700)
    ('1:15', '1:01:40')
    """
    whole = max(0, round(min(seconds, 1e8)))
    minutes, hours = whole // 60 % 60, whole // 3600
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


def printable(text: str) -> str:
    r"""A text that can't play tricks on the terminal; its lines stay lines.

    >>> printable("a\x1b[2J")
    'a\\x1b[2J'
    """
    return "".join(
        letter if letter.isprintable() or letter == "\n" else ascii(letter)[1:-1] for letter in text
    )


def names_by_reason(title: str, named: Iterable[tuple[str, str]]) -> list[str]:
    """Names by reason: how many, and the first few.

    >>> names_by_reason("skipped", [("a.txt", "no picture"), ("b.png", "empty file"), ("c.txt", "no picture")])
    ['skipped 3', '  2 no image: a.txt, c.txt', '  1 empty file: b.png']
    """
    by_reason: dict[str, list[str]] = {}
    for name, reason in named:
        by_reason.setdefault(reason, []).append(name)
    order = sorted(by_reason.items(), key=lambda item: -len(item[1]))
    if not order:
        return []
    lines = [f"{title} {sum(len(names) for names in by_reason.values()):,}"]
    for reason, names in order[:MAX_REASONS]:
        rest = f" and {len(names) - MAX_NAMES:,} more" if len(names) > MAX_NAMES else ""
        lines.append(f"  {len(names):,} {reason}: {', '.join(names[:MAX_NAMES])}{rest}")
    others = order[MAX_REASONS:]
    return [*lines, f"  and {len(others):,} more reasons"] if others else lines


def histogram_lines(title: str, counts: dict[str, int]) -> list[str]:
    """A histogram in one line, the most frequent first."""
    top = Counter(counts).most_common(MAX_REASONS)
    rest = f" and {len(counts) - len(top):,} more" if len(counts) > len(top) else ""
    return [f"  {title}: " + ", ".join(f"{name} ({count:,})" for name, count in top) + rest] if top else []


def settings_lines(settings: Any, path: str = "") -> list[str]:
    """Settings as lines, a group each: the `type` first, then its plain values.

    >>> settings_lines({"a": {"type": "hinge", "margin": 1.0}, "b": 2})
    ['b=2', 'a: hinge margin=1.0']
    """
    if isinstance(settings, list):
        settings = {str(number): item for number, item in enumerate(settings)}
    groups = {
        name: value for name, value in settings.items() if isinstance(value, dict) or _has_groups(value)
    }
    plain = {
        name: value for name, value in settings.items() if name not in groups and value not in (None, [])
    }
    kind = [str(plain.pop("type"))] if "type" in plain else []
    words = " ".join([*kind, *(f"{name}={value}" for name, value in plain.items())])
    lines = [f"{path}: {words}" if path else words] if words else []
    for name, value in groups.items():
        lines += settings_lines(value, f"{path}.{name}" if path else name)
    return lines


def _has_groups(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(item, dict) for item in value)
