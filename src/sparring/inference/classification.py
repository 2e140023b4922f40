"""Class probabilities of samples, by a classifier, a likelihood for each class, or a discriminator with class
outputs.
"""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load
from torch import Tensor

from sparring.core.errors import CorruptFileError, SparringError
from sparring.core.game import ClassifierLike
from sparring.core.shapes import SampleSpec
from sparring.experiment import Experiment
from sparring.inference.sampling import to_model_input
from sparring.runs import checkpoint, generator_file
from sparring.runs.run_json import load_run_json

BLOCK_SIZE = 64  # samples are always judged in whole blocks of this size, so that rounding can't depend on how many there are
GAME_PREFIX = "game."


@torch.no_grad()
def classify(run_dir: Path, loaded: generator_file.LoadedModel, samples: np.ndarray) -> Tensor:
    """Probabilities float64 (n, classes) of samples as they are saved, on the CPU.

    They are the model's own, and as well calibrated as it is: those of naive Bayes are far too sure. By importance samples of a
    likelihood, they depend also on the sample's place in its block of 64 (by random numbers that are always the same).

    Arguments:
        run: the run's folder, or the file that `loaded` is from.
        samples: uint8 (n, h, w, c) of the run's size, or points (n, d) in the data's own units.

    Raises:
        SparringError: the model can't tell classes.
    """
    kept = loaded.model
    x = to_model_input(kept.spec, loaded.metadata, samples)
    device = next(iter(kept.state_dict().values())).device
    classifier = kept.classifier() or _load_game(run_dir, kept.spec, device)
    if classifier is None:
        raise SparringError(
            f"{run_dir}: a model that can't tell classes",
            "a classifier, a model with a likelihood for each class, or the run of a discriminator that names classes",
            "train one of the recipes naive_bayes, logistic, cvae or acgan on labelled images (acgan: give its run folder)",
        )
    done = []
    for start in range(0, len(x), BLOCK_SIZE):
        rows = torch.arange(start, start + BLOCK_SIZE).clamp_max(len(x) - 1)
        done.append(classifier.log_probabilities(x[rows].to(device)).cpu().double()[: len(x) - start])
    return torch.cat(done).exp()


def _load_game(run_dir: Path, spec: SampleSpec, device: torch.device) -> ClassifierLike | None:
    """The whole game as it was saved last, if it is a run's and its players can tell classes."""
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
    named = {name: value for name, value in load(found.tensors).items() if name.startswith(GAME_PREFIX)}
    try:
        game.load_state_dict({name.removeprefix(GAME_PREFIX): value for name, value in named.items()})
    except RuntimeError as error:
        got = f"checkpoint {found.images:,} of {run_dir}: {str(error)[:200]}"
        raise CorruptFileError(got, "this run's own", "use another run") from error
    return game.to(device).eval()
