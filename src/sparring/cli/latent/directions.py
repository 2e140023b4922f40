"""`sparring latent directions`: its options, and the search, effects, sheet and file of directions."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import arg

from sparring.cli.options import (
    NO_DEFAULT_HINT,
    Device,
    DirectionMethod,
    Flag,
    Int,
    OptionalInt,
    OutPath,
    RunPath,
    Seed,
    require_at_least,
)
from sparring.core.errors import SparringError

if TYPE_CHECKING:
    from sparring.api import Run
    from sparring.inference.latent import AttributeScorer, Direction, Effect

MIN_SAMPLES = 200  # to find a direction with


@dataclass(frozen=True, kw_only=True)
class Directions:
    """Find directions in the latent space, measure what they change, and save them.

    Args:
        run: A run folder, or a generator.safetensors.
        by: pca (of activations), sefa (of the weights of the first layer), labels (between samples with and without the
            attribute), or classifier (its gradient). By default labels with --wanted, else pca.
        wanted: Attributes to change, separated by commas: a class of --data, or one of brightness, contrast, width, height,
            x, y, redness, blueness.
        n: Number of directions, for pca and sefa; at most the size of the latent.
        data: A labelled data set, as for `sparring train`, to fit a classifier to, whose classes are attributes. By default
            the run's own, if it has labels.
        samples: Number of samples to find a direction with; at most as many measure its effect.
        seed: Random seed of the samples.
        out: A file x.safetensors; x.png beside it shows what each direction changes.
        device: Device: auto, cpu, cuda or mps.
        threads: Number of CPU threads.
        quiet: Print nothing but errors.
    """

    run: RunPath
    by: DirectionMethod = "auto"
    wanted: Annotated[str | None, arg(metavar="A,B", help_behavior_hint=NO_DEFAULT_HINT)] = None
    n: Int = 5
    data: Annotated[str | None, arg(metavar="DATA", help_behavior_hint=NO_DEFAULT_HINT)] = None
    samples: OptionalInt = None
    seed: Seed = 0
    out: OutPath = Path("directions.safetensors")
    device: Device = "auto"
    threads: OptionalInt = None
    quiet: Flag = False

    def __call__(self) -> int:
        return find_directions(self)


def find_directions(options: Directions) -> int:
    """Find directions, measure those of an attribute, save them, and draw a sheet of their effects."""
    from sparring.api import load
    from sparring.cli.output import print_lines, write_file, writing
    from sparring.data import image_grid
    from sparring.inference import latent
    from sparring.inference.latent import images

    run = load(options.run, options.device)
    attributes = [name.strip() for name in (options.wanted or "").split(",") if name.strip()]
    by = options.by if options.by != "auto" else "labels" if attributes else "pca"
    if options.samples is not None:
        require_at_least(options.samples, MIN_SAMPLES, "--samples")
    lines: list[str] = []
    if by in ("pca", "sefa"):
        directions = unsupervised_directions(run, options, by)
    else:
        directions, lines = supervised_directions(run, options, by, attributes)
    with writing(options.out):
        latent.save_directions(options.out, directions)
    if run.generator.generation.spec.is_image:
        sheet, strengths = options.out.with_suffix(".png"), images.SHEET_STRENGTHS
        write_file(sheet, image_grid.encode_png(images.direction_sheet(run, directions, options.seed)))
        spread = f"strengths {strengths[0]:g} to {strengths[-1]:g}, {images.SHEET_ROWS} samples each"
        lines.append(f"{'sheet':<11}{sheet}  ({spread})")
    names = ", ".join(direction.name for direction in directions)
    lines.append(f"{'directions':<11}{options.out}  ({names})")
    first = f'"{options.out}:{directions[0].name}"'
    print_lines(options.quiet, *lines, f"{'next':<11}sparring latent edit {options.run} --direction {first}")
    return 0


def unsupervised_directions(run: "Run", options: Directions, by: str) -> "list[Direction]":
    """The directions of pca or sefa, at most as many as the latent is wide."""
    from sparring.inference import latent

    generator = run.generator.generation
    count = min(options.n, generator.latent)
    if by == "sefa":
        return latent.sefa_directions(generator, count, options.seed)
    return latent.pca_directions(generator, count, n=options.samples or 1_000, seed=options.seed)


def supervised_directions(
    run: "Run", options: Directions, by: str, attributes: list[str]
) -> "tuple[list[Direction], list[str]]":
    """A direction for each attribute, and a line of text about the effect of each."""
    from sparring.inference import latent

    scorer, generator = load_scorer(run, options), run.generator.generation
    if not attributes:
        raise SparringError(
            f"--by {by} without --wanted",
            f"one of: {', '.join(scorer.names)}",
            "name an attribute: --wanted NAME",
        )
    if by == "labels":
        count = options.samples or 4_000
        directions = latent.directions_from_scores(generator, scorer, attributes, n=count, seed=options.seed)
    else:
        count = options.samples or 256
        directions = [
            latent.direction_from_gradient(generator, scorer, name, n=count, seed=options.seed)
            for name in attributes
        ]
    measured = min(500, options.samples or 500)
    effects = [latent.measure_strengths(generator, direction, scorer, n=measured) for direction in directions]
    return directions, [format_effect(each) for each in effects]


def format_effect(effects: "Sequence[Effect]") -> str:
    """What a direction changes, as a line of text, at the lowest strength that reaches 90 % of the samples.

    Arguments:
        effects: of one direction at rising strengths, one or more.
    """
    from sparring.inference.latent.effects import first_successful

    effect = first_successful(list(effects)) or effects[-1]
    largest = sorted(effect.leakage, key=lambda name: -effect.leakage[name])[:3]
    leakage = ", ".join(f"{name} {effect.leakage[name]:.2f}" for name in largest)
    line = (
        f"{effect.attribute}: at strength {effect.strength:g} {effect.success_rate:.0%} of the samples without it gain it, "
        f"it increases in {effect.increase_rate:.0%}; entanglement {effect.entanglement:.2f} (most: {leakage})"
    )
    if effect.class_preservation < 1:
        line += f"; {effect.class_preservation:.0%} keep their class otherwise"
    return line


def load_scorer(run: "Run", options: Directions) -> "AttributeScorer":
    """The attributes of a run's samples: the classes of a labelled data set, if there is one, and image statistics."""
    from sparring import features
    from sparring.cli.output import print_lines
    from sparring.core.runtime import DeviceOptions
    from sparring.data import DataConfig, open_data
    from sparring.inference import latent
    from sparring.runs.run_json import RUN_FILE

    spec = run.generator.generation.spec
    runtime = DeviceOptions(device=options.device, threads=options.threads).start()
    statistics = latent.StatisticsScorer(spec)
    if not spec.is_image:
        return statistics
    if options.data is not None:
        config = DataConfig(source=options.data, size=(spec.shape[1], spec.shape[2]), channels=spec.shape[0])
    elif (run.path / RUN_FILE).is_file() and run.experiment.data.labels and run.classes:
        config = run.experiment.data
    else:
        return statistics
    print_lines(
        options.quiet, "fitting a classifier to the labelled images, or loading it from the cache ..."
    )
    classifier = features.load("classifier", runtime=runtime, fitted_on=open_data(config))
    assert isinstance(classifier, features.classifier.ClassifierExtractor)
    return latent.CombinedScorer([latent.ClassScorer(classifier), statistics])
