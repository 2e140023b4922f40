"""`sparring latent edit` and `sparring latent invert`."""

import hashlib
import json
import math
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from sparring import latent, samples, storage, tensorfile
from sparring.cli.finding import file_and_name
from sparring.cli.given import Given, given
from sparring.cli.latent_files import read_latents
from sparring.cli.walking import at_least, only_pictures, rows, say, writable
from sparring.console import Console
from sparring.errors import SparringError
from sparring.games.generation import Generation
from sparring.latent import showing
from sparring.latent.guessing import Guess
from sparring.machine import Machine
from sparring.reconstruction import pairs_image
from sparring.run import Run, load

if TYPE_CHECKING:
    from sparring.cli.latent_edits import Edit, Invert

LATENTS, ENCODER, PAIRS = "latents.safetensors", "encoder.safetensors", "pairs.png"


def edit(options: "Edit") -> int:
    """Samples, or pictures, moved along a direction."""
    run = load(options.run, options.device)
    only_pictures(run, "a sheet of edits")
    file, name = file_and_name(options.direction)
    known = latent.load(file)
    direction = latent.choose(known, name)
    if options.without:
        direction = direction.without([latent.choose(known, each) for each in options.without.split(",")])
    if not (math.isfinite(options.strength) and options.strength):
        raise SparringError(f"--strength {options.strength}", "a number but 0", "4 is usual")
    z, y = _latents(run, options)
    strengths = np.linspace(
        -options.strength, options.strength, at_least(options.steps, 2, "--steps")
    ).tolist()
    made = showing.edit(run, z, y, direction, strengths)
    rows(options.out, made, options.fps)
    say(
        options.quiet,
        f"{len(made)} rows, {direction.name} by {-options.strength:g} to {options.strength:g}: {options.out}",
    )
    return 0


def _latents(run: Run, options: "Edit") -> tuple[Tensor, Tensor | None]:
    if options.latents is not None:
        return read_latents(run.generator.generation, options.latents)
    if options.pictures is None:
        chosen = range(at_least(options.n, 1, "--n"))
        return showing.numbered(run, chosen, options.seed, options.label, options.truncation)
    found = given(run, options.pictures)
    labels = run.labels(len(found.names), options.label) if options.label is not None else None
    done = latent.invert(
        run.generator.generation,
        _x(run, found),
        labels,
        encoder=_auto(run, options.quiet),
        settings=latent.Inverting(starts=1),
    )
    say(options.quiet, f"inverted {len(found.names)} pictures: {quality(done)}")
    return done.z, done.y


def invert(options: "Invert") -> int:
    """The latents of pictures."""
    Machine(device=options.device, threads=options.threads).start()
    run = load(options.run, options.device)
    found = given(run, options.images)
    labels = run.labels(len(found.names), options.label) if options.label is not None else None
    with writable(options.out):
        encoder = _encoder(run, options)
        starts = options.starts if options.starts is not None else 4 if encoder is None else 1
        settings = latent.Inverting(steps=options.steps, starts=starts, seed=options.seed)
        done = latent.invert(
            run.generator.generation, _x(run, found), labels, encoder=encoder, settings=settings
        )
        back = showing.pictures(run, done.z, done.y)
        _save(options.out, found, back, done)
    words = "; edit them: sparring latent edit RUN --latents "
    say(
        options.quiet,
        f"{len(back):,} pictures in {options.out}: {quality(done)}{words}{options.out / LATENTS}",
    )
    return 0


def quality(done: latent.Inversion) -> str:
    """How near the pictures were reached, in words."""
    low, high = float(done.psnr.min()), float(done.psnr.max())
    each = done.seconds / len(done.z)
    spread = f", from {low:.1f} to {high:.1f}" if len(done.z) > 1 else ""
    far = float(done.perceptual.mean())
    return f"PSNR {float(done.psnr.mean()):.1f} dB{spread}, perceptual distance {far:.3f}, {each:.2f} s each"


def _x(run: Run, found: Given) -> Tensor:
    return samples.inputs(run.generator.generation.spec, run.generator.facts, found.samples)


def _encoder(run: Run, options: "Invert") -> Guess | None:
    generation = run.generator.generation
    if options.encoder == "none":
        return None
    if options.encoder == "auto" and generation.encoder is not None:
        return latent.own_encoder(generation)
    place, key = options.out / ENCODER, fingerprint(generation)
    if place.is_file():
        data = storage.read(place)
        if tensorfile.header(data)[1].get("generator") == key:
            return latent.encoder_from(generation, data)
    say(options.quiet, f"fitting an encoder to the generator, kept in {place} ...")
    encoder = latent.fit_encoder(generation, seed=options.seed)
    storage.make_folder(options.out)
    storage.write_whole(place, latent.encoder_bytes(encoder, {"generator": key}))
    return encoder


def _auto(run: Run, quiet: bool) -> Guess:
    generation = run.generator.generation
    if generation.encoder is not None:
        return latent.own_encoder(generation)
    with Console.standard(quiet=quiet) as console:
        console.say("fitting an encoder to the generator ...")
    return latent.fit_encoder(generation)


def fingerprint(generation: Generation) -> str:
    """SHA-256 of a generator's weights."""
    return hashlib.sha256(tensorfile.render(generation.state_dict())).hexdigest()


def _save(out: Path, found: Given, back: np.ndarray, done: latent.Inversion) -> None:
    storage.make_folder(out)
    header = json.dumps({"format": 1, "names": found.names})
    tensors = {"z": done.z} | ({} if done.y is None else {"y": done.y})
    storage.write_whole(out / LATENTS, tensorfile.render(tensors, {"sparring.latents": header}))
    if back.ndim == 2:
        samples.save(out / "points.npz", back, None, None)
        return
    (out / PAIRS).write_bytes(samples.png(pairs_image(found.samples, back)))
    for name, picture in zip(found.names, back, strict=True):
        place = out / "pictures" / f"{PurePosixPath(name).with_suffix('')}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(samples.png(samples.picture_of(picture)))
