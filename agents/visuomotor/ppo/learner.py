"""The learner of PPO. One update is one round: rollouts of all environments, then epochs over them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from agents.visuomotor.descent import left_of
from agents.visuomotor.learner_files import explained, load_learner, save_learner
from agents.visuomotor.ppo.config import PpoConfig
from agents.visuomotor.ppo.rollouts import Rollouts
from agents.visuomotor.ppo.trainer import PpoTrainer
from rlplat.environments.task import Task
from rlplat.interfaces import Arrays, Demand, Metrics, Progress, Summary


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
        self._config, self._amount, self._device = config, amount, device
        self._total_updates = total_updates
        self.trainer = PpoTrainer(
            task.spec,
            config,
            seed=int(for_weights.generate_state(1)[0]),
            rng=np.random.default_rng(for_order),
            device=device,
        )
        self._round: dict[int, Rollouts] = {}
        """By collector: the rollouts of the round that no update has used yet."""
        self._counts = dict.fromkeys(("updates", "amount", "episodes", "version"), 0)
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
        model, normalises = self.trainer.model, self._config.normalise_observations
        is_first = float(model.returns.count) == 0
        model.returns.add(rollouts.counted(rollouts.arrays["discounted"]))
        metrics = {} if is_first and normalises else self._learn(rollouts)
        if normalises:
            # Only now: the policy of the round is the one that these rollouts were made with.
            before = {name: array[:-1] for name, array in rollouts.observations.items()}
            model.observations.add({name: rollouts.counted(array) for name, array in before.items()})
        self._counts["updates"] += 1
        return metrics

    def _learn(self, rollouts: Rollouts) -> Metrics:
        critic_alone = self._counts["updates"] < self._config.training.critic_updates
        return self.trainer.learn(rollouts, left=self._left(), critic_alone=critic_alone)

    def progress(self) -> Progress:
        owed = 1 if self._round else 0
        return Progress(**self._counts, owed=owed)

    def publish(self) -> Arrays:
        self._counts["version"] += 1
        self._published_at = self._counts["updates"]
        return self.trainer.model.published()

    def publish_due(self) -> bool:
        return self._counts["updates"] > self._published_at

    def save(self, folder: Path) -> None:
        """Write all into an existing folder; a learner that loads it goes on bit by bit.

        Between turns there is no round to be kept: an update uses all of it.
        """
        counters = {
            "counts": self._counts,
            "published_at": self._published_at,
            "skipped": self.trainer.skipped.state(),
            "order": self.trainer.rng.bit_generator.state,
        }
        save_learner(folder, self.trainer.model, {"adam": self.trainer.optimizer}, counters)

    def load(self, folder: Path) -> None:
        """Go on from what `save` wrote. CheckpointError if it is broken, or of another network or environment."""
        trainer = self.trainer
        with explained(folder):
            counters = load_learner(folder, trainer.model, {"adam": trainer.optimizer}, self._device)
            self._counts = dict(counters["counts"])
            self._published_at = counters["published_at"]
            trainer.skipped.restore(counters["skipped"])
            trainer.rng.bit_generator.state = counters["order"]

    def initialise(self, weights: Arrays) -> None:
        self.trainer.model.begin_as(weights, "--init-from")

    def _left(self) -> float:
        """Share of learning rate and clip that is left by now."""
        return left_of(self._config.training.schedule, self._counts["updates"], self._total_updates)
