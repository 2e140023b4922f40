"""Translator model: the networks from domain A to domain B and back."""

import copy

import torch.nn.functional as F
from torch import Tensor, nn

from sparring.core.errors import ConfigError
from sparring.core.shapes import SampleSpec

A_TO_B, B_TO_A = "a-to-b", "b-to-a"


class TranslatorModel(nn.Module):
    """A translator from domain A to domain B, and one back where there is one.

    Arguments:
        a_to_b, b_to_a: networks from images (b, c, h, w) in [-1, 1] to images of the same height and width, both of which are
            whole multiples of `network.multiple`.
        spec: `shape` is what a image of A is, `other` what one of B is; both of the size that was trained on.
    """

    def __init__(self, a_to_b: nn.Module, b_to_a: nn.Module | None, spec: SampleSpec) -> None:
        super().__init__()
        if spec.shape_b is None:
            got = f"images {spec.shape} of one domain"
            raise ConfigError(
                got,
                "images of two domains",
                "give a second set of images, or --set data.derive_input=edges",
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
        assert self.spec.shape_b is not None
        both = (self.spec.shape, self.spec.shape_b)
        return both if direction == A_TO_B else both[::-1]

    def forward(self, x: Tensor) -> Tensor:
        return self.translate(x)

    def translate(self, x: Tensor, direction: str = A_TO_B) -> Tensor:
        """Images (b, c, h, w) in [-1, 1] of the other domain, of any height and width: they are mirrored at their lower and right
        edges to what the network takes, and cut back.

        Raises:
            ConfigError: there is no such direction, or the images have other channels than its domain.
        """
        network = self.network(direction)
        channels = self.ends(direction)[0][0]
        if x.ndim != 4 or x.shape[1] != channels:
            raise ConfigError(
                f"images {tuple(x.shape)}", f"(b, {channels}, h, w)", "bring them to the domain's channels"
            )
        made: Tensor = network(pad_to_multiple(x, _size_multiple(network)))
        return made[..., : x.shape[2], : x.shape[3]]

    def for_inference(self, seed: int) -> "TranslatorModel":
        """A copy in evaluation mode, without dropout."""
        return copy.deepcopy(self).eval()


def pad_to_multiple(x: Tensor, multiple: int) -> Tensor:
    """Images whose height and width are whole multiples: mirrored below and at the right, or their edges repeated where there is
    too little to mirror.
    """
    down, right = (-side % multiple for side in x.shape[2:])
    if not down and not right:
        return x
    mirrors = down < x.shape[2] and right < x.shape[3]
    return F.pad(x, (0, right, 0, down), mode="reflect" if mirrors else "replicate")


def _size_multiple(network: nn.Module) -> int:
    multiple = network.multiple
    assert isinstance(multiple, int)
    return multiple
