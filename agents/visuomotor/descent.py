"""One step of an optimiser down the gradient of a loss."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from agents.visuomotor.config import Schedule


def descend(optimizer: Optimizer, loss: Tensor, parameters: Sequence[nn.Parameter], most: float | None) -> Tensor:
    """Make the step, by a gradient that is shortened to the length `most`; none is made if it is not finite.

    `parameters` are those of the optimiser that the step trains, and the loss depends on each; the optimiser remembers
    nothing of others. A list that is kept saves looking through the network again at every step, which takes longer
    than the step of a small one.

    Returns the gradient's length before, which is not finite if no step was made.
    """
    gradients = torch.autograd.grad(loss, parameters)
    norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
    if not torch.isfinite(loss + norm):
        return torch.full_like(norm, torch.nan)
    if most is not None:
        torch._foreach_mul_(gradients, (most / (norm + 1e-6)).clamp(max=1.0))
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient
    optimizer.step()
    for parameter in parameters:
        parameter.grad = None
    return norm


def set_learning_rate(optimizer: Optimizer, rate: float) -> None:
    """Make further steps with this rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def left_of(schedule: Schedule, updates: int, total_updates: int | None) -> float:
    """Share of a learning rate that is left after so many updates; all of it where there is no end."""
    if schedule == "constant" or total_updates is None:
        return 1.0
    return max(0.0, 1.0 - updates / total_updates)
