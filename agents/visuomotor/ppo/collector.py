"""Makes rollouts: environments that step together under the newest policy.

Axes: T steps, N environments, K episodes that were broken off.
"""

from __future__ import annotations

import time
from collections import defaultdict
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from agents.visuomotor.actions import to_env
from agents.visuomotor.collector_state import new_seeds, restore_state, save_state
from agents.visuomotor.episode_counts import EpisodeCounts
from agents.visuomotor.ppo.config import PpoConfig
from agents.visuomotor.ppo.model import ActorCritic
from agents.visuomotor.publishing import as_tensors
from rlplat.environments.task import Task
from rlplat.environments.task_vector import Step
from rlplat.interfaces import Arrays, Collected, Demand, Summary


class PpoCollector:
    """Fulfils `rlplat.interfaces.Collector`. The unit of data is the step of one environment.

    Args:
        num_envs: environments of this collector.
        seed: whatever makes its data differ from those of others.
    """

    def __init__(self, config: PpoConfig, task: Task, *, num_envs: int, seed: tuple[int, ...]) -> None:
        self._config, self._task = config, task
        self._vector = task.make_vector(num_envs)
        self._model = ActorCritic(task.spec, config)
        self._rng = np.random.default_rng(np.random.SeedSequence(seed))
        self._version = 0
        self._observations: Arrays | None = None
        self._counts = EpisodeCounts(num_envs)
        self._discounted = np.zeros(num_envs)
        """Rewards so far, each discounted by its age: what rewards are scaled by (see `PpoLearner`)."""

    def set_weights(self, version: int, weights: Arrays) -> None:
        self._version = version
        self._model.take(weights, "published weights")

    def collect(self, demand: Demand) -> Collected:
        """Make `num_steps` steps of every environment, whatever amount is asked for: a round is a round."""
        start = time.perf_counter()
        if self._observations is None:
            self._observations = self._vector.reset(new_seeds(self._rng, self._vector.num_envs))
        rows: defaultdict[str, list[NDArray[Any]]] = defaultdict(list)
        cut: defaultdict[str, list[NDArray[Any]]] = defaultdict(list)
        self._counts.begin_call()
        inference_s = 0.0
        for _ in range(self._config.num_steps):
            asked = time.perf_counter()
            actions = self._act(self._observations)
            inference_s += time.perf_counter() - asked
            step = self._vector.step(to_env(self._task.spec.actions, actions))
            for name, array in (*_named(self._observations), ("actions", actions), *self._rewards(step)):
                rows[name].append(array)
            for name, array in step.last_observations.items():
                cut[f"last/{name}"].append(array[step.truncated[step.ended] & ~step.terminated[step.ended]])
            self._counts.add(step)
            self._observations = step.observations
        for name, array in _named(self._observations):
            rows[name].append(array)
        arrays = {name: np.stack(parts) for name, parts in rows.items()}
        arrays |= {name: np.concatenate(parts) for name, parts in cut.items()}
        seconds, counters = time.perf_counter() - start, self._counts.counters
        return Collected(
            arrays,
            Summary(
                amount=int(counters["steps"]),
                episodes=int(counters["episodes"]),
                weights_version=self._version,
                seconds=seconds,
                metrics=counters,
                records=self._counts.records,
                stages={"inference": inference_s, "simulation": seconds - inference_s},
            ),
        )

    def get_state(self) -> Arrays:
        own: Arrays = {"discounted": self._discounted}
        return save_state(self._rng, self._vector, self._observations, self._counts, own)

    def set_state(self, state: Arrays) -> None:
        self._rng, self._observations = restore_state(state, self._vector, self._counts)
        if self._observations is not None:
            self._discounted = state["discounted"].copy()

    def _act(self, observations: Arrays) -> NDArray[Any]:
        with torch.inference_mode():
            return self._model.distribution(self._model.normalised(as_tensors(observations))).draw(self._rng)

    def _rewards(self, step: Step) -> list[tuple[str, NDArray[Any]]]:
        self._discounted = np.where(step.counts, self._config.returns.discount * self._discounted + step.rewards, 0.0)
        discounted = self._discounted
        self._discounted = np.where(step.ended, 0.0, discounted)
        return [
            ("rewards", step.rewards),
            ("terminated", step.terminated),
            ("truncated", step.truncated & ~step.terminated),
            ("counts", step.counts),
            ("discounted", discounted),
        ]


def _named(observations: Arrays) -> list[tuple[str, NDArray[Any]]]:
    return [(f"observations/{name}", array) for name, array in observations.items()]
