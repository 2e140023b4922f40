"""Packing (PacGAN): the discriminator sees several samples at once, so that mode collapse shows."""

from torch import Tensor

from sparring.core.errors import ConfigError
from sparring.core.shapes import Sample


def pack(samples: Sample, count: int) -> Tensor:
    """Stack each `count` consecutive samples along the channels (images) or coordinates (points).

    A discriminator of packs sees the product distribution, under which mode collapse costs total variation.

    References:
        Lin, Khetan, Fanti, Oh 2018, "PacGAN: the power of two samples in generative adversarial networks",
        arXiv 1712.04086, sec. 2.

    Arguments:
        samples: (b, c, h, w) or (b, d), with b a multiple of `count`.
        count: samples a pack (m of the paper); 1 changes nothing.

    Shape: (b / count, count c, h, w) or (b / count, count d).

    >>> import torch
    >>> pack(torch.arange(8.0).reshape(4, 2), 2).tolist()
    [[0.0, 1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0]]
    """
    rows = samples.shape[0]
    if count < 1 or rows % count:
        raise ConfigError(
            f"packs of {count} from a batch of {rows}",
            "a batch that packs divide",
            "change the batch or the pack size",
        )
    return samples.reshape(rows // count, count * samples.shape[1], *samples.shape[2:])
