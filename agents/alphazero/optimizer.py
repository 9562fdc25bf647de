"""The optimiser, with its memory laid out from the start and updates that can be skipped on the device."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from agents.alphazero.config import TrainingConfig

STATES = {"sgd": ("momentum_buffer",), "adamw": ("step", "exp_avg", "exp_avg_sq")}
"""What an optimiser remembers of every parameter, in an order that is the same in all processes."""


def make_optimizer(network: nn.Module, training: TrainingConfig) -> torch.optim.Optimizer:
    """The configured optimiser over all parameters of `network`; only those with more than one axis decay.

    The fused kernels read from the device whether an update shall be skipped (`step_unless`). Their memory is zero from
    the start, which makes the first step the same as without any: then it can be skipped, sent and saved at any time.
    """
    parameters = list(network.parameters())
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": training.weight_decay},
        {"params": [p for p in parameters if p.ndim == 1], "weight_decay": 0.0},
    ]
    rate, momentum = training.learning_rate, training.momentum
    optimizer: torch.optim.Optimizer
    kinds = STATES[training.optimizer] if training.optimizer != "sgd" or momentum > 0 else ()
    if training.optimizer == "sgd":
        optimizer = torch.optim.SGD(groups, lr=rate, momentum=momentum, fused=True)
    else:
        optimizer = torch.optim.AdamW(groups, lr=rate, betas=(momentum, 0.999), fused=True)
    for parameter in parameters:
        for kind in kinds:
            like = parameter.detach()
            zero = torch.zeros((), device=like.device) if kind == "step" else torch.zeros_like(like)
            optimizer.state[parameter][kind] = zero
    return optimizer


def step_unless(skipped: Tensor, optimizer: torch.optim.Optimizer, learning_rate: float) -> None:
    """Make one step; none at all, memory included, if `skipped` (bool, on the device) is true. Nobody waits for it.

    `found_inf` is how `torch.amp.GradScaler` tells the fused kernels.
    """
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
    optimizer.found_inf = skipped.float()  # type: ignore[attr-defined]
    optimizer.step()


def memory(network: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """What the optimiser remembers, the tensors themselves: `<kind>.<name of the parameter>`."""
    return {
        f"{kind}.{name}": tensor
        for name, parameter in network.named_parameters()
        for kind, tensor in optimizer.state[parameter].items()
        if tensor is not None
    }
