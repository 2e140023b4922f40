"""Choose one size for a dataset, and crop, pad or stretch each image to it."""

import math
from collections.abc import Sequence
from statistics import median

import numpy as np
from PIL import Image

from sparring.data.config import Fit

PIL_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
Size = tuple[int, int]
HIDDEN_GREY = 128  # colour of pixels with alpha 0


def choose_size(sizes: Sequence[Size], max_size: int) -> tuple[Size, str]:
    """The (height, width) for a dataset of images of these sizes, and the reason as a sentence.

    1. If all images have one size, whose longest side is at most `max_size`: that size.
    2. Else the median aspect ratio, taken as square when within an eighth of it. The longest side is the median longest
       side, at most `max_size`; the other follows from the ratio, at least 8 (or the longest side).
    3. Sides above 16 are rounded to multiples of 4, so that they can be halved twice; smaller ones are not rounded.

    Arguments:
        sizes: (height, width) of each image, in pixels.
        max_size: longest allowed side, in pixels.

    >>> [choose_size(sizes, 64)[0] for sizes in ([(28, 28)], [(256, 512)], [(97, 103), (120, 110)])]
    [(28, 28), (32, 64), (64, 64)]
    """
    if len(set(sizes)) == 1 and max(sizes[0]) <= max_size:
        return sizes[0], f"size {_size_text(sizes[0])}: all images have it"
    ratio = math.exp(median(math.log(height / width) for height, width in sizes))
    square = max(ratio, 1 / ratio) <= 1.125
    longest = min(max_size, round(median(max(size) for size in sizes)))
    shortest = longest if square else max(round(longest * min(ratio, 1 / ratio)), min(8, longest))
    longest, shortest = _round_side(longest, max_size), _round_side(shortest, max_size)
    size = (longest, shortest) if ratio > 1 else (shortest, longest)
    shape = "nearly square" if square else f"median height / width {ratio:.2f}"
    return size, f"size {_size_text(size)}: {shape}, longest side at most {max_size}"


def _round_side(side: int, max_size: int) -> int:
    return min(4 * round(side / 4), 4 * (max_size // 4)) if side > 16 else max(side, 1)


def _size_text(size: Size) -> str:
    return f"{size[0]}x{size[1]}"


def fit_image(image: Image.Image, size: Size, channels: int, fit: Fit) -> np.ndarray:
    """Resize an image and convert its channels: uint8 (height, width, channels).

    Downscaling is antialiased (Lanczos; on premultiplied colours where there is transparency), upscaling is
    bicubic. Transparent images are blended on white unless `channels` is 4; then colours under alpha 0, which nobody
    sees and editors fill with anything, become mid-grey.

    Arguments:
        image: in mode L, LA, RGB or RGBA.
        size: (height, width) of the result, in pixels.
        channels: 1, 3 or 4.
        fit: `crop`, `pad` or `stretch`, see `DataConfig`.
    """
    image = _convert_channels(image, channels)
    if (image.height, image.width) != size:
        if fit == "pad" and channels == 4:  # before the colour of the edge is chosen
            image = Image.fromarray(hide_colours(np.asarray(image)))
        image = _pad_to(image, size) if fit == "pad" else _resize(image, size, _crop_box(image, size, fit))
    return hide_colours(np.asarray(image, np.uint8).reshape(*size, channels))


def hide_colours(pixels: np.ndarray) -> np.ndarray:
    """Images uint8 (..., c) with colours under alpha 0 set to mid-grey; those without an alpha channel are returned as they are.

    >>> hide_colours(np.array([[9, 8, 7, 0], [9, 8, 7, 1]], np.uint8)).tolist()
    [[128, 128, 128, 0], [9, 8, 7, 1]]
    """
    if pixels.shape[-1] != 4:
        return pixels
    hidden = np.array(pixels)
    hidden[pixels[..., 3] == 0, :3] = HIDDEN_GREY
    return hidden


def crop_half(image: Image.Image, half: str) -> Image.Image:
    """The `left` or `right` half of an image, or for "" all of it; an odd middle column belongs to neither half."""
    width = image.width // 2
    left = {"left": 0, "right": image.width - width}.get(half)
    return image if left is None else image.crop((left, 0, left + width, image.height))


def _convert_channels(image: Image.Image, channels: int) -> Image.Image:
    if image.mode in ("LA", "RGBA") and channels != 4:
        paper = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(paper, image.convert("RGBA")).convert(
            "RGB" if image.mode == "RGBA" else "L"
        )
    return image if image.mode == PIL_MODES[channels] else image.convert(PIL_MODES[channels])


def _crop_box(image: Image.Image, size: Size, fit: Fit) -> tuple[float, float, float, float]:
    """The box (left, top, right, bottom) of the image that is scaled to `size`."""
    width, height = image.width, image.height
    if fit == "stretch":
        return 0, 0, width, height
    scale = min(width / size[1], height / size[0])
    across, down = min(size[1] * scale, width), min(size[0] * scale, height)
    left, top = (width - across) / 2, (height - down) / 2
    return left, top, left + across, top + down


def _resize(image: Image.Image, size: Size, box: tuple[float, float, float, float]) -> Image.Image:
    smaller = size[1] <= box[2] - box[0] and size[0] <= box[3] - box[1]
    filter = Image.Resampling.LANCZOS if smaller else Image.Resampling.BICUBIC
    return image.resize((size[1], size[0]), filter, box)


def _pad_to(image: Image.Image, size: Size) -> Image.Image:
    scale = min(size[1] / image.width, size[0] / image.height)
    inner = (max(1, round(image.height * scale)), max(1, round(image.width * scale)))
    colour = _edge_colour(np.asarray(image).reshape(image.height, image.width, -1))
    frame = Image.new(image.mode, (size[1], size[0]), colour if len(colour) > 1 else colour[0])
    scaled = (
        image
        if inner == (image.height, image.width)
        else _resize(image, inner, (0, 0, image.width, image.height))
    )
    frame.paste(scaled, ((size[1] - inner[1]) // 2, (size[0] - inner[0]) // 2))
    return frame


def _edge_colour(pixels: np.ndarray) -> tuple[int, ...]:
    """The most frequent colour of the outermost pixels: the median within the fullest of 8 bins per channel."""
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    bins = (edge >> 5).astype(np.int64) @ (8 ** np.arange(edge.shape[1]))
    fullest = np.bincount(bins).argmax()
    return tuple(int(value) for value in np.median(edge[bins == fullest], 0))
