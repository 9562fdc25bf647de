"""The learner of PPO (Schulman et al. 2017, algorithm 1). One update is one round: rollouts, then epochs over them."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor, nn

from agents.visuomotor.advantages import estimate_advantages
from agents.visuomotor.normalise import EPSILON, LIMIT
from agents.visuomotor.ppo_config import PpoConfig
from agents.visuomotor.ppo_loss import Loss, ppo_loss
from agents.visuomotor.ppo_model import ActorCritic, as_tensors
from agents.visuomotor.ppo_rollouts import Rollouts
from rlplat.environments.task import Task
from rlplat.errors import CheckpointError, DivergedError
from rlplat.interfaces import Arrays, Demand, Metrics, Progress, Summary

LEARNER_FILE = "learner.safetensors"
COUNTERS_FILE = "learner.json"
ROWS_AT_A_TIME = 4096
"""Observations that are looked at together where no gradient is needed."""
MAX_SKIPPED_IN_A_ROW = 10
"""Steps that may be skipped one after another because they were not finite. More do not mend themselves."""

_log = logging.getLogger(__name__)


class PpoLearner:
    """Fulfils `rlplat.interfaces.Learner`. The unit of data is the step of one environment.

    Args:
        amount: steps that a call of a collector shall bring.
        total_updates: length of the schedules; None: they are constant.
        seed: of the run; initial weights and the order of minibatches follow from it.
    """

    def __init__(
        self, config: PpoConfig, task: Task, *, amount: int, total_updates: int | None, seed: int, device: str
    ) -> None:
        for_weights, for_order = np.random.SeedSequence(seed).spawn(2)
        self._config, self._task, self._amount, self._device = config, task, amount, device
        self._total_updates = total_updates
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(for_weights.generate_state(1)[0]))
            self._model = ActorCritic(task.spec, config).to(device)
        rate = config.training.learning_rate
        self._optimizer = torch.optim.Adam(self._model.parameters(), lr=rate, eps=1e-5, fused=True)
        self._rng = np.random.default_rng(for_order)
        self._round: dict[int, Rollouts] = {}
        """By collector: the rollouts of the round that no update has used yet."""
        self._counts = dict.fromkeys(("updates", "amount", "episodes", "version", "skipped", "skipped_in_a_row"), 0)
        self._published_at = -1

    def demand(self) -> Demand:
        return Demand(self._amount if not self._round else 0, synchronous=True)

    def ingest(self, arrays: Arrays, summary: Summary) -> None:
        """Take in the rollouts of one collector; newer ones take the place of those that were not used."""
        self._round[summary.collector] = Rollouts.of(arrays)
        self._counts["amount"] += summary.amount
        self._counts["episodes"] += summary.episodes

    def update(self, max_updates: int) -> Metrics:
        """Learn from the round that is there."""
        if max_updates < 1 or not self._round:
            return {}
        rollouts = Rollouts.side_by_side([self._round[index] for index in sorted(self._round)])
        self._round = {}
        is_first = float(self._model.returns.count) == 0
        self._model.returns.add(rollouts.counted(rollouts.arrays["discounted"]))
        metrics = {} if is_first and self._config.normalise_observations else self._learn(rollouts)
        if self._config.normalise_observations:
            # Only now: the policy of the round is the one that these rollouts were made with.
            before = {name: array[:-1] for name, array in rollouts.observations.items()}
            self._model.observations.add({name: rollouts.counted(array) for name, array in before.items()})
        self._counts["updates"] += 1
        return metrics

    def progress(self) -> Progress:
        counts = self._counts
        owed = 1 if self._round else 0
        return Progress(counts["updates"], counts["amount"], counts["episodes"], counts["version"], owed)

    def publish(self) -> Arrays:
        self._counts["version"] += 1
        self._published_at = self._counts["updates"]
        return self._model.published()

    def publish_due(self) -> bool:
        return self._counts["updates"] > self._published_at

    def save(self, folder: Path) -> None:
        """Write all into an existing folder; a learner that loads it goes on bit by bit.

        Between turns there is no round to be kept: an update uses all of it.
        """
        tensors = {f"model/{name}": tensor for name, tensor in self._model.state_dict().items()}
        for name, parameter in self._model.named_parameters():
            tensors |= {f"adam/{kind}/{name}": value for kind, value in self._optimizer.state[parameter].items()}
        safetensors.torch.save_file(
            {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}, folder / LEARNER_FILE
        )
        counters = {"counts": self._counts, "published_at": self._published_at, "order": self._rng.bit_generator.state}
        (folder / COUNTERS_FILE).write_text(json.dumps(counters, indent=1))

    def load(self, folder: Path) -> None:
        """Go on from what `save` wrote. CheckpointError if it is broken, or of another network or environment."""
        try:
            counters = json.loads((folder / COUNTERS_FILE).read_text())
            tensors = safetensors.torch.load_file(folder / LEARNER_FILE, device=self._device)
            self._model.load_state_dict(_below("model/", tensors))
            for name, parameter in self._model.named_parameters():
                kinds = [
                    key.split("/")[1] for key in tensors if key.startswith("adam/") and key.split("/", 2)[2] == name
                ]
                self._optimizer.state[parameter] = {kind: tensors[f"adam/{kind}/{name}"] for kind in kinds}
            self._counts = dict(counters["counts"])
            self._published_at = counters["published_at"]
            self._rng.bit_generator.state = counters["order"]
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
            raise CheckpointError(
                f"{folder}: cannot continue from this checkpoint: {type(error).__name__}: {error}. Remove "
                f"{folder.parent} to continue from the one before it, or begin a new run with --init-from"
            ) from error

    def initialise(self, weights: Arrays) -> None:
        self._model.take(weights, "--init-from")

    def _learn(self, rollouts: Rollouts) -> Metrics:
        """Epochs over a round; the metrics are means over its minibatches."""
        training, left = self._config.training, self._left()
        for group in self._optimizer.param_groups:
            group["lr"] = training.learning_rate * left
        batch, explained = self._prepare(rollouts)
        size, sums = len(batch["advantages"]), Counter[str]()
        num_batches = 0
        for _ in range(training.num_epochs):
            order = torch.from_numpy(self._rng.permutation(size)).to(self._device)
            divergences = []
            for rows in order.split(training.batch_size):
                loss, norm = self._step({name: tensor[rows] for name, tensor in batch.items()}, training.clip * left)
                divergences.append(loss.kl.item())
                sums.update(_metrics(loss, norm))
                num_batches += 1
            if training.max_kl is not None and float(np.mean(divergences)) > training.max_kl:
                break
        return {name: value / num_batches for name, value in sums.items()} | {
            "value/explained_variance": explained,
            "optimizer/learning_rate": training.learning_rate * left,
            "optimizer/skipped_steps": float(self._counts["skipped"]),
        }

    def _prepare(self, rollouts: Rollouts) -> tuple[dict[str, Tensor], float]:
        """The steps of a round as one batch `[B, ...]`, and the share of the returns' variance that V explains."""
        returns = self._config.returns
        arrays, shape = rollouts.arrays, rollouts.arrays["rewards"].shape
        together = {name: array.reshape(-1, *array.shape[2:]) for name, array in rollouts.observations.items()}
        values = self._values(together).reshape(shape[0] + 1, shape[1])
        rewards = (
            np.clip(arrays["rewards"] / self._reward_scale(), -LIMIT, LIMIT)
            if self._config.normalise_rewards
            else arrays["rewards"]
        )
        advantages = estimate_advantages(
            rewards,
            values[:-1],
            rollouts.next_values(values, self._values(rollouts.last)),
            rollouts.ended,
            discount=returns.discount,
            trace=returns.trace,
        )
        targets = advantages + values[:-1]
        rows = {name: rollouts.counted(array[:-1]) for name, array in rollouts.observations.items()}
        rows["actions"] = rollouts.counted(arrays["actions"])
        for name, array in (("advantages", advantages), ("targets", targets)):
            rows[name] = rollouts.counted(array).astype(np.float32)
        batch = as_tensors(rows, self._device)
        with torch.no_grad():
            chunks = zip(*(tensor.split(ROWS_AT_A_TIME) for tensor in batch.values()), strict=True)
            parts = [dict(zip(batch, chunk, strict=True)) for chunk in chunks]
            batch["old_log_prob"] = torch.cat(
                [self._model.distribution(part).log_prob(part["actions"]) for part in parts]
            )
        unexplained = rollouts.counted(advantages).var() / (rollouts.counted(targets).var() + EPSILON)
        return batch, float(1 - unexplained)

    def _values(self, observations: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        """V of observations `[B, ...]` by part: `[B]`."""
        size = len(next(iter(observations.values())))
        found = np.zeros(size)
        with torch.no_grad():
            for begin in range(0, size, ROWS_AT_A_TIME):
                rows = slice(begin, begin + ROWS_AT_A_TIME)
                part = as_tensors({name: array[rows] for name, array in observations.items()}, self._device)
                found[rows] = self._model.values(part).cpu().numpy()
        return found

    def _step(self, batch: Mapping[str, Tensor], clip: float) -> tuple[Loss, Tensor]:
        """One step down the gradient of a minibatch; none if it is not finite."""
        training = self._config.training
        distribution = self._model.distribution(batch)
        loss = ppo_loss(
            distribution.log_prob(batch["actions"]),
            batch["old_log_prob"],
            batch["advantages"],
            self._model.values(batch),
            batch["targets"],
            distribution.entropy(),
            clip=clip,
            value_weight=training.value_weight,
            entropy_weight=training.entropy_weight,
        )
        self._optimizer.zero_grad()
        loss.total.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self._model.parameters(), training.max_gradient_norm)
        if torch.isfinite(loss.total + norm):
            self._optimizer.step()
            self._counts["skipped_in_a_row"] = 0
        else:
            self._skip(loss.total.item(), norm.item())
        return loss, norm

    def _skip(self, loss: float, norm: float) -> None:
        self._counts["skipped"] += 1
        self._counts["skipped_in_a_row"] += 1
        where = f"update {self._counts['updates']}: the loss is {loss:g} and the gradient's norm {norm:g}"
        if self._counts["skipped_in_a_row"] > MAX_SKIPPED_IN_A_ROW:
            raise DivergedError(
                f"{where}, after {MAX_SKIPPED_IN_A_ROW} skipped steps in a row. Lower agent.training.learning_rate, or "
                f"see whether {self._task.name} gives observations and rewards that are not finite"
            )
        _log.warning("%s: the step is skipped", where)

    def _reward_scale(self) -> float:
        """The deviation of the discounted return (Engstrom et al., "Implementation matters in deep RL", 2020)."""
        return float(torch.sqrt(self._model.returns.variance + EPSILON))

    def _left(self) -> float:
        """Share of learning rate and clip that is left by now."""
        if self._config.training.schedule == "constant" or self._total_updates is None:
            return 1.0
        return max(0.0, 1.0 - self._counts["updates"] / self._total_updates)


def _metrics(loss: Loss, gradient_norm: Tensor) -> Metrics:
    scalars = {
        "loss/total": loss.total,
        "loss/policy": loss.policy,
        "loss/value": loss.value,
        "policy/entropy": loss.entropy,
        "policy/kl": loss.kl,
        "policy/clip_fraction": loss.clip_fraction,
        "optimizer/gradient_norm": gradient_norm,
    }
    return {name: scalar.item() for name, scalar in scalars.items()}


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
