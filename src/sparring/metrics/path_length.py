"""Perceptual path length: how much the image changes for a small step in latent space."""

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from sparring.core import rng
from sparring.core.errors import ConfigError, DataError

TRIM_FRACTION = 0.01  # at each end
BLOCK = 64  # paths at once; the random numbers are keyed by these blocks


def perceptual_path_length(
    generate: Callable[[Tensor], Tensor],
    distance: Callable[[Tensor, Tensor], Tensor],
    latent: int,
    *,
    pairs: int = 10_000,
    epsilon: float = 1e-4,
    seed: int = 0,
    path: str = "spherical",
) -> dict[str, float]:
    """Mean of d(G(p(t)), G(p(t + epsilon))) / epsilon^2 along paths p between random latents; lower is smoother.

    t is uniform on [0, 1]. As in the paper, the lowest and the highest 1 % are left out of the mean.

    Deviation: the latents of the paper's generator are normalised, ours in general are not; the spherical path therefore
    interpolates their lengths: p(t) = (sin((1 - t) w) a + sin(t w) b) / sin w, with w the angle between a and b. Paths are
    computed in float64 and passed to the generator in float32. Values are comparable only for the same distance.

    References: Karras, Laine, Aila 2019, "A style-based generator architecture for generative adversarial networks",
        arXiv 1812.04948, section 4.1.

    >>> found = perceptual_path_length(lambda z: 2 * z, lambda a, b: (a - b).square().sum(1), 8, pairs=50, path="linear")
    >>> round(found["path_length"] / 4 / 2 / 8, 0)  # E |2 (b - a)|^2 = 4 * 2 * 8
    1.0

    Arguments:
        generate: latents (b, latent) float32 to samples, with the same noise and labels for each row of a call.
        distance: two batches of samples to a *squared* distance per pair (b,), for example of features.
        latent: dimension of z.
        pairs: number of paths (10,000; the paper uses 100,000).
        epsilon: step along the path, between 0 and 1 (1e-4, as in the paper).
        seed: of the paths.
        path: "spherical" for normal latents, "linear" for a space such as W.

    Returns:
        path_length, the trimmed mean; standard_error of it; untrimmed, the mean of all paths.

    Raises:
        ConfigError: an unknown path or a step out of range. DataError: too few pairs, or distances that can't be used.
    """
    _check_arguments(latent, pairs, epsilon, path)
    blocks = []
    with torch.no_grad():
        for begin, end in _latent_pairs(latent, pairs, epsilon, seed, path):
            here, there = generate(torch.cat([begin, end])).chunk(2)
            blocks.append(_check_distances(distance(here, there), len(begin)) / epsilon**2)
    lengths = torch.cat(blocks)
    trimmed = _trim(lengths)
    return {
        "path_length": trimmed.mean().item(),
        "standard_error": trimmed.std().item() / math.sqrt(len(trimmed)),
        "untrimmed": lengths.mean().item(),
    }


def _check_arguments(latent: int, pairs: int, epsilon: float, path: str) -> None:
    if path not in ("spherical", "linear"):
        raise ConfigError(f"path {path!r}", "spherical or linear", "choose one of these")
    if not 0 < epsilon < 1:
        raise ConfigError(f"epsilon {epsilon}", "a number between 0 and 1", "1e-4 is usual")
    if latent < (2 if path == "spherical" else 1):
        raise DataError(f"a latent of {latent}", "2 or more for a sphere", "use path='linear'")
    if pairs < 2:
        raise DataError(f"{pairs} pairs", "2 or more for a mean and its error", "use 1,000 or more")


def _latent_pairs(
    latent: int, pairs: int, epsilon: float, seed: int, path: str
) -> Iterator[tuple[Tensor, Tensor]]:
    """Latents at t and at t + epsilon, float32 (b, latent) each; each block has its own random stream."""
    for number, block in enumerate(torch.arange(pairs).split(BLOCK)):
        random = rng.make_generator(seed, "path length", number)
        a, b = torch.randn(2, BLOCK, latent, generator=random, dtype=torch.float64)[:, : len(block)]
        t = torch.rand(BLOCK, 1, generator=random, dtype=torch.float64)[: len(block)]
        between = slerp if path == "spherical" else torch.lerp
        yield between(a, b, t).float(), between(a, b, t + epsilon).float()


def slerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """Spherical interpolation from a to b (n, z) at t (n, 1); it preserves the length of vectors of equal length."""
    cosine = (a * b).sum(1, keepdim=True) / (a.norm(dim=1, keepdim=True) * b.norm(dim=1, keepdim=True))
    angle = cosine.clamp(-1 + 1e-12, 1 - 1e-12).acos()
    return (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / angle.sin()


def _check_distances(distances: Tensor, count: int) -> Tensor:
    values = distances.detach().double().cpu()
    if values.shape != (count,):
        raise DataError(
            f"distances of shape {tuple(values.shape)} for {count} pairs",
            "one a pair",
            "reduce over the features",
        )
    if not bool((values.isfinite() & (values >= 0)).all()):
        raise DataError(
            "a distance that is negative or not finite",
            "finite distances of at least 0",
            "check the generator and the extractor",
        )
    return values


def _trim(lengths: Tensor) -> Tensor:
    """The values from the 1st to the 99th percentile."""
    last = len(lengths) - 1
    return lengths.sort().values[math.floor(TRIM_FRACTION * last) : math.ceil((1 - TRIM_FRACTION) * last) + 1]
