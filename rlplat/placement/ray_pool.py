"""The pool on Ray: collectors, learner and evaluator as actors, on this machine or a cluster.

Data goes from collector to learner; this process sees summaries and references. Every collector has a bounded number
of calls under way, so it never waits for the loop and never runs ahead of it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayActorError, RayError, RayTaskError
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from rlplat import registry
from rlplat.config import RunConfig
from rlplat.errors import ConfigError, RlplatError, WorkerError
from rlplat.interfaces import Agent, Arrays, Demand, TeamAgent
from rlplat.placement import cluster, room
from rlplat.placement.actors import WEIGHTS_GROUP, CollectorActor, EvaluatorActor, LearnerActor
from rlplat.search.game import Game
from rlplat.training.evaluating import Strength
from rlplat.training.hosts import Report, load_collectors, save_collectors
from rlplat.training.pool import Batch

CALLS_PER_COLLECTOR = 2
UNKNOWN_VERSION = -1
WAIT_S = 1.0
"""Longest wait for data before the loop may look at its clock and at Ctrl-C again."""
MOST_LOSSES = 20
"""Collectors that may be lost before the run gives up: something is wrong that a restart does not mend."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Call:
    """A call of a collector that is under way."""

    index: int
    actor: Any
    arrays: Any


class RayPool:
    """Fulfils `Pool`. `game` and `agent` are built anew in every actor.

    Every actor has its bundle in one placement group: the run has all its room or waits for it, and two runs that
    start together never hold a half each.
    """

    def __init__(
        self, config: RunConfig, game: Game, agent: Agent, waiting: Callable[[str], None] = lambda _: None
    ) -> None:
        self._config, self._agent, self._waiting = config, agent, waiting
        self._num_learners = config.placement.num_learners
        self._num_collectors = config.placement.resolve_num_actors()
        self._calls: dict[Any, _Call] = {}
        self._evaluator: Any = None
        self._evaluating: list[Any] = []
        self._generations = [0] * self._num_collectors
        self._stack = ExitStack()

    def start(self, checkpoint: Path | None, initial_weights: Arrays | None) -> Report:
        """Start Ray and the actors, from a checkpoint's folder if there is one."""
        if self._num_learners > 1 and not isinstance(self._agent, TeamAgent):
            raise ConfigError(
                f"placement.num_learners is {self._num_learners}, it must be 1: the learner of agent "
                f"{self._config.agent.id!r} is one process"
            )
        self._stack.enter_context(cluster.environment())
        self._stack.callback(ray.shutdown)
        cluster.connect(self._config.placement)
        resources: Any = ray.cluster_resources  # untyped
        self._bundles = room.bundles(self._config, num_gpus=resources().get("GPU", 0))
        self._group = cluster.reserve(self._bundles, self._waiting)
        learner = self._placed(LearnerActor, 0, concurrency_groups={WEIGHTS_GROUP: 1})
        followers = self._bundles[1 : self._num_learners]
        self._learner = learner.remote(self._config, registry.trusted(), self._group, followers)
        self._collectors = [self._new_collector(index) for index in range(self._num_collectors)]
        report: Report = _get(self._learner.start.remote(checkpoint, initial_weights))
        if checkpoint is not None:
            states = load_collectors(checkpoint, self._num_collectors)
            _get([actor.set_state.remote(state) for actor, state in zip(self._collectors, states, strict=False)])
        return report

    def collect(self, demand: Demand) -> list[Batch]:
        """What is ready; waits a moment for the first batch if the learner wants one, or for all of a round."""
        if demand.amount > 0:
            self._feed(demand)
        if not self._calls:
            return []
        waiting = list(self._calls)
        enough = len(waiting) if demand.synchronous else 1
        ready, _ = ray.wait(waiting, num_returns=enough, timeout=WAIT_S if demand.amount > 0 else 0)
        if len(ready) < enough:
            return []
        if not demand.synchronous:
            ready, _ = ray.wait(waiting, num_returns=len(waiting), timeout=0)
        return [batch for batch in map(self._take, ready) if batch is not None]

    def advance(self, batches: Sequence[Batch], max_updates: int) -> Report:
        """Let the learner take its turn; the collectors go on meanwhile."""
        report: Report = _get(
            self._learner.turn.remote(
                [batch.summary for batch in batches], max_updates, *[batch.arrays for batch in batches]
            )
        )
        return report

    def save(self, folder: Path) -> None:
        """Write learner, weights and collectors. Calls under way finish first; what they bring is learned later."""
        states = [(index, actor, actor.get_state.remote()) for index, actor in enumerate(self._collectors)]
        _get(self._learner.save.remote(folder.absolute()))
        save_collectors(folder, [self._state_of(*state) for state in states])

    def evaluate(self, step: int) -> None:
        """Let the evaluator begin; one evaluation may be under way, a further one waits its turn.

        It gets a reference to the weights: the checkpoint may be pruned before it comes to reading files.
        """
        if self._evaluator is None:
            self._evaluator = self._new_evaluator()
        _, weights = _get(self._learner.newest_weights.remote(UNKNOWN_VERSION))
        self._evaluating.append(self._evaluator.evaluate.remote(step, weights))

    def evaluations(self, *, wait: bool) -> list[tuple[int, Strength]]:
        """Evaluations that ended since the last call; with `wait`, all that were begun."""
        if not self._evaluating:
            return []
        done, self._evaluating = ray.wait(
            self._evaluating, num_returns=len(self._evaluating), timeout=None if wait else 0
        )
        return list(_get(done))

    def close(self) -> None:
        """Stop Ray, or leave the cluster; every actor ends."""
        self._stack.close()

    def _new_collector(self, index: int) -> Any:
        return self._placed(CollectorActor, self._num_learners + index).remote(
            self._config,
            registry.trusted(),
            index,
            self._num_collectors,
            self._generations[index],
            self._learner,
        )

    def _new_evaluator(self) -> Any:
        bundle = self._num_learners + self._num_collectors
        if bundle < len(self._bundles):
            actor = self._placed(EvaluatorActor, bundle)
        else:  # asked for by a checkpoint of a time when evaluations were configured
            actor = _remote(EvaluatorActor, num_cpus=0)
        return actor.remote(self._config, registry.trusted())

    def _placed(self, actor: type, bundle: int, **options: Any) -> Any:
        """The actor class, to be created in a bundle of the placement group and to take all of it."""
        resources = self._bundles[bundle]
        strategy: Any = PlacementGroupSchedulingStrategy
        return _remote(
            actor,
            num_cpus=resources["CPU"],
            num_gpus=resources.get("GPU", 0),
            scheduling_strategy=strategy(self._group, bundle),
            **options,
        )

    def _feed(self, demand: Demand) -> None:
        """Keep every collector busy; for a synchronous demand begin a round, unless one is under way."""
        if demand.synchronous and self._calls:
            return
        num_calls = 1 if demand.synchronous else CALLS_PER_COLLECTOR
        under_way = [0] * self._num_collectors
        for call in self._calls.values():
            under_way[call.index] += 1
        for index, actor in enumerate(self._collectors):
            for _ in range(num_calls - under_way[index]):
                summary, arrays = actor.collect.options(num_returns=2).remote(demand)
                self._calls[summary] = _Call(index, actor, arrays)

    def _take(self, reference: Any) -> Batch | None:
        call = self._calls.pop(reference)
        try:
            return Batch(ray.get(reference), call.arrays)
        except RayTaskError as error:
            raise _cause(error) from error
        except RayActorError as error:
            self._replace(call.index, call.actor, error)
            return None

    def _state_of(self, index: int, actor: Any, reference: Any) -> Arrays:
        """The state of a collector, or that of its successor if it died."""
        try:
            state: Arrays = ray.get(reference)
        except RayTaskError as error:
            raise _cause(error) from error
        except RayActorError as error:
            self._replace(index, actor, error)
            state = _get(self._collectors[index].get_state.remote())
        return state

    def _replace(self, index: int, actor: Any, error: RayActorError) -> None:
        if self._collectors[index] is not actor:
            return  # another of its calls has said so already
        self._generations[index] += 1
        if sum(self._generations) > MOST_LOSSES:
            raise WorkerError(
                f"{MOST_LOSSES} collectors died, the last of them: {error}. Look for a lack of memory (dmesg) "
                "or run with --inline to see the fault"
            ) from error
        _log.warning("collector %d died and is replaced; its unfinished games are lost", index)
        self._collectors[index] = self._new_collector(index)


def _remote(actor: type, **options: Any) -> Any:
    """The actor class of a plain class. Ray's own types know neither its options nor its remote methods."""
    make: Any = ray.remote(**options)
    return make(actor)


def _get(references: Any) -> Any:
    """`ray.get`, with our own errors as they were raised and the others in one sentence."""
    try:
        return ray.get(references)
    except RayTaskError as error:
        raise _cause(error) from error
    except RayError as error:
        raise WorkerError(
            f"a part of the run was lost: {error}. Continue from the last checkpoint with --resume"
        ) from error


def _cause(error: RayTaskError) -> BaseException:
    cause = error.cause
    # OSError: where a checkpoint is written, a full disk is told from other mishaps.
    return cause if isinstance(cause, RlplatError | OSError) else error
