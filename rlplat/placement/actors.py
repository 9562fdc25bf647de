"""What runs in the Ray actors of a run: thin shells around the hosts of `rlplat.training.hosts`."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ray
from ray.util.placement_group import PlacementGroup

from rlplat import registry
from rlplat.config import RunConfig
from rlplat.interfaces import Arrays, Demand, Summary, TeamAgent
from rlplat.placement import room
from rlplat.placement.followers import assemble, own_address
from rlplat.training.build import Built, build
from rlplat.training.hosts import CollectorHost, CollectorState, LearnerHost, Report
from rlplat.training.team import MeetingPoint, Team

if TYPE_CHECKING:
    from rlplat.training.evaluating import Rival, Strength

WEIGHTS_GROUP = "weights"
"""Concurrency group of the learner that hands out weights while an update is under way."""

NICENESS = 10
"""By how much collectors and evaluator step back: where cores are short, the learner that all wait for goes first."""


def _build(config: RunConfig, trust: Sequence[str]) -> Built:
    """Build what the configuration names; an actor without a GPU, or a part of one, works on the CPU."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    registry.trust(*trust)
    gpu_ids: Any = ray.get_gpu_ids  # untyped
    if not gpu_ids():
        # Ray shows all GPUs to actors that were given none. torch looks when it first uses one.
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
        placement = config.placement.model_copy(update={"device": "cpu"})
        config = config.model_copy(update={"placement": placement})
    return build(config)


class LearnerActor:
    """Owns the replay and the networks in training. Dies with any of its followers, and they with it."""

    def __init__(
        self, config: RunConfig, trust: Sequence[str], group: PlacementGroup, followers: Sequence[room.Resources]
    ) -> None:
        agent = _build(config, trust).agent
        if followers:
            assert isinstance(agent, TeamAgent)  # RayPool.start saw to it
            team = assemble(FollowerActor, config, trust, group, followers)
            learner = agent.make_learner(inline=False, team=team)
        else:
            learner = agent.make_learner(inline=False)
        self._host = LearnerHost(learner)
        self._lock = threading.Lock()
        self._newest: tuple[int, Any] = (0, None)

    def start(self, checkpoint: Path | None, initial_weights: Arrays | None) -> Report:
        """Begin from a checkpoint's folder, from weights, or from nothing."""
        report = self._host.start(checkpoint, initial_weights)
        self._publish()
        return report

    def turn(self, summaries: Sequence[Summary], max_updates: int, *arrays: Arrays) -> Report:
        """One turn; the arrays arrive as Ray's own copies and are read only."""
        report = self._host.turn(list(zip(arrays, summaries, strict=True)), max_updates)
        self._publish()
        return report

    def save(self, folder: Path) -> None:
        """Write learner and weights into a checkpoint's folder."""
        self._host.save(folder)
        self._publish()

    @ray.method(concurrency_group=WEIGHTS_GROUP)
    def newest_weights(self, known_version: int) -> tuple[int, Any]:
        """Version and reference of the newest weights; no reference if the caller knows that version."""
        with self._lock:
            version, reference = self._newest
        return version, None if version == known_version else reference

    def _publish(self) -> None:
        if self._host.version != self._newest[0]:
            newest = (self._host.version, ray.put(self._host.weights))
            with self._lock:
                self._newest = newest


class FollowerActor:
    """One more process of the learner."""

    def __init__(self, config: RunConfig, trust: Sequence[str]) -> None:
        self._agent = _build(config, trust).agent

    def follow(self, point: MeetingPoint, rank: int) -> None:
        """Join the team and work until it ends."""
        assert isinstance(self._agent, TeamAgent)
        self._agent.follow(Team.join(point, rank, address=own_address()))


class CollectorActor:
    """Makes data with the newest weights, which it asks the learner for before every call."""

    def __init__(self, config: RunConfig, trust: Sequence[str], index: int, num_collectors: int) -> None:
        os.nice(NICENESS)
        self._agent = _build(config, trust).agent
        self._index, self._num_collectors = index, num_collectors

    def begin(self, learner: Any, state: CollectorState) -> None:
        """Play for a learner, from a checkpoint's state or afresh; games for another learner are dropped."""
        collector = self._agent.make_collector(self._index, self._num_collectors, generation=state.generation)
        if state.arrays is not None:
            collector.set_state({name: array.copy() for name, array in state.arrays.items()})
        self._host = CollectorHost(collector, self._index)
        self._learner = learner

    def collect(self, demand: Demand) -> tuple[Summary, Arrays]:
        """One call of the collector: what the loop reads, and what only the learner reads."""
        start = time.perf_counter()
        version, reference = ray.get(self._learner.newest_weights.remote(self._host.version))
        weights = None if reference is None else ray.get(reference)
        fetch_s = time.perf_counter() - start
        collected = self._host.collect(demand, version, weights, fetch_s=fetch_s)
        return collected.summary, collected.arrays

    def get_state(self) -> Arrays:
        """State for a checkpoint."""
        return self._host.get_state()


class EvaluatorActor:
    """Plays matches beside the training."""

    def __init__(self, config: RunConfig, trust: Sequence[str]) -> None:
        os.nice(NICENESS)
        self._built = _build(config, trust)

    def evaluate(self, step: int, weights: Arrays, rival: Rival | None) -> tuple[int, Strength]:
        """Evaluate published weights."""
        # Its statistics take as long to import as all the rest: a collector that replaces another does without.
        from rlplat.training.evaluating import evaluate_weights

        built = self._built
        return step, evaluate_weights(built.config, built.env, built.agent, weights, step, rival=rival)
