"""What a run trains on and is evaluated with: training set, held-out samples and validator, prepared once."""

from dataclasses import dataclass, replace

import torch

from sparring.core.errors import ConfigError
from sparring.core.runtime import Runtime
from sparring.core.shapes import SampleSpec
from sparring.data import Dataset, add_pseudo_classes, split_held_out
from sparring.experiment import Experiment
from sparring.models.autoencoder import Decoder
from sparring.models.generator import GeneratorModel
from sparring.models.model import Model
from sparring.parts.likelihoods import bernoulli
from sparring.protocols.defaults import choose_fit_images, is_costly
from sparring.protocols.protocol import EvaluationProtocol
from sparring.training.validation import Validator

CHECK_BLOCK = 1_000  # samples checked at once


@dataclass(frozen=True)
class TrainingSetup:
    """The data of a run, split, and its validator.

    Arguments:
        train_set: with pseudo-classes for labels, if the experiment wants them.
        held_out: samples that are never trained on.
        validator: in the main process of a run with a metric.
    """

    train_set: Dataset
    held_out: Dataset | None = None
    validator: Validator | None = None


def prepare_training(
    experiment: Experiment, dataset: Dataset, runtime: Runtime, is_length_known: bool = True
) -> TrainingSetup:
    """Add pseudo-classes, split the data, and open the validator of the main process.

    Arguments:
        is_length_known: whether the run's length is final. Before that a metric with costly features, which depends on the
            length, is not opened.

    Raises:
        ConfigError, DataError: the run's metric can't be measured.
    """
    metric = experiment.training.metric if runtime.is_main_process else ""
    model = _model_on_meta(experiment, dataset.spec) if metric else None
    if model is not None and not model.has_samples:
        raise ConfigError(
            f"the metric {metric} for a classifier, which has no samples",
            "a recipe that generates",
            "leave the metric out; `sparring classify RUN DATA` prints the accuracy",
        )
    labelled = add_pseudo_classes(dataset, experiment.data.pseudo_classes)
    train_set, held_out = split_held_out(labelled, experiment.data.held_out)
    if model is None or (is_costly(metric) and not is_length_known):
        return TrainingSetup(train_set, held_out)
    fit_images = choose_fit_images(experiment.training.total_images)
    validator = Validator.open(EvaluationProtocol.parse(metric), train_set, held_out, runtime, fit_images)
    validator.dry_run(model)
    return TrainingSetup(train_set, held_out, validator)


def check_buildable(experiment: Experiment, dataset: Dataset) -> None:
    """Build the game once, and check that its likelihood fits the data, and that the remedies fit the networks.

    Raises:
        ConfigError: the networks can't be built for samples of this shape, or a remedy changes their shapes.
        DataError: the game has a Bernoulli likelihood, and the samples are not binary.
    """
    classes = len(dataset.classes) or experiment.data.pseudo_classes
    spec = replace(dataset.spec, num_classes=classes)
    experiment.game.build(spec)
    _check_remedies(experiment, spec)
    model = _model_on_meta(experiment, dataset.spec)
    decoder = model.generator if isinstance(model, GeneratorModel) else None
    if not isinstance(decoder, Decoder):
        return
    likelihood = decoder.likelihood
    if isinstance(likelihood, bernoulli.BernoulliLikelihood) and likelihood.binarise == "none":
        for rows in torch.arange(len(dataset)).split(CHECK_BLOCK):
            likelihood.check(dataset.batch(rows)[0])


def _check_remedies(experiment: Experiment, spec: SampleSpec) -> None:
    """Raises ConfigError if a remedy of `training.rescue` names no setting, or other players or shapes of their weights."""
    rescue, before = experiment.training.rescue, _player_shapes(experiment, spec)
    for number in range(len(rescue.remedies) if rescue is not None else 0):
        changed = experiment.with_remedies(number + 1)
        after = _player_shapes(changed, spec)
        if after != before or changed.optimizers.keys() != experiment.optimizers.keys():
            names = sorted(set(after.items()) ^ set(before.items()))[:1]
            raise ConfigError(
                f"training.rescue.remedies.{number} changes the networks ({names[0][0] if names else 'their optimizers'})",
                "settings that leave the networks and their weights as they are, since training goes on with them",
                "change losses, penalties, augmentations or learning rates instead",
            )


def _player_shapes(experiment: Experiment, spec: SampleSpec) -> dict[str, tuple[int, ...]]:
    """The shapes of all weights, by player and name."""
    with torch.device("meta"):
        players = experiment.game.build(spec).players()
    return {
        f"{player}.{name}": tuple(parameter.shape)
        for player, module in players.items()
        for name, parameter in module.named_parameters()
    }


def _model_on_meta(experiment: Experiment, spec: SampleSpec) -> Model:
    """The model without memory for its weights, to see what it is."""
    with torch.device("meta"):
        return experiment.game.build_model(spec)
