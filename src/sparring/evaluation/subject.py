"""What is judged: a run's generator (as it is now, or from a checkpoint), a generator's file, or samples made by anything."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load
from torch import nn

from sparring import checkpoint, generatorfile
from sparring.errors import CorruptFileError, SparringError
from sparring.experiment import Experiment
from sparring.games.generation import Generation
from sparring.games.translation import Translation
from sparring.runfile import RUN_FILE, described
from sparring.runtime import Runtime
from sparring.shapes import Spec


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A generator that is judged.

    Arguments:
        source: as the user named it.
        kept: the network or networks, in evaluation mode.
        facts: `units` and `classes`.
        images: of the checkpoint.
        experiment: the run's settings; None for a generator's file alone.
        document: what run.json says of the data.
        fingerprint: of the weights.
    """

    source: str
    kept: Generation | Translation
    facts: dict[str, Any]
    images: int
    experiment: Experiment | None = None
    document: dict[str, Any] = field(default_factory=dict)
    fingerprint: str = ""

    @property
    def generation(self) -> Generation:
        """A generator from latents to samples."""
        assert isinstance(self.kept, Generation)
        return self.kept

    @property
    def translation(self) -> Translation | None:
        """A translator; None where it generates."""
        return self.kept if isinstance(self.kept, Translation) else None


def is_generator(path: Path) -> bool:
    """Whether the user names a run or a generator, and not samples."""
    return path.suffix == ".safetensors" or any(
        (path / name).is_file() for name in (RUN_FILE, generatorfile.NAME)
    )


def open_generator(path: Path, runtime: Runtime, images: int | None = None) -> Subject:
    """The generator of a run.

    Arguments:
        images: of the checkpoint to take; None takes the generator as it was saved last.

    Raises:
        SparringError: there is no such checkpoint. CorruptFileError: a file is damaged.
    """
    found = generatorfile.load(path / generatorfile.NAME if path.is_dir() else path)
    kept: Generation | Translation = found.kept if isinstance(found.kept, Translation) else found.generation
    at = int(found.facts["images"])
    written = path / RUN_FILE
    experiment, document = described(written) if written.is_file() else (None, {})
    runtime.place(kept)
    if images is not None and images != at:
        if experiment is None:
            raise SparringError(
                f"--checkpoint {images} of {path}",
                "a run folder",
                "give the folder, not the generator's file",
            )
        kept, at = _from_checkpoint(path, experiment, kept.spec, images, runtime), images
    return Subject(
        source=str(path),
        kept=kept,
        facts=found.facts,
        images=at,
        experiment=experiment,
        document=document,
        fingerprint=_digest(kept),
    )


def _from_checkpoint(
    run: Path, experiment: Experiment, spec: Spec, images: int, runtime: Runtime
) -> Generation | Translation:
    there = checkpoint.numbers(run)
    if images not in there:
        raise SparringError(
            f"--checkpoint {images:,} of {run}",
            f"one of {', '.join(f'{number:,}' for number in there) or 'none: there is no checkpoint'}",
            "choose one of these, or leave it out to take the newest",
        )
    data = checkpoint.read(run, images).tensors
    tensors = load(data)
    prefix = "average.module."
    generation = experiment.game.kept(spec)
    assert isinstance(generation, Generation | Translation), "a file of another kind was loaded before"
    kept = {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
    try:
        generation.load_state_dict(kept)
    except RuntimeError as error:
        raise CorruptFileError(
            f"checkpoint {images:,} of {run}: {str(error)[:200]}", "this run's own", "use an older one"
        ) from error
    runtime.place(generation)
    return generation.settled(experiment.training.seed).requires_grad_(False)


def _digest(generation: nn.Module) -> str:
    whole = hashlib.sha256()
    for name, tensor in sorted(generation.state_dict().items()):
        whole.update(name.encode())
        whole.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return whole.hexdigest()
