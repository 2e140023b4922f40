"""What is kept of a game between two domains of pictures: the networks from one to the other, and how to translate with them."""

import copy

import torch.nn.functional as F
from torch import Tensor, nn

from sparring.errors import ConfigError
from sparring.shapes import Spec

A_TO_B, B_TO_A = "a-to-b", "b-to-a"


class Translation(nn.Module):
    """A translator from domain A to domain B, and one back where there is one.

    Arguments:
        a_to_b, b_to_a: networks from pictures (b, c, h, w) in [-1, 1] to pictures of the same height and width, both of which are
            whole multiples of `network.multiple`.
        spec: `shape` is what a picture of A is, `other` what one of B is; both of the size that was trained on.
    """

    def __init__(self, a_to_b: nn.Module, b_to_a: nn.Module | None, spec: Spec) -> None:
        super().__init__()
        if spec.other is None:
            got = f"pictures {spec.shape} of one domain"
            raise ConfigError(
                got, "pictures of two domains", "give a second set of pictures, or --set data.derive=edges"
            )
        self.a_to_b, self.b_to_a, self.spec = a_to_b, b_to_a, spec

    @property
    def directions(self) -> tuple[str, ...]:
        """The ways that it can go: `a-to-b`, and `b-to-a` where there is a translator back."""
        return (A_TO_B,) if self.b_to_a is None else (A_TO_B, B_TO_A)

    def network(self, direction: str = A_TO_B) -> nn.Module:
        """The network that goes this way.

        Raises:
            ConfigError: there is none.
        """
        networks = {A_TO_B: self.a_to_b, B_TO_A: self.b_to_a}
        network = networks.get(direction)
        if network is None:
            known = " or ".join(self.directions)
            raise ConfigError(
                f"direction {direction!r}", known, "take one of these, or train a cyclegan: it goes both ways"
            )
        return network

    def ends(self, direction: str = A_TO_B) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Shapes (c, h, w) of what goes in and of what comes out, at the size that was trained on."""
        self.network(direction)
        assert self.spec.other is not None
        both = (self.spec.shape, self.spec.other)
        return both if direction == A_TO_B else both[::-1]

    def forward(self, x: Tensor) -> Tensor:
        return self.translate(x)

    def translate(self, x: Tensor, direction: str = A_TO_B) -> Tensor:
        """Pictures (b, c, h, w) in [-1, 1] of the other domain, of any height and width: they are mirrored at their lower and right
        edges to what the network takes, and cut back.

        Raises:
            ConfigError: there is no such direction, or the pictures have other channels than its domain.
        """
        network = self.network(direction)
        channels = self.ends(direction)[0][0]
        if x.ndim != 4 or x.shape[1] != channels:
            raise ConfigError(
                f"pictures {tuple(x.shape)}", f"(b, {channels}, h, w)", "bring them to the domain's channels"
            )
        made: Tensor = network(padded(x, _multiple(network)))
        return made[..., : x.shape[2], : x.shape[3]]

    def settled(self, seed: int) -> "Translation":
        """A copy in evaluation mode, without dropout."""
        return copy.deepcopy(self).eval()


def padded(x: Tensor, multiple: int) -> Tensor:
    """Pictures whose height and width are whole multiples: mirrored below and at the right, or their edges repeated where there is
    too little to mirror.
    """
    down, right = (-side % multiple for side in x.shape[2:])
    if not down and not right:
        return x
    mirrors = down < x.shape[2] and right < x.shape[3]
    return F.pad(x, (0, right, 0, down), mode="reflect" if mirrors else "replicate")


def _multiple(network: nn.Module) -> int:
    multiple = network.multiple
    assert isinstance(multiple, int)
    return multiple
