"""Two critics with weights of their own, of which the lesser value counts (Fujimoto, van Hoof, Meger, ICML 2018)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from agents.visuomotor.networks import perceptron


class TwinCritics(nn.Module):
    """Q of features and actions."""

    def __init__(self, sizes: Sequence[int], activation: str) -> None:
        super().__init__()
        self.both = nn.ModuleList(perceptron(sizes, activation, output_gain=1.0) for _ in range(2))

    def forward(self, inputs: Tensor) -> Tensor:
        """Of inputs `[B, F]`, which both see: `[2, B]`."""
        return torch.stack([critic(inputs)[:, 0] for critic in self.both])
