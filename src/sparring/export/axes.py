"""Directions of the latent space along which samples change most, for a page's sliders."""

import torch
from torch import Tensor

from sparring import keyed
from sparring.games.generation import Generation

SAMPLES = 512


@torch.no_grad()
def principal(generation: Generation, count: int, seed: int = 0) -> Tensor:
    """Unit directions (k, z), k <= `count`, orthogonal: what the samples' first principal components say of z.

        x - mean = U S V^T,  d_k ~ z^T (U S)_k,  made orthogonal in their order

    Deviation: the samples themselves take the place of a layer's activations.

    References: Härkönen, Hertzmann, Lehtinen & Paris 2020, "GANSpace: discovering interpretable GAN controls", arXiv:2004.02546,
    sec. 2.2 (regression from components to latents).
    """
    z = keyed.latents(seed, range(SAMPLES), generation.latent)
    device = generation.shares.device
    labels = generation.draw_labels(seed, range(SAMPLES))
    y = None if labels is None else labels.to(device)
    parts = [
        generation(z[rows].to(device), None if y is None else y[rows]).flatten(1).float().cpu()
        for rows in torch.arange(SAMPLES).split(64)
    ]
    x = torch.cat(parts)
    x = x - x.mean(0)
    values, vectors = torch.linalg.eigh(x @ x.T)
    few = min(count, generation.latent)
    scores = (vectors * values.clamp_min(0).sqrt()).flip(1)[:, :few]
    return torch.linalg.qr(z.T @ scores)[0].T.contiguous()
