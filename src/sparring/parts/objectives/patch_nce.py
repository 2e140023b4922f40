"""PatchNCE: noise-contrastive loss between features of corresponding patches.

References: van den Oord, Li & Vinyals 2018, "Representation learning with contrastive predictive coding",
arXiv:1807.03748, Eq. 4; Park, Efros, Zhang & Zhu 2020, arXiv:2007.15651, Eq. 3.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sparring.core.shapes import PerSample


class PatchProjection(nn.Module):
    """A two-layer perceptron from the features at a position to a vector of length 1.

    Shape: (b, positions, channels) to (b, positions, size).
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
    """-log softmax of each query's similarity to its own key among all keys, the mean over positions (b,).

    Arguments:
        queries, keys: (b, positions, size), of length 1.
        temperature: tau, divides the similarities.

    >>> orthogonal = torch.eye(4)[None]
    >>> patch_nce(orthogonal, orthogonal, 1.0).exp().mul(torch.e).round(decimals=4).tolist() == [round(torch.e + 3, 4)]
    True
    """
    with torch.autocast(queries.device.type, enabled=False):
        similarity = queries.float() @ keys.float().mT / temperature
    return similarity.logsumexp(2).sub(similarity.diagonal(dim1=1, dim2=2)).mean(1)
