"""Optimizers with all their state made beforehand, named, and so as easy to save and to copy as weights are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.optim.adam import adam
from torch.optim.rmsprop import rmsprop
from torch.optim.sgd import sgd

from sparring import schedule
from sparring.errors import ConfigError
from sparring.schedule import Schedule

State = Mapping[str, list[Tensor]]  # by name, one tensor a parameter


@runtime_checkable
class OptimizerConfig(Protocol):
    """How a player learns: what it remembers of each parameter, and how it moves them.

    The moves are torch's own functions; its optimizer classes keep their state out of reach until the first step.
    """

    def state(self, parameter: nn.Parameter) -> dict[str, Tensor]: ...
    def move(
        self, weights: list[Tensor], slopes: list[Tensor], state: State, images: int, factor: float
    ) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Adam:
    """Adam, fused.

    References: Kingma & Ba 2015, arXiv:1412.6980, Algorithm 1.
    """

    lr: Schedule = 2e-4  # alpha
    beta1: Schedule = 0.5
    beta2: Schedule = 0.999
    eps: float = 1e-8

    def __post_init__(self) -> None:
        _check_lr(self.lr)

    def state(self, parameter: nn.Parameter) -> dict[str, Tensor]:
        return {
            "step": torch.zeros((), dtype=torch.float32, device=parameter.device),
            "exp_avg": torch.zeros_like(parameter),
            "exp_avg_sq": torch.zeros_like(parameter),
        }

    def move(
        self, weights: list[Tensor], slopes: list[Tensor], state: State, images: int, factor: float
    ) -> None:
        adam(
            weights,
            slopes,
            state["exp_avg"],
            state["exp_avg_sq"],
            [],
            state["step"],
            foreach=False,
            fused=True,
            amsgrad=False,
            beta1=schedule.at(self.beta1, images),
            beta2=schedule.at(self.beta2, images),
            lr=factor * schedule.at(self.lr, images),
            weight_decay=0.0,
            eps=self.eps,
            maximize=False,
        )


@dataclass(frozen=True, kw_only=True)
class RMSProp:
    """RMSProp, as in the Wasserstein GAN paper.

    References: Tieleman & Hinton 2012, "Lecture 6.5: rmsprop"; Arjovsky et al. 2017, arXiv:1701.07875.
    """

    lr: Schedule = 5e-5
    decay: float = 0.99
    eps: float = 1e-8

    def __post_init__(self) -> None:
        _check_lr(self.lr)

    def state(self, parameter: nn.Parameter) -> dict[str, Tensor]:
        step = torch.zeros((), dtype=torch.float32, device=parameter.device)
        return {"step": step, "square_avg": torch.zeros_like(parameter)}

    def move(
        self, weights: list[Tensor], slopes: list[Tensor], state: State, images: int, factor: float
    ) -> None:
        rmsprop(
            weights,
            slopes,
            state["square_avg"],
            [],
            [],
            state["step"],
            foreach=True,
            lr=factor * schedule.at(self.lr, images),
            alpha=self.decay,
            eps=self.eps,
            weight_decay=0.0,
            momentum=0.0,
            centered=False,
        )


@dataclass(frozen=True, kw_only=True)
class SGD:
    """Stochastic gradient descent with momentum, as in the 2014 code.

    References: Sutskever et al. 2013, "On the importance of initialization and momentum in deep learning".
    """

    lr: Schedule = 0.1
    momentum: float = 0.5

    def __post_init__(self) -> None:
        _check_lr(self.lr)

    def state(self, parameter: nn.Parameter) -> dict[str, Tensor]:
        return {"momentum_buffer": torch.zeros_like(parameter)}

    def move(
        self, weights: list[Tensor], slopes: list[Tensor], state: State, images: int, factor: float
    ) -> None:
        sgd(
            weights,
            slopes,
            list(state["momentum_buffer"]),
            foreach=True,
            weight_decay=0.0,
            momentum=self.momentum,
            lr=factor * schedule.at(self.lr, images),
            dampening=0.0,
            nesterov=False,
            maximize=False,
        )


OPTIMIZERS: Mapping[str, type] = {"adam": Adam, "rmsprop": RMSProp, "sgd": SGD}


class Learner:
    """A player's parameters, with what its optimizer remembers of each.

    Arguments:
        config: of the optimizer.
        player: the network it trains.
    """

    def __init__(self, config: OptimizerConfig, player: nn.Module) -> None:
        self.config = config
        self.named = {
            name: parameter for name, parameter in player.named_parameters() if parameter.requires_grad
        }
        self.parameters = list(self.named.values())
        self.states = [config.state(parameter) for parameter in self.parameters]

    def tensors(self) -> dict[str, Tensor]:
        """What the optimizer remembers, by parameter name: the very tensors, not copies."""
        pairs = zip(self.named, self.states, strict=True)
        return {f"{name}.{key}": value for name, state in pairs for key, value in state.items()}

    @torch.no_grad()
    def step(self, images: int, factor: float = 1.0) -> None:
        """One step with the gradients that are there, which are then dropped; `factor` scales the learning rate."""
        moved = [n for n, parameter in enumerate(self.parameters) if parameter.grad is not None]
        weights: list[Tensor] = [self.parameters[n] for n in moved]
        slopes = [slope for n in moved if (slope := self.parameters[n].grad) is not None]
        names = self.states[0] if self.states else {}
        state = {key: [self.states[n][key] for n in moved] for key in names}
        if moved:
            self.config.move(weights, slopes, state, images, factor)
        for parameter in self.parameters:
            parameter.grad = None


def _check_lr(lr: Schedule) -> None:
    ends = [lr] if isinstance(lr, int | float) else [lr.start, lr.end]
    if min(ends) < 0 or max(ends) <= 0:
        raise ConfigError(f"a learning rate of {lr}", "above 0", "take 2e-4 to begin with")
