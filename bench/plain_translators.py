"""The reference: pix2pix's and CycleGAN's training steps as a plain PyTorch loop, eager float32, NCHW, written from the papers.

The same networks as Sparring's (64 channels; instance normalisation without scales), the same losses, Adam(2e-4, 0.5). As in
careful code, the discriminators are frozen while the translators learn, and pix2pix's fake is generated once for both. The data
is a tensor in memory, not a loader's.
"""

import itertools

import torch
from torch import Tensor, nn

CHANNELS = 3


class Down(nn.Module):
    """A grid of the U-Net with all that lies within it."""

    def __init__(self, outer: int, inner: int, within: nn.Module | None, *, first=False, drop=False) -> None:
        super().__init__()
        last = within is None
        down = [] if first else [nn.LeakyReLU(0.2)]
        down.append(nn.Conv2d(outer, inner, 4, 2, 1, bias=first or last))
        if not first and not last:
            down.append(nn.InstanceNorm2d(inner))
        up = [nn.ReLU()]
        up.append(nn.ConvTranspose2d(inner if last else 2 * inner, outer, 4, 2, 1, bias=first))
        up += [nn.Tanh()] if first else [nn.InstanceNorm2d(outer)]
        if drop:
            up.append(nn.Dropout(0.5))
        self.first, self.down, self.within, self.up = first, nn.Sequential(*down), within, nn.Sequential(*up)

    def forward(self, x: Tensor) -> Tensor:
        h = self.down(x)
        h = self.up(h if self.within is None else self.within(h))
        return h if self.first else torch.cat([x, h], 1)


def unet() -> nn.Module:
    """For 64x64: six halvings, 64 to 512 channels, dropout in the first three stages of the decoder."""
    block = Down(512, 512, None, drop=True)
    block = Down(512, 512, block, drop=True)
    block = Down(256, 512, block, drop=True)
    block = Down(128, 256, block)
    block = Down(64, 128, block)
    return start(Down(CHANNELS, 64, block, first=True))


class Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        conv = [nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3, bias=False), nn.InstanceNorm2d(width)]
        more = [nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3, bias=False), nn.InstanceNorm2d(width)]
        self.body = nn.Sequential(*conv, nn.ReLU(True), *more)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


def resnet(blocks: int = 6) -> nn.Module:
    """c7s1-64, d128, d256, R256 x 6, u128, u64, c7s1-3."""
    layers: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(CHANNELS, 64, 7, bias=False)]
    layers += [nn.InstanceNorm2d(64), nn.ReLU(True)]
    for width in (64, 128):
        layers += [
            nn.Conv2d(width, 2 * width, 3, 2, 1, bias=False),
            nn.InstanceNorm2d(2 * width),
            nn.ReLU(True),
        ]
    layers += [Residual(256) for _ in range(blocks)]
    for width in (256, 128):
        layers.append(nn.ConvTranspose2d(width, width // 2, 3, 2, 1, output_padding=1, bias=False))
        layers += [nn.InstanceNorm2d(width // 2), nn.ReLU(True)]
    layers += [nn.ReflectionPad2d(3), nn.Conv2d(64, CHANNELS, 7), nn.Tanh()]
    return start(nn.Sequential(*layers))


def patchgan(channels: int) -> nn.Module:
    """C64-C128-C256-C512 and a logit: patches of 70x70."""
    layers: list[nn.Module] = [nn.Conv2d(channels, 64, 4, 2, 1), nn.LeakyReLU(0.2, True)]
    for i, o, stride in ((64, 128, 2), (128, 256, 2), (256, 512, 1)):
        layers += [nn.Conv2d(i, o, 4, stride, 1, bias=False), nn.InstanceNorm2d(o), nn.LeakyReLU(0.2, True)]
    return start(nn.Sequential(*layers, nn.Conv2d(512, 1, 4, 1, 1)))


def start(network: nn.Module) -> nn.Module:
    """Weights from N(0, 0.02)."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return network


def adam(*networks: nn.Module) -> torch.optim.Adam:
    parameters = itertools.chain(*[network.parameters() for network in networks])
    return torch.optim.Adam(parameters, lr=2e-4, betas=(0.5, 0.999))


def freeze(networks: list[nn.Module], frozen: bool) -> None:
    for parameter in itertools.chain(*[network.parameters() for network in networks]):
        parameter.requires_grad_(not frozen)


class Pix2pix:
    """One step on a batch of pairs."""

    def __init__(self) -> None:
        self.translator, self.discriminator = unet(), patchgan(2 * CHANNELS)
        self.optimizers = adam(self.translator), adam(self.discriminator)
        self.loss = nn.BCEWithLogitsLoss()
        self.networks = [self.translator, self.discriminator]

    def step(self, a: Tensor, b: Tensor) -> tuple[float, float]:
        fake = self.translator(a)
        freeze([self.discriminator], False)
        self.optimizers[1].zero_grad()
        on_fake = self.discriminator(torch.cat([a, fake.detach()], 1))
        on_real = self.discriminator(torch.cat([a, b], 1))
        loss_discriminator = (
            self.loss(on_fake, torch.zeros_like(on_fake)) + self.loss(on_real, torch.ones_like(on_real))
        ) / 2
        loss_discriminator.backward()
        self.optimizers[1].step()
        freeze([self.discriminator], True)
        self.optimizers[0].zero_grad()
        on_fake = self.discriminator(torch.cat([a, fake], 1))
        loss = self.loss(on_fake, torch.ones_like(on_fake)) + 100 * (fake - b).abs().mean()
        loss.backward()
        self.optimizers[0].step()
        return loss.item(), loss_discriminator.item()


class Pool:
    """The last fifty fakes: each new one is shown, or swapped half of the time for an old one."""

    def __init__(self, size: int = 50) -> None:
        self.size, self.images = size, []

    def swap(self, fakes: Tensor) -> Tensor:
        chosen = []
        for fake in fakes.detach():
            if len(self.images) < self.size:
                self.images.append(fake)
                chosen.append(fake)
            elif torch.rand(()) < 0.5:
                place = int(torch.randint(self.size, ()))
                chosen.append(self.images[place])
                self.images[place] = fake
            else:
                chosen.append(fake)
        return torch.stack(chosen)


class CycleGAN:
    """One step on a batch of each domain."""

    def __init__(self) -> None:
        self.to_b, self.to_a = resnet(), resnet()
        self.discriminator_a, self.discriminator_b = patchgan(CHANNELS), patchgan(CHANNELS)
        self.optimizers = adam(self.to_b, self.to_a), adam(self.discriminator_a, self.discriminator_b)
        self.networks = [self.to_b, self.to_a, self.discriminator_a, self.discriminator_b]
        self.pools = Pool(), Pool()

    def step(self, a: Tensor, b: Tensor) -> tuple[float, float]:
        fake_b, fake_a = self.to_b(a), self.to_a(b)
        again_a, again_b = self.to_a(fake_b), self.to_b(fake_a)
        freeze([self.discriminator_a, self.discriminator_b], True)
        self.optimizers[0].zero_grad()
        same = (self.to_b(b) - b).abs().mean() + (self.to_a(a) - a).abs().mean()
        fool = (self.discriminator_b(fake_b) - 1).square().mean() + (
            self.discriminator_a(fake_a) - 1
        ).square().mean()
        cycle = (again_a - a).abs().mean() + (again_b - b).abs().mean()
        loss = fool + 10 * cycle + 5 * same
        loss.backward()
        self.optimizers[0].step()
        freeze([self.discriminator_a, self.discriminator_b], False)
        self.optimizers[1].zero_grad()
        total = 0.0
        domains = (
            (self.discriminator_a, a, self.pools[0].swap(fake_a)),
            (self.discriminator_b, b, self.pools[1].swap(fake_b)),
        )
        for discriminator, real, fake in domains:
            loss_discriminator = (
                (discriminator(real) - 1).square().mean() + discriminator(fake).square().mean()
            ) / 2
            loss_discriminator.backward()
            total += loss_discriminator.item()
        self.optimizers[1].step()
        return loss.item(), total
