"""Optimizers (Adam, RMSProp, SGD) whose state exists from the start and has names, so that it is saved and
copied like weights.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.optim.adam import adam
from torch.optim.rmsprop import rmsprop
from torch.optim.sgd import sgd

from sparring.core import schedule
from sparring.core.errors import ConfigError
from sparring.core.schedule import Schedule

OptimizerState = Mapping[str, list[Tensor]]  # by name, one tensor a parameter


@runtime_checkable
class OptimizerConfig(Protocol):
    """An update rule: its state for a parameter, and the update of a list of parameters.

    The updates are torch's functional ones; torch's optimizer classes create their state only at the first step.
    """

    def state(self, parameter: nn.Parameter) -> dict[str, Tensor]: ...
    def update(
        self,
        weights: list[Tensor],
        gradients: list[Tensor],
        state: OptimizerState,
        images: int,
        lr_factor: float,
    ) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Adam:
    """Adam, fused.

    References: Kingma & Ba 2015, arXiv:1412.6980, Algorithm 1.

    Arguments:
        lr: learning rate (alpha). 2e-4 is DCGAN's; the paper of Adam suggests 1e-3.
        beta1: decay of the running mean of the gradient, per update. DCGAN's 0.5; the paper of Adam suggests 0.9.
        beta2: decay of the running mean of the squared gradient, per update; the paper's 0.999.
        eps: added to the root of that mean before dividing by it; the paper's 1e-8.

    Raises:
        ConfigError: a learning rate that is negative, or always 0.
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

    def update(
        self,
        weights: list[Tensor],
        gradients: list[Tensor],
        state: OptimizerState,
        images: int,
        lr_factor: float,
    ) -> None:
        adam(
            weights,
            gradients,
            state["exp_avg"],
            state["exp_avg_sq"],
            [],
            state["step"],
            foreach=False,
            fused=True,
            amsgrad=False,
            beta1=schedule.value_at(self.beta1, images),
            beta2=schedule.value_at(self.beta2, images),
            lr=lr_factor * schedule.value_at(self.lr, images),
            weight_decay=0.0,
            eps=self.eps,
            maximize=False,
        )


@dataclass(frozen=True, kw_only=True)
class RMSProp:
    """RMSProp, as in the Wasserstein GAN paper.

    References: Tieleman & Hinton 2012, "Lecture 6.5: rmsprop"; Arjovsky et al. 2017, arXiv:1701.07875.

    Arguments:
        lr: learning rate; 5e-5 is that of Wasserstein GANs (Algorithm 1).
        decay: of the running mean of the squared gradient, per update; PyTorch's 0.99.
        eps: added to the root of that mean before dividing by it; PyTorch's 1e-8.

    Raises:
        ConfigError: a learning rate that is negative, or always 0.
    """

    lr: Schedule = 5e-5
    decay: float = 0.99
    eps: float = 1e-8

    def __post_init__(self) -> None:
        _check_lr(self.lr)

    def state(self, parameter: nn.Parameter) -> dict[str, Tensor]:
        step = torch.zeros((), dtype=torch.float32, device=parameter.device)
        return {"step": step, "square_avg": torch.zeros_like(parameter)}

    def update(
        self,
        weights: list[Tensor],
        gradients: list[Tensor],
        state: OptimizerState,
        images: int,
        lr_factor: float,
    ) -> None:
        rmsprop(
            weights,
            gradients,
            state["square_avg"],
            [],
            [],
            state["step"],
            foreach=True,
            lr=lr_factor * schedule.value_at(self.lr, images),
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

    Arguments:
        lr: learning rate; 0.1 is that of the 2014 code.
        momentum: share of the last update that is added to the next one, from 0 to 1; the 2014 code's 0.5 at the start.

    Raises:
        ConfigError: a learning rate that is negative, or always 0.
    """

    lr: Schedule = 0.1
    momentum: float = 0.5

    def __post_init__(self) -> None:
        _check_lr(self.lr)

    def state(self, parameter: nn.Parameter) -> dict[str, Tensor]:
        return {"momentum_buffer": torch.zeros_like(parameter)}

    def update(
        self,
        weights: list[Tensor],
        gradients: list[Tensor],
        state: OptimizerState,
        images: int,
        lr_factor: float,
    ) -> None:
        sgd(
            weights,
            gradients,
            list(state["momentum_buffer"]),
            foreach=True,
            weight_decay=0.0,
            momentum=self.momentum,
            lr=lr_factor * schedule.value_at(self.lr, images),
            dampening=0.0,
            nesterov=False,
            maximize=False,
        )


OPTIMIZERS: Mapping[str, type] = {"adam": Adam, "rmsprop": RMSProp, "sgd": SGD}


class PlayerOptimizer:
    """The optimizer of one player: its trainable parameters and their optimizer states.

    Arguments:
        config: the update rule.
        player: the module it trains.
    """

    def __init__(self, config: OptimizerConfig, player: nn.Module) -> None:
        self.config = config
        self.parameters_by_name = {
            name: parameter for name, parameter in player.named_parameters() if parameter.requires_grad
        }
        self.parameters = list(self.parameters_by_name.values())
        self.states = [config.state(parameter) for parameter in self.parameters]

    def tensors(self) -> dict[str, Tensor]:
        """The optimizer state by `parameter.key`; the tensors themselves, not copies."""
        pairs = zip(self.parameters_by_name, self.states, strict=True)
        return {f"{name}.{key}": value for name, state in pairs for key, value in state.items()}

    @torch.no_grad()
    def step(self, images: int, lr_factor: float = 1.0) -> None:
        """Update all parameters that have a gradient, and clear the gradients.

        Arguments:
            images: the clock, for schedules.
            lr_factor: multiplies the learning rate.
        """
        updated = [n for n, parameter in enumerate(self.parameters) if parameter.grad is not None]
        weights: list[Tensor] = [self.parameters[n] for n in updated]
        gradients = [grad for n in updated if (grad := self.parameters[n].grad) is not None]
        names = self.states[0] if self.states else {}
        state = {key: [self.states[n][key] for n in updated] for key in names}
        if updated:
            self.config.update(weights, gradients, state, images, lr_factor)
        for parameter in self.parameters:
            parameter.grad = None


def _check_lr(lr: Schedule) -> None:
    ends = [lr] if isinstance(lr, int | float) else [lr.start, lr.end]
    if min(ends) < 0 or max(ends) <= 0:
        raise ConfigError(f"a learning rate of {lr}", "above 0", "2e-4 is a usual start")
