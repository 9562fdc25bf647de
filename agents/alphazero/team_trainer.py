"""Updates of one network by several processes, each with its share of every batch; equal to those of one process."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from agents.alphazero.config import AlphaZeroConfig
from agents.alphazero.optimizer import memory
from agents.alphazero.trainer import Trainer
from agents.alphazero.whole_batch_norm import WholeBatchNorm
from rlplat.data.replay import Batch
from rlplat.interfaces import Arrays, EnvSpec
from rlplat.training.team import END, Team

UPDATE, TAKE_OVER = END + 1, END + 2
"""Orders to followers: make update number N on the shares that come; take over the leader's weights."""


class TeamTrainer(Trainer):
    """A trainer whose batches are shared out by the leader and whose gradients are averaged before every step.

    The leader is used like any trainer. A follower knows the leader's orders only (`follow`); it keeps no moving
    average, no data and no metrics.
    """

    def __init__(self, spec: EnvSpec, config: AlphaZeroConfig, *, team: Team, **options: Any) -> None:
        self._team, self._spec = team, spec
        self._batch_size = config.training.batch_size
        super().__init__(spec, config, **options)
        if not team.is_leader:
            self._average = {}
        self._in_step = False

    def update(self, batch: Batch) -> None:
        """Make one update on the whole batch, together with the followers."""
        if not self._in_step:
            self._team.tell(TAKE_OVER)
            self._take_over()
            self._in_step = True
        self._team.tell(UPDATE, self.num_updates)
        super().update(self._share(batch))

    def follow(self) -> None:
        """Obey the leader until it ends the team."""
        while True:
            order, number = self._team.hear()
            if order == END:
                return
            if order == TAKE_OVER:
                self._take_over()
            else:
                self.num_updates = number
                super().update(self._share(None))

    def initialise(self, weights: Arrays, source: str) -> None:
        """Start from published weights; the followers get them before the next update."""
        super().initialise(weights, source)
        self._in_step = False

    def restore(self, tensors: Any, source: str) -> None:
        """Go on from what `state` gave; the followers get it before the next update."""
        super().restore(tensors, source)
        self._in_step = False

    def _prepare(self, network: nn.Module) -> nn.Module:
        """Have batch normalisation look at the whole batch."""
        self._team.work_on(self._device.type)
        for module in list(network.modules()):
            for name, norm in list(module.named_children()):
                if isinstance(norm, nn.BatchNorm2d):
                    setattr(module, name, WholeBatchNorm(norm, self._team))
        return network

    def _over_the_whole_batch(self, terms: dict[str, Tensor]) -> dict[str, Tensor]:
        """Average gradients and terms over the processes, in one message."""
        gradients = [parameter.grad for parameter in self._network.parameters() if parameter.grad is not None]
        values = [term.detach() for term in terms.values()]
        flat = torch.cat([tensor.reshape(-1) for tensor in (*gradients, *values)])
        self._team.add_up(flat)
        flat /= self._team.size
        parts = flat.split([tensor.numel() for tensor in (*gradients, *values)])
        for gradient, part in zip(gradients, parts, strict=False):
            gradient.copy_(part.view(gradient.shape))
        averages = (part.view(()) for part in parts[len(gradients) :])
        return dict(zip(terms, averages, strict=True))

    def _share(self, batch: Batch | None) -> Batch:
        """The rows of the leader's batch that are for this process."""
        size, actions = self._batch_size // self._team.size, self._spec.num_actions
        shapes = {
            "planes": ((size, *self._spec.observation_shape), np.float32),
            "policy": ((size, actions), np.float32),
            "legal": ((size, actions), np.uint8),
            "outcome": ((size,), np.float32),
            "root_value": ((size,), np.float32),
        }
        share = {name: np.empty(shape, dtype) for name, (shape, dtype) in shapes.items()}
        for name, array in share.items():
            whole = None if batch is None else torch.from_numpy(getattr(batch, name).view(array.dtype))
            self._team.share_out(torch.from_numpy(array), whole)
        return Batch(**{**share, "legal": share["legal"].view(np.bool_)})

    def _take_over(self) -> None:
        state = [*self._network.state_dict().values(), *memory(self._network, self._optimizer).values()]
        self._team.send_out(state)
