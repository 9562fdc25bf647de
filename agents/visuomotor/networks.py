"""Networks that read observations: numbers as they are, pictures by a small convolutional network.

Axes: B batch, C channels, H rows, W columns. Observations are tensors by part `[B, ...]` (`EnvSpec.observations`).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from agents.visuomotor.config import NetworkConfig
from agents.visuomotor.dense import Dense
from rlplat.interfaces import Observed

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


def is_short(precision: str, device: torch.device) -> bool:
    """Whether convolutions are computed in bfloat16: as asked for, or where that is faster."""
    if precision == "auto":
        return torch.cuda.is_bf16_supported() if device.type == "cuda" else _has_cpu_instructions()
    return precision == "bfloat16"


@functools.cache
def _has_cpu_instructions() -> bool:
    return bool(torch.cpu._is_avx512_bf16_supported())


class PictureEncoder(nn.Module):
    """Bytes `[B, H, W, C]` to features `[B, size]`."""

    def __init__(self, shape: tuple[int, ...], config: NetworkConfig) -> None:
        super().__init__()
        height, width, channels = shape
        layers: list[nn.Module] = []
        for index, filters in enumerate(config.channels):
            kernel, stride = (sizes[min(index, len(sizes) - 1)] for sizes in (config.kernels, config.strides))
            convolution = nn.Conv2d(channels, filters, kernel, stride=stride, padding=kernel // 2)
            layers += [_initialised(convolution, math.sqrt(2.0)), nn.ReLU()]
            channels = filters
            height, width = ((side + 2 * (kernel // 2) - kernel) // stride + 1 for side in (height, width))
        if config.pool == "spatial_softmax":
            # Its softmax needs responses below zero, too, to leave places out.
            layers[-1] = SpatialSoftmax(height, width)
            self.size = 2 * channels
        else:
            layers.append(nn.Flatten())
            self.size = channels * height * width
        self.layers = nn.Sequential(*layers)
        self._precision, self._blind = config.precision, config.blind

    def forward(self, pictures: Tensor) -> Tensor:
        if self._blind:  # all rows are alike, so one is looked at
            return self._look(torch.zeros_like(pictures[:1])).expand(len(pictures), -1)
        return self._look(pictures)

    def _look(self, pictures: Tensor) -> Tensor:
        planes = pictures.permute(0, 3, 1, 2).float().div_(255.0).sub_(0.5)
        with torch.autocast(planes.device.type, torch.bfloat16, enabled=is_short(self._precision, planes.device)):
            responses = self.layers[:-1](planes)
        features: Tensor = self.layers[-1](responses.float())
        return features

    def points(self, pictures: Tensor) -> Tensor | None:
        """Where each filter of the last layer sees most: x and y from -1 to 1, `[B, P, 2]`; None: it does not tell."""
        if self._blind or not isinstance(self.layers[-1], SpatialSoftmax):
            return None
        return self(pictures).unflatten(1, (2, -1)).transpose(1, 2)


class Network(nn.Module):
    """Parts of an observation to numbers `[B, num_outputs]`: features of pictures beside all numbers, then layers.

    Args:
        shows_features: whether the layers are shown the features of pictures.
        num_others: how many other numbers they are shown.
    """

    def __init__(
        self,
        parts: Mapping[str, Observed],
        num_outputs: int,
        config: NetworkConfig,
        *,
        output_gain: float,
        shows_features: bool = True,
        num_others: int = 0,
    ) -> None:
        super().__init__()
        self._numbers = [name for name, part in parts.items() if not part.is_image]
        self.pictures = nn.ModuleDict(
            {name: PictureEncoder(part.shape, config) for name, part in parts.items() if part.is_image}
        )
        self.num_features = sum(int(encoder.size) for encoder in self.pictures.values())  # type: ignore[arg-type]
        self.num_numbers = sum(math.prod(parts[name].shape) for name in self._numbers)
        size = self.num_numbers + num_others + (self.num_features if shows_features else 0)
        self.layers = perceptron([size, *config.hidden, num_outputs], config.activation, output_gain=output_gain)

    def forward(self, observations: Tensors) -> Tensor:
        return self.decide(observations, self.look(observations))

    def look(self, observations: Tensors) -> list[Tensor]:
        """The features of each picture, `[B, num_features]` together."""
        return [encoder(observations[name]) for name, encoder in self.pictures.items()]

    def decide(self, observations: Tensors, features: Sequence[Tensor]) -> Tensor:
        """The outputs, by the numbers of the observation and what stands for its pictures: features, others."""
        outputs: Tensor = self.layers(torch.cat([*self.numbers(observations), *features], dim=1))
        return outputs

    def numbers(self, observations: Tensors) -> list[Tensor]:
        """What is no picture, `[B, num_numbers]` together."""
        return [observations[name].flatten(1) for name in self._numbers]


def feature_points(encoders: nn.ModuleDict, observations: Tensors) -> dict[str, NDArray[np.float32]]:
    """The points of each picture that is seen, `[B, P, 2]` by part, see `PictureEncoder.points`."""
    with torch.inference_mode():
        found: dict[str, Tensor | None] = {
            name: encoder.points(observations[name])  # type: ignore[operator]
            for name, encoder in encoders.items()
        }
    return {name: points.numpy() for name, points in found.items() if points is not None}


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
