"""The two-headed residual network (AlphaGo Zero paper, Methods, "Neural network architecture").

Axes: B batch, C planes, H rows, W columns, A actions.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from agents.alphazero.config import NetworkConfig
from agents.alphazero.weights import NORM_EPSILON, policy_planes
from rlplat.interfaces import Arrays, EnvSpec


class Convolution(nn.Module):
    """Convolution that keeps the board's size, and its batch normalisation unless that is folded in."""

    def __init__(self, inputs: int, outputs: int, kernel: int, *, folded: bool) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=folded)
        self.norm = nn.Identity() if folded else nn.BatchNorm2d(outputs, eps=NORM_EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.convolution(x))


class Pooling(nn.Module):
    """What is to be added to every cell: a linear function of mean and maximum of some features over the board.

    KataGo paper (Wu 2019), 3.3; without the mean scaled by the board's width, as a network has one size of board.
    """

    def __init__(self, channels: int, pooled: int, *, folded: bool) -> None:
        super().__init__()
        self.features = Convolution(channels, pooled, 1, folded=folded)
        self.output = nn.Linear(2 * pooled, channels)

    def forward(self, x: Tensor) -> Tensor:
        features = functional.relu(self.features(x)).flatten(2)
        return self.output(torch.cat([features.mean(2), features.amax(2)], 1))[:, :, None, None]


class Block(nn.Module):
    def __init__(self, channels: int, *, pooled: int, folded: bool) -> None:
        super().__init__()
        self.pooling = Pooling(channels, pooled, folded=folded) if pooled else None
        self.first = Convolution(channels, channels, 3, folded=folded)
        self.second = Convolution(channels, channels, 3, folded=folded)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.first(x) if self.pooling is None else self.first(x) + self.pooling(x)
        return functional.relu(x + self.second(functional.relu(inner)))


class PolicyHead(nn.Module):
    """One layer over the features of all cells, or planes of logits that a convolution makes of those of each cell."""

    def __init__(self, spec: EnvSpec, config: NetworkConfig, area: int, *, folded: bool) -> None:
        super().__init__()
        features, planes = config.policy_channels, policy_planes(spec, config)
        self.features = Convolution(config.channels, features, 1, folded=folded)
        self.output = nn.Conv2d(features, planes, 1) if planes else nn.Linear(features * area, spec.num_actions)

    def forward(self, x: Tensor) -> Tensor:
        features = functional.relu(self.features(x))
        return self.output(features if isinstance(self.output, nn.Conv2d) else features.flatten(1)).flatten(1)


class ValueHead(nn.Module):
    def __init__(self, config: NetworkConfig, area: int, *, folded: bool) -> None:
        super().__init__()
        self.features = Convolution(config.channels, config.value_channels, 1, folded=folded)
        self.hidden = nn.Linear(config.value_channels * area, config.value_hidden)
        self.output = nn.Linear(config.value_hidden, config.num_value_logits)

    def forward(self, x: Tensor) -> Tensor:
        hidden = functional.relu(self.hidden(functional.relu(self.features(x)).flatten(1)))
        return self.output(hidden)


class ResidualNetwork(nn.Module):
    """A 3x3 convolution, residual blocks, a policy head and a value head.

    folded: for inference; batch normalisation is part of the convolutions, and the names of the weights are those of
    `agents.alphazero.weights.fold_batch_norm`.
    """

    def __init__(self, spec: EnvSpec, config: NetworkConfig, *, folded: bool = False) -> None:
        super().__init__()
        planes, height, width = spec.observation_shape
        area = height * width
        self.stem = Convolution(planes, config.channels, 3, folded=folded)
        self.blocks = nn.ModuleList(
            Block(config.channels, pooled=config.pooling_channels if config.pools(block) else 0, folded=folded)
            for block in range(config.blocks)
        )
        self.policy_head = PolicyHead(spec, config, area, folded=folded)
        self.value_head = ValueHead(config, area, folded=folded)

    def forward(self, observations: Tensor) -> tuple[Tensor, Tensor]:
        """Evaluate observations `[B, C, H, W]`, seen from the player to move.

        Returns:
            policy logits `[B, A]`, illegal actions included, and value logits: `[B]` before tanh, or `[B, 3]` for win,
            draw and loss of the player to move before softmax.
        """
        x = functional.relu(self.stem(observations))
        for block in self.blocks:
            x = block(x)
        value_logits = self.value_head(x)
        return self.policy_head(x), value_logits if value_logits.shape[1] == 3 else value_logits[:, 0]


def initialise_network(network: ResidualNetwork, seed: int) -> None:
    """Draw all weights anew from `seed`, whatever the global generator was; equal on CPU and GPU.

    Convolutions as He et al. 2015 (fan out); the second normalisation of a block starts at zero scale, so blocks start
    as identity (Goyal et al. 2017, 5.1); outputs start at zero: an even policy and value 0.
    """
    generator = torch.Generator().manual_seed(seed)
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            fan = module.weight[:, 0].numel() if isinstance(module, nn.Conv2d) else module.in_features
            scale = 0.0 if name.endswith("output") else (2.0 / fan) ** 0.5
            with torch.no_grad():
                module.weight.copy_(scale * torch.randn(module.weight.shape, generator=generator) + 0.0)  # no -0
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.constant_(module.weight, 0.0 if name.endswith("second.norm") else 1.0)


def values(value_logits: Tensor) -> Tensor:
    """The value `[B]` in [-1, 1], from the view of the player to move: tanh, or p(win) - p(loss)."""
    if value_logits.ndim == 1:
        return torch.tanh(value_logits)
    probabilities = torch.softmax(value_logits, dim=1)
    return probabilities[:, 0] - probabilities[:, 2]


def to_arrays(tensors: dict[str, Tensor]) -> Arrays:
    """Float tensors by name as float32 arrays of their own memory, without the normalisations' counters of batches."""
    return {
        name: np.array(tensor.detach().float().cpu().numpy())
        for name, tensor in tensors.items()
        if tensor.is_floating_point()
    }
