"""What the games of translators share: judges of patches, by any objective, with penalties and augmentations."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from sparring import schedule
from sparring.errors import ConfigError
from sparring.game import Batch
from sparring.play import Discriminates, Play, Shared
from sparring.roles import Augmentation, Objective, Penalty
from sparring.schedule import Schedule
from sparring.shapes import PerSample, Sample


@runtime_checkable
class Rules(Protocol):
    """By which rules a judge of patches plays.

    `joint`: real and generated pictures in one batch of the judge, which is faster; with batch normalisation their statistics mix.
    """

    @property
    def objective(self) -> Objective: ...
    @property
    def penalties(self) -> tuple[Penalty, ...]: ...
    @property
    def augmentations(self) -> tuple[Augmentation, ...]: ...
    @property
    def joint(self) -> bool: ...


def sides(batch: Batch) -> tuple[Tensor, Tensor]:
    """Pictures of A and of B."""
    assert batch.other is not None, "a game of two domains was dealt one"
    return batch.x, batch.other


def judged(
    rules: Rules,
    judge: nn.Module,
    batch: Batch,
    real: Sample,
    fake: Sample,
    *,
    training: bool,
    parts: Sequence[int] = (),
) -> Play:
    """The judge before real and generated pictures.

    Arguments:
        training: whether it is the judge's own turn; otherwise slopes flow to `fake`.
        parts: channels of the pictures that `real` and `fake` are stacked of; all are augmented alike. None are one picture.
    """
    assert isinstance(judge, Discriminates)
    due = training and any(penalty.needs_slope for penalty in due_now(rules, batch))

    def view(samples: Tensor, stream: str) -> Tensor:
        pieces = samples.split(list(parts), 1) if parts else (samples,)
        for augmentation in rules.augmentations:
            pieces = tuple(augmentation(piece, batch.draws, stream, batch.images) for piece in pieces)
        return torch.cat(pieces, 1) if parts else pieces[0]

    return Play(
        replace(batch, x=real, y=None, other=None),
        judge,
        judge,
        0,
        view,
        generating=not training,
        shared=Shared(real.new_zeros(len(real), 0), fake),
        slope=due,
        joint=rules.joint and training,  # its makers have no use for its judgement of real pictures
        player=judge,
    )


def due_now(rules: Rules, batch: Batch) -> list[Penalty]:
    """The penalties that are due in this step."""
    return [penalty for penalty in rules.penalties if batch.step % penalty.every == 0]


def convicted(rules: Rules, play: Play, name: str = "") -> tuple[dict[str, PerSample], dict[str, Tensor]]:
    """What the judge's turn comes to: its loss with its penalties, and how often it is right (with the middle of its
    judgements as the line: objectives place it differently).

    Arguments:
        name: of the judge, appended to those of the terms.
    """
    losses = {f"adversarial{name}": rules.objective.discriminator(play)}
    for penalty in due_now(rules, play.batch):
        losses[f"{type(penalty).__name__.lower()}{name}"] = penalty.every * penalty(play)
    with torch.no_grad():
        real, fake = play.real_logits.detach(), play.fake_logits.detach()
        middle = (real.mean() + fake.mean()) / 2
        apart = ((real > middle).float().mean() + (fake < middle).float().mean()) / 2
    return losses, {f"accuracy{name}": apart}


def check_rules(rules: Rules, **weights: Schedule) -> None:
    """Raises ConfigError for penalties that need what these games do not keep, or for a negative weight."""
    if any(penalty.needs_memory for penalty in rules.penalties):
        raise ConfigError(
            "a penalty that remembers past weights", "one that needs none", "take r1, or leave it out"
        )
    for name, weight in weights.items():
        if min(schedule.ends(weight)) < 0:
            raise ConfigError(f"{name} {weight}", "0 or more", "mend the number; 0 leaves the term out")


def per_sample(values: Tensor) -> PerSample:
    """The mean over each sample's values (b,), in float32."""
    return values.float().flatten(1).mean(1)


def psnr(made: Sample, truth: Sample) -> Tensor:
    """The mean peak signal-to-noise ratio in dB of pictures in [-1, 1]: 10 log10(4 / mean squared error).

    >>> psnr(torch.zeros(1, 1, 2, 2), torch.full((1, 1, 2, 2), 0.2)).round()
    tensor(20.)
    """
    errors = per_sample((made.detach() - truth).square()).clamp_min(1e-10)
    return (10 * (4 / errors).log10()).mean()
