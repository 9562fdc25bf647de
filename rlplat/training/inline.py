"""Everything in one process, step by step: for debugging, for tests, and where Ray is not installed."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rlplat.config import RunConfig
from rlplat.environments.resolve import Environment
from rlplat.errors import ProgramError
from rlplat.interfaces import Agent, Arrays, Demand
from rlplat.training.evaluating import Rival, Strength, evaluate_weights, give_up
from rlplat.training.hosts import CollectorHost, CollectorState, LearnerHost, Report, load_collectors, save_collectors
from rlplat.training.pool import Batch


class InlinePool:
    """Fulfils `Pool`. Collectors run side by side in threads, in rounds; the learner works between the rounds.

    Equal configurations give equal runs, bit by bit.
    """

    def __init__(self, config: RunConfig, env: Environment, agent: Agent) -> None:
        self._config, self._env, self._agent = config, env, agent
        self._num_collectors = config.placement.resolve_num_actors()
        self._threads = ThreadPoolExecutor(self._num_collectors, thread_name_prefix="collector")
        self._evaluations: list[tuple[int, Strength]] = []

    def start(self, checkpoint: Path | None, initial_weights: Arrays | None) -> Report:
        """Build the parts, from a checkpoint's folder if there is one."""
        self._learner = LearnerHost(self._agent.make_learner(inline=True))
        count = self._num_collectors
        states = [CollectorState(0, None)] * count if checkpoint is None else load_collectors(checkpoint, count)
        self._generations = [state.generation for state in states]
        self._collectors = [
            CollectorHost(self._agent.make_collector(index, count, generation=generation), index)
            for index, generation in enumerate(self._generations)
        ]
        for collector, state in zip(self._collectors, states, strict=True):
            if state.arrays is not None:
                collector.set_state(state.arrays)
        return self._learner.start(checkpoint, initial_weights)

    def collect(self, demand: Demand) -> list[Batch]:
        """One call of every collector, in the order of their numbers."""
        if demand.amount == 0:
            return []
        version, weights = self._learner.version, self._learner.weights
        calls = [self._threads.submit(each.collect, demand, version, weights) for each in self._collectors]
        return [Batch(collected.summary, collected.arrays) for collected in (call.result() for call in calls)]

    def advance(self, batches: Sequence[Batch], max_updates: int) -> Report:
        """Let the learner take its turn."""
        return self._learner.turn([(batch.arrays, batch.summary) for batch in batches], max_updates)

    def save(self, folder: Path) -> None:
        """Write learner, weights and collectors."""
        self._learner.save(folder)
        states = [collector.get_state() for collector in self._collectors]
        save_collectors(folder, [CollectorState(*pair) for pair in zip(self._generations, states, strict=True)])

    def evaluate(self, step: int, rival: Rival | None) -> None:
        """Evaluate at once; the collectors wait meanwhile."""
        weights = self._learner.weights
        try:
            strength = evaluate_weights(self._config, self._env, self._agent, weights, step, rival=rival)
        except ProgramError as error:
            give_up(step, error)
        else:
            self._evaluations.append((step, strength))

    @property
    def under_evaluation(self) -> list[int]:
        """Steps of what `evaluations` has not returned."""
        return [step for step, _ in self._evaluations]

    def evaluations(self, *, wait: bool) -> list[tuple[int, Strength]]:
        """What `evaluate` found since the last call."""
        done, self._evaluations = self._evaluations, []
        return done

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(cancel_futures=True)
