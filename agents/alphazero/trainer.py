"""The network under training: one update at a time, its moving average, and its state by name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from agents.alphazero.config import AlphaZeroConfig
from agents.alphazero.ledger import Ledger
from agents.alphazero.losses import TERMS, Targets, loss_terms
from agents.alphazero.network import ResidualNetwork, initialise_network, to_arrays
from agents.alphazero.optimizer import STATES, make_optimizer, memory, step_unless
from agents.alphazero.weights import check_weights, weight_shapes
from rlplat.data.replay import Batch
from rlplat.errors import CheckpointError
from rlplat.interfaces import Arrays, EnvSpec, Metrics

Precision = Literal["float32", "bfloat16"]


def default_precision(device: str) -> Precision:
    """Of forward and backward pass on "cuda" or "cpu". bfloat16 needs no scaling of the loss, unlike float16."""
    return "bfloat16" if device == "cuda" else "float32"


class Trainer:
    """Network, optimiser and moving average.

    On a GPU the updates are queued and the host goes on at once; only `take_metrics`, `published` and `state` wait for
    them. On the CPU in float32 everything is repeatable bit by bit.

    Args:
        seed: of the initial weights; the global generator is neither used nor changed.
        device: "cpu" or "cuda".
        precision: of the forward and backward pass (autocast); weights and optimiser are float32 in any case. None:
            bfloat16 on CUDA, float32 on the CPU.
    """

    def __init__(
        self, spec: EnvSpec, config: AlphaZeroConfig, *, seed: int, device: str, precision: Precision | None = None
    ) -> None:
        self._config = config.training
        self._device = torch.device(device)
        self._autocast = (precision or default_precision(device)) == "bfloat16"
        self._shapes = weight_shapes(spec, config.network)
        network = ResidualNetwork(spec, config.network)
        initialise_network(network, seed)
        self._network = self._prepare(network.to(self._device, memory_format=torch.channels_last)).train()
        self._statistics = _flattened(self._network)
        self._newest = {
            name: tensor for name, tensor in self._network.state_dict().items() if tensor.is_floating_point()
        }
        averaged = [name for name, _ in self._network.named_parameters() if config.training.ema_decay > 0]
        self._average = {name: self._newest[name].clone() for name in averaged}
        self._optimizer = make_optimizer(self._network, self._config)
        self.ledger = Ledger((*TERMS, "optimizer/gradient_norm"), self._device)
        self.num_updates = 0
        """Updates made, those that were skipped included."""

    def update(self, batch: Batch) -> None:
        """Make one update. One whose loss or gradient is not finite changes only the counters."""
        training = self._config
        statistics = [flat.clone() for flat in self._statistics]
        observations = self._to_device(batch.planes).contiguous(memory_format=torch.channels_last)
        targets = Targets(*map(self._to_device, (batch.policy, batch.legal, batch.outcome, batch.root_value)))
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._autocast):
            policy_logits, value_logits = self._network(observations)
        terms = loss_terms(
            policy_logits,
            value_logits,
            targets,
            value_weight=training.value_weight,
            value_target_mix=training.value_target_mix,
        )
        self._optimizer.zero_grad()
        terms["loss/total"].backward()
        terms = self._over_the_whole_batch(terms)
        limit = math.inf if training.max_gradient_norm is None else training.max_gradient_norm
        terms["optimizer/gradient_norm"] = torch.nn.utils.clip_grad_norm_(self._network.parameters(), limit)
        skipped = self.ledger.add(terms)
        step_unless(skipped, self._optimizer, training.learning_rate_at(self.num_updates))
        for flat, before in zip(self._statistics, statistics, strict=True):
            torch.where(skipped, before, flat, out=flat)
        self._move_average(skipped)
        self.num_updates += 1

    def take_metrics(self) -> Metrics:
        """Wait for the updates made since the last call; the means over them, empty if all were skipped.

        DivergedError if ten in a row were skipped.
        """
        rate = self._config.learning_rate_at(max(0, self.num_updates - 1))
        metrics = self.ledger.read(rate)
        return metrics | {"optimizer/learning_rate": rate} if metrics else {}

    def published(self) -> Arrays:
        """The weights for play: the moving average if there is one, with the newest batch normalisation statistics."""
        return to_arrays(self._newest | self._average)

    def initialise(self, weights: Arrays, source: str) -> None:
        """Start from published weights; CheckpointError if they are of another network or game."""
        check_weights(weights, self._shapes, source)
        with torch.no_grad():
            for name, tensor in self._newest.items():
                tensor.copy_(torch.tensor(weights[name]))
            for name, tensor in self._average.items():
                tensor.copy_(self._newest[name])

    def state(self) -> dict[str, Tensor]:
        """Weights, moving average and the optimiser's memory by name; the counters are the caller's to keep."""
        tensors = {f"network.{name}": tensor for name, tensor in self._network.state_dict().items()}
        tensors |= {f"average.{name}": tensor for name, tensor in self._average.items()}
        tensors |= {f"optimizer.{name}": tensor for name, tensor in memory(self._network, self._optimizer).items()}
        return {name: tensor.detach().contiguous().cpu() for name, tensor in tensors.items()}

    def restore(self, tensors: Mapping[str, Tensor], source: str) -> None:
        """Go on from what `state` gave; CheckpointError if it is of another network or optimiser."""
        network, average = _below("network.", tensors), _below("average.", tensors)
        check_weights(to_arrays(network), self._shapes, source)
        optimizer = _below("optimizer.", tensors)
        kinds, allowed = {name.split(".", 1)[0] for name in optimizer}, set(STATES[self._config.optimizer])
        if kinds - allowed:
            raise CheckpointError(
                f"{source}: the optimiser's memory holds {sorted(kinds)}, {self._config.optimizer} has "
                f"{sorted(allowed)}: continue with the agent.training.optimizer of this run, or begin one "
                "with --init-from"
            )
        self._network.load_state_dict(network)
        for name, tensor in self._average.items():
            tensor.copy_(average.get(name, network[name]))  # a run may begin to average when it is continued
        for name, tensor in memory(self._network, self._optimizer).items():
            if name in optimizer:
                tensor.copy_(optimizer[name])
            else:  # a checkpoint before the first step, or SGD that went without momentum
                tensor.zero_()

    def _prepare(self, network: nn.Module) -> nn.Module:
        """The network as it is trained here."""
        return network

    def _over_the_whole_batch(self, terms: dict[str, Tensor]) -> dict[str, Tensor]:
        """The terms as they are for the whole batch, with the gradients brought to the same."""
        return terms

    def _to_device(self, array: object) -> Tensor:
        """A copy on the device. From pinned memory, which is given back when the copy was made, nobody waits for it."""
        tensor = torch.as_tensor(array)
        return tensor.pin_memory().to(self._device, non_blocking=True) if self._device.type == "cuda" else tensor

    def _move_average(self, skipped: Tensor) -> None:
        """Move the average towards the newest weights; early on faster, so that the first weights do not linger."""
        decay = min(self._config.ema_decay, (1 + self.num_updates) / (10 + self.num_updates))
        weight = (~skipped).float() * (1.0 - decay)
        for name, tensor in self._average.items():
            tensor.lerp_(self._newest[name], weight)


def _flattened(network: nn.Module) -> list[Tensor]:
    """Lay all buffers of one type side by side in one tensor, so that one call saves or restores them; returns these.

    They are the running statistics of the batch normalisation and its counts of batches.
    """
    flats = []
    for dtype in {buffer.dtype: None for buffer in network.buffers()}:
        owners = [
            (module, name)
            for module in network.modules()
            for name, buffer in module.named_buffers(recurse=False)
            if buffer.dtype == dtype
        ]
        buffers = [getattr(module, name) for module, name in owners]
        flat = torch.cat([buffer.flatten() for buffer in buffers])
        parts = flat.split([buffer.numel() for buffer in buffers])
        for (module, name), buffer, part in zip(owners, buffers, parts, strict=True):
            setattr(module, name, part.view(buffer.shape))
        flats.append(flat)
    return flats


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
