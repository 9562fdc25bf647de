"""The network on the CPU, in rlplat's own kernels: the weights are all it needs, no graph and no framework.

Axes: B batch, C planes, H rows, W columns, A actions. Values are in [-1, 1] from the view of the player to move.
"""

from __future__ import annotations

import numpy as np

from agents.alphazero.config import NetworkConfig
from agents.alphazero.inference import Evaluation, Finished, FloatArray, checked
from agents.alphazero.weights import check_weights, fold_batch_norm, policy_planes, weight_shapes
from rlplat._core import ResidualNetwork
from rlplat.interfaces import Arrays, EnvSpec


class CpuEvaluator:
    """Fulfils `NetworkEvaluator` on the CPU. The bytes of a position's result depend on that position only.

    Args:
        weights: published weights.
        batch_size: the largest batch.
        num_threads: threads that compute one batch; they sleep between batches, as other processes share the cores.
    """

    def __init__(
        self, spec: EnvSpec, config: NetworkConfig, weights: Arrays, *, batch_size: int, num_threads: int = 1
    ) -> None:
        if config.pooling_channels > 0:
            raise ValueError("our kernels have no global pooling; take TorchEvaluator, as make_evaluator does")
        self.batch_size = batch_size
        self._spec = spec
        self._shapes = weight_shapes(spec, config)
        planes, height, width = spec.observation_shape
        self._network = ResidualNetwork(
            planes=planes,
            height=height,
            width=width,
            blocks=config.blocks,
            channels=config.channels,
            policy_channels=config.policy_channels,
            value_channels=config.value_channels,
            value_hidden=config.value_hidden,
            num_actions=spec.num_actions,
            policy_planes=policy_planes(spec, config),
            num_value_logits=config.num_value_logits,
            num_threads=num_threads,
        )
        self.set_weights(weights)

    def set_weights(self, weights: Arrays) -> None:
        """Use these published weights from the next batch on; CheckpointError if they are of another network."""
        check_weights(weights, self._shapes, "set_weights")
        folded = fold_batch_norm(weights)
        layers = [name.removesuffix("weight") for name in self._shapes if name in folded and name.endswith(".weight")]
        parameters = [folded[layer + part] for layer in layers for part in ("weight", "bias")]
        self._network.set_weights([np.ascontiguousarray(array, np.float32) for array in parameters])

    def evaluate(self, observations: FloatArray) -> Evaluation:
        """Evaluate `[B, C, H, W]`: logits float32 `[B, A]` (illegal actions included), values float32 `[B]`."""
        observations = checked(observations, self._spec, self.batch_size)
        logits = np.empty((len(observations), self._spec.num_actions), np.float32)
        values = np.empty(len(observations), np.float32)
        self._network.evaluate(observations, logits, values)
        return logits, values

    def submit(self, observations: FloatArray) -> Finished:
        """Evaluate at once: the processor has no other unit that could work meanwhile."""
        return Finished(self.evaluate(observations))
