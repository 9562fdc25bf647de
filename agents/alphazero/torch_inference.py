"""The network in PyTorch, for a GPU; on the CPU for networks with global pooling, and in tests.

Axes: B batch, C planes, H rows, W columns, A actions. Values are in [-1, 1] from the view of the player to move.
"""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch
from torch import Tensor

from agents.alphazero.config import NetworkConfig
from agents.alphazero.inference import Evaluation, FloatArray, checked
from agents.alphazero.network import ResidualNetwork, values
from agents.alphazero.weights import check_weights, fold_batch_norm, weight_shapes
from rlplat.interfaces import Arrays, EnvSpec

NUM_LANES = 2
"""Batches that can be under way at once: one per group of games."""

_capturing = threading.Lock()
"""Collectors in threads of one process capture their graphs one after another."""


class TorchEvaluator:
    """Fulfils `NetworkEvaluator`. Channels last, batch norm folded; on CUDA in bfloat16, with a CUDA graph per lane.

    A lane has its own stream, pinned host memory and graph, so that copies of one batch overlap the work of another. On
    the CPU it computes in float32 when a batch is submitted.

    Args:
        precision: of weights and activations; None: bfloat16 on CUDA, float32 on the CPU.
        graphs: on CUDA, replay a recorded forward pass instead of launching its kernels one by one.
    """

    def __init__(
        self,
        spec: EnvSpec,
        config: NetworkConfig,
        weights: Arrays,
        *,
        batch_size: int,
        device: str = "cuda",
        precision: Literal["float32", "bfloat16"] | None = None,
        graphs: bool = True,
    ) -> None:
        self.batch_size = batch_size
        self._spec = spec
        self._device = torch.device(device)
        self._shapes = weight_shapes(spec, config)
        network = ResidualNetwork(spec, config, folded=True).eval().requires_grad_(False)
        self.precision = precision or ("bfloat16" if self._device.type == "cuda" else "float32")
        dtype = getattr(torch, self.precision)
        self._network = network.to(self._device, dtype, memory_format=torch.channels_last)
        self.set_weights(weights)
        self._lanes = [_Lane(self._network, spec, batch_size, self._device, dtype, graphs) for _ in range(NUM_LANES)]
        self._next = 0

    @property
    def device_name(self) -> str:
        return torch.cuda.get_device_name(self._device) if self._device.type == "cuda" else "the CPU"

    def set_weights(self, weights: Arrays) -> None:
        """Use these published weights from the next batch on; CheckpointError if they are of another network."""
        check_weights(weights, self._shapes, "set_weights")
        folded = fold_batch_norm(weights)
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)  # batches under way read the weights in place
        with torch.inference_mode():
            for name, parameter in self._network.named_parameters():
                parameter.copy_(torch.from_numpy(folded[name]))
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)

    def evaluate(self, observations: FloatArray) -> Evaluation:
        """Evaluate `[B, C, H, W]`: logits float32 `[B, A]` (illegal actions included), values float32 `[B]`."""
        return self.submit(observations).result()

    def submit(self, observations: FloatArray) -> _Lane:
        """Start an evaluation; the observations may be overwritten at once. RuntimeError if two are pending."""
        lane = self._lanes[self._next]
        lane.start(checked(observations, self._spec, self.batch_size))
        self._next = (self._next + 1) % NUM_LANES
        return lane

    def forward_only(self, number: int) -> None:
        """Make `number` forward passes of a whole batch that lies on the device: what evaluating costs at least."""
        lane = self._lanes[0]
        with torch.inference_mode():
            for _ in range(number):
                lane.compute()
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)


class _Lane:
    """Memory, stream and graph of one batch under way."""

    def __init__(
        self,
        network: ResidualNetwork,
        spec: EnvSpec,
        batch_size: int,
        device: torch.device,
        dtype: torch.dtype,
        graphs: bool,
    ) -> None:
        self._network = network
        self._dtype = dtype
        self._cuda = device.type == "cuda"
        shape = (batch_size, *spec.observation_shape)
        self._host_in = torch.zeros(shape, pin_memory=self._cuda)
        self._host_out = torch.zeros((batch_size, spec.num_actions + 1), pin_memory=self._cuda)
        self._device_in = torch.zeros(shape, device=device) if self._cuda else self._host_in
        self._graph: torch.cuda.CUDAGraph | None = None
        self._num = 0
        if self._cuda:
            self._stream = torch.cuda.Stream(device)
            self._done = torch.cuda.Event()
            if graphs:
                with _capturing:
                    self._capture()

    def start(self, observations: FloatArray) -> None:
        if self._num:
            raise RuntimeError(f"{NUM_LANES} evaluations are pending: take the result of the first before the next")
        self._num = len(observations)
        self._host_in[: self._num] = torch.from_numpy(observations)
        self._host_in[self._num :] = 0.0
        stream: AbstractContextManager[object] = torch.cuda.stream(self._stream) if self._cuda else nullcontext()
        with torch.inference_mode(), stream:
            if self._cuda:
                self._device_in.copy_(self._host_in, non_blocking=True)
            self._host_out.copy_(self.compute(), non_blocking=self._cuda)
            if self._cuda:
                self._done.record(self._stream)

    def compute(self) -> Tensor:
        """Evaluate what lies on the device, in the current stream: logits and value, side by side `[B, A + 1]`."""
        if self._graph is None:
            return self._forward()
        self._graph.replay()
        return self._device_out

    def result(self) -> Evaluation:
        """Wait for and return logits and values; to be called once."""
        if not self._num:
            raise RuntimeError("nothing was submitted, or its result was taken already")
        if self._cuda:
            self._done.synchronize()
        out = self._host_out[: self._num].numpy()
        self._num = 0
        return out[:, :-1].copy(), out[:, -1].copy()

    def _forward(self) -> Tensor:
        x = self._device_in.to(self._dtype, memory_format=torch.channels_last)
        policy_logits, value_logits = self._network(x)
        return torch.cat([policy_logits.float(), values(value_logits.float())[:, None]], dim=1)

    def _capture(self) -> None:
        """Record the forward pass as a CUDA graph. Three passes before let the libraries choose and allocate.

        Other threads may use the GPU meanwhile, as only this one's calls are looked at.
        """
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.inference_mode(), torch.cuda.stream(self._stream):
            for _ in range(3):
                self._forward()
        self._stream.synchronize()
        graph = torch.cuda.CUDAGraph()
        with (
            torch.inference_mode(),
            torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"),
        ):
            self._device_out = self._forward()
        self._graph = graph
