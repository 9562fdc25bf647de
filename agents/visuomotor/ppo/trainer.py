"""Epochs over a round of rollouts (Schulman et al. 2017, algorithm 1 from its fourth line on)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from agents.visuomotor.descent import descend, set_learning_rate
from agents.visuomotor.normalise import EPSILON, LIMIT
from agents.visuomotor.ppo.advantages import estimate_advantages
from agents.visuomotor.ppo.config import PpoConfig
from agents.visuomotor.ppo.loss import Loss, ppo_loss
from agents.visuomotor.ppo.model import ActorCritic
from agents.visuomotor.ppo.rollouts import Rollouts
from agents.visuomotor.publishing import as_tensors
from agents.visuomotor.skipping import SkippedSteps
from rlplat.interfaces import EnvSpec, Metrics

METRICS = (
    "loss/total",
    "loss/policy",
    "loss/value",
    "policy/entropy",
    "policy/kl",
    "policy/clip_fraction",
    "optimizer/gradient_norm",
)
ROWS_AT_A_TIME = 4096
"""Observations that are looked at together where no gradient is needed."""


class PpoTrainer:
    """Networks and optimiser, and what one round does to them.

    Args:
        seed: of the initial weights.
        rng: orders the minibatches.
    """

    def __init__(self, spec: EnvSpec, config: PpoConfig, *, seed: int, rng: np.random.Generator, device: str) -> None:
        self._config, self._device = config, device
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.model = ActorCritic(spec, config).to(device)
        rate = config.training.learning_rate
        self._parameters = list(self.model.parameters())
        self._critic = list(self.model.critic.parameters())
        self.optimizer = torch.optim.Adam(self._parameters, lr=rate, eps=1e-5, fused=True)
        self.rng = rng
        self.skipped = SkippedSteps(spec.name)

    def learn(self, rollouts: Rollouts, *, left: float, critic_alone: bool = False) -> Metrics:
        """Make all epochs; the metrics are means over the minibatches. `left` scales learning rate and clip."""
        training = self._config.training
        set_learning_rate(self.optimizer, training.learning_rate * left)
        batch, explained = self.prepare(rollouts)
        sums, num_batches = torch.zeros(len(METRICS), device=self._device), 0
        for _ in range(training.num_epochs):
            divergences = []
            for minibatch in self._minibatches(batch):
                loss, norm = self._step(minibatch, training.clip * left, critic_alone)
                if training.max_kl is not None:
                    divergences.append(loss.kl.item())
                sums += _metrics(loss, norm)
                num_batches += 1
            if training.max_kl is not None and float(np.mean(divergences)) > training.max_kl:
                break
        return dict(zip(METRICS, (sums / num_batches).tolist(), strict=True)) | {
            "value/explained_variance": explained,
            "optimizer/learning_rate": training.learning_rate * left,
            "optimizer/skipped_steps": float(self.skipped.num_skipped),
        }

    def _minibatches(self, batch: dict[str, Tensor]) -> Iterator[dict[str, Tensor]]:
        """Parts of a batch in random order; the batch itself, whose order tells nothing, if it is one part."""
        num_rows, size = len(batch["advantages"]), self._config.training.batch_size
        if num_rows <= size:
            yield batch
            return
        order = torch.from_numpy(self.rng.permutation(num_rows)).to(self._device)
        for rows in order.split(size):
            yield {name: tensor[rows] for name, tensor in batch.items()}

    def prepare(self, rollouts: Rollouts) -> tuple[dict[str, Tensor], float]:
        """The steps of a round as one batch `[B, ...]`, and the share of the returns' variance that V explains."""
        returns, rewards = self._config.returns, rollouts.arrays["rewards"]
        if self._config.normalise_rewards:
            rewards = np.clip(rewards / self._reward_scale(), -LIMIT, LIMIT)
        num_steps, num_envs = rewards.shape
        whole = {name: array.reshape(-1, *array.shape[2:]) for name, array in rollouts.observations.items()}
        values = self.values(whole).reshape(num_steps + 1, num_envs)
        next_values = rollouts.next_values(values, self.values(rollouts.last))
        advantages = estimate_advantages(
            rewards, values[:-1], next_values, rollouts.ended, discount=returns.discount, trace=returns.trace
        )
        targets = advantages + values[:-1]
        rows = {name: rollouts.counted(array[:-1]) for name, array in rollouts.observations.items()}
        rows["actions"] = rollouts.counted(rollouts.arrays["actions"])
        rows["advantages"] = rollouts.counted(advantages).astype(np.float32)
        rows["targets"] = rollouts.counted(targets).astype(np.float32)
        with torch.no_grad():
            batch = self.model.normalised(as_tensors(rows, self._device))
        batch["old_log_prob"] = self._log_probs(batch)
        unexplained = rollouts.counted(advantages).var() / (rollouts.counted(targets).var() + EPSILON)
        return batch, float(1 - unexplained)

    def values(self, observations: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        """V of observations `[B, ...]` by part: `[B]`."""
        size = len(next(iter(observations.values())))
        found = np.zeros(size)
        with torch.no_grad():
            for begin in range(0, size, ROWS_AT_A_TIME):
                rows = slice(begin, begin + ROWS_AT_A_TIME)
                part = as_tensors({name: array[rows] for name, array in observations.items()}, self._device)
                found[rows] = self.model.values(self.model.normalised(part)).cpu().numpy()
        return found

    def _log_probs(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Of the actions of a batch, under the policy that made them, which is still the newest: `[B]`."""
        size, found = len(batch["actions"]), []
        with torch.no_grad():
            for begin in range(0, size, ROWS_AT_A_TIME):
                part = {name: tensor[begin : begin + ROWS_AT_A_TIME] for name, tensor in batch.items()}
                found.append(self.model.distribution(part).log_prob(part["actions"]))
        return torch.cat(found)

    def _step(self, batch: Mapping[str, Tensor], clip: float, critic_alone: bool) -> tuple[Loss, Tensor]:
        """One step down the gradient of a minibatch, already normalised; none if it is not finite."""
        training, distribution = self._config.training, self.model.distribution(batch)
        loss = ppo_loss(
            distribution.log_prob(batch["actions"]),
            batch["old_log_prob"],
            batch["advantages"],
            self.model.values(batch),
            batch["targets"],
            distribution.entropy(),
            clip=clip,
            value_weight=training.value_weight,
            entropy_weight=training.entropy_weight,
        )
        trained = self._critic if critic_alone else self._parameters
        norm = descend(self.optimizer, loss.total, trained, training.max_gradient_norm)
        if norm.isfinite():
            self.skipped.went_well()
        else:
            self.skipped.skip(batch, loss=loss.total.item(), gradient_norm=norm.item())
        return loss, norm

    def _reward_scale(self) -> float:
        """The deviation of the discounted return (Engstrom et al., "Implementation matters in deep RL", 2020)."""
        return float(torch.sqrt(self.model.returns.variance + EPSILON))


def _metrics(loss: Loss, gradient_norm: Tensor) -> Tensor:
    """In the order of METRICS."""
    told = (loss.total, loss.policy, loss.value, loss.entropy, loss.kl, loss.clip_fraction, gradient_norm)
    return torch.stack(told).detach()
