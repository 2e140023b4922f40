"""Load a generator or translator from a run, a checkpoint or a generator file."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load
from torch import nn

from sparring.core.errors import CorruptFileError, SparringError
from sparring.core.runtime import Runtime
from sparring.core.shapes import SampleSpec
from sparring.experiment import Experiment
from sparring.models.generator import GeneratorModel
from sparring.models.model import Model
from sparring.models.translator import TranslatorModel
from sparring.runs import checkpoint, generator_file
from sparring.runs.run_json import RUN_FILE, load_experiment


@dataclass(frozen=True, kw_only=True)
class EvaluatedModel:
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
    model: Model
    metadata: dict[str, Any]
    images: int
    experiment: Experiment | None = None
    document: dict[str, Any] = field(default_factory=dict)
    fingerprint: str = ""

    @property
    def generation(self) -> GeneratorModel:
        """A generator from latents to samples."""
        assert isinstance(self.model, GeneratorModel)
        return self.model

    @property
    def translation(self) -> TranslatorModel | None:
        """A translator; None where it generates."""
        return self.model if isinstance(self.model, TranslatorModel) else None


def is_model_path(path: Path) -> bool:
    """Whether the user names a run or a generator, and not samples."""
    return path.suffix == ".safetensors" or any(
        (path / name).is_file() for name in (RUN_FILE, generator_file.GENERATOR_FILE)
    )


def open_model(path: Path, runtime: Runtime, images: int | None = None) -> EvaluatedModel:
    """The generator of a run.

    Arguments:
        images: of the checkpoint to take; None takes the generator as it was saved last.

    Raises:
        SparringError: there is no such checkpoint. CorruptFileError: a file is damaged.
    """
    found = generator_file.load(path / generator_file.GENERATOR_FILE if path.is_dir() else path)
    kept = found.model
    if not kept.has_samples:
        raise SparringError(kept.summary, "a model that generates", kept.command)
    at = int(found.metadata["images"])
    written = path / RUN_FILE
    experiment, document = load_experiment(written) if written.is_file() else (None, {})
    runtime.to_device(kept)
    if images is not None and images != at:
        if experiment is None:
            raise SparringError(
                f"--checkpoint {images} of {path}",
                "a run folder",
                "give the folder, not the generator's file",
            )
        kept, at = _load_checkpoint_model(path, experiment, kept.spec, images, runtime), images
    return EvaluatedModel(
        source=str(path),
        model=kept,
        metadata=found.metadata,
        images=at,
        experiment=experiment,
        document=document,
        fingerprint=_weights_sha256(kept),
    )


def _load_checkpoint_model(
    run: Path, experiment: Experiment, spec: SampleSpec, images: int, runtime: Runtime
) -> Model:
    there = checkpoint.list_checkpoints(run)
    if images not in there:
        raise SparringError(
            f"--checkpoint {images:,} of {run}",
            f"one of {', '.join(f'{number:,}' for number in there) or 'none: there is no checkpoint'}",
            "choose one of these, or leave it out to take the newest",
        )
    data = checkpoint.read(run, images).tensors
    tensors = load(data)
    prefix = "average.module."
    generation = experiment.game.build_model(spec)
    kept = {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
    try:
        generation.load_state_dict(kept)
    except RuntimeError as error:
        raise CorruptFileError(
            f"checkpoint {images:,} of {run}: {str(error)[:200]}", "this run's own", "use an older one"
        ) from error
    runtime.to_device(generation)
    return generation.for_inference(experiment.training.seed).requires_grad_(False)


def _weights_sha256(generation: nn.Module) -> str:
    whole = hashlib.sha256()
    for name, tensor in sorted(generation.state_dict().items()):
        whole.update(name.encode())
        whole.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return whole.hexdigest()
