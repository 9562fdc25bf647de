"""Fully connected layers whose products are oneDNN's where that is faster.

torch multiplies matrices on the CPU by MKL, which uses half the width of the processor's registers where it is not
Intel's. oneDNN, which torch brings along for convolutions, uses all of it: products of 256x256 take half the time on a
fifth-generation EPYC, to the same precision.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

WORTHWHILE = 2**21
"""Multiplications of a product from which on oneDNN's preparations pay."""

_HAS_ONEDNN = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")


class Dense(nn.Linear):
    """`nn.Linear` with a ReLU behind it, if `relu`."""

    def __init__(self, inputs: int, outputs: int, *, relu: bool = False) -> None:
        super().__init__(inputs, outputs)
        self.relu = relu
        self._worthwhile = WORTHWHILE // (inputs * outputs) if _HAS_ONEDNN else None
        """Rows from which on oneDNN is faster."""

    def forward(self, inputs: Tensor) -> Tensor:
        """Of inputs `[B, inputs]`: `[B, outputs]`."""
        if self._worthwhile is not None and inputs.shape[0] >= self._worthwhile and inputs.device.type == "cpu":
            found: Tensor = _Product.apply(inputs, self.weight, self.bias, self.relu)
            return found
        outputs = nn.functional.linear(inputs, self.weight, self.bias)
        return torch.relu(outputs) if self.relu else outputs


class _Product(torch.autograd.Function):
    """x W^T + b, and a ReLU."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor, relu: bool) -> Tensor:
        outputs = _product(inputs, weight, bias, relu)
        ctx.relu = relu
        ctx.save_for_backward(inputs, weight, outputs)
        return outputs

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,), (inputs, weight, outputs) = gradients, ctx.saved_tensors
        if ctx.relu:
            gradient = torch.ops.aten.threshold_backward(gradient, outputs, 0)
        for_inputs, for_weight, for_bias, _ = ctx.needs_input_grad
        return (
            _product(gradient, weight.t()) if for_inputs else None,
            _product(gradient.t(), inputs.t()) if for_weight else None,
            gradient.sum(0) if for_bias else None,
            None,
        )


def _product(inputs: Tensor, weight: Tensor, bias: Tensor | None = None, relu: bool = False) -> Tensor:
    found: Tensor = torch.ops.mkldnn._linear_pointwise(inputs, weight, bias, "relu" if relu else "none", [], "")
    return found
