"""Optimizers with all their state made beforehand, named, and so as easy to save and to copy as weights are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from sparring import schedule
from sparring.errors import ConfigError
from sparring.schedule import Schedule


class OptimizerConfig(Protocol):
    """How a player learns."""

    def build(self, parameters: list[nn.Parameter]) -> torch.optim.Optimizer: ...
    def state(self, parameter: nn.Parameter) -> dict[str, Tensor]: ...
    def settings(self, images: int) -> dict[str, object]: ...


@dataclass(frozen=True, kw_only=True)
class Adam:
    """Adam (Kingma & Ba 2015, arXiv:1412.6980, Algorithm 1), fused."""

    lr: Schedule = 2e-4  # alpha
    beta1: Schedule = 0.5
    beta2: Schedule = 0.999
    eps: float = 1e-8

    def __post_init__(self) -> None:
        _check_lr(self.lr)

    def build(self, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.Adam(parameters, fused=True, eps=self.eps)

    def state(self, parameter: nn.Parameter) -> dict[str, Tensor]:
        step = torch.zeros((), dtype=torch.float32, device=parameter.device)
        return {
            "step": step,
            "exp_avg": torch.zeros_like(parameter),
            "exp_avg_sq": torch.zeros_like(parameter),
        }

    def settings(self, images: int) -> dict[str, object]:
        betas = (schedule.at(self.beta1, images), schedule.at(self.beta2, images))
        return {"lr": schedule.at(self.lr, images), "betas": betas}


@dataclass(frozen=True, kw_only=True)
class RMSProp:
    """RMSProp (Tieleman & Hinton 2012), as in the Wasserstein GAN paper."""

    lr: Schedule = 5e-5
    decay: float = 0.99
    eps: float = 1e-8

    def __post_init__(self) -> None:
        _check_lr(self.lr)

    def build(self, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.RMSprop(parameters, alpha=self.decay, eps=self.eps, foreach=True)

    def state(self, parameter: nn.Parameter) -> dict[str, Tensor]:
        return {"step": torch.zeros(()), "square_avg": torch.zeros_like(parameter)}

    def settings(self, images: int) -> dict[str, object]:
        return {"lr": schedule.at(self.lr, images)}


@dataclass(frozen=True, kw_only=True)
class SGD:
    """Stochastic gradient descent with momentum, as in the 2014 code."""

    lr: Schedule = 0.1
    momentum: float = 0.5

    def __post_init__(self) -> None:
        _check_lr(self.lr)

    def build(self, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.SGD(parameters, lr=schedule.at(self.lr, 0), momentum=self.momentum, foreach=True)

    def state(self, parameter: nn.Parameter) -> dict[str, Tensor]:
        return {"momentum_buffer": torch.zeros_like(parameter)}

    def settings(self, images: int) -> dict[str, object]:
        return {"lr": schedule.at(self.lr, images)}


OPTIMIZERS: Mapping[str, type] = {"adam": Adam, "rmsprop": RMSProp, "sgd": SGD}


class Learner:
    """A player's optimizer, with its settings taken from the schedules at each step.

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
        self.optimizer = config.build(self.parameters)
        for parameter in self.parameters:
            self.optimizer.state[parameter] = config.state(parameter)

    def tensors(self) -> dict[str, Tensor]:
        """The optimizer's state by parameter name: the very tensors, not copies."""
        return {
            f"{name}.{key}": value
            for name, parameter in self.named.items()
            for key, value in self.optimizer.state[parameter].items()
        }

    def step(self, images: int, factor: float = 1.0) -> None:
        """One step with the gradients that are there, which are then dropped; `factor` scales the learning rate."""
        for group in self.optimizer.param_groups:
            group.update(self.config.settings(images))
            group["lr"] *= factor
        self.optimizer.step()
        for parameter in self.parameters:
            parameter.grad = None


def _check_lr(lr: Schedule) -> None:
    ends = [lr] if isinstance(lr, int | float) else [lr.start, lr.end]
    if min(ends) < 0 or max(ends) <= 0:
        raise ConfigError(f"a learning rate of {lr}", "above 0", "take 2e-4 to begin with")
