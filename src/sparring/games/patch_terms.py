"""Terms shared by the image-to-image games: PatchGAN discriminators with any objective, penalties and
augmentations.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from sparring.core import schedule
from sparring.core.adversarial_batch import AdversarialBatch, DiscriminatorLike, PlayerHistory
from sparring.core.errors import ConfigError
from sparring.core.game import Batch, Terms
from sparring.core.schedule import Schedule
from sparring.core.shapes import PerSample, Sample, SampleSpec
from sparring.games.discriminator_memory import DiscriminatorMemory, DiscriminatorSettings
from sparring.parts.penalties import check_distinct_penalties, due_penalties, penalty_losses


def domains(batch: Batch) -> tuple[Tensor, Tensor]:
    """The real images of domain A and of domain B."""
    assert batch.x_b is not None, "a game of two domains got a batch of one"
    return batch.x, batch.x_b


def patch_batch(
    memory: DiscriminatorMemory,
    discriminator: nn.Module,
    batch: Batch,
    real: Sample,
    fake: Sample,
    *,
    train_discriminator: bool,
    channel_splits: Sequence[int] = (),
) -> AdversarialBatch:
    """Real and generated images before a patch discriminator.

    Arguments:
        memory: of the discriminator, with the settings of the game.
        train_discriminator: whether this is the discriminator's turn; otherwise gradients flow to `fake`.
        channel_splits: numbers of channels of the images that `real` and `fake` are stacked of, all of which are augmented
            alike; empty for one image.
    """
    assert isinstance(discriminator, DiscriminatorLike)

    def augment(samples: Tensor, stream: str) -> Tensor:
        if not channel_splits:
            return memory.augment(samples, batch, stream)
        images = samples.split(list(channel_splits), 1)
        return torch.cat([memory.augment(image, batch, stream) for image in images], 1)

    config = memory.config
    due = due_penalties(config.penalties, batch.step)
    return AdversarialBatch(
        replace(batch, x=real, y=None, x_b=None),
        lambda: fake.detach() if train_discriminator else fake,
        discriminator,
        augment,
        needs_input_grad=train_discriminator and any(penalty.needs_input_grad for penalty in due),
        joint_batch=config.joint_batch and train_discriminator,  # translators need no logits of real images
        history=PlayerHistory(discriminator, logits=memory.averages if train_discriminator else None),
    )


def discriminator_terms(memory: DiscriminatorMemory, pair: AdversarialBatch, suffix: str = "") -> Terms:
    """The discriminator's loss, its penalties, its accuracy, and what its memory records.

    The accuracy's threshold is the middle between the mean logits of real and generated patches, as objectives differ in
    where they place it.

    Arguments:
        suffix: appended to all names, where a game has several discriminators.
    """
    config = memory.config
    losses = {"adversarial": config.objective.discriminator(pair), **penalty_losses(config.penalties, pair)}
    with torch.no_grad():
        real, fake = pair.real_logits.detach(), pair.fake_logits.detach()
        threshold = (real.mean() + fake.mean()) / 2
        accuracy = ((real > threshold).float().mean() + (fake < threshold).float().mean()) / 2
    logs = {"accuracy": accuracy} | memory.observe(pair)
    losses, logs = ({f"{name}{suffix}": value for name, value in each.items()} for each in (losses, logs))
    return Terms(losses, logs)


def check_patch_game(config: DiscriminatorSettings, **weights: Schedule) -> None:
    """Raises ConfigError for penalties that these games do not support, two penalties of one type, or a negative weight."""
    check_distinct_penalties(config.penalties, "game.penalties")
    for penalty in config.penalties:
        if penalty.needs_weight_average:
            got = f"{type(penalty).__name__}, which needs the running mean of weights"
            raise ConfigError(got, "a penalty that does not", "take r1, or leave it out")
    for name, weight in weights.items():
        if min(schedule.endpoints(weight)) < 0:
            raise ConfigError(f"{name} {weight}", "0 or more", f"set game.{name}=0 to leave the term out")


def check_equal_channels(spec: SampleSpec, reason: str, fix: str) -> None:
    """Raises ConfigError if the domains have different numbers of channels.

    Arguments:
        reason: which setting needs equal numbers.
        fix: what to change, where colour for both is no choice.
    """
    channels, channels_b = spec.shape[0], (spec.shape_b or spec.shape)[0]
    if channels != channels_b:
        raise ConfigError(
            f"domains with {channels} and {channels_b} channels",
            f"as many channels in both domains, {reason}",
            f"bring both to colour with --set data.channels=3, or {fix}",
        )


def mean_per_sample(values: Tensor) -> PerSample:
    """The mean over each sample's values (b,), in float32."""
    return values.float().flatten(1).mean(1)


def psnr(fake: Sample, target: Sample) -> Tensor:
    """Peak signal-to-noise ratio in dB of images in [-1, 1], the mean over images: 10 log10(4 / mean squared error).

    >>> psnr(torch.zeros(1, 1, 2, 2), torch.full((1, 1, 2, 2), 0.2)).round()
    tensor(20.)
    """
    errors = mean_per_sample((fake.detach() - target).square()).clamp_min(1e-10)
    return (10 * (4 / errors).log10()).mean()
