"""The random transforms of adaptive augmentation, each applied to an image with a given probability.

References: Karras et al. 2020, "Training generative adversarial networks with limited data", arXiv 2006.06676, appendix B.
"""

import math
from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from sparring.core.rng import KeyedRandom
from sparring.core.shapes import Image
from sparring.parts.augmentation.colour_matrix import colour_matrices, num_colour_channels, recolour
from sparring.parts.augmentation.diffaugment import cutout
from sparring.parts.augmentation.geometry import (
    in_float32,
    move_pixels,
    on_all_rows,
    on_selected_rows,
    rotation,
    warp,
)

GEOMETRY = ("flip", "rotate90", "translation", "scale", "rotation", "stretch", "cutout")
COLOUR = ("brightness", "contrast", "hue", "saturation", "luma_flip")
TransformName = Literal[
    "flip", "rotate90", "translation", "scale", "rotation", "stretch", "cutout",
    "brightness", "contrast", "hue", "saturation", "luma_flip",
]  # fmt: skip
# The columns of the random numbers: what a seed gives depends on their order. `turn` is the rotation after the stretch.
GATES = (*GEOMETRY, *COLOUR, "turn")
UNIFORM = (
    "flip",
    "rotate90",
    "down",
    "right",
    "rotation",
    "turn",
    "hue",
    "luma_flip",
    "cutout_y",
    "cutout_x",
)
NORMAL = ("scale", "stretch", "brightness", "contrast", "saturation")
LOG_SCALE, LOG_CONTRAST, LOG_SATURATION = 0.2 * math.log(2), 0.5 * math.log(2), math.log(2)  # deviations
BRIGHTNESS = 0.2

Columns = dict[str, Tensor]  # numbers (b,) by name


def transform_images(
    x: Image,
    rng: KeyedRandom,
    stream: str,
    probability: Tensor,
    *,
    shares: Mapping[TransformName, float],
    strength: float,
) -> Image:
    """Images under random transforms; moves by whole pixels first, then one warp, one map of colours, and cutout.

    On the CPU, images without a transform cost nothing; elsewhere nothing waits for the device.

    Arguments:
        x: (b, c, h, w).
        rng, stream: of the random numbers, which depend on the transforms' names alone, not on which are used.
        probability: (), on the device of the images.
        shares: the transforms that are used, and their probabilities relative to `probability`.
        strength: scales the ranges, from 0 to 1.
    """
    on_cpu = x.device.type == "cpu"
    if not shares or (on_cpu and float(probability) == 0):
        return x
    apply = on_selected_rows if on_cpu else on_all_rows
    gates = _draw_gates(len(x), rng, stream, probability, shares)
    if on_cpu and not torch.stack(list(gates.values())).any():
        return x
    uniform = _columns(rng.uniform(f"{stream}.ada.uniform", len(UNIFORM))[: len(x)], UNIFORM)
    normal = _columns(strength * rng.normal(f"{stream}.ada.normal", len(NORMAL))[: len(x)], NORMAL)
    if gates.keys() & {"flip", "rotate90", "translation"}:
        moves = _moves(gates, uniform, x, strength)
        x = apply(x, (moves != 0).any(1), move_pixels, moves)
    if warps := [gates[name] for name in ("scale", "rotation", "turn", "stretch") if name in gates]:
        matrices = _warp_matrices(gates, uniform, normal, strength)
        x = apply(x, torch.stack(warps).any(0), in_float32(warp), matrices)
    if recolours := [gates[name] for name in COLOUR if name in gates]:
        maps = _colour_maps(gates, uniform, normal, num_colour_channels(x), strength)
        x = apply(x, torch.stack(recolours).any(0), in_float32(recolour), maps)
    if "cutout" in gates:
        places = torch.stack([uniform["cutout_y"], uniform["cutout_x"]], 1)
        x = apply(x, gates["cutout"], lambda images, numbers: cutout(images, numbers, strength), places)
    return x


def _columns(numbers: Tensor, names: tuple[str, ...]) -> Columns:
    return dict(zip(names, numbers.unbind(1), strict=True))


def _draw_gates(
    rows: int, rng: KeyedRandom, stream: str, probability: Tensor, shares: Mapping[TransformName, float]
) -> Columns:
    """Which images (b,) are transformed, by transform; an image is rotated, before or after the stretch, with the probability."""
    numbers = _columns(rng.uniform(f"{stream}.ada.gates", len(GATES))[:rows], GATES)
    gates: Columns = {name: numbers[name] < share * probability for name, share in shares.items()}
    if "rotation" in shares:
        once = 1 - (1 - shares["rotation"] * probability).sqrt()
        gates |= {name: numbers[name] < once for name in ("rotation", "turn")}
    return gates


def _moves(gates: Columns, uniform: Columns, x: Image, strength: float) -> Tensor:
    """The moves (b, 4) of `move_pixels`."""
    height, width = x.shape[2:]
    none = torch.zeros_like(uniform["flip"])
    mirrored = gates["flip"] * (uniform["flip"] < 0.5) if "flip" in gates else none
    turns = gates["rotate90"] * (4 * uniform["rotate90"]).floor() if "rotate90" in gates else none
    if height != width:
        turns = 2 * (turns % 2)
    down, right = none, none
    if "translation" in gates:
        down, right = (
            gates["translation"] * ((2 * uniform[name] - 1) * (side * strength / 8)).round()
            for name, side in (("down", height), ("right", width))
        )
    return torch.stack([turns, mirrored.to(none.dtype), down, right], 1).long()


def _warp_matrices(gates: Columns, uniform: Columns, normal: Columns, strength: float) -> Tensor:
    """The maps (b, 2, 2) of `warp`: a rotation, scale and stretch along the axes, and another rotation."""

    def log_factor(name: str) -> Tensor:
        return LOG_SCALE * gates[name] * normal[name] if name in gates else torch.zeros_like(uniform["flip"])

    def turn(name: str) -> Tensor:
        angle = gates[name] * (2 * uniform[name] - 1) if name in gates else torch.zeros_like(uniform[name])
        return rotation(math.pi * strength * angle)

    scale, stretch = log_factor("scale"), log_factor("stretch")
    factors = torch.stack([scale + stretch, scale - stretch], 1).exp()
    inner = factors[:, :, None] * turn("rotation")
    return (turn("turn")[:, :, :, None] * inner[:, None]).sum(2)  # a product that autocast leaves in float32


def _colour_maps(gates: Columns, uniform: Columns, normal: Columns, channels: int, strength: float) -> Tensor:
    """The maps (b, channels, channels + 1) of `recolour`."""
    none = torch.zeros_like(uniform["hue"])
    on = {name: gates.get(name, none) for name in COLOUR}
    return colour_matrices(
        channels,
        brightness=BRIGHTNESS * on["brightness"] * normal["brightness"],
        contrast=(LOG_CONTRAST * on["contrast"] * normal["contrast"]).exp(),
        luma=1 - 2 * (on["luma_flip"] * (uniform["luma_flip"] < 0.5)),
        hue=math.pi * strength * on["hue"] * (2 * uniform["hue"] - 1),
        saturation=(LOG_SATURATION * on["saturation"] * normal["saturation"]).exp(),
    )
