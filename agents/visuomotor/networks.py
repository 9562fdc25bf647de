"""Networks that read observations: numbers as they are, pictures by a small convolutional network.

Axes: B batch, C channels, H rows, W columns. Observations are tensors by part `[B, ...]` (`EnvSpec.observations`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from agents.visuomotor.config import NetworkConfig
from agents.visuomotor.dense import Dense
from rlplat.interfaces import Observed

KERNEL = 5
"""Side of a filter; the first layer moves it by 2, which quarters the work of the others."""

Tensors = Mapping[str, Tensor]


class SpatialSoftmax(nn.Module):
    """Where each channel responds most: `[B, C, H, W]` to points `[B, 2 C]`, first all x, then all y, in [-1, 1].

    A softmax over the places of each channel, and the expected position under it (Levine, Finn, Darrell, Abbeel,
    "End-to-end training of deep visuomotor policies", JMLR 17, 2016, section 5.2). The temperature is learned.
    """

    x: Tensor
    y: Tensor

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        y, x = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
        self.register_buffer("x", x.flatten(), persistent=False)
        self.register_buffer("y", y.flatten(), persistent=False)
        self.log_temperature = nn.Parameter(torch.zeros(()))

    def forward(self, responses: Tensor) -> Tensor:
        share = torch.softmax(responses.flatten(2) / self.log_temperature.exp(), dim=2)
        return torch.cat([share @ self.x, share @ self.y], dim=1)


class PictureEncoder(nn.Module):
    """Bytes `[B, H, W, C]` to features `[B, size]`."""

    def __init__(self, shape: tuple[int, ...], config: NetworkConfig) -> None:
        super().__init__()
        height, width, channels = shape
        layers: list[nn.Module] = []
        for index, filters in enumerate(config.channels):
            convolution = nn.Conv2d(channels, filters, KERNEL, stride=2 if index == 0 else 1, padding=KERNEL // 2)
            layers += [_initialised(convolution, math.sqrt(2.0)), nn.ReLU()]
            channels = filters
        height, width = (height + 1) // 2, (width + 1) // 2
        if config.pool == "spatial_softmax":
            # Its softmax needs responses below zero, too, to leave places out.
            layers[-1] = SpatialSoftmax(height, width)
            self.size = 2 * channels
        else:
            layers.append(nn.Flatten())
            self.size = channels * height * width
        self.layers = nn.Sequential(*layers)

    def forward(self, pictures: Tensor) -> Tensor:
        features: Tensor = self.layers(pictures.permute(0, 3, 1, 2).float() / 255.0 - 0.5)
        return features


class Network(nn.Module):
    """Parts of an observation to numbers `[B, num_outputs]`: features of pictures beside all numbers, then layers."""

    def __init__(
        self, parts: Mapping[str, Observed], num_outputs: int, config: NetworkConfig, *, output_gain: float
    ) -> None:
        super().__init__()
        self._numbers = [name for name, part in parts.items() if not part.is_image]
        self.pictures = nn.ModuleDict(
            {name: PictureEncoder(part.shape, config) for name, part in parts.items() if part.is_image}
        )
        size = sum(math.prod(parts[name].shape) for name in self._numbers)
        size += sum(int(encoder.size) for encoder in self.pictures.values())  # type: ignore[arg-type]
        self.layers = perceptron([size, *config.hidden, num_outputs], config.activation, output_gain=output_gain)

    def forward(self, observations: Tensors) -> Tensor:
        features = [observations[name].flatten(1) for name in self._numbers]
        features += [encoder(observations[name]) for name, encoder in self.pictures.items()]
        outputs: Tensor = self.layers(torch.cat(features, dim=1))
        return outputs


def perceptron(sizes: Sequence[int], activation: str, *, output_gain: float) -> nn.Sequential:
    """Fully connected layers from `sizes[0]` inputs to `sizes[-1]` outputs, with orthogonal initial weights."""
    relu = activation == "relu"
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes[:-1]):
        layers += [
            _initialised(Dense(inputs, outputs, relu=relu), math.sqrt(2.0)),
            nn.Identity() if relu else nn.Tanh(),
        ]
    layers.append(_initialised(Dense(sizes[-2], sizes[-1]), output_gain))
    return nn.Sequential(*layers)


def _initialised(layer: nn.Linear | nn.Conv2d, gain: float) -> nn.Module:
    nn.init.orthogonal_(layer.weight, gain)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return layer
