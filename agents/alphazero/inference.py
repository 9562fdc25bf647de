"""Choice of the evaluator: PyTorch on a GPU, our own kernels on the CPU, behind one small interface.

Axes: B batch, C planes, H rows, W columns, A actions. Values are in [-1, 1] from the view of the player to move.
"""

from __future__ import annotations

import logging
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from agents.alphazero.config import NetworkConfig
from rlplat.devices import Device, choose_device
from rlplat.interfaces import Arrays, EnvSpec

FloatArray = npt.NDArray[np.float32]
Evaluation = tuple[FloatArray, FloatArray]

_log = logging.getLogger(__name__)


class PendingEvaluation(Protocol):
    def result(self) -> Evaluation:
        """Wait for and return logits float32 `[B, A]` and values float32 `[B]`; to be called once."""
        ...


class NetworkEvaluator(Protocol):
    """Evaluates batches of at most `batch_size` observations with weights that can be swapped between batches."""

    batch_size: int
    """The largest batch. The result for a position does not depend on how full its batch was."""

    def evaluate(self, observations: FloatArray) -> Evaluation:
        """Evaluate `[B, C, H, W]`: logits float32 `[B, A]` (illegal actions included), values float32 `[B]`."""
        ...

    def submit(self, observations: FloatArray) -> PendingEvaluation:
        """Start an evaluation; the observations may be overwritten at once. At most two may be pending."""
        ...

    def set_weights(self, weights: Arrays) -> None:
        """Use these published weights from the next batch on; CheckpointError if they are of another network."""
        ...


def make_evaluator(
    spec: EnvSpec,
    config: NetworkConfig,
    weights: Arrays,
    *,
    batch_size: int,
    num_threads: int = 1,
    device: Device = "auto",
) -> NetworkEvaluator:
    """Make the evaluator for `device`; the log says which, in one line.

    num_threads: threads that evaluate on the CPU. Raises DeviceError if "cuda" is asked for and cannot be used.
    """
    if choose_device(device) == "cuda":
        from agents.alphazero.torch_inference import TorchEvaluator

        on_gpu = TorchEvaluator(spec, config, weights, batch_size=batch_size, device="cuda")
        _log.info("inference: PyTorch on %s, bfloat16, batches of %d", on_gpu.device_name, batch_size)
        return on_gpu
    if config.pooling_channels > 0:
        from agents.alphazero.torch_inference import TorchEvaluator

        _log.info("inference: PyTorch on the CPU: our own, faster kernels have no global pooling")
        return TorchEvaluator(spec, config, weights, batch_size=batch_size, device="cpu")
    from agents.alphazero.cpu_inference import CpuEvaluator

    _log.info("inference: on the CPU, %d thread(s), batches of up to %d", num_threads, batch_size)
    return CpuEvaluator(spec, config, weights, batch_size=batch_size, num_threads=num_threads)


class Finished:
    """An evaluation that was made at once."""

    def __init__(self, evaluation: Evaluation) -> None:
        self._evaluation = evaluation

    def result(self) -> Evaluation:
        return self._evaluation


def checked(observations: npt.NDArray[Any], spec: EnvSpec, batch_size: int) -> FloatArray:
    """Return contiguous float32 observations; ValueError unless they are `[B, C, H, W]` with 1 <= B <= batch_size."""
    if observations.shape[1:] != tuple(spec.observation_shape) or not 1 <= len(observations) <= batch_size:
        raise ValueError(
            f"observations of shape {list(observations.shape)}; {spec.name} has {list(spec.observation_shape)} each, "
            f"in batches of 1 to {batch_size}"
        )
    return np.ascontiguousarray(observations, np.float32)
