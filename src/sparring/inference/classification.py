"""Class probabilities of samples, by a classifier, a likelihood for each class, or a discriminator with class
outputs.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sparring.core.errors import SparringError
from sparring.core.game import ClassifierLike
from sparring.core.shapes import SampleSpec
from sparring.experiment import Experiment
from sparring.inference.sampling import to_model_input
from sparring.runs import checkpoint, generator_file
from sparring.runs.run_json import load_run_json

BLOCK_SIZE = 64  # every batch has this size, so that rounding does not depend on the number of samples
GAME_PREFIX = "game."


@torch.no_grad()
def classify(run_dir: Path, loaded: generator_file.LoadedModel, samples: np.ndarray) -> Tensor:
    """Probabilities float64 (n, classes) of samples, on the CPU.

    They are as well calibrated as the model: those of naive Bayes are overconfident. Where a likelihood is estimated by
    importance sampling, they also depend on the position of the sample in its batch of 64, through fixed random numbers.

    Arguments:
        run_dir: the run folder, or the file that `loaded` was read from.
        loaded: the model and its metadata.
        samples: uint8 (n, h, w, c) of the run's size, or points (n, d) in the data's own units.

    Raises:
        SparringError: the model has no class probabilities.
    """
    model = loaded.model
    x = to_model_input(model.spec, loaded.metadata, samples)
    device = next(iter(model.state_dict().values())).device
    classifier = model.classifier() or _load_game(run_dir, model.spec, device)
    if classifier is None:
        raise SparringError(
            f"{run_dir}: a model without class probabilities",
            "a classifier, a model with a likelihood for each class, or the run of a discriminator with class outputs",
            "train one of the recipes naive_bayes, logistic, cvae or acgan on labelled images (acgan: give its run folder)",
        )
    log_probabilities = []
    for start in range(0, len(x), BLOCK_SIZE):
        rows = torch.arange(start, start + BLOCK_SIZE).clamp_max(len(x) - 1)
        block = classifier.log_probabilities(x[rows].to(device)).cpu().double()
        log_probabilities.append(block[: len(x) - start])
    return torch.cat(log_probabilities).exp()


def _load_game(run_dir: Path, spec: SampleSpec, device: torch.device) -> ClassifierLike | None:
    """The game of a run's newest checkpoint, if one of its networks is a classifier."""
    document = load_run_json(run_dir) if run_dir.is_dir() else None
    if document is None or not spec.num_classes:
        return None
    game = Experiment.from_json(document["experiment"]).game.build(spec)
    if not isinstance(game, ClassifierLike):
        return None
    found = next(
        (good for good in checkpoint.iterate_verified(run_dir) if isinstance(good, checkpoint.Checkpoint)),
        None,
    )
    if found is None:
        raise SparringError(f"no good checkpoint in {run_dir}", "one", "train on: it repairs the run")
    found.load_module(game, GAME_PREFIX)
    return game.to(device).eval()
