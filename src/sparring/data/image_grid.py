"""Image grids, contact sheets of a dataset, scatter plots of points, and PNG encoding."""

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw

from sparring.data.dataset import Dataset

Colour = tuple[int, int, int]
MIN_TILE_PIXELS = 64  # smaller tiles are enlarged by a whole factor towards this
MAX_POINTS = 10_000
GAP, GAP_GREY = 2, 255
REAL_COLOUR, FAKE_COLOUR, FRAME_COLOUR = (150, 155, 165), (214, 62, 20), (225, 227, 232)
CLASS_COLOURS = [(31, 119, 180), (255, 127, 14), (44, 160, 44), (214, 39, 40), (148, 103, 189)]
CLASS_COLOURS += [(140, 86, 75), (227, 119, 194), (100, 100, 100), (160, 160, 20), (23, 170, 190)]
POINT_RADIUS = 0.0042  # radius of a point, as a part of the image's side


def grid_image(images: np.ndarray, columns: int) -> Image.Image:
    """A grid of images in mode L or RGB, row by row; small images are enlarged by a whole factor, without smoothing.

    Arguments:
        images: uint8 (n, h, w, c), c of 1, 3 or 4; transparent ones are blended on a grey checkerboard.
        columns: images per row, at least 1.
    """
    count, height, width, _ = images.shape
    factor = max(1, round(MIN_TILE_PIXELS / max(height, width)))
    tiles = (
        np.stack([_blend_on_checkerboard(image) for image in images])
        if count
        else np.empty((0, height, width, 1), np.uint8)
    )
    tiles = tiles.repeat(factor, 1).repeat(factor, 2)
    columns = max(1, min(columns, count or 1))
    rows = max(1, -(-count // columns))
    down, across = height * factor + GAP, width * factor + GAP
    sheet = np.full((rows * down + GAP, columns * across + GAP, tiles.shape[-1]), GAP_GREY, np.uint8)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, columns)
        top, left = GAP + row * down, GAP + column * across
        sheet[top : top + down - GAP, left : left + across - GAP] = tile
    return Image.fromarray(sheet[:, :, 0] if sheet.shape[2] == 1 else sheet)


def _blend_on_checkerboard(image: np.ndarray) -> np.ndarray:
    if image.shape[2] != 4:
        return image
    rows, columns = np.indices(image.shape[:2]) // max(2, image.shape[0] // 8)
    paper = np.where((rows + columns) % 2, 205, 235)[:, :, None]
    alpha = image[:, :, 3:].astype(np.float32) / 255
    return np.rint(image[:, :, :3] * alpha + paper * (1 - alpha)).astype(np.uint8)


def contact_sheet(dataset: Dataset, rows: int, columns: int) -> Image.Image:
    """A grid of samples from the whole dataset: one class per row, or evenly spaced without labels.

    Points become a scatter plot. Of two domains, A stands on the left and B on the right.
    """
    if dataset.domain_b is not None:
        return grid_image(
            _domains_side_by_side(dataset, dataset.domain_b, rows * columns // 2), max(1, columns // 2)
        )
    if not dataset.spec.is_image:
        return points_image(dataset.samples[_evenly_spaced(np.arange(len(dataset)), MAX_POINTS)])
    if dataset.labels is None:
        return grid_image(dataset.samples[_evenly_spaced(np.arange(len(dataset)), rows * columns)], columns)
    by_row = []
    for row in range(rows):
        members = np.flatnonzero(dataset.labels == row % len(dataset.classes))
        turn, turns = row // len(dataset.classes), -(-rows // len(dataset.classes))
        by_row.append(_evenly_spaced(members, columns * turns)[turn::turns])
    numbers = np.concatenate([np.resize(row, columns) for row in by_row if len(row)])
    return grid_image(dataset.samples[numbers], columns)


def _domains_side_by_side(a: Dataset, b: Dataset, count: int) -> np.ndarray:
    """Images of A and B side by side, uint8 (n, h, 2 w, 1 or 3); partners where the domains are paired."""
    count = min(count, a.smaller_size)
    samples = [domain.samples[_evenly_spaced(np.arange(len(domain)), count)] for domain in (a, b)]
    domains = [np.stack([_blend_on_checkerboard(image) for image in images]) for images in samples]
    channels = max(images.shape[3] for images in domains)
    return np.concatenate([np.broadcast_to(images, (*images.shape[:3], channels)) for images in domains], 2)


def _evenly_spaced(numbers: np.ndarray, count: int) -> np.ndarray:
    return numbers[np.linspace(0, len(numbers) - 1, min(count, len(numbers))).astype(int)]


def points_image(points: np.ndarray, real: np.ndarray | None = None, size: int = 512) -> Image.Image:
    """An antialiased scatter plot in RGB: real points in grey, generated points in colour on top.

    The first two coordinates are drawn, the second upwards. The view is the square around the real points (around
    `points` if there are none) with a margin; points outside it are not drawn.

    Arguments:
        points: generated points, float (n, d), d >= 2.
        real: points of the data (m, d), or None.
        size: side of the image in pixels.
    """
    layers = [(real, REAL_COLOUR)] if real is not None else []
    return _draw_scatter([*layers, (points, FAKE_COLOUR)], points if real is None else real, size)


def labelled_points_image(
    points: np.ndarray, labels: np.ndarray, names: Sequence[str] = (), size: int = 512
) -> Image.Image:
    """A scatter plot of points with a colour for each class and a legend; after ten classes the colours repeat.

    Arguments:
        points: float (n, d), d >= 2.
        labels: class indices (n,).
        names: of the classes, for the legend; empty for none.
        size: side of the image in pixels.
    """
    classes = [int(label) for label in np.unique(labels)]
    layers = [(points[labels == label], CLASS_COLOURS[label % len(CLASS_COLOURS)]) for label in classes]
    image = _draw_scatter(layers, points, size)
    pen = ImageDraw.Draw(image)
    for number, name in enumerate(names[: len(CLASS_COLOURS)]):
        text = str(name)[:24].encode("ascii", "replace").decode()
        pen.text((8, 8 + 13 * number), text, fill=CLASS_COLOURS[number])
    return image


def _draw_scatter(layers: Sequence[tuple[np.ndarray, Colour]], view: np.ndarray, size: int) -> Image.Image:
    visible = np.asarray(view, np.float64)[:, :2]
    visible = visible[np.isfinite(visible).all(1)]
    low, high = (visible.min(0), visible.max(0)) if len(visible) else (np.zeros(2), np.ones(2))
    side = max(float((high - low).max()), 1e-6) * 1.16
    corner = (low + high - side) / 2
    canvas = np.full((size, size, 3), 255.0)
    canvas[[0, -1], :], canvas[:, [0, -1]] = FRAME_COLOUR, FRAME_COLOUR
    for values, colour in layers:
        opacity = _point_coverage((np.asarray(values, np.float64)[:, :2] - corner) / side * size, size)[
            :, :, None
        ]
        canvas += opacity * (np.array(colour) - canvas)
    return Image.fromarray(np.rint(canvas).astype(np.uint8))


def _point_coverage(positions: np.ndarray, size: int) -> np.ndarray:
    """Coverage of each pixel (size, size) in [0, 1].

    Each point is a soft disc; overlapping discs add up as 1 - exp(-sum). The more points, the fainter each is.
    """
    radius = max(POINT_RADIUS * size, 1.0)
    reach = int(np.ceil(2 * radius))
    positions = positions[np.isfinite(positions).all(1)]
    strength = 1.6 * min(1.0, (MAX_POINTS / 4 / max(len(positions), 1)) ** 0.5)
    positions = positions[(np.abs(positions - size / 2) < size / 2 + reach).all(1)] * (1, -1) + (0, size)
    offsets = np.stack(np.meshgrid(*[np.arange(-reach, reach + 1)] * 2), -1).reshape(1, -1, 2)
    wide = size + 4 * reach  # with a border for the discs that overlap the edge
    covered = np.zeros(wide * wide)
    for start in range(0, len(positions), MAX_POINTS):
        block = positions[start : start + MAX_POINTS, None]
        pixels = np.floor(block) + offsets
        weights = np.exp(-0.5 * np.square(pixels + 0.5 - block).sum(2) / (radius / 1.5) ** 2)
        columns, rows = np.moveaxis(pixels.astype(np.int64) + 2 * reach, 2, 0)
        covered += np.bincount((rows * wide + columns).ravel(), weights.ravel(), wide * wide)
    inner = slice(2 * reach, size + 2 * reach)
    return 1 - np.exp(-strength * covered.reshape(wide, wide)[inner, inner])


def to_pil_image(array: np.ndarray) -> Image.Image:
    """A uint8 array (h, w, c) as a PIL image in mode L, RGB or RGBA."""
    return Image.fromarray(array.squeeze(2) if array.shape[2] == 1 else array)


def encode_png(image: Image.Image) -> bytes:
    """The bytes of a PNG file."""
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
