"""Classes of samples, by a run's model: a classifier, a likelihood for each class, or a discriminator that names them."""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load
from torch import Tensor

from sparring import checkpoint, generatorfile
from sparring.errors import CorruptFileError, SparringError
from sparring.experiment import Experiment
from sparring.game import Classifies
from sparring.games.classifying import classifier as of_kept
from sparring.runfile import read_run
from sparring.samples import inputs
from sparring.shapes import Spec

BLOCK = 64  # samples are always judged in whole blocks of this size, so that rounding can't depend on how many there are
PREFIX = "game."


@torch.no_grad()
def classified(run: Path, loaded: generatorfile.Loaded, samples: np.ndarray) -> Tensor:
    """Probabilities float64 (n, classes) of samples as they are saved, on the CPU.

    They are the model's own, and as well calibrated as it is: those of naive Bayes are far too sure. By importance samples of a
    likelihood, they depend also on the sample's place in its block of 64 (by random numbers that are always the same).

    Arguments:
        run: the run's folder, or the file that `loaded` is from.
        samples: uint8 (n, h, w, c) of the run's size, or points (n, d) in the data's own units.

    Raises:
        SparringError: the model can't tell classes.
    """
    kept = loaded.kept
    x = inputs(kept.spec, loaded.facts, samples)
    device = next(iter(kept.state_dict().values())).device
    judge = of_kept(kept) or _of_game(run, kept.spec, device)
    if judge is None:
        raise SparringError(
            f"{run}: a model that can't tell classes",
            "a classifier, a model with a likelihood for each class, or the run of a discriminator that names classes",
            "train one of the recipes naive_bayes, logistic, cvae or acgan on labelled pictures (acgan: give its run folder)",
        )
    done = []
    for start in range(0, len(x), BLOCK):
        rows = torch.arange(start, start + BLOCK).clamp_max(len(x) - 1)
        done.append(judge.log_probabilities(x[rows].to(device)).cpu().double()[: len(x) - start])
    return torch.cat(done).exp()


def _of_game(run: Path, spec: Spec, device: torch.device) -> Classifies | None:
    """The whole game as it was saved last, if it is a run's and its players can tell classes."""
    document = read_run(run) if run.is_dir() else None
    if document is None or not spec.classes:
        return None
    game = Experiment.from_json(document["experiment"]).game.build(spec)
    if not isinstance(game, Classifies):
        return None
    found = next((good for good in checkpoint.verified(run) if isinstance(good, checkpoint.Checkpoint)), None)
    if found is None:
        raise SparringError(f"no good checkpoint in {run}", "one", "train on: it repairs the run")
    named = {name: value for name, value in load(found.tensors).items() if name.startswith(PREFIX)}
    try:
        game.load_state_dict({name.removeprefix(PREFIX): value for name, value in named.items()})
    except RuntimeError as error:
        got = f"checkpoint {found.images:,} of {run}: {str(error)[:200]}"
        raise CorruptFileError(got, "this run's own", "use another run") from error
    return game.to(device).eval()
