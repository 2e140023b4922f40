"""The latent space of anything that generates: walks, grids, sums, directions, and from pictures back to latents.

Functions here take a `Generation` (`sparring.load(RUN).generator.generation`) and latents z (n, z) on the CPU; classes y are (n,)
whole numbers or (n, classes) shares of a blend. `walk`, `grid`, `mix`, `morph`, `edit`, `numbered` and `pictures` take a
`sparring.Run`, and give pictures.
"""

from sparring.latent import directions
from sparring.latent.arithmetic import arithmetic, mean, to_typical
from sparring.latent.decoding import can_blend, decode, latents, shares_of
from sparring.latent.direction import Direction, choose, load, save
from sparring.latent.guessing import FittedEncoder, encoder_bytes, encoder_from, fit_encoder, own_encoder
from sparring.latent.inversion import Inversion, hardened, invert
from sparring.latent.judges import Classes, Joined, Judge, Statistics
from sparring.latent.measuring import Effect, measure, measure_all
from sparring.latent.paths import between, closed_walk, corners, interpolate, open_walk
from sparring.latent.searching import Inverting
from sparring.latent.showing import edit, grid, mix, morph, numbered, pictures, walk

__all__ = [
    "Classes",
    "Direction",
    "Effect",
    "FittedEncoder",
    "Inversion",
    "Inverting",
    "Joined",
    "Judge",
    "Statistics",
    "arithmetic",
    "between",
    "can_blend",
    "choose",
    "closed_walk",
    "corners",
    "decode",
    "directions",
    "edit",
    "encoder_bytes",
    "encoder_from",
    "fit_encoder",
    "grid",
    "hardened",
    "interpolate",
    "invert",
    "latents",
    "load",
    "mean",
    "measure",
    "measure_all",
    "mix",
    "morph",
    "numbered",
    "open_walk",
    "own_encoder",
    "pictures",
    "save",
    "shares_of",
    "to_typical",
    "walk",
]
