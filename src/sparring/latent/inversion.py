"""From pictures back to latents: which latent gives the picture that is nearest to a given one?

    min_z  |G(z) - x|^2 / size + perceptual d(G(z), x) + prior max(0, |z|^2 / z - 1)^2

by Adam from several starts, of which the best goes on after a quarter of the steps; the first start is an encoder's guess where
there is one. Where the class is not known it is sought with it, as a blend softmax(u).

References:
    Zhu, Kraehenbuehl, Shechtman & Efros 2016, arXiv 1609.03552, section 3.1.
    Creswell & Bharath 2018, arXiv 1611.05644 (inverting a GAN, batches of pictures).
    Abdal, Qin & Wonka 2019, arXiv 1904.03189 (pixels and perception together); Kingma & Ba 2015, arXiv 1412.6980.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from sparring.errors import SparringError
from sparring.games.generation import Generation
from sparring.latent.decoding import can_blend, decode
from sparring.latent.guessing import Guess, Watch
from sparring.latent.likeness import decibels, pyramid
from sparring.latent.searching import Inverting, Search
from sparring.shapes import PerSample, Sample

AT_ONCE = 128  # latents optimised together


@dataclass(frozen=True, kw_only=True)
class Inversion:
    """What was found, on the CPU.

    Arguments:
        z: latents (n, z). y: classes (n,), or blends of them (n, classes); None without.
        x: the samples that they give (n, *sample).
        psnr: of these against the pictures (n,), in dB. perceptual: their distance (n,).
        seconds: that it took, in all.
    """

    z: Tensor
    y: Tensor | None
    x: Sample
    psnr: PerSample
    perceptual: PerSample
    seconds: float


def invert(
    generation: Generation,
    x: Sample,
    y: Tensor | None = None,
    *,
    encoder: Guess | None = None,
    settings: Inverting = Inverting(),  # noqa: B008 (frozen)
    perceptual: Callable[[Sample, Sample], PerSample] = pyramid,
    watch: Watch | None = None,
) -> Inversion:
    """The latents of pictures.

    Arguments:
        x: pictures (n, *sample) in [-1, 1]; see `samples.inputs`.
        y: their classes (n,); None seeks them, where the generator has classes that can be mixed.
        encoder: `own_encoder(generation)` or `fit_encoder(generation)`, for the first start.
        perceptual: the distance that is optimised beside the pixels', and reported.
        watch: told (steps done, of); true ends the search there.

    Raises:
        SparringError: another shape, or a generator that can't be searched.
    """
    began = time.monotonic()
    if x.shape[1:] != generation.spec.shape or not len(x):
        raise SparringError(
            f"samples {tuple(x.shape)}", f"(n, {', '.join(map(str, generation.spec.shape))})", "resize them"
        )
    if y is None and generation.spec.classes and not can_blend(generation):
        raise SparringError("pictures without their class", "the class of each", "give labels")
    search = Search(generation, settings, encoder, perceptual)
    step = max(1, AT_ONCE // settings.starts)
    found: list[tuple[Tensor, Tensor | None]] = []
    for rows in torch.arange(len(x)).split(step):
        done = len(found) / -(-len(x) // step)
        found.append(
            search.run(x[rows], None if y is None else y[rows], rows, _part(watch, done, len(x), step))
        )
    z = torch.cat([each for each, _ in found])
    classes = [each for _, each in found if each is not None]
    labels = torch.cat(classes) if classes else None
    made = decode(generation, z, labels)
    device = generation.shares.device
    with torch.no_grad():
        far = perceptual(made.to(device), x.to(device)).cpu()
    return Inversion(
        z=z, y=labels, x=made, psnr=decibels(made, x), perceptual=far, seconds=time.monotonic() - began
    )


def _part(watch: Watch | None, done: float, count: int, step: int) -> Watch | None:
    """A watch of one of several parts, that tells of the whole in thousandths."""
    if watch is None:
        return None
    told, part = watch, min(1.0, step / count)
    return lambda at, total: told(round(1000 * (done + part * at / max(1, total))), 1000)


def hardened(found: Inversion) -> Inversion:
    """The same, with the likeliest class of each in place of a blend."""
    y = found.y
    return found if y is None or not y.is_floating_point() else replace(found, y=y.argmax(1))
