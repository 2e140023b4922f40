"""Load a generator or translator from a run, a checkpoint or a generator file."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from sparring.core.errors import SparringError
from sparring.core.runtime import Runtime
from sparring.core.shapes import SampleSpec
from sparring.experiment import Experiment
from sparring.models.generator import GeneratorModel
from sparring.models.translator import TranslatorModel
from sparring.runs import checkpoint, generator_file
from sparring.runs.run_json import RUN_FILE, load_experiment

EMA_PREFIX = "average.module."  # of the averaged model's tensors in a checkpoint (TrainState.tensors)


@dataclass(frozen=True, kw_only=True)
class EvaluatedModel:
    """A generator or translator to evaluate, and where it comes from.

    Arguments:
        source: the path that the user gave.
        model: in evaluation mode, on the runtime's device.
        metadata: `recipe`, `images`, `units` and `classes` of its file.
        images: images seen when its weights were saved.
        experiment: the run's configuration; None for a generator file alone.
        document: the `data` object of run.json.
        fingerprint: SHA-256 of the weights.
    """

    source: str
    model: GeneratorModel | TranslatorModel
    metadata: dict[str, Any]
    images: int
    experiment: Experiment | None = None
    document: dict[str, Any] = field(default_factory=dict)
    fingerprint: str = ""

    @property
    def generation(self) -> GeneratorModel:
        """The model, where it is a generator."""
        assert isinstance(self.model, GeneratorModel)
        return self.model

    @property
    def translation(self) -> TranslatorModel | None:
        """The model, where it is a translator; else None."""
        return self.model if isinstance(self.model, TranslatorModel) else None


def is_model_path(path: Path) -> bool:
    """Whether a path is a run folder or a generator file (else it holds samples)."""
    return path.suffix == ".safetensors" or any(
        (path / name).is_file() for name in (RUN_FILE, generator_file.GENERATOR_FILE)
    )


def open_model(path: Path, runtime: Runtime, images: int | None = None) -> EvaluatedModel:
    """Load the generator or translator of a run folder or generator file.

    Arguments:
        images: checkpoint to load, in images seen; None loads `generator.safetensors`.

    Raises:
        SparringError: there is no such checkpoint. CorruptFileError: a file is damaged.
    """
    loaded = generator_file.load(path / generator_file.GENERATOR_FILE if path.is_dir() else path)
    model: GeneratorModel | TranslatorModel = (
        loaded.model if isinstance(loaded.model, TranslatorModel) else loaded.generation
    )
    saved_images = int(loaded.metadata["images"])
    run_file = path / RUN_FILE
    experiment, document = load_experiment(run_file) if run_file.is_file() else (None, {})
    runtime.to_device(model)
    if images is not None and images != saved_images:
        if experiment is None:
            raise SparringError(
                f"--checkpoint {images} of {path}",
                "a run folder",
                "give the folder, not the generator file",
            )
        model = _load_checkpoint_model(path, experiment, model.spec, images, runtime)
        saved_images = images
    return EvaluatedModel(
        source=str(path),
        model=model,
        metadata=loaded.metadata,
        images=saved_images,
        experiment=experiment,
        document=document,
        fingerprint=_weights_sha256(model),
    )


def _load_checkpoint_model(
    run: Path, experiment: Experiment, spec: SampleSpec, images: int, runtime: Runtime
) -> GeneratorModel | TranslatorModel:
    existing = checkpoint.list_checkpoints(run)
    if images not in existing:
        raise SparringError(
            f"--checkpoint {images:,} of {run}",
            f"one of {', '.join(f'{number:,}' for number in existing) or 'none: there is no checkpoint'}",
            "choose one of these, or leave it out to take the newest",
        )
    model = experiment.game.build_model(spec)
    assert isinstance(model, GeneratorModel | TranslatorModel), "generator_file.load accepted another kind"
    checkpoint.read(run, images).load_module(model, EMA_PREFIX)
    runtime.to_device(model)
    return model.for_inference(experiment.training.seed).requires_grad_(False)


def _weights_sha256(model: nn.Module) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
