"""The reference: a plain DCGAN loop in PyTorch, as its well-known example does it, written anew at 32x32.

The same networks (64 base channels), batch 64, cross-entropy, Adam(2e-4, 0.5), one shared batch of fakes for both players,
eager float32, NCHW. Faster than the example as shipped in one way: the data is a tensor in memory, not a loader's.
"""

import torch
from torch import Tensor, nn

LATENT, WIDTH, BATCH = 100, 64, 64


def networks(channels: int = 1) -> tuple[nn.Module, nn.Module]:
    """Generator and discriminator, initialised from N(0, 0.02)."""
    w = WIDTH
    generator = nn.Sequential(
        nn.ConvTranspose2d(LATENT, 4 * w, 4, 1, 0, bias=False),
        nn.BatchNorm2d(4 * w),
        nn.ReLU(True),
        nn.ConvTranspose2d(4 * w, 2 * w, 4, 2, 1, bias=False),
        nn.BatchNorm2d(2 * w),
        nn.ReLU(True),
        nn.ConvTranspose2d(2 * w, w, 4, 2, 1, bias=False),
        nn.BatchNorm2d(w),
        nn.ReLU(True),
        nn.ConvTranspose2d(w, channels, 4, 2, 1, bias=False),
        nn.Tanh(),
    )
    discriminator = nn.Sequential(
        nn.Conv2d(channels, w, 4, 2, 1, bias=False),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(w, 2 * w, 4, 2, 1, bias=False),
        nn.BatchNorm2d(2 * w),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(2 * w, 4 * w, 4, 2, 1, bias=False),
        nn.BatchNorm2d(4 * w),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(4 * w, 1, 4, 1, 0, bias=False),
        nn.Sigmoid(),
    )
    for module in [*generator.modules(), *discriminator.modules()]:
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
            nn.init.zeros_(module.bias)
    return generator, discriminator


class Example:
    """The example's training step on images (n, c, 32, 32) held as float32."""

    def __init__(self, x: Tensor, seed: int = 0) -> None:
        torch.manual_seed(seed)
        self.x = x
        self.generator, self.discriminator = networks(x.shape[1])
        self.loss = nn.BCELoss()
        self.optimizers = [
            torch.optim.Adam(net.parameters(), lr=2e-4, betas=(0.5, 0.999))
            for net in (self.discriminator, self.generator)
        ]
        self.order: list[Tensor] = []

    def step(self) -> int:
        """One batch; returns the number of images."""
        if not self.order:
            self.order = [rows for rows in torch.randperm(len(self.x)).split(BATCH) if len(rows) == BATCH]
        real = self.x[self.order.pop()]
        ones, zeros = torch.ones(BATCH), torch.zeros(BATCH)
        self.discriminator.zero_grad()
        loss_real = self.loss(self.discriminator(real).view(-1), ones)
        loss_real.backward()
        fake = self.generator(torch.randn(BATCH, LATENT, 1, 1))
        loss_fake = self.loss(self.discriminator(fake.detach()).view(-1), zeros)
        loss_fake.backward()
        self.optimizers[0].step()
        self.generator.zero_grad()
        loss = self.loss(self.discriminator(fake).view(-1), ones)
        loss.backward()
        self.optimizers[1].step()
        self.losses = loss_real.item() + loss_fake.item(), loss.item()  # the example prints them
        return BATCH

    @torch.no_grad()
    def sample(self, count: int) -> Tensor:
        """Images in [-1, 1], with the networks as they are in training, as the example makes its sheets."""
        parts = [self.generator(torch.randn(500, LATENT, 1, 1)) for _ in range(0, count, 500)]
        return torch.cat(parts)[:count]
