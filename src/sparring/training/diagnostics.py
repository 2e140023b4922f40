"""Diagnostics of training from a few dozen samples: diversity, near duplicates, coverage, AUC of the
discriminator.

They are measured on copies of the players, with random numbers of their own, so that a run with them and one
without end with the same bits. The copies use batch statistics, as in training, and no dropout. They are
measured at most once in `EVERY_IMAGES` images and `EVERY_STEPS` steps, which costs below one percent of a run.

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
from sparring.protocols.catalogue import METRICS_INFO
from sparring.training.state import TrainState

TRANSLATE_BATCH = 8  # images translated at once
NUM_SAMPLES = 64  # of each kind
EVERY_IMAGES, EVERY_STEPS = 4_096, 64  # between measurements


def measure(state: TrainState, held_out: Dataset | None = None) -> dict[str, float]:
    """Measure the diagnostics; empty where the last measurement is recent, and in all processes but the main one.

    All models:
        `diag/diversity`: mean distance of two generated samples over that of two real ones; 0 is collapse.
        `diag/near_duplicates`: fraction of generated samples with a near copy among them.
        `diag/coverage`: real samples that are nearest to a generated one, over those nearest to another real one; 1 is full.
        `diag/clipped_pixels`, `diag/clipped_pixels_real`: fraction of pixels at an end of the range.
    Data from a built-in mixture:
        `diag/modes`, `diag/modes_total`: modes with a generated sample near them, and all modes.
    Translators:
        `diag/input_change`: distance of outputs from inputs, over that of real images of domain B from inputs.
    Games with a discriminator:
        `diag/logit_train`, `diag/logit_fake`, `diag/logit_held_out`: mean logits; `diag/logit_std`: their deviation.
        `diag/auc_real_vs_fake`, `diag/auc_held_out_vs_fake`: AUC of the logits; 0.5 is chance, 1 is separated.
        `diag/auc_train_vs_held_out`: AUC of training samples against held-out ones; above 0.5 is overfitting.
        `diag/feature_diversity`: as `diag/diversity`, in the discriminator's features.

    Arguments:
        held_out: samples that are never trained on.
    """
    if not state.runtime.is_main_process or not _is_due(state):
        return {}
    model = state.game.model
    if isinstance(model, TranslatorModel):
        return _with_prefix(_measure_translator(state, model))
    if not isinstance(model, GeneratorModel):
        return {}
    real = _sample_batch(state, state.stream.dataset, "vitals.real")
    more_real = _sample_batch(state, state.stream.dataset, "vitals.again")
    has_held_out = held_out is not None and len(held_out) >= 2
    unseen = _sample_batch(state, held_out, "vitals.held") if held_out is not None and has_held_out else None
    if len(real.x) < 2:
        return {}
    with torch.no_grad(), state.runtime.autocast():
        z = real.rng.normal("vitals.latent", model.latent)
        fake = _copy_in_train_mode(model)(z, _labels_of(state, real)).float()
        values = batch_statistics(real.x, more_real.x, fake) | _measure_modes(state, fake)
        if isinstance(state.game, Adversarial):
            values |= _measure_discriminator(state, state.game, real, unseen, fake)
    return _with_prefix(values)


def _with_prefix(values: dict[str, float]) -> dict[str, float]:
    return {f"diag/{name}": round(value, 4) for name, value in values.items()}


def _measure_translator(state: TrainState, model: TranslatorModel) -> dict[str, float]:
    """The statistics of outputs as samples of domain B, and their distance from the inputs."""
    dataset = state.stream.dataset
    assert dataset.domain_b is not None
    inputs = _sample_batch(state, dataset, "vitals.real").x
    targets = _sample_batch(state, dataset.domain_b, "vitals.domain_b").x
    more_targets = _sample_batch(state, dataset.domain_b, "vitals.again").x
    count = min(len(inputs), len(targets))
    if count < 2:
        return {}
    with torch.no_grad(), state.runtime.autocast():
        translator = _copy_in_train_mode(model)
        fake = torch.cat([translator.translate(part) for part in inputs.split(TRANSLATE_BATCH)]).float()
    is_same_shape = inputs.shape[1] == targets.shape[1]
    before = inputs if is_same_shape else inputs.mean(1, keepdim=True).expand_as(fake)
    distance = float((targets[:count] - before[:count]).abs().mean())
    change = float((fake - before).abs().mean()) / max(distance, 1e-12)
    return batch_statistics(targets, more_targets, fake) | {"input_change": change}


def _is_due(state: TrainState) -> bool:
    now, training = state.clock.images, state.experiment.training
    interval = max(training.report_every, training.batch)
    before = max(0, now - interval - training.batch)  # the report before this one, or earlier
    every = max(EVERY_IMAGES, EVERY_STEPS * training.batch)
    return now >= training.total_images or now // every > before // every


def _sample_batch(state: TrainState, dataset: Dataset, stream: str) -> Batch:
    """A stratified sample: the dataset is cut into `NUM_SAMPLES` spans, and one sample of each is drawn."""
    images, step, seed = state.clock.images, state.clock.step, state.experiment.training.seed
    count = min(NUM_SAMPLES, len(dataset))
    game = state.game
    if isinstance(game, Adversarial):
        count -= count % game.config.packing
    places = torch.rand(count, generator=rng.make_generator(seed, stream, images))
    rows = ((torch.arange(count) + places) * (len(dataset) / max(1, count))).long()
    x, y = dataset.batch(rows.clamp_max(len(dataset) - 1))
    device = state.runtime.device
    keyed = rng.KeyedRandom(seed, (images,), count, device=device)
    return Batch(x=x.to(device), y=None if y is None else y.to(device), rng=keyed, images=images, step=step)


def _labels_of(state: TrainState, batch: Batch) -> Tensor | None:
    """The labels of a batch, where the model is conditional."""
    model = state.game.model
    assert isinstance(model, GeneratorModel)
    return batch.y if model.spec.num_classes else None


def _copy_in_train_mode(network: nn.Module) -> Any:
    """A copy in evaluation mode, but for batch normalisation, which uses the statistics of the batch."""
    copied = copy.deepcopy(network).eval()
    for layer in copied.modules():
        if isinstance(layer, _BatchNorm):
            layer.train()
    return copied


def _measure_modes(state: TrainState, fake: Tensor) -> dict[str, float]:
    source = state.experiment.data.source
    if source not in METRICS_INFO["modes"].sources:
        return {}
    means = torch.from_numpy(mixture_modes(source)[0])
    points = torch.from_numpy(state.stream.dataset.points(fake)).double()
    return {"modes": count_nearest(means, points), "modes_total": len(means)}


def _measure_discriminator(
    state: TrainState, game: Adversarial, real: Batch, unseen: Batch | None, fake: Tensor
) -> dict[str, float]:
    discriminator, packing = _copy_in_train_mode(game.discriminator), game.config.packing
    size = state.experiment.training.micro_batch or state.experiment.training.batch

    def discriminate(x: Tensor, y: Tensor | None) -> tuple[Tensor, Tensor]:
        """Features and logits, in parts of the size of training, as batch statistics depend on it."""
        labels = [None] * len(x) if y is None else y.split(size)
        features = [discriminator.features(pack(part, packing)) for part in x.split(size)]
        logits = [discriminator.head(part, part_y) for part, part_y in zip(features, labels, strict=False)]
        return torch.cat(features).double(), torch.cat(logits).double()

    real_features, real_logits = discriminate(real.x, _labels_of(state, real))
    fake_features, fake_logits = discriminate(fake, _labels_of(state, real))
    real_spread, fake_spread = (mean_pairwise_distance(rows) for rows in (real_features, fake_features))
    values = {
        "logit_train": float(real_logits.mean()),
        "logit_fake": float(fake_logits.mean()),
        "logit_std": float(torch.cat([real_logits, fake_logits]).std()),
        "auc_real_vs_fake": probability_greater(real_logits, fake_logits),
        "feature_diversity": fake_spread / max(real_spread, 1e-12),
    }
    if unseen is not None and len(unseen.x):
        _, unseen_logits = discriminate(unseen.x, _labels_of(state, unseen))
        values["logit_held_out"] = float(unseen_logits.mean())
        values["auc_held_out_vs_fake"] = probability_greater(unseen_logits, fake_logits)
        values["auc_train_vs_held_out"] = probability_greater(real_logits, unseen_logits)
    return values
