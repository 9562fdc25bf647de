"""The network's weights as named arrays: what is published, stored and evaluated. Free of torch, so actors stay light.

Names are those of `agents.alphazero.network.ResidualNetwork`. Axes: C planes, H rows, W columns, A actions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from agents.alphazero.config import NetworkConfig
from rlplat.errors import CheckpointError, ConfigError
from rlplat.interfaces import Arrays, EnvSpec

NORM_EPSILON = 1e-5
"""Added to a variance before its root is taken, in every batch normalisation."""

Shapes = dict[str, tuple[int, ...]]


def weight_shapes(spec: EnvSpec, config: NetworkConfig) -> Shapes:
    """Name and shape of every published array of the network, batch normalisation apart from convolutions."""
    planes, height, width = spec.observation_shape
    channels, area = config.channels, height * width
    shapes: Shapes = _convolution("stem", planes, channels, 3)
    for block in range(config.blocks):
        if config.pools(block):
            shapes |= _convolution(f"blocks.{block}.pooling.features", channels, config.pooling_channels, 1)
            shapes |= _layer(f"blocks.{block}.pooling.output", 2 * config.pooling_channels, channels)
        shapes |= _convolution(f"blocks.{block}.first", channels, channels, 3)
        shapes |= _convolution(f"blocks.{block}.second", channels, channels, 3)
    shapes |= _convolution("policy_head.features", channels, config.policy_channels, 1)
    if num_planes := policy_planes(spec, config):
        shapes |= {"policy_head.output.weight": (num_planes, config.policy_channels, 1, 1)}
        shapes |= {"policy_head.output.bias": (num_planes,)}
    else:
        shapes |= _layer("policy_head.output", config.policy_channels * area, spec.num_actions)
    shapes |= _convolution("value_head.features", channels, config.value_channels, 1)
    shapes |= _layer("value_head.hidden", config.value_channels * area, config.value_hidden)
    shapes |= _layer("value_head.output", config.value_hidden, config.num_value_logits)
    return shapes


def policy_planes(spec: EnvSpec, config: NetworkConfig) -> int:
    """Planes of actions with `policy_head: planes`, else 0; ConfigError if the game's actions are no such planes."""
    if config.policy_head != "planes":
        return 0
    _, height, width = spec.observation_shape
    num_planes, rest = divmod(spec.num_actions, height * width)
    if rest:
        raise ConfigError(
            f"agent.network.policy_head is 'planes', which gives each of the {height}x{width} cells equally many "
            f"actions; {spec.name} has {spec.num_actions}: take 'layer'"
        )
    return num_planes


def _convolution(name: str, inputs: int, outputs: int, kernel: int) -> Shapes:
    norm: Shapes = {f"{name}.norm.{part}": (outputs,) for part in ("weight", "bias", "running_mean", "running_var")}
    return {f"{name}.convolution.weight": (outputs, inputs, kernel, kernel), **norm}


def _layer(name: str, inputs: int, outputs: int) -> Shapes:
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def fold_batch_norm(weights: Arrays) -> Arrays:
    """Replace every `X.convolution.weight` and `X.norm.*` by a `X.convolution.weight` and `.bias` that do the same.

    With running mean m, running variance v, scale g and shift b: w' = w g / sqrt(v + eps), b' = b - m g / sqrt(v + eps)
    (pinned by test_folded_weights_evaluate_like_batch_norm). All arrays float32; made in float64.
    """
    folded: Arrays = {}
    for name, array in weights.items():
        if ".norm." in name:
            continue
        if not name.endswith(".convolution.weight"):
            folded[name] = array
            continue
        norm = name.removesuffix("convolution.weight") + "norm."
        mean, variance, scale, shift = (
            weights[norm + part].astype(np.float64) for part in ("running_mean", "running_var", "weight", "bias")
        )
        factor = scale / np.sqrt(variance + NORM_EPSILON)
        folded[name] = (array * factor[:, None, None, None]).astype(np.float32)
        folded[name.removesuffix("weight") + "bias"] = (shift - mean * factor).astype(np.float32)
    return folded


def check_weights(weights: Mapping[str, np.ndarray[Any, Any]], expected: Shapes, source: str) -> None:
    """Raise `CheckpointError` unless `weights` has exactly the names and shapes of `expected`."""
    faults = _names("is missing", expected.keys() - weights.keys())
    faults += _names("is not part of this network", weights.keys() - expected.keys())
    faults += [
        f"{name} has shape {list(weights[name].shape)}, this network needs {list(shape)}"
        for name, shape in expected.items()
        if name in weights and tuple(weights[name].shape) != shape
    ]
    if faults:
        more = f" (and {len(faults) - 3} more)" if len(faults) > 3 else ""
        raise CheckpointError(
            f"{source}: these weights belong to another network or game: {'; '.join(faults[:3])}{more}. "
            "Use the `env` and `agent.network` of the run that made them."
        )


def _names(fault: str, names: Iterable[str]) -> list[str]:
    return [f"{name} {fault}" for name in sorted(names)]
