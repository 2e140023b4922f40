"""Statistics of the discriminator's logits over steps: means over a step's micro-batches and processes, and
running averages of them.
"""

import torch
from torch import Tensor, nn

from sparring.core.runtime import all_gather


class StepMean(nn.Module):
    """The mean of some values over all samples of a step: over its updates, their micro-batches, and the processes.

    It is empty between steps, so nothing of it is saved.

    Arguments:
        size: number of values.
    """

    sums: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("sums", torch.zeros(size + 1), persistent=False)

    @torch.no_grad()
    def add(self, values: Tensor, samples: int) -> None:
        """Add the means (size,) over a micro-batch of this many samples."""
        self.sums += torch.cat([values.float(), values.new_ones(1, dtype=torch.float32)]) * samples

    @torch.no_grad()
    def take(self) -> tuple[Tensor, Tensor]:
        """The means (size,) and the number of samples (), of all processes; afterwards it is empty."""
        total = all_gather(self.sums[None]).sum(0)
        self.sums.zero_()
        return total[:-1] / total[-1].clamp_min(1), total[-1]


class LogitAverages(nn.Module):
    """Running averages of the discriminator's mean logits on real and on generated samples.

        a <- decay a + (1 - decay) v,  divided by 1 - decay^t, as it starts from 0

    v are the means over the step number t. Before the first update both averages are 0.

    References: Tseng et al. 2021, "Regularizing generative adversarial networks under limited data", arXiv:2104.03310, sec. 3.2.
    Kingma & Ba 2015, arXiv:1412.6980, sec. 3 (the division).

    Arguments:
        decay: per step.
    """

    moving: Tensor

    def __init__(self, decay: float) -> None:
        super().__init__()
        self.decay, self.means = decay, StepMean(2)
        self.register_buffer(
            "moving", torch.zeros(3)
        )  # of real and of generated samples, and of the number 1

    @property
    def real(self) -> Tensor:
        """The average of the logits of real samples: a scalar on the device."""
        return self.moving[0] / self.moving[2].clamp_min(1e-12)

    @property
    def fake(self) -> Tensor:
        """The average of the logits of generated samples."""
        return self.moving[1] / self.moving[2].clamp_min(1e-12)

    def observe(self, real_logits: Tensor, fake_logits: Tensor, samples: int) -> None:
        """Take note of the logits of a micro-batch of this many real samples."""
        self.means.add(torch.stack([real_logits.detach().mean(), fake_logits.detach().mean()]), samples)

    @torch.no_grad()
    def update(self) -> None:
        """Add the step's means to the averages."""
        means, _ = self.means.take()
        self.moving.lerp_(torch.cat([means, means.new_ones(1)]), 1 - self.decay)
