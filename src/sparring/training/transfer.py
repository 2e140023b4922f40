"""Begin a run with the weights of another model: which layers are taken, the copy, and the file that keeps it in the run folder.

A layer is taken where its tensors have the names and shapes of the source's. Two kinds of tensors may differ in shape: those with a
row for each class give the rows of classes of the same name; and the first layer of a generator gives the weights of its latent,
where only one of the two models has labels (the label's embedding is appended to the latent). All else keeps its random
initialisation. The optimizers, the clock, and the state of the game beside its networks begin anew.

References: Wang et al. 2018, "Transferring GANs: generating images from limited data", arXiv:1805.01677.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sparring.core import config, storage, tensor_file
from sparring.core.errors import ConfigError, CorruptFileError
from sparring.core.game import Game
from sparring.core.runtime import Runtime
from sparring.core.shapes import SampleSpec
from sparring.data import Dataset
from sparring.experiment import TYPE_TABLES, Experiment
from sparring.models.model import Model, describe_size
from sparring.parts.networks.layers.spectral_norm import restart_power_iteration
from sparring.recipes.facts import Pretrained
from sparring.recipes.fine_tuning import TIMES
from sparring.runs.weight_source import WeightSource
from sparring.training.state import TrainState

START_FILE = "start.safetensors"  # in the run folder: all networks as they are before the first step
LEAST_SHARE = 0.1  # of the kept model's weights that must be taken


@dataclass(frozen=True)
class Rows:
    """Which part of a tensor is copied: all of it, or some rows of one dimension.

    Arguments:
        dim: the dimension; None copies the whole tensor.
        new, old: the rows' numbers in the new and in the source's tensor.
    """

    dim: int | None = None
    new: tuple[int, ...] = ()
    old: tuple[int, ...] = ()

    def count(self, tensor: Tensor) -> int:
        """How many values of the new tensor are copied."""
        return (
            tensor.numel() if self.dim is None else tensor.numel() // tensor.shape[self.dim] * len(self.new)
        )

    @torch.no_grad()
    def copy(self, tensor: Tensor, source: Tensor) -> None:
        """Copy into `tensor`."""
        if self.dim is None:
            tensor.copy_(source)
        else:
            rows = source.index_select(self.dim, torch.tensor(self.old)).to(tensor.device)
            tensor.index_copy_(self.dim, torch.tensor(self.new, device=tensor.device), rows)


@dataclass(frozen=True, kw_only=True)
class TransferPlan:
    """What a new run takes from its source.

    Arguments:
        source: the weights.
        rows: of each tensor of the game that is copied, by name.
        taken, fresh: names of layers.
        weights_taken, weights: numbers of trained values, copied and all.
        changes: settings that differ from the source's.
    """

    source: WeightSource
    rows: Mapping[str, Rows]
    taken: tuple[str, ...]
    fresh: tuple[str, ...]
    weights_taken: int
    weights: int
    changes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The entry `from` of `run.json`."""
        return {
            **self.source.describe(),
            "weights_taken": self.weights_taken,
            "weights": self.weights,
            "taken": list(self.taken),
            "fresh": list(self.fresh),
            "changes": list(self.changes),
        }

    def apply(self, state: TrainState) -> None:
        """Copy the weights into the networks and the averaged model of a training state that has not begun."""
        prefix, model = self.source.model_prefix, state.game.model
        self._copy(state.game.state_dict(keep_vars=True), "", self.source.tensors)
        state.ema.module.load_state_dict(model.state_dict())
        average = {f"{prefix}{name}": tensor for name, tensor in self.source.average.items()}
        shapes = {name: tensor.shape for name, tensor in self.source.tensors.items()}
        average = {name: tensor for name, tensor in average.items() if tensor.shape == shapes.get(name)}
        self._copy(state.ema.module.state_dict(keep_vars=True), prefix, average)
        if any(rows.dim is not None for rows in self.rows.values()):
            restart_power_iteration(state.game)
            restart_power_iteration(state.ema.module)

    def _copy(self, tensors: Mapping[str, Tensor], prefix: str, source: Mapping[str, Tensor]) -> None:
        for name, rows in self.rows.items():
            if name in source and name.startswith(prefix):
                rows.copy(tensors[name.removeprefix(prefix)].detach(), source[name])


def plan_transfer(
    experiment: Experiment, spec: SampleSpec, classes: Sequence[str], source: WeightSource
) -> TransferPlan:
    """Which layers of the experiment's networks are taken from the source.

    Arguments:
        spec: of the training set.
        classes: names of its classes; empty for pseudo-classes, which mean nothing for other data.

    Raises:
        ConfigError: nearly none; or a frozen stage of the discriminator is not among them.
    """
    with torch.device("meta"):
        game = experiment.game.build(spec)
        matcher = _Matcher(experiment, game, spec, classes, source)
    layers: dict[str, dict[str, Rows | None]] = {}
    players = {
        id(tensor)
        for player in game.players().values()
        for tensor in player.state_dict(keep_vars=True).values()
    }
    parameters = {name for name, _ in game.named_parameters()}
    for name, tensor in game.state_dict(keep_vars=True).items():
        if name in parameters or id(tensor) in players:
            layers.setdefault(_layer_of(name), {})[name] = matcher.match(name, tensor)
    rows: dict[str, Rows] = {}
    for tensors in layers.values():
        is_of_data = not parameters & tensors.keys() and any(map(matcher.is_by_class, tensors))
        if all(tensors.values()) and not is_of_data:  # shares and counts of classes are those of the new data
            rows |= {name: part for name, part in tensors.items() if part is not None}
    trained = {name: p for name, p in game.named_parameters() if id(p) in players}
    trained_layers = [layer for layer, tensors in layers.items() if trained.keys() & tensors.keys()]
    plan = TransferPlan(
        source=source,
        rows=rows,
        taken=tuple(layer for layer in trained_layers if rows.keys() & layers[layer].keys()),
        fresh=tuple(layer for layer in trained_layers if not rows.keys() & layers[layer].keys()),
        weights_taken=_count(trained, rows),
        weights=sum(parameter.numel() for parameter in trained.values()),
        changes=tuple(describe_changes(experiment, source.settings)),
    )
    _check(plan, game, trained, spec)
    return plan


def _count(parameters: Mapping[str, nn.Parameter], rows: Mapping[str, Rows]) -> int:
    return sum(rows[name].count(parameter) for name, parameter in parameters.items() if name in rows)


def _layer_of(name: str) -> str:
    """The layer of a tensor: its module; of a parametrised weight, the module that has the weight.

    >>> _layer_of("body.halvings.0.bias"), _layer_of("body.halvings.0.parametrizations.weight.0.u")
    ('body.halvings.0', 'body.halvings.0')
    """
    return re.sub(r"\.parametrizations\..*|\.[^.]*$", "", name, count=1)


def _check(plan: TransferPlan, game: Game, trained: Mapping[str, nn.Parameter], spec: SampleSpec) -> None:
    settings = plan.source.settings
    model = {name: p for name, p in trained.items() if name.startswith(plan.source.model_prefix)}
    total = sum(parameter.numel() for parameter in model.values())
    if not total or _count(model, plan.rows) < LEAST_SHARE * total:
        raise ConfigError(
            f"--from {settings.name}: {_count(model, plan.rows):,} of the model's {total:,} weights fit the networks for "
            f"{describe_size(spec)}; the source was trained on {describe_size(settings.spec)}",
            "a source whose layers have the same names and shapes",
            "leave --size, --recipe and settings of networks out, or choose another source",
        )
    missing = [name for name, p in trained.items() if not p.requires_grad and name not in plan.rows]
    if missing:
        raise ConfigError(
            f"game.freeze_discriminator, but {missing[0]} is not taken from {settings.name}",
            "frozen stages that are trained",
            "set game.freeze_discriminator=0, or begin with a run folder of the same channels",
        )


class _Matcher:
    """Compares the tensors of a new game with those of a source, by name and shape. Built on the meta device.

    Arguments:
        experiment: of the new run.
        game: built for its data.
        spec, classes: of its data.
        source: the weights.
    """

    def __init__(
        self,
        experiment: Experiment,
        game: Game,
        spec: SampleSpec,
        classes: Sequence[str],
        source: WeightSource,
    ) -> None:
        self.classes, self.source = list(classes), source
        self.shapes = _shapes(game)
        more = replace(spec, num_classes=spec.num_classes + 1)
        self.one_class_more = _shapes(experiment.game.build(more)) if spec.num_classes else {}
        plain = experiment.game.build_model(replace(spec, num_classes=0))
        self.without_labels = {
            f"{source.model_prefix}{name}": shape for name, shape in _shapes(plain).items()
        }
        labelled = SampleSpec(
            shape=source.settings.spec.shape, num_classes=2, shape_b=source.settings.spec.shape_b
        )
        had_labels = source.settings.game.build_model(labelled).spec.num_classes > 0
        model = game.model
        assert isinstance(model, Model)
        self.labels_differ = had_labels != (model.spec.num_classes > 0)

    def is_by_class(self, name: str) -> bool:
        """Whether a tensor of the game has a row for each class."""
        grown = self.one_class_more.get(name)
        return grown is not None and grown != self.shapes[name]

    def match(self, name: str, tensor: Tensor) -> Rows | None:
        """Which part of a tensor of the game is taken; None for none."""
        source = self.source.tensors.get(name)
        if source is None or source.dtype != tensor.dtype or source.ndim != tensor.ndim:
            return None
        new, old = self.shapes[name], tuple(source.shape)
        if self.is_by_class(name):
            return self._match_classes(new, old, _first_difference(self.one_class_more[name], new))
        if new == old:
            return Rows()
        dim = _first_difference(new, old)
        shared = range(min(new[dim], old[dim]))
        plain = self.without_labels.get(name)
        smaller = (*new[:dim], len(shared), *new[dim + 1 :])
        if shared and self.labels_differ and plain == smaller and smaller[dim + 1 :] == old[dim + 1 :]:
            return Rows(dim, tuple(shared), tuple(shared))
        return None

    def _match_classes(self, new: tuple[int, ...], old: tuple[int, ...], dim: int) -> Rows | None:
        names = list(self.source.classes)
        both = [name for name in self.classes if name in names]
        is_by_class = new[dim] == len(self.classes) and old[dim] == len(names)
        if not both or not is_by_class or new[:dim] + new[dim + 1 :] != old[:dim] + old[dim + 1 :]:
            return None
        if self.classes == names:
            return Rows()
        return Rows(dim, tuple(map(self.classes.index, both)), tuple(map(names.index, both)))


def _shapes(module: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}


def _first_difference(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    return next(dim for dim, (a, b) in enumerate(zip(one, other, strict=True)) if a != b)


def describe_changes(experiment: Experiment, source: Pretrained) -> list[str]:
    """Settings of the game and the optimizers in which a run differs from its source, as `path: old -> new`; times aside."""
    before: dict[str, Any] = {"game": config.to_json(source.game, TYPE_TABLES)}
    after: dict[str, Any] = {"game": config.to_json(experiment.game, TYPE_TABLES)}
    if source.experiment is not None:
        before["optimizers"] = source.experiment.to_json()["optimizers"]
        after["optimizers"] = experiment.to_json()["optimizers"]
    return _differences(before, after, "")


def _differences(before: Any, after: Any, path: str) -> list[str]:
    if isinstance(before, dict) and isinstance(after, dict) and before.get("type") == after.get("type"):
        names = [name for name in {**before, **after} if name not in TIMES]
        parts = [_differences(before.get(n), after.get(n), f"{path}.{n}" if path else n) for n in names]
        return [line for part in parts for line in part]
    return [] if before == after else [f"{path}: {_brief(before)} -> {_brief(after)}"]


def _brief(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_brief, value))}]"
    return str(value["type"]) if isinstance(value, dict) and "type" in value else str(value)


def write_first_weights(
    plan: TransferPlan, experiment: Experiment, train_set: Dataset, run: Path, runtime: Runtime
) -> dict[str, Any]:
    """Write the weights that a run begins with to its folder; returns the entry `from` of its `run.json`."""
    state = TrainState(experiment, train_set, runtime)
    plan.apply(state)
    content = tensor_file.to_bytes(_start_tensors(state))
    storage.write_atomic(run / START_FILE, content)
    return {**plan.to_json(), "start_sha256": hashlib.sha256(content).hexdigest()}


def load_start(run: Path, state: TrainState, sha256: str) -> None:
    """Load what `write_first_weights` wrote.

    Raises:
        CorruptFileError: the file is missing, or was changed.
    """
    path, expected = run / START_FILE, "the weights that the run began with"
    fix = "begin a new run with another --out"
    if not path.is_file():
        raise CorruptFileError(f"no {path}, and no checkpoint that verifies", expected, fix)
    content = storage.read(path)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise CorruptFileError(f"{path} was changed after it was written", expected, fix)
    tensors = _start_tensors(state)
    loaded = tensor_file.from_bytes(content, tensors)
    with torch.no_grad():
        for name, tensor in tensors.items():
            tensor.copy_(loaded[name])


def _start_tensors(state: TrainState) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in state.tensors().items() if not name.startswith("optimizer.")}
