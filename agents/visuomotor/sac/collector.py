"""Acts in environments and records what comes of it, as the replay keeps it.

Axes: R rows, N environments of this collector.
"""

from __future__ import annotations

import time

import numpy as np
import torch
from numpy.typing import NDArray

from agents.visuomotor.actions import num_outputs, to_env
from agents.visuomotor.collector_state import new_seeds, restore_state, save_state
from agents.visuomotor.episode_counts import EpisodeCounts
from agents.visuomotor.publishing import as_tensors
from agents.visuomotor.sac.config import SacConfig
from agents.visuomotor.sac.model import SacActor
from rlplat.data.transitions import OBSERVATIONS, kept_parts, newest_pictures
from rlplat.environments.task import Task
from rlplat.environments.task_vector import Step
from rlplat.interfaces import Arrays, Collected, Demand, Summary


class SacCollector:
    """Fulfils `rlplat.interfaces.Collector`. The unit of data is the step of one environment.

    Args:
        envs: numbers of its environments among all of the run.
        seed: whatever makes its data differ from those of others.
    """

    def __init__(self, config: SacConfig, task: Task, *, envs: range, seed: tuple[int, ...]) -> None:
        self._config, self._task, self._envs = config, task, np.array(envs)
        self._vector = task.make_vector(len(envs))
        self._actor = SacActor(task.spec, config)
        self._rng = np.random.default_rng(np.random.SeedSequence(seed))
        self._version = 0
        self._observations: Arrays | None = None
        self._counts = EpisodeCounts(len(envs))
        self._parts = list(kept_parts(task.spec))

    def set_weights(self, version: int, weights: Arrays) -> None:
        self._version = version
        self._actor.take(weights, "published weights")

    def collect(self, demand: Demand) -> Collected:
        """Make `collect_steps` steps of every environment, whatever amount is asked for."""
        start = time.perf_counter()
        if self._observations is None:
            self._observations = self._vector.reset(new_seeds(self._rng, self._vector.num_envs))
        self._counts.begin_call()
        groups: list[Arrays] = []
        inference_s = 0.0
        for _ in range(self._config.collect_steps):
            asked = time.perf_counter()
            actions = self._act(self._observations)
            inference_s += time.perf_counter() - asked
            step = self._vector.step(to_env(self._task.spec.actions, actions))
            groups += self._rows(self._observations, actions, step)
            self._counts.add(step)
            self._observations = step.observations
        seconds, counters = time.perf_counter() - start, self._counts.counters
        return Collected(
            self._by_environment(groups),
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
        own: Arrays = {}
        return save_state(self._rng, self._vector, self._observations, self._counts, own)

    def set_state(self, state: Arrays) -> None:
        self._rng, self._observations = restore_state(state, self._vector, self._counts)

    def _act(self, observations: Arrays) -> NDArray[np.float32]:
        """What the newest policy draws `[N, A]`; before anything was learned, something."""
        if self._actor.acts_at_random:
            size = num_outputs(self._task.spec.actions)
            return self._rng.uniform(-1.0, 1.0, (self._vector.num_envs, size)).astype(np.float32)
        with torch.inference_mode():
            known = self._actor.normalised(as_tensors(observations))
            return self._actor.distribution(known).draw(self._rng)

    def _rows(self, observations: Arrays, actions: NDArray[np.float32], step: Step) -> list[Arrays]:
        """The rows that a step adds: one where it was taken, and one for what an episode ended with."""
        acted = np.flatnonzero(step.counts)
        taken = {
            **self._observed({name: observations[name][acted] for name in self._parts}),
            "env": acted,
            "actions": actions[acted],
            "rewards": step.rewards[acted].astype(np.float32),
            "place": self._counts.lengths[acted].astype(np.int32),
            "last": np.zeros(len(acted), np.bool_),
            "terminated": np.zeros(len(acted), np.bool_),
        }
        if not step.ended.any():
            return [taken]
        ended = np.flatnonzero(step.ended)
        over = {
            **self._observed({name: step.last_observations[name] for name in self._parts}),
            "env": ended,
            "actions": np.zeros((len(ended), actions.shape[1]), np.float32),
            "rewards": np.zeros(len(ended), np.float32),
            "place": (self._counts.lengths[ended] + 1).astype(np.int32),
            "last": np.ones(len(ended), np.bool_),
            "terminated": step.terminated[ended],
        }
        return [taken, over]

    def _observed(self, observations: Arrays) -> Arrays:
        spec = self._task.spec
        return {OBSERVATIONS + part: newest_pictures(spec, part, array) for part, array in observations.items()}

    def _by_environment(self, groups: list[Arrays]) -> Arrays:
        """All rows, sorted by environment and kept in the order of time (see `TransitionReplay.add`)."""
        rows = {name: np.concatenate([group[name] for group in groups]) for name in groups[0]}
        env = rows.pop("env")
        if len(self._envs) > 1:
            order = np.argsort(env, kind="stable")
            rows = {name: array[order] for name, array in rows.items()}
        return {"envs": self._envs, "num_rows": np.bincount(env, minlength=len(self._envs)), **rows}
