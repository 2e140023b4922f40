"""Fine-tuning: the settings of a run that begins with the weights of another one (`sparring train --from`).

The new run has the source's recipe, networks, objective, optimizers and batch. What depends on the data is chosen for the new
data, and what is timed in images is stretched to the new length. For few images the new run learns more slowly, freezes the first
stages of the discriminator and augments its inputs.

References: Wang et al. 2018, "Transferring GANs: generating images from limited data", arXiv:1805.01677 (both networks are taken);
Mo, Cho & Shin 2020, "Freeze the discriminator", arXiv:2002.10964 (FreezeD); Zhao et al. 2020, arXiv:2006.10738 (augmentation).
"""

import typing
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from sparring.core import config
from sparring.core.errors import ConfigError
from sparring.core.optimizers import OptimizerConfig
from sparring.core.shapes import SampleSpec
from sparring.experiment import TYPE_TABLES, Experiment, GameConfig
from sparring.games.adversarial import AdversarialConfig
from sparring.parts.augmentation import DiffAugment
from sparring.parts.conditioning import Unconditional
from sparring.parts.networks import (
    DiscriminatorNetwork,
    GeneratorNetwork,
    PatchDiscriminatorNetwork,
    TranslatorNetwork,
)
from sparring.recipes.facts import Facts, Pretrained

FEW_IMAGES = 2_000  # fewer than these are learnt from slowly, with part of the discriminator frozen
LENGTH_SHARE = 4  # a run without a length of its own has the recipe's default, divided by this
FEW_IMAGES_LR = 0.5  # factor on the learning rates
NETWORK_TYPES = (GeneratorNetwork, DiscriminatorNetwork, TranslatorNetwork, PatchDiscriminatorNetwork)
TIMES = ("delay", "duration", "warmup", "switch")  # settings in images: of schedules, and of two-stage models


def fine_tuned(
    recipe: Callable[[Facts], Experiment], facts: Facts, source: Pretrained, *, is_chosen: bool
) -> Experiment:
    """The experiment of a run that begins with the weights of `source`.

    Arguments:
        recipe: from facts to an experiment; by default the source's own.
        facts: of the new data and the requested length.
        is_chosen: whether the user named the recipe. Then all is the recipe's but the networks, which are the source's.

    Raises:
        ConfigError: the source is a model of another kind.
    """
    base = recipe(facts)
    if facts.images is None:
        base = recipe(replace(facts, images=max(1, base.training.total_images // LENGTH_SHARE)))
    _check_kind(base, source, facts, is_chosen)
    if is_chosen:
        return replace(base, game=_with_networks(base.game, source.game), reasons=())
    game: Any = _stretched(source.game, base.training.total_images / source.length, GameConfig)
    if not (facts.spec.num_classes or base.data.pseudo_classes > 1):
        game = _without_labels(game)
    experiment = replace(base, game=game, reasons=())
    if not _is_conditional(game, facts.spec):
        experiment = replace(experiment, data=replace(base.data, pseudo_classes=0))
    if source.experiment is not None:
        experiment = _with_training_of(experiment, source.experiment, source.length)
    return for_few_images(experiment, source, facts) if facts.count < FEW_IMAGES else experiment


def for_few_images(experiment: Experiment, source: Pretrained, facts: Facts) -> Experiment:
    """The experiment with lower learning rates; a GAN of images also with a partly frozen discriminator, where the source has one
    of the same first stages, and with translations (DiffAugment), where it has no augmentation.
    """
    document = experiment.to_json()
    for optimizer in document["optimizers"].values():
        optimizer["lr"] = _scaled(optimizer["lr"], FEW_IMAGES_LR)
    experiment = Experiment.from_json(document)
    game = experiment.game
    if not (isinstance(game, AdversarialConfig) and facts.spec.is_image):
        return experiment
    if source.experiment is not None and facts.spec.shape[0] == source.spec.shape[0]:
        game = replace(
            game, freeze_discriminator=game.freeze_discriminator or count_stages(game, facts.spec) // 2
        )
    if not game.augmentations:
        game = replace(game, augmentations=(DiffAugment(policy=("translation",)),))
    return replace(experiment, game=game)


def count_stages(game: AdversarialConfig, spec: SampleSpec) -> int:
    """The number of stages of a GAN's discriminator for samples of this shape."""
    with torch.device("meta"):
        body: Any = game.discriminator.build(spec.stack_channels(game.packing))
    return len(body.stages_from_image())


def _check_kind(base: Experiment, source: Pretrained, facts: Facts, is_chosen: bool) -> None:
    got = f"--from {source.name}, a run of the recipe {source.recipe}"
    if is_chosen and type(base.game) is not type(source.game):
        fix = "leave --recipe out, or begin with a run of the recipe"
        raise ConfigError(f"{got}, for the recipe {base.recipe}", "models of one kind", fix)
    if (source.spec.is_image, source.spec.shape_b is None) != (
        facts.spec.is_image,
        facts.spec.shape_b is None,
    ):
        kinds = [_kind_of_data(spec) for spec in (source.spec, facts.spec)]
        raise ConfigError(
            f"{got} on {kinds[0]}, for {kinds[1]}", "data of the same kind", "choose another source"
        )


def _kind_of_data(spec: SampleSpec) -> str:
    if not spec.is_image:
        return "points"
    return "images of one domain" if spec.shape_b is None else "images of two domains"


def _with_networks(game: GameConfig, source: GameConfig) -> GameConfig:
    """The game with the networks of another one of the same class."""
    names = [name for name, kind in typing.get_type_hints(type(game)).items() if kind in NETWORK_TYPES]
    networks = {name: getattr(source, name) for name in names}
    changed: GameConfig = replace(game, **networks)  # type: ignore[type-var]
    return changed


def _with_training_of(experiment: Experiment, source: Experiment, length: int) -> Experiment:
    """The experiment with the optimizers, batch and averaging of the source."""
    optimizers = {
        name: _stretched(optimizer, experiment.training.total_images / length, OptimizerConfig)
        for name, optimizer in source.optimizers.items()
    }
    names = ("batch", "micro_batch", "ema_half_life", "ema_ramp", "sample_grid")
    training = replace(experiment.training, **{name: getattr(source.training, name) for name in names})
    return replace(experiment, optimizers=optimizers, training=training)


def _without_labels(game: GameConfig) -> GameConfig:
    """A conditional GAN as an unconditional one; other games unchanged."""
    if not isinstance(game, AdversarialConfig) or not game.conditional:
        return game
    return replace(game, conditional=False, head=Unconditional())


def _is_conditional(game: GameConfig, spec: SampleSpec) -> bool:
    """Whether a game's model takes labels, where the data has them."""
    with torch.device("meta"):
        return game.build_model(replace(spec, num_classes=2)).spec.num_classes > 0


def _stretched(settings: Any, ratio: float, kind: Any) -> Any:
    """Settings with all that is timed in images multiplied by `ratio`, rounded, at least 1 where it was."""

    def stretch(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: stretch(item, key) for key, item in value.items()}
        if isinstance(value, list):
            return [stretch(item) for item in value]
        return max(min(value, 1), round(value * ratio)) if name in TIMES else value

    return config.from_json(kind, stretch(config.to_json(settings, TYPE_TABLES)), TYPE_TABLES)


def _scaled(lr: Any, factor: float) -> Any:
    """A learning rate as JSON, a number or a schedule, multiplied by a factor."""
    if isinstance(lr, dict):
        return {**lr, "start": lr["start"] * factor, "end": lr["end"] * factor}
    return lr * factor
