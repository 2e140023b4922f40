"""What costs nothing to make of an input: itself in the other domain's channels, and a linear map of its colours.

A translator that is not better than these has learned no more than which colours are usual.
"""

from functools import partial

import numpy as np

from sparring.evaluation.bank import Bank
from sparring.features.resize import channels_first

BLOCK, PAIRS = 64, 500


def of_inputs(
    given: np.ndarray, order: np.ndarray, channels: int, matrix: np.ndarray | None
) -> dict[str, Bank]:
    """Both baselines, made whenever they are read.

    Arguments:
        given: inputs uint8 (n, h, w, c). order: which of them.
        channels: of the other domain.
        matrix: of the linear map; None leaves it out.
    """
    found = {"identity": Bank(given, None, order, change=partial(in_channels, channels=channels))}
    if matrix is not None:
        found["linear"] = Bank(given, None, order, change=partial(recoloured, matrix=matrix))
    return found


def in_channels(pictures: np.ndarray, channels: int) -> np.ndarray:
    """Pictures uint8 (n, h, w, c) with other channels: grey is the mean of the colours, transparent ones lie on white, and where
    transparency is asked for nothing is transparent.

    >>> in_channels(np.array([[[[30, 60, 90]]]], np.uint8), 1).ravel()
    array([60], dtype=uint8)
    """
    if pictures.shape[3] == channels:
        return pictures
    x = channels_first(pictures).permute(0, 2, 3, 1).numpy()
    colours = (
        np.repeat(x.mean(3, keepdims=True), 1 if channels == 1 else 3, 3)
        if 1 in (x.shape[3], channels)
        else x
    )
    if channels == 4:
        colours = np.concatenate([colours, np.full_like(colours[..., :1], 255)], 3)
    return colours.round().astype(np.uint8)


def fitted(given: np.ndarray, wanted: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The linear map of colours that is best on these pairs: W = argmin sum over all pixels of |W [a, 1] - b|^2, the same at each
    place; of several best ones the smallest.

    >>> grey = np.arange(8, dtype=np.uint8).reshape(1, 2, 4, 1)
    >>> fitted(grey, 2 * grey + 3, np.array([0])).round(6).tolist()
    [[2.0], [3.0]]

    Arguments:
        given, wanted: uint8 (n, h, w, c) and (n, h, w, k), pairs by their numbers.
        rows: which of them; the first 500 are taken.

    Shape: float64 (c + 1, k).
    """
    sides = given.shape[3] + 1, wanted.shape[3]
    gram, moments = np.zeros((sides[0], sides[0])), np.zeros(sides)
    for at in range(0, min(len(rows), PAIRS), BLOCK):
        chosen = rows[at : min(at + BLOCK, PAIRS)]
        a = _with_one(np.asarray(given[chosen]))
        gram += a.T @ a
        moments += a.T @ np.asarray(wanted[chosen]).reshape(-1, sides[1]).astype(np.float64)
    solution: np.ndarray = np.linalg.lstsq(gram, moments, rcond=1e-12)[0]
    return solution


def recoloured(pictures: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """The linear map of pictures uint8 (n, h, w, c), as they would be saved: uint8 (n, h, w, k)."""
    made = _with_one(pictures) @ matrix
    return made.round().clip(0, 255).astype(np.uint8).reshape(*pictures.shape[:3], -1)


def _with_one(pictures: np.ndarray) -> np.ndarray:
    """Colours and a one (pixels, c + 1)."""
    colours = pictures.reshape(-1, pictures.shape[3]).astype(np.float64)
    return np.concatenate([colours, np.ones((len(colours), 1))], 1)
