"""Two critics as one network whose layers multiply batches of matrices: as good as two, and half as many calls.

Axes: B batch, F features.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn


class TwinLayers(nn.Module):
    """Fully connected layers from `sizes[0]` inputs to `sizes[-1]` outputs, twice, with orthogonal initial weights."""

    def __init__(self, sizes: Sequence[int], activation: str) -> None:
        super().__init__()
        self._activation = torch.tanh if activation == "tanh" else torch.relu
        last = len(sizes) - 2
        self.weights = nn.ParameterList(
            _twin(inputs, outputs, 1.0 if layer == last else math.sqrt(2.0))
            for layer, (inputs, outputs) in enumerate(pairwise(sizes))
        )
        self.biases = nn.ParameterList(torch.zeros(2, 1, outputs) for outputs in sizes[1:])

    def forward(self, inputs: Tensor) -> Tensor:
        """Of inputs `[B, F]`, which both see: `[2, B, outputs]`."""
        found = inputs.expand(2, *inputs.shape)
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            found = torch.baddbmm(bias, found, weight)
            if layer < len(self.weights) - 1:
                found = self._activation(found)
        return found


def _twin(inputs: int, outputs: int, gain: float) -> Tensor:
    weights = torch.empty(2, inputs, outputs)
    for weight in weights:
        nn.init.orthogonal_(weight, gain)
    return weights
