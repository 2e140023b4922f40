"""Large-kernel convolutions between many channels and the few of an image: first and last layer of a ResNet
translator, fast on a CPU.

A k x k convolution is a k x 1 one with k times the channels on the image's side, and a sum (or copies)
shifted along the row: the same function, but no side has so few channels that most of a vector register is
empty. Of 64 to 3 channels, 7x7, at 64x64, batch 4 in bfloat16, one thread of a Zen 4: forward 8.5 to 3.3 ms,
with both gradients 19.6 to 9.0; of 3 to 64 with both gradients 12.8 to 8.0, which is taken only where the
image's gradient is needed.

References: Chellapilla, Puri & Simard 2006, "High performance convolutional neural networks for document
processing".
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sparring.parts.networks.layers.strided_conv import THIN_CHANNELS


class EndConv(nn.Conv2d):
    """`nn.Conv2d` of stride 1 without padding, with few channels on one side."""

    def forward(self, x: Tensor) -> Tensor:
        exporting = torch.compiler.is_compiling() or torch.jit.is_tracing()
        if exporting or x.device.type != "cpu" or min(self.in_channels, self.out_channels) > THIN_CHANNELS:
            return super().forward(x)
        if self.out_channels <= THIN_CHANNELS:
            return conv_to_few(x, self.weight, self.bias)
        return conv_from_few(x, self.weight, self.bias) if x.requires_grad else super().forward(x)


def conv_to_few(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """`F.conv2d` with few outputs, (b, i, h, w) to (b, o, h - k + 1, w - k + 1)."""
    outputs, inputs, height, width = weight.shape
    columns = weight.permute(3, 0, 1, 2).reshape(width * outputs, inputs, height, 1)
    z = F.conv2d(x, columns).contiguous()
    batch, row, image, channel = x.shape[0], z.shape[3], z.stride(0), z.stride(1)
    shape = (batch, width, outputs, z.shape[2], row - width + 1)
    shifted = z.as_strided(shape, (image, outputs * channel + 1, channel, row, 1))  # k-th part, moved by k
    y = shifted.sum(1)
    return y if bias is None else y + bias.to(y.dtype).view(-1, 1, 1)


def conv_from_few(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """`F.conv2d` with few inputs, (b, i, h, w) to (b, o, h - k + 1, w - k + 1)."""
    outputs, inputs, height, width = weight.shape
    row = x.shape[3] - width + 1
    copies = torch.cat([x[..., at : at + row] for at in range(width)], 1)
    columns = weight.permute(0, 3, 1, 2).reshape(outputs, width * inputs, height, 1)
    return F.conv2d(copies, columns, bias)
