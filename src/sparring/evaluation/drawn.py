"""Samples as they would be saved: made by a generator, or by anything."""

import numpy as np
import torch

from sparring import keyed
from sparring.data import Dataset, to_output
from sparring.data.watch import Watch
from sparring.errors import DataError
from sparring.evaluation.sides import Origin, Sampled, reference_order
from sparring.evaluation.subject import Subject

PIECE = 64  # samples between two looks at Ctrl-C


def draw(subject: Subject, count: int, seed: int, watch: Watch, *, labelled: bool) -> Sampled:
    """`count` samples of the generator, as they would be saved; sample i is that of `sparring sample --seed`.

    Arguments:
        labelled: whether its classes are the data's, so that the labels mean something.

    Raises:
        DataError: the generator makes what is not finite.
    """
    generation, pieces = subject.generation, []
    watch.begin(-(-count // PIECE))
    for at in range(0, count, PIECE):
        made = generation.sample(seed, range(at, min(at + PIECE, count)))
        bad = int((~made.flatten(1).isfinite().all(1)).sum())
        if bad:
            raise DataError(
                f"{subject.source}: {bad:,} of {len(made):,} samples hold values that are not finite",
                "finite numbers",
                "the generator is broken: evaluate an older checkpoint (--checkpoint IMAGES)",
            )
        pieces.append(to_output(made, generation.spec, subject.facts["units"]))
        watch.step()
    drawn = generation.draw_labels(seed, range(count)) if labelled else None
    return Sampled(
        samples=np.concatenate(pieces),
        labels=None if drawn is None else drawn.numpy(),
        generation=generation,
        source=f"{subject.source} at image {subject.images:,}",
        fingerprint=subject.fingerprint,
        images=subject.images,
        units=subject.facts["units"],
    )


def ready_made(dataset: Dataset, source: str, classes: tuple[str, ...]) -> Sampled:
    """Samples that somebody made, with their labels as numbers of the reference's classes where the names are the same."""
    labels = None
    numbers = class_numbers(dataset.classes, classes)
    if dataset.labels is not None and numbers is not None:
        labels = np.array(numbers)[dataset.labels]
    order = torch.randperm(len(dataset), generator=keyed.generator(0, "samples")).numpy()
    return Sampled(
        samples=np.asarray(dataset.samples)[order],
        labels=None if labels is None else labels[order],
        source=source,
        fingerprint=dataset.fingerprint,
    )


def in_pairs(dataset: Dataset) -> Sampled:
    """Samples that somebody made, in the order in which their true partners are taken."""
    return Sampled(
        samples=np.asarray(dataset.samples),
        source=dataset.config.source,
        fingerprint=dataset.fingerprint,
        order=reference_order(len(dataset)),
        origin=Origin(paired=True),
    )


def class_numbers(ours: tuple[str, ...], classes: tuple[str, ...]) -> list[int] | None:
    """Which of `classes` each of our names is: the same name, or (as `sparring sample` writes it) its number.

    >>> class_numbers(("1", "0"), ("cat", "dog")), class_numbers(("cat", "cow"), ("cat", "dog"))
    ([1, 0], None)
    """
    if ours and set(ours) <= set(classes):
        return [classes.index(name) for name in ours]
    if ours and all(name.isdigit() and int(name) < len(classes) for name in ours):
        return [int(name) for name in ours]
    return None
