"""The network under training: one update at a time, its moving average, and its state by name."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from agents.alphazero.config import AlphaZeroConfig
from agents.alphazero.losses import Targets, loss_terms
from agents.alphazero.network import ResidualNetwork, initialise_network, to_arrays
from agents.alphazero.weights import check_weights, weight_shapes
from rlplat.data.replay import Batch
from rlplat.errors import CheckpointError, DivergedError
from rlplat.interfaces import Arrays, EnvSpec, Metrics

MAX_SKIPPED_IN_A_ROW = 10
OPTIMIZER_STATES = {"sgd": {"momentum_buffer"}, "adamw": {"step", "exp_avg", "exp_avg_sq"}}


class Trainer:
    """Network, optimiser and moving average. bfloat16 autocast on CUDA; float32 and repeatable bit by bit on the CPU.

    Args:
        seed: of the initial weights; the global generator is neither used nor changed.
        device: "cpu" or "cuda".
    """

    def __init__(self, spec: EnvSpec, config: AlphaZeroConfig, *, seed: int, device: str) -> None:
        self._config = config.training
        self._device = torch.device(device)
        self._shapes = weight_shapes(spec, config.network)
        network = ResidualNetwork(spec, config.network)
        initialise_network(network, seed)
        self._network = network.to(self._device, memory_format=torch.channels_last).train()
        self._newest = {
            name: tensor for name, tensor in self._network.state_dict().items() if tensor.is_floating_point()
        }
        averaged = [name for name, _ in self._network.named_parameters() if config.training.ema_decay > 0]
        self._average = {name: self._newest[name].clone() for name in averaged}
        self._optimizer = self._make_optimizer()
        self.num_updates = 0
        """Updates made, those that were skipped included."""
        self.num_skipped = 0
        """Updates that were skipped, as their loss or gradient was not finite."""
        self.num_skipped_in_a_row = 0

    def update(self, batch: Batch) -> Metrics:
        """Make one update and return its metrics; empty if it was skipped.

        An update whose loss or gradient is not finite changes only the counters. DivergedError after ten in a row.
        """
        training = self._config
        buffers = {name: buffer.clone() for name, buffer in self._network.named_buffers()}
        observations = self._to_device(batch.planes).contiguous(memory_format=torch.channels_last)
        targets = Targets(*map(self._to_device, (batch.policy, batch.legal, batch.outcome, batch.root_value)))
        with torch.autocast("cuda", torch.bfloat16, enabled=self._device.type == "cuda"):
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
        limit = math.inf if training.max_gradient_norm is None else training.max_gradient_norm
        terms["optimizer/gradient_norm"] = torch.nn.utils.clip_grad_norm_(self._network.parameters(), limit)
        metrics = dict(zip(terms, torch.stack([term.detach() for term in terms.values()]).tolist(), strict=True))
        metrics["optimizer/learning_rate"] = training.learning_rate_at(self.num_updates)
        if not (math.isfinite(metrics["loss/total"]) and math.isfinite(metrics["optimizer/gradient_norm"])):
            self._skip(buffers, metrics)
            return {}
        for group in self._optimizer.param_groups:
            group["lr"] = metrics["optimizer/learning_rate"]
        self._optimizer.step()
        self._move_average()
        self.num_updates += 1
        self.num_skipped_in_a_row = 0
        return metrics

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
        for name, parameter in self._network.named_parameters():
            for key, value in self._optimizer.state[parameter].items():
                if value is not None:
                    tensors[f"optimizer.{key}.{name}"] = value
        return {name: tensor.detach().contiguous().cpu() for name, tensor in tensors.items()}

    def restore(self, tensors: Mapping[str, Tensor], source: str) -> None:
        """Go on from what `state` gave; CheckpointError if it is of another network or optimiser."""
        network, average = _below("network.", tensors), _below("average.", tensors)
        check_weights(to_arrays(network), self._shapes, source)
        optimizer = _below("optimizer.", tensors)
        kinds, allowed = {name.split(".", 1)[0] for name in optimizer}, OPTIMIZER_STATES[self._config.optimizer]
        if kinds - allowed:
            raise CheckpointError(
                f"{source}: the optimiser's memory holds {sorted(kinds)}, {self._config.optimizer} has "
                f"{sorted(allowed)}: continue with the agent.training.optimizer of this run, or begin one "
                "with --init-from"
            )
        self._network.load_state_dict(network)
        for name, tensor in self._average.items():
            tensor.copy_(average.get(name, network[name]))  # a run may begin to average when it is continued
        self._optimizer.state.clear()
        for name, parameter in self._network.named_parameters():
            for kind in kinds:
                # AdamW counts its steps on the CPU wherever the parameters are.
                tensor = optimizer[f"{kind}.{name}"]
                like = tensor if kind == "step" else torch.empty_like(parameter)
                self._optimizer.state[parameter][kind] = like.copy_(tensor)

    def _make_optimizer(self) -> torch.optim.Optimizer:
        training = self._config
        parameters = list(self._network.parameters())
        groups = [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": training.weight_decay},
            {"params": [p for p in parameters if p.ndim == 1], "weight_decay": 0.0},
        ]
        if training.optimizer == "sgd":
            return torch.optim.SGD(groups, lr=training.learning_rate, momentum=training.momentum)
        return torch.optim.AdamW(groups, lr=training.learning_rate, betas=(training.momentum, 0.999))

    def _to_device(self, array: object) -> Tensor:
        return torch.as_tensor(array, device=self._device)

    def _move_average(self) -> None:
        """Move the average towards the newest weights; early on faster, so that the first weights do not linger."""
        decay = min(self._config.ema_decay, (1 + self.num_updates) / (10 + self.num_updates))
        for name, tensor in self._average.items():
            tensor.lerp_(self._newest[name], 1.0 - decay)

    def _skip(self, buffers: dict[str, Tensor], metrics: Metrics) -> None:
        for name, buffer in self._network.named_buffers():
            buffer.copy_(buffers[name])
        self.num_updates += 1
        self.num_skipped += 1
        self.num_skipped_in_a_row += 1
        if self.num_skipped_in_a_row >= MAX_SKIPPED_IN_A_ROW:
            raise DivergedError(
                f"{MAX_SKIPPED_IN_A_ROW} updates in a row were skipped: loss {metrics['loss/total']}, gradient norm "
                f"{metrics['optimizer/gradient_norm']}, learning rate {metrics['optimizer/learning_rate']:g}. The "
                "training has diverged; begin from an earlier checkpoint (--init-from RUN/checkpoints/STEP) with a "
                "lower agent.training.learning_rate"
            )


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
