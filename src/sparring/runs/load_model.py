"""Load the generator or translator of a run, of one of its checkpoints, or of a generator file."""

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
from sparring.models.model import Model
from sparring.models.translator import TranslatorModel
from sparring.runs import checkpoint, generator_file
from sparring.runs.run_json import RUN_FILE, load_experiment

EMA_PREFIX = "average.module."  # of the averaged model's tensors in a checkpoint


@dataclass(frozen=True, kw_only=True)
class EvaluatedModel:
    """A generator or translator with what is known of its training.

    Arguments:
        source: the path as the user gave it.
        model: in evaluation mode, on the device.
        metadata: `units` of points and names of the `classes`.
        images: training images seen.
        experiment: the configuration of the run; None for a generator file alone.
        run_json: the `data` object of run.json.
        fingerprint: SHA-256 of the weights.
    """

    source: str
    model: Model
    metadata: dict[str, Any]
    images: int
    experiment: Experiment | None = None
    run_json: dict[str, Any] = field(default_factory=dict)
    fingerprint: str = ""

    @property
    def description(self) -> str:
        """The model in words, with its checkpoint."""
        return f"{self.source} at image {self.images:,}"

    @property
    def generator(self) -> GeneratorModel:
        """The model, which must not be a translator."""
        assert isinstance(self.model, GeneratorModel)
        return self.model

    @property
    def translator(self) -> TranslatorModel | None:
        """The model if it is a translator, else None."""
        return self.model if isinstance(self.model, TranslatorModel) else None


def is_model_path(path: Path) -> bool:
    """Whether a path is a run folder or a generator file, and not a set of samples."""
    return path.suffix == ".safetensors" or any(
        (path / name).is_file() for name in (RUN_FILE, generator_file.GENERATOR_FILE)
    )


def load_model(path: Path, runtime: Runtime, images: int | None = None) -> EvaluatedModel:
    """Load the model of a run folder or of a generator file.

    Arguments:
        images: of the checkpoint; None takes the generator file: the newest, or, of a finished run whose newest is clearly
            worse than the best, the best.

    Raises:
        SparringError: there is no such file or checkpoint, or its model is a classifier. CorruptFileError: a file is
            damaged.
    """
    loaded = generator_file.load(path / generator_file.GENERATOR_FILE if path.is_dir() else path)
    model = loaded.model
    if not model.has_samples:
        raise SparringError(model.summary, "a model that generates", model.command)
    images_seen = int(loaded.metadata["images"])
    run_file = path / RUN_FILE
    experiment, run_json = load_experiment(run_file) if run_file.is_file() else (None, {})
    runtime.to_device(model)
    if images is not None and images != images_seen:
        if experiment is None:
            raise SparringError(
                f"--checkpoint {images} of {path}", "a run folder", "name the folder, not the generator file"
            )
        model, images_seen = load_checkpoint_model(path, experiment, model.spec, images, runtime), images
    return EvaluatedModel(
        source=str(path),
        model=model,
        metadata=loaded.metadata,
        images=images_seen,
        experiment=experiment,
        run_json=run_json,
        fingerprint=weights_sha256(model),
    )


def load_generator(path: Path, runtime: Runtime, name: str | int | None) -> generator_file.LoadedModel:
    """The model in the generator file of a path, or of a checkpoint of a run folder, with its metadata.

    Arguments:
        name: of the checkpoint: `best`, `last` or its images; None is the generator file.

    Raises:
        SparringError: there is no such file or checkpoint. CorruptFileError: a file is damaged.
    """
    loaded = generator_file.load(generator_file.find_file(path))
    runtime.to_device(loaded.model)
    if name is None:
        return loaded
    if not (path / RUN_FILE).is_file():
        raise SparringError(
            f"--checkpoint {name} of {path}", "a run folder", "name the folder, not the generator file"
        )
    images = checkpoint.resolve_checkpoint(path, name)
    experiment = load_experiment(path / RUN_FILE)[0]
    model = load_checkpoint_model(path, experiment, loaded.model.spec, images, runtime)
    return generator_file.LoadedModel(model, {**loaded.metadata, "images": images})


def load_checkpoint_model(
    run: Path, experiment: Experiment, spec: SampleSpec, images: int, runtime: Runtime
) -> Model:
    """The EMA model of a checkpoint, prepared for inference.

    Raises:
        SparringError: there is no such checkpoint. CorruptFileError: its tensors are not those of the model.
    """
    checkpoints = checkpoint.list_checkpoints(run)
    if images not in checkpoints:
        names = ", ".join(f"{number:,}" for number in checkpoints)
        raise SparringError(
            f"--checkpoint {images:,} of {run}",
            f"one of {names}" if names else "a checkpoint; there is none",
            "choose one of these, or leave the option out to take generator.safetensors",
        )
    model = experiment.game.build_model(spec)
    checkpoint.read(run, images).load_module(model, EMA_PREFIX)
    runtime.to_device(model)
    return model.for_inference(experiment.training.seed).requires_grad_(False)


def weights_sha256(model: nn.Module) -> str:
    """SHA-256 of the names and values of all parameters and buffers."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
