"""Numbers that tell how a match is doing, from a few dozen samples: what the doctor reads.

They are taken on copies of the players, from draws with names of their own, so that a run with them and one without end with the
same bits. The copies normalise as in training (each batch by its own statistics) and drop nothing out. They are taken at most once
in `EVERY_IMAGES` and `EVERY_STEPS`, whatever the interval of reports, which keeps them below a hundredth of a run.

References: Brock et al. 2019, arXiv:1809.11096, section 4.2 (samples that were trained on against samples that were not);
Mann & Whitney 1947 (the overlap of two lists of judgements).
"""

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from sparring import keyed
from sparring.augment.packing import pack
from sparring.data import Dataset
from sparring.data.points import modes
from sparring.game import Batch
from sparring.games.adversarial import Adversarial
from sparring.games.generation import Generation
from sparring.games.translation import Translation
from sparring.match import Match
from sparring.metrics.signs import above, of_samples, reached, spread

PIECE = 8  # pictures that a translator is given at once
COUNT = 64  # samples of each kind
EVERY_IMAGES, EVERY_STEPS = 4_096, 64  # between measurements
MIXTURES = ("ring", "grid")


def measure(match: Match, held: Dataset | None = None) -> dict[str, float]:
    """The vital signs of this moment, by their names in the record; none where the last ones are recent.

    - `diversity`: mean distance between two fakes over that between two real samples; 0 is collapse.
    - `repeats`: share of fakes of which there is a near copy among the fakes.
    - `reached`: real samples that are nearest to a fake, over those that are nearest to another real sample; 1 is full variety.
    - `modes`, `modes_of`: modes of a built-in mixture with a fake, and their number.
    - `saturated`, `saturated_real`: share of pixels at an end of the scale.
    - `logit_train`, `logit_fake`, `logit_held`: the discriminator's mean judgements; `logit_spread`: their deviation.
    - `apart`, `apart_held`: how often a (held-out) real sample is judged above a fake one; 0.5 knows nothing, 1 is always.
    - `memorised`: how often a sample that was trained on is judged above one that was held out; 0.5 is right.
    - `diversity_seen`: as `diversity`, in the discriminator's features.
    - `moved`, of translators: how far outputs are from their inputs, over how far real pictures of the other domain are.

    Arguments:
        match: what is played.
        held: samples that are never trained on.
    """
    if not match.runtime.leads or not _due(match):
        return {}
    if isinstance(match.game.kept, Translation):
        return _named(_of_translation(match, match.game.kept))
    if not isinstance(match.game.kept, Generation):
        return {}
    names = ("vitals.real", "vitals.again", "vitals.held")
    real, again = _drawn(match, match.dealer.dataset, names[0]), _drawn(match, match.dealer.dataset, names[1])
    unseen = None if held is None or len(held) < 2 else _drawn(match, held, names[2])
    if len(real.x) < 2:
        return {}
    with torch.no_grad(), match.runtime.autocast():
        fake = _as_trained(match.game.kept)(
            real.draws.normal("vitals.latent", match.game.kept.latent), _told(match, real)
        ).float()
        found = of_samples(real.x, again.x, fake) | _of_mixture(match, fake)
        if isinstance(match.game, Adversarial):
            found |= _of_judge(match, match.game, real, unseen, fake)
    return _named(found)


def _named(found: dict[str, float]) -> dict[str, float]:
    return {f"vitals/{name}": round(value, 4) for name, value in found.items()}


def _of_translation(match: Match, translation: Translation) -> dict[str, float]:
    """A translator's outputs as samples of the other domain, and how far they are from their inputs."""
    dataset = match.dealer.dataset
    assert dataset.other is not None
    given, wanted = _drawn(match, dataset, "vitals.real").x, _drawn(match, dataset.other, "vitals.other").x
    again = _drawn(match, dataset.other, "vitals.again").x
    if min(len(given), len(wanted)) < 2:
        return {}
    with torch.no_grad(), match.runtime.autocast():
        fake = torch.cat([_as_trained(translation).translate(part) for part in given.split(PIECE)]).float()
    count = min(len(given), len(wanted))
    start = given if given.shape[1] == wanted.shape[1] else given.mean(1, keepdim=True).expand_as(fake)
    far = float((wanted[:count] - start[:count]).abs().mean())
    return of_samples(wanted, again, fake) | {"moved": float((fake - start).abs().mean()) / max(far, 1e-12)}


def _due(match: Match) -> bool:
    now, training = match.clock.images, match.experiment.training
    before = max(
        0, now - max(training.report_every, training.batch) - training.batch
    )  # of the report before, or earlier
    every = max(EVERY_IMAGES, EVERY_STEPS * training.batch)
    return now >= training.images or now // every > before // every


def _drawn(match: Match, dataset: Dataset, stream: str) -> Batch:
    """Samples from all over the set: one of each of as many spans."""
    images, step, seed = match.clock.images, match.clock.step, match.experiment.training.seed
    count = min(COUNT, len(dataset))
    game = match.game
    if isinstance(game, Adversarial):
        count -= count % game.config.packing
    places = torch.rand(count, generator=keyed.generator(seed, stream, images))
    rows = ((torch.arange(count) + places) * (len(dataset) / max(1, count))).long()
    x, y = dataset.batch(rows.clamp_max(len(dataset) - 1))
    device = match.runtime.device
    draws = keyed.Draws(seed, (images,), count, device=device)
    return Batch(x=x.to(device), y=None if y is None else y.to(device), draws=draws, images=images, step=step)


def _told(match: Match, batch: Batch) -> Tensor | None:
    kept = match.game.kept
    assert isinstance(kept, Generation)
    return batch.y if kept.spec.classes else None


def _as_trained(network: nn.Module) -> Any:
    """A copy, so that nothing of the match is touched; each batch is normalised by its own statistics."""
    copied = copy.deepcopy(network).eval()
    for layer in copied.modules():
        if isinstance(layer, _BatchNorm):
            layer.train()
    return copied


def _of_mixture(match: Match, fake: Tensor) -> dict[str, float]:
    source = match.experiment.data.source
    if source not in MIXTURES:
        return {}
    means = torch.from_numpy(modes(source)[0])
    points = torch.from_numpy(match.dealer.dataset.points(fake)).double()
    return {"modes": reached(means, points), "modes_of": len(means)}


def _of_judge(
    match: Match, game: Adversarial, real: Batch, unseen: Batch | None, fake: Tensor
) -> dict[str, float]:
    judge, packing = _as_trained(game.discriminator), game.config.packing
    size = match.experiment.training.micro_batch or match.experiment.training.batch

    def judged(x: Tensor, y: Tensor | None) -> tuple[Tensor, Tensor]:
        labels = [None] * len(x) if y is None else y.split(size)
        parts = [judge.features(pack(part, packing)) for part in x.split(size)]
        logits = [judge.head(part, told) for part, told in zip(parts, labels, strict=False)]
        return torch.cat(parts).double(), torch.cat(logits).double()

    seen, train = judged(real.x, _told(match, real))
    seen_fake, made = judged(fake, _told(match, real))
    both = torch.cat([train, made])
    found = {
        "logit_train": float(train.mean()),
        "logit_fake": float(made.mean()),
        "logit_spread": float(both.std()),
        "apart": above(train, made),
        "diversity_seen": spread(seen_fake) / max(spread(seen), 1e-12),
    }
    if unseen is not None and len(unseen.x):
        _, new = judged(unseen.x, _told(match, unseen))
        found |= {"logit_held": float(new.mean()), "apart_held": above(new, made)}
        found["memorised"] = above(train, new)
    return found
