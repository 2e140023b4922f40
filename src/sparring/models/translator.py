"""TranslatorModel: networks from images of domain A to images of domain B, and back."""

import copy
from typing import Any

from torch import Tensor, nn

from sparring.core.errors import ConfigError
from sparring.core.shapes import SampleSpec
from sparring.models.model import CHANNEL_NAMES, CardLines, Model, describe_size
from sparring.parts.networks.layers.padding import pad_to_multiple

A_TO_B, B_TO_A = "a-to-b", "b-to-a"


class TranslatorModel(Model):
    """A network from domain A to domain B, and one from B to A where there is one.

    Arguments:
        a_to_b, b_to_a: networks from images (b, c, h, w) in [-1, 1] to images of the same height and width, both multiples of
            `network.multiple`. `b_to_a` may be None.
        spec: `shape` and `shape_b` of the training images of A and of B.

    Raises:
        ConfigError: the spec has one domain only.
    """

    kind = "translator"
    summary = "a translator, which needs input images"
    command = "use `sparring translate RUN IMAGES --out FOLDER`"

    def __init__(self, a_to_b: nn.Module, b_to_a: nn.Module | None, spec: SampleSpec) -> None:
        super().__init__()
        if spec.shape_b is None:
            got = f"images {spec.shape} of one domain"
            fix = "give a second set of images, or --set data.derive_input=edges"
            raise ConfigError(got, "images of two domains", fix)
        self.a_to_b, self.b_to_a, self.spec = a_to_b, b_to_a, spec

    @property
    def directions(self) -> tuple[str, ...]:
        """The supported directions: `a-to-b`, and `b-to-a` where there is a network for it."""
        return (A_TO_B,) if self.b_to_a is None else (A_TO_B, B_TO_A)

    def network(self, direction: str = A_TO_B) -> nn.Module:
        """The network of a direction.

        Raises:
            ConfigError: there is none.
        """
        networks = {A_TO_B: self.a_to_b, B_TO_A: self.b_to_a}
        network = networks.get(direction)
        if network is None:
            known = " or ".join(self.directions)
            fix = "choose one of these, or train cyclegan, which has both directions"
            raise ConfigError(f"direction {direction!r}", known, fix)
        return network

    def ends(self, direction: str = A_TO_B) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Shapes (c, h, w) of input and output, at the size of the training images."""
        self.network(direction)
        assert self.spec.shape_b is not None
        both = (self.spec.shape, self.spec.shape_b)
        return both if direction == A_TO_B else both[::-1]

    def forward(self, x: Tensor) -> Tensor:
        return self.translate(x)

    def translate(self, x: Tensor, direction: str = A_TO_B) -> Tensor:
        """Images (b, c, h, w) in [-1, 1] of the other domain. Any height and width: images are padded by reflection at the bottom
        and the right to a multiple of `network.multiple`, and the output is cropped.

        Raises:
            ConfigError: there is no such direction, or the images do not have the channels of its domain.
        """
        network = self.network(direction)
        channels = self.ends(direction)[0][0]
        if x.ndim != 4 or x.shape[1] != channels:
            raise ConfigError(
                f"images {tuple(x.shape)}", f"(b, {channels}, h, w)", "bring them to the domain's channels"
            )
        multiple = network.multiple
        assert isinstance(multiple, int)
        output: Tensor = network(pad_to_multiple(x, multiple))
        return output[..., : x.shape[2], : x.shape[3]]

    def card_lines(self) -> CardLines:
        colours = " to ".join(CHANNEL_NAMES.get(shape[0], "other") for shape in self.ends(A_TO_B))
        usage = [
            'run = sparring.load("hf://USER/NAME")  # or this folder',
            "translated = run.translate(image)",
            "# image: uint8 (h, w, c); of files: sparring translate hf://USER/NAME IMAGES --out FOLDER",
        ]
        caption = "Each: the input, its translation, and the real image where there is one, all of the training data."
        return CardLines(
            "image-to-image", f"Translates {describe_size(self.spec)}, {colours}.", usage, caption
        )

    def facts(self) -> dict[str, Any]:
        return {"directions": list(self.directions)}

    def for_inference(self, seed: int) -> "TranslatorModel":
        """A copy in evaluation mode, without dropout."""
        return copy.deepcopy(self).eval()
