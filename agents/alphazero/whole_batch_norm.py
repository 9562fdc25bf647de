"""Batch normalisation over a batch whose rows lie in several processes.

Axes: B batch (of all processes), C channels, H rows, W columns, R processes.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from rlplat.training.team import Team


class WholeBatchNorm(nn.BatchNorm2d):
    """Normalises its share of a batch by the statistics of the whole; all shares are equally large.

    Equals `nn.BatchNorm2d` on the whole batch, gradients included: the mean variance of the shares and the variance of
    their means add up to that of the whole. `nn.SyncBatchNorm` does this on CUDA alone, and has the host wait for the
    device in every layer.
    """

    def __init__(self, norm: nn.BatchNorm2d, team: Team) -> None:
        super().__init__(norm.num_features, eps=norm.eps, momentum=norm.momentum)
        self.load_state_dict(norm.state_dict())
        self._team = team

    def forward(self, x: Tensor) -> Tensor:
        """Normalise `[B / R, C, H, W]`."""
        if not self.training:
            return super().forward(x)
        variance, mean = torch.var_mean(x.float(), dim=(0, 2, 3), correction=0)
        rows = torch.zeros(self._team.size, 2, len(mean), device=x.device)
        rows[self._team.rank] = torch.stack([mean, variance])
        means, variances = _Sum.apply(rows, self._team).unbind(1)
        mean, variance = means.mean(0), variances.mean(0) + means.var(0, correction=0)
        self._remember(mean.detach(), variance.detach(), self._team.size * x.numel() // len(mean))
        scale = self.weight * torch.rsqrt(variance + self.eps)
        shift = self.bias - mean * scale
        return (x.float() * scale[:, None, None] + shift[:, None, None]).to(x.dtype)

    def _remember(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Move the running statistics, the variance without bias, as PyTorch does."""
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance * (count / (count - 1)), self.momentum)
        self.num_batches_tracked.add_(1)


class _Sum(torch.autograd.Function):
    """Sum over the processes. Its gradient is the sum of theirs, as every process's loss depends on it."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, team: Team) -> Tensor:
        ctx.team = team
        total = x.clone()
        team.add_up(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        total = gradients[0].contiguous().clone()
        ctx.team.add_up(total)
        return total, None
