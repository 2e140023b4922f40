"""PatchNCE: noise-contrastive loss between features of corresponding patches.

References: van den Oord, Li & Vinyals 2018, "Representation learning with contrastive predictive coding",
arXiv:1807.03748, Eq. 4; Park, Efros, Zhang & Zhu 2020, arXiv:2007.15651, Eq. 3.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sparring.core.shapes import PerSample


class PatchProjection(nn.Module):
    """Two layers from the features at a place to a vector of length 1.

    Shape: (b, places, channels) to (b, places, size).
    """

    def __init__(self, channels: int, size: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(channels, size), nn.ReLU(), nn.Linear(size, size))
        for layer in (self.layers[0], self.layers[2]):
            assert isinstance(layer, nn.Linear)
            nn.init.normal_(layer.weight, 0.0, 0.02)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        return F.normalize(self.layers(x).float(), dim=2)


def patch_nce(queries: Tensor, keys: Tensor, temperature: float) -> PerSample:
    """How far each query is from being nearest to its own key, the mean over places (b,).

    Arguments:
        queries, keys: (b, places, size), of length 1.

    >>> apart = torch.eye(4)[None]
    >>> patch_nce(apart, apart, 1.0).exp().mul(torch.e).round(decimals=4).tolist() == [round(torch.e + 3, 4)]
    True
    """
    with torch.autocast(queries.device.type, enabled=False):
        alike = queries.float() @ keys.float().mT / temperature
    return alike.logsumexp(2).sub(alike.diagonal(dim1=1, dim2=2)).mean(1)
