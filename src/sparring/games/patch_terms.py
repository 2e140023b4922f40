"""Terms that translation games share: PatchGAN discriminators with any objective, penalties and
augmentations.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from sparring.core import schedule
from sparring.core.adversarial_batch import AdversarialBatch, DiscriminatorLike, FakeSamples
from sparring.core.errors import ConfigError
from sparring.core.game import Batch
from sparring.core.interfaces import Augmentation, Objective, Penalty
from sparring.core.schedule import Schedule
from sparring.core.shapes import PerSample, Sample


@runtime_checkable
class PatchGameConfig(Protocol):
    """By which rules a judge of patches plays.

    `joint_batch`: real and generated images in one batch of the judge, which is faster; with batch normalisation their statistics mix.
    """

    @property
    def objective(self) -> Objective: ...
    @property
    def penalties(self) -> tuple[Penalty, ...]: ...
    @property
    def augmentations(self) -> tuple[Augmentation, ...]: ...
    @property
    def joint_batch(self) -> bool: ...


def domains(batch: Batch) -> tuple[Tensor, Tensor]:
    """Images of A and of B."""
    assert batch.x_b is not None, "a game of two domains was dealt one"
    return batch.x, batch.x_b


def patch_batch(
    config: PatchGameConfig,
    discriminator: nn.Module,
    batch: Batch,
    real: Sample,
    fake: Sample,
    *,
    train_discriminator: bool,
    channel_splits: Sequence[int] = (),
) -> AdversarialBatch:
    """The judge before real and generated images.

    Arguments:
        training: whether it is the judge's own turn; otherwise gradients flow to `fake`.
        parts: channels of the images that `real` and `fake` are stacked of; all are augmented alike. None are one image.
    """
    assert isinstance(discriminator, DiscriminatorLike)
    due = train_discriminator and any(penalty.needs_input_grad for penalty in due_penalties(config, batch))

    def view(samples: Tensor, stream: str) -> Tensor:
        pieces = samples.split(list(channel_splits), 1) if channel_splits else (samples,)
        for augmentation in config.augmentations:
            pieces = tuple(augmentation(piece, batch.rng, stream, batch.images) for piece in pieces)
        return torch.cat(pieces, 1) if channel_splits else pieces[0]

    return AdversarialBatch(
        replace(batch, x=real, y=None, x_b=None),
        discriminator,
        discriminator,
        0,
        view,
        generating=not train_discriminator,
        shared=FakeSamples(real.new_zeros(len(real), 0), fake),
        slope=due,
        joint_batch=config.joint_batch
        and train_discriminator,  # its makers have no use for its judgement of real images
        player=discriminator,
    )


def due_penalties(config: PatchGameConfig, batch: Batch) -> list[Penalty]:
    """The penalties that are due in this step."""
    return [penalty for penalty in config.penalties if batch.step % penalty.every == 0]


def discriminator_losses(
    config: PatchGameConfig, play: AdversarialBatch, name: str = ""
) -> tuple[dict[str, PerSample], dict[str, Tensor]]:
    """What the judge's turn comes to: its loss with its penalties, and how often it is right (with the middle of its
    judgements as the line: objectives place it differently).

    Arguments:
        name: of the judge, appended to those of the terms.
    """
    losses = {f"adversarial{name}": config.objective.discriminator(play)}
    for penalty in due_penalties(config, play.batch):
        losses[f"{type(penalty).__name__.lower()}{name}"] = penalty.every * penalty(play)
    with torch.no_grad():
        real, fake = play.real_logits.detach(), play.fake_logits.detach()
        middle = (real.mean() + fake.mean()) / 2
        apart = ((real > middle).float().mean() + (fake < middle).float().mean()) / 2
    return losses, {f"accuracy{name}": apart}


def check_patch_game(config: PatchGameConfig, **weights: Schedule) -> None:
    """Raises ConfigError for penalties that need what these games do not keep, or for a negative weight."""
    if any(penalty.needs_weight_average for penalty in config.penalties):
        raise ConfigError(
            "a penalty that remembers past weights", "one that needs none", "take r1, or leave it out"
        )
    for name, weight in weights.items():
        if min(schedule.endpoints(weight)) < 0:
            raise ConfigError(f"{name} {weight}", "0 or more", "fix the number; 0 leaves the term out")


def mean_per_sample(values: Tensor) -> PerSample:
    """The mean over each sample's values (b,), in float32."""
    return values.float().flatten(1).mean(1)


def psnr(made: Sample, truth: Sample) -> Tensor:
    """The mean peak signal-to-noise ratio in dB of images in [-1, 1]: 10 log10(4 / mean squared error).

    >>> psnr(torch.zeros(1, 1, 2, 2), torch.full((1, 1, 2, 2), 0.2)).round()
    tensor(20.)
    """
    errors = mean_per_sample((made.detach() - truth).square()).clamp_min(1e-10)
    return (10 * (4 / errors).log10()).mean()
