"""Data, settings and progress as text, for the terminal and the report. No torch in here."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sparring.protocols.protocol import EvaluationProtocol
from sparring.runs.best import compare_evaluations

if TYPE_CHECKING:
    from sparring.data import Dataset
    from sparring.experiment import TrainingConfig
    from sparring.runs.records import Status

MAX_NAMES = 4
MAX_REASONS = 12
_BOUND_TERMS = ("elbo", "re", "kl")  # of a latent-variable model, in nats
_ACCURACIES = {"real": "discriminator/accuracy_real", "fake": "discriminator/accuracy_fake"}
_CHANNELS = {1: "grey", 3: "colour", 4: "with transparency"}


def describe_data(dataset: "Dataset") -> str:
    """One line about a data set: source, number, size and classes of the samples, and how many files were skipped."""
    report, spec = dataset.report, dataset.spec
    sources = f"{dataset.config.source} {dataset.config.source_b}".strip()
    if spec.is_image:
        samples = f"images of {spec.shape[1]}x{spec.shape[2]} {_CHANNELS.get(spec.shape[0], '')}".rstrip()
    else:
        samples = f"points of {spec.shape[0]} coordinates"
    parts = [f"{report.source}: {len(dataset):,} {samples}"]
    if dataset.domain_b is not None:
        channels = _CHANNELS[dataset.domain_b.spec.shape[0]]
        other = "paired with domain B" if dataset.paired else f"and {len(dataset.domain_b):,} of domain B"
        held_out = f", {len(dataset.test_set):,} held out" if dataset.test_set is not None else ""
        parts.append(f"{other} ({channels}){held_out}")
    if dataset.classes:
        parts.append(
            f"{len(dataset.classes)} classes" if len(dataset.classes) > 1 else f"class {dataset.classes[0]}"
        )
    if report.skipped:
        parts.append(f"{len(report.skipped):,} skipped (reasons: sparring inspect {sources})")
    return ", ".join(parts)


def describe_source(source: Mapping[str, Any]) -> str:
    """Which weights a run begins with, and how many of its own they are.

    Arguments:
        source: the entry `from` of run.json; empty for a run that begins with random weights.

    >>> describe_source({"source": "runs/a", "images": 640, "weights_taken": 90, "weights": 100, "taken": ["a"], "fresh": ["b"]})
    'runs/a at image 640: 90 of 100 weights taken; fresh: b'
    """
    if not source:
        return ""
    taken = f"{source['weights_taken']:,} of {source['weights']:,} weights taken"
    parts = [f"{source['source']} at image {source['images']:,}: {taken}"]
    for title, names in (("fresh", source["fresh"]), ("changed", source.get("changes", []))):
        rest = f" and {len(names) - MAX_NAMES:,} more (run.json)" if len(names) > MAX_NAMES else ""
        parts += [f"{title}: {', '.join(names[:MAX_NAMES])}{rest}"] if names else []
    return "; ".join(parts)


def describe_device(machine: Mapping[str, object]) -> list[str]:
    """Device, precision, threads and processes, as words to join by commas."""
    words = [str(machine.get("device", "")), str(machine.get("precision", ""))]
    if machine.get("device") == "cpu":
        words.append(f"{machine.get('threads')} threads" if machine.get("threads") != 1 else "1 thread")
    if machine.get("processes", 1) != 1:
        words.append(f"{machine['processes']} processes")
    return [word for word in words if word]


def progress_line(status: "Status") -> str:
    """Images seen, images per second, and the time left."""
    left = f"  {format_duration(status.seconds_left)} left" if status.images < status.total_images else ""
    return f"{status.images:,}/{status.total_images:,} images  {status.images_per_second:,.0f}/s{left}"


def losses_line(latest: Mapping[str, Any]) -> str:
    """The adversarial losses and the accuracy of the discriminator, or the evidence lower bound and its terms.

    Arguments:
        latest: the last row of metrics.jsonl.

    >>> losses_line({"generator/adversarial": 0.7, "discriminator/adversarial": 1.4, "discriminator/accuracy_real": 0.5})
    'loss: generator 0.70 discriminator 1.40  D accuracy: real 50%'
    """
    suffix = "/adversarial"
    losses = {name.removesuffix(suffix): value for name, value in latest.items() if name.endswith(suffix)}
    words = [f"{name} {value:.2f}" for name, value in sorted(losses.items(), reverse=True)]
    parts = [f"loss: {' '.join(words)}"] if words else []
    terms = {name.rpartition("/")[2]: value for name, value in latest.items()}
    parts += [f"{name} {terms[name]:.2f}" for name in _BOUND_TERMS if name in terms]
    accuracies = [f"{kind} {100 * latest[key]:.0f}%" for kind, key in _ACCURACIES.items() if key in latest]
    return "  ".join([*parts, *([f"D accuracy: {', '.join(accuracies)}"] if accuracies else [])])


def evaluation_line(evaluations: Sequence[Mapping[str, Any]]) -> str:
    """The latest evaluation; if another is better, whether the metric can tell them apart; empty without evaluations.

    >>> evaluation_line([{"protocol": "fd1k-pca-test", "value": 18.73, "better": "lower", "images": 800}])
    'fd1k-pca-test 18.73'
    """
    if not evaluations:
        return ""
    verdict, latest = compare_evaluations(evaluations), evaluations[-1]
    line = f"{latest['protocol']} {latest['value']:.4g}"
    if verdict is None or verdict.best is latest:
        return line
    best = f"{verdict.best['value']:.4g} at {verdict.best['images']:,}"
    return f"{line} (best {best})" if verdict.is_worse else f"{line} (can't tell it from {best})"


def describe_metric(training: "TrainingConfig") -> str:
    """The metric of a run, how often it is measured, and the target at which training ends; empty without a metric."""
    if not training.metric:
        return ""
    protocol = EvaluationProtocol.parse(training.metric)
    sign = "<=" if protocol.info.better == "lower" else ">="
    target = "" if training.target is None else f"; training ends at {sign} {training.target:g}"
    return f"{protocol} every {training.evaluate_every:,} images{target}"


def describe_extension(document: Mapping[str, Any], images: int) -> str:
    """How much longer a run was made at this image, and the schedules that changed; empty if it was not made longer here.

    Arguments:
        document: the content of run.json.
        images: of the checkpoint from which training goes on.

    >>> entry = {"from_images": 8, "previous_total_images": 8, "schedules": {"optimizers.generator.lr": [0.0, 5e-4]}}
    >>> describe_extension({"continued": [entry]}, 8)
    'longer than its 8 images before; schedules are stretched to the new length: optimizers.generator.lr 0 -> 0.0005'
    """
    entry = next(iter((document.get("continued") or [])[-1:]), None)
    if not isinstance(entry, Mapping) or entry.get("from_images") != images:
        return ""
    changes = [f"{path} {old:.3g} -> {new:.3g}" for path, (old, new) in entry["schedules"].items()]
    text = f"longer than its {entry['previous_total_images']:,} images before"
    stretched = f"; schedules are stretched to the new length: {', '.join(changes)}"
    return text + (stretched if changes else "; no learning rate or other schedule changes here")


def progress_bar(fraction: float, width: int) -> str:
    """A progress bar of `width` characters.

    >>> progress_bar(0.5, 8)
    '━━━━────'
    """
    full = round(min(max(fraction, 0.0), 1.0) * width)
    return "━" * full + "─" * (width - full)


def format_duration(seconds: float) -> str:
    """Seconds as minutes:seconds or hours:minutes:seconds.

    >>> format_duration(75), format_duration(3700)
    ('1:15', '1:01:40')
    """
    whole = max(0, round(min(seconds, 1e8)))
    minutes, hours = whole // 60 % 60, whole // 3600
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


def printable(text: str) -> str:
    r"""Text with control characters escaped, except line breaks, so that it can't steer the terminal.

    >>> printable("a\x1b[2J")
    'a\\x1b[2J'
    """
    return "".join(
        character if character.isprintable() or character == "\n" else ascii(character)[1:-1]
        for character in text
    )


def names_by_reason(title: str, rows: Iterable[tuple[str, str]]) -> list[str]:
    """Lines with the number of names for each reason, and the first few of them, the most frequent reason first.

    Arguments:
        title: of the first line.
        rows: (name, reason).

    >>> names_by_reason("skipped", [("a.txt", "no image"), ("b.png", "empty file"), ("c.txt", "no image")])
    ['skipped 3', '  2 no image: a.txt, c.txt', '  1 empty file: b.png']
    """
    by_reason: dict[str, list[str]] = {}
    for name, reason in rows:
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
    """A histogram in one line, the most frequent value first."""
    top = Counter(counts).most_common(MAX_REASONS)
    rest = f" and {len(counts) - len(top):,} more" if len(counts) > len(top) else ""
    return [f"  {title}: " + ", ".join(f"{name} ({count:,})" for name, count in top) + rest] if top else []


def settings_lines(settings: Any, path: str = "") -> list[str]:
    """JSON settings as lines, one for each group: its `type` first, then its plain values.

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
    tag = [str(plain.pop("type"))] if "type" in plain else []
    words = " ".join([*tag, *(f"{name}={value}" for name, value in plain.items())])
    lines = [f"{path}: {words}" if path else words] if words else []
    for name, value in groups.items():
        lines += settings_lines(value, f"{path}.{name}" if path else name)
    return lines


def _has_groups(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(item, dict) for item in value)
