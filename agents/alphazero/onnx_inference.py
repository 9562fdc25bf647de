"""The network in ONNX Runtime: what our own kernels are measured by and tested against. Nothing else uses it.

The graph is made here, operator by operator, without torch.

Axes: B batch, C planes, H rows, W columns, A actions. Values are in [-1, 1] from the view of the player to move.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

from agents.alphazero.config import NetworkConfig
from agents.alphazero.inference import Evaluation, Finished, FloatArray, checked
from agents.alphazero.weights import Shapes, check_weights, fold_batch_norm, weight_shapes
from rlplat.interfaces import Arrays, EnvSpec

OPSET = 17
IR_VERSION = 8
"""Old enough for every ONNX Runtime that we support; newer ones bring nothing for these operators."""


class OnnxEvaluator:
    """Fulfils `NetworkEvaluator` on the CPU. Equal batches give equal bytes.

    The graph is made once; new weights replace its initialisers and a new session is made from it (some milliseconds),
    which is swapped in between batches.

    Args:
        weights: published weights.
        batch_size: the graph's fixed batch.
        num_threads: threads that compute one batch; they sleep between batches, as other processes share the cores.
    """

    def __init__(
        self, spec: EnvSpec, config: NetworkConfig, weights: Arrays, *, batch_size: int, num_threads: int = 1
    ) -> None:
        self.batch_size = batch_size
        self._spec = spec
        self._shapes = weight_shapes(spec, config)
        self._model = build_model(spec, config, batch_size)
        self._options = _session_options(num_threads)
        self._padded = np.zeros((batch_size, *spec.observation_shape), np.float32)
        self.set_weights(weights)

    def set_weights(self, weights: Arrays) -> None:
        """Use these published weights from the next batch on; CheckpointError if they are of another network."""
        check_weights(weights, self._shapes, "set_weights")
        folded = fold_batch_norm(weights)
        for initializer in self._model.graph.initializer:
            if initializer.name in folded:
                array = np.ascontiguousarray(folded[initializer.name], "<f4")
                initializer.CopyFrom(numpy_helper.from_array(array, initializer.name))
        self._session = ort.InferenceSession(
            self._model.SerializeToString(), self._options, providers=["CPUExecutionProvider"]
        )

    def evaluate(self, observations: FloatArray) -> Evaluation:
        """Evaluate `[B, C, H, W]`: logits float32 `[B, A]` (illegal actions included), values float32 `[B]`."""
        observations = checked(observations, self._spec, self.batch_size)
        num = len(observations)
        if num < self.batch_size:
            self._padded[:num] = observations
            self._padded[num:] = 0.0
            observations = self._padded
        logits, values = self._session.run(["logits", "values"], {"observations": observations})
        return logits[:num], values[:num]

    def submit(self, observations: FloatArray) -> Finished:
        """Evaluate at once: the processor has no other unit that could work meanwhile."""
        return Finished(self.evaluate(observations))


def _session_options(num_threads: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = num_threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.use_deterministic_compute = True
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def build_model(spec: EnvSpec, config: NetworkConfig, batch_size: int) -> onnx.ModelProto:
    """Return the graph: observations `[B, C, H, W]` -> logits `[B, A]`, values `[B]`, with all weights zero.

    Its initialisers are named as `fold_batch_norm` names them.
    """
    graph = _Graph()
    x = graph.convolution("stem", "observations", 3)
    for block in range(config.blocks):
        inner = graph.convolution(f"blocks.{block}.first", x, 3, relu=False)
        if config.pools(block):
            inner = graph.add("Add", inner, graph.pooling(f"blocks.{block}.pooling", x))
        inner = graph.add("Relu", inner)
        inner = graph.convolution(f"blocks.{block}.second", inner, 3, relu=False)
        x = graph.add("Relu", graph.add("Add", x, inner))
    features = graph.convolution("policy_head.features", x, 1)
    if config.policy_head == "planes":
        planes = graph.add("Conv", features, "policy_head.output.weight", "policy_head.output.bias")
        graph.add("Flatten", planes, output="logits")
    else:
        graph.layer("policy_head.output", graph.add("Flatten", features), output="logits")
    value = graph.add("Flatten", graph.convolution("value_head.features", x, 1))
    value = graph.layer("value_head.output", graph.add("Relu", graph.layer("value_head.hidden", value)))
    if config.value_head == "wdl":
        graph.constant("win_minus_loss", np.array([[1.0], [0.0], [-1.0]], np.float32))
        value = graph.add("MatMul", graph.add("Softmax", value), "win_minus_loss")
    else:
        value = graph.add("Tanh", value)
    graph.constant("flat", np.array([batch_size], np.int64))
    graph.add("Reshape", value, "flat", output="values")
    return graph.model(spec, batch_size, _folded_shapes(weight_shapes(spec, config)))


def _folded_shapes(shapes: Shapes) -> Shapes:
    folded = {name: shape for name, shape in shapes.items() if ".norm." not in name}
    biases = {
        name.replace(".norm.", ".convolution."): shape for name, shape in shapes.items() if name.endswith("norm.bias")
    }
    return folded | biases


class _Graph:
    """Nodes and constants of a graph in the making. Every method returns the name of its node's output."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def add(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        output = output or f"{operator}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def constant(self, name: str, array: np.ndarray[Any, Any]) -> None:
        self._constants.append(numpy_helper.from_array(array, name))

    def convolution(self, name: str, x: str, kernel: int, *, relu: bool = True) -> str:
        parameters = (f"{name}.convolution.weight", f"{name}.convolution.bias")
        out = self.add("Conv", x, *parameters, kernel_shape=[kernel, kernel], pads=[kernel // 2] * 4)
        return self.add("Relu", out) if relu else out

    def pooling(self, name: str, x: str) -> str:
        features = self.convolution(f"{name}.features", x, 1)
        pooled = [self.add("Flatten", self.add(f"Global{kind}Pool", features)) for kind in ("Average", "Max")]
        self.constant(f"{name}.cell", np.array([2, 3], np.int64))
        return self.add("Unsqueeze", self.layer(f"{name}.output", self.add("Concat", *pooled, axis=1)), f"{name}.cell")

    def layer(self, name: str, x: str, *, output: str = "") -> str:
        return self.add("Gemm", x, f"{name}.weight", f"{name}.bias", output=output, transB=1)

    def model(self, spec: EnvSpec, batch_size: int, shapes: Shapes) -> onnx.ModelProto:
        weights = [numpy_helper.from_array(np.zeros(shape, np.float32), name) for name, shape in shapes.items()]

        def tensor(name: str, *shape: int) -> onnx.ValueInfoProto:
            return helper.make_tensor_value_info(name, TensorProto.FLOAT, [batch_size, *shape])

        graph = helper.make_graph(
            self._nodes,
            f"residual network for {spec.name}",
            [tensor("observations", *spec.observation_shape)],
            [tensor("logits", spec.num_actions), tensor("values")],
            [*weights, *self._constants],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        onnx.checker.check_model(model)
        return model
