"""Diagnostics of training from a few dozen samples: diversity, near-duplicates, coverage, AUC of the
discriminator.

They are measured on copies of the players, from draws with names of their own, so that a run with them and
one without end with the same bits. The copies normalise as in training (each batch by its own statistics) and
use no dropout. They are taken at most once in `EVERY_IMAGES` and `EVERY_STEPS`, which keeps them below one
percent of a run.

References: Brock et al. 2019, arXiv:1809.11096, section 4.2 (discriminator on training and held-out samples);
Mann & Whitney 1947 (AUC).
"""

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from sparring.core import rng
from sparring.core.game import Batch
from sparring.data import Dataset
from sparring.data.readers.points import mixture_modes
from sparring.games.adversarial import Adversarial
from sparring.metrics.batch_statistics import (
    batch_statistics,
    count_nearest,
    mean_pairwise_distance,
    probability_greater,
)
from sparring.models.generator import GeneratorModel
from sparring.models.translator import TranslatorModel
from sparring.parts.augmentation.packing import pack
from sparring.protocols.defaults import MIXTURES
from sparring.training.state import TrainState

TRANSLATE_BATCH = 8  # images that a translator is given at once
NUM_SAMPLES = 64  # samples of each kind
EVERY_IMAGES, EVERY_STEPS = 4_096, 64  # between measurements


def measure(state: TrainState, held_out: Dataset | None = None) -> dict[str, float]:
    """The vital signs of this moment, by their names in the record; none where the last ones are recent.

    - `diversity`: mean distance between two fakes over that between two real samples; 0 is collapse.
    - `repeats`: share of fakes of which there is a near copy among the fakes.
    - `count_nearest`: real samples that are nearest to a fake, over those that are nearest to another real sample; 1 is full variety.
    - `mixture_modes`, `modes_of`: modes of a built-in mixture with a fake, and their number.
    - `saturated`, `saturated_real`: share of pixels at an end of the scale.
    - `logit_train`, `logit_fake`, `logit_held`: the discriminator's mean judgements; `logit_spread`: their deviation.
    - `apart`, `apart_held`: how often a (held-out) real sample is judged above a fake one; 0.5 knows nothing, 1 is always.
    - `memorised`: how often a sample that was trained on is judged above one that was held out; 0.5 is right.
    - `diversity_seen`: as `diversity`, in the discriminator's features.
    - `moved`, of translators: how far outputs are from their inputs, over how far real images of the other domain are.

    Arguments:
        match: what is played.
        held: samples that are never trained on.
    """
    if not state.runtime.is_main_process or not _is_due(state):
        return {}
    if isinstance(state.game.model, TranslatorModel):
        return _with_prefix(_measure_translator(state, state.game.model))
    if not isinstance(state.game.model, GeneratorModel):
        return {}
    names = ("vitals.real", "vitals.again", "vitals.held")
    real, again = (
        _sample_batch(state, state.stream.dataset, names[0]),
        _sample_batch(state, state.stream.dataset, names[1]),
    )
    unseen = None if held_out is None or len(held_out) < 2 else _sample_batch(state, held_out, names[2])
    if len(real.x) < 2:
        return {}
    with torch.no_grad(), state.runtime.autocast():
        fake = _copy_in_train_mode(state.game.model)(
            real.rng.normal("vitals.latent", state.game.model.latent), _labels_of(state, real)
        ).float()
        found = batch_statistics(real.x, again.x, fake) | _measure_modes(state, fake)
        if isinstance(state.game, Adversarial):
            found |= _measure_discriminator(state, state.game, real, unseen, fake)
    return _with_prefix(found)


def _with_prefix(found: dict[str, float]) -> dict[str, float]:
    return {f"vitals/{name}": round(value, 4) for name, value in found.items()}


def _measure_translator(state: TrainState, translation: TranslatorModel) -> dict[str, float]:
    """A translator's outputs as samples of the other domain, and how far they are from their inputs."""
    dataset = state.stream.dataset
    assert dataset.domain_b is not None
    given, wanted = (
        _sample_batch(state, dataset, "vitals.real").x,
        _sample_batch(state, dataset.domain_b, "vitals.domain_b").x,
    )
    again = _sample_batch(state, dataset.domain_b, "vitals.again").x
    if min(len(given), len(wanted)) < 2:
        return {}
    with torch.no_grad(), state.runtime.autocast():
        fake = torch.cat(
            [_copy_in_train_mode(translation).translate(part) for part in given.split(TRANSLATE_BATCH)]
        ).float()
    count = min(len(given), len(wanted))
    start = given if given.shape[1] == wanted.shape[1] else given.mean(1, keepdim=True).expand_as(fake)
    far = float((wanted[:count] - start[:count]).abs().mean())
    return batch_statistics(wanted, again, fake) | {
        "moved": float((fake - start).abs().mean()) / max(far, 1e-12)
    }


def _is_due(state: TrainState) -> bool:
    now, training = state.clock.images, state.experiment.training
    before = max(
        0, now - max(training.report_every, training.batch) - training.batch
    )  # of the report before, or earlier
    every = max(EVERY_IMAGES, EVERY_STEPS * training.batch)
    return now >= training.total_images or now // every > before // every


def _sample_batch(state: TrainState, dataset: Dataset, stream: str) -> Batch:
    """Samples from all over the set: one of each of as many spans."""
    images, step, seed = state.clock.images, state.clock.step, state.experiment.training.seed
    count = min(NUM_SAMPLES, len(dataset))
    game = state.game
    if isinstance(game, Adversarial):
        count -= count % game.config.packing
    places = torch.rand(count, generator=rng.make_generator(seed, stream, images))
    rows = ((torch.arange(count) + places) * (len(dataset) / max(1, count))).long()
    x, y = dataset.batch(rows.clamp_max(len(dataset) - 1))
    device = state.runtime.device
    draws = rng.KeyedRandom(seed, (images,), count, device=device)
    return Batch(x=x.to(device), y=None if y is None else y.to(device), rng=draws, images=images, step=step)


def _labels_of(state: TrainState, batch: Batch) -> Tensor | None:
    kept = state.game.model
    assert isinstance(kept, GeneratorModel)
    return batch.y if kept.spec.num_classes else None


def _copy_in_train_mode(network: nn.Module) -> Any:
    """A copy, so that nothing of the match is touched; each batch is normalised by its own statistics."""
    copied = copy.deepcopy(network).eval()
    for layer in copied.modules():
        if isinstance(layer, _BatchNorm):
            layer.train()
    return copied


def _measure_modes(state: TrainState, fake: Tensor) -> dict[str, float]:
    source = state.experiment.data.source
    if source not in MIXTURES:
        return {}
    means = torch.from_numpy(mixture_modes(source)[0])
    points = torch.from_numpy(state.stream.dataset.points(fake)).double()
    return {"modes": count_nearest(means, points), "modes_of": len(means)}


def _measure_discriminator(
    state: TrainState, game: Adversarial, real: Batch, unseen: Batch | None, fake: Tensor
) -> dict[str, float]:
    judge, packing = _copy_in_train_mode(game.discriminator), game.config.packing
    size = state.experiment.training.micro_batch or state.experiment.training.batch

    def judged(x: Tensor, y: Tensor | None) -> tuple[Tensor, Tensor]:
        labels = [None] * len(x) if y is None else y.split(size)
        parts = [judge.features(pack(part, packing)) for part in x.split(size)]
        logits = [judge.head(part, told) for part, told in zip(parts, labels, strict=False)]
        return torch.cat(parts).double(), torch.cat(logits).double()

    seen, train = judged(real.x, _labels_of(state, real))
    seen_fake, made = judged(fake, _labels_of(state, real))
    both = torch.cat([train, made])
    found = {
        "logit_train": float(train.mean()),
        "logit_fake": float(made.mean()),
        "logit_spread": float(both.std()),
        "apart": probability_greater(train, made),
        "diversity_seen": mean_pairwise_distance(seen_fake) / max(mean_pairwise_distance(seen), 1e-12),
    }
    if unseen is not None and len(unseen.x):
        _, new = judged(unseen.x, _labels_of(state, unseen))
        found |= {"logit_held": float(new.mean()), "apart_held": probability_greater(new, made)}
        found["memorised"] = probability_greater(train, new)
    return found
