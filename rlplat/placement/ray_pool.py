"""The pool on Ray: collectors, learner and evaluator as actors, on this machine or a cluster.

Data goes from collector to learner; this process sees summaries and references. Every collector has a bounded number
of calls under way, so it never waits for the loop and never runs ahead of it.

Any of the processes may die or hang. A collector or evaluator is replaced here; with the learner goes all that was
learned since the newest checkpoint, so the loop is told by LearnerLostError and starts the pool anew from there.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import ObjectLostError, RayError, RayTaskError
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from rlplat import registry
from rlplat.config import RunConfig
from rlplat.environments.resolve import Environment
from rlplat.errors import ConfigError
from rlplat.interfaces import Agent, Arrays, Demand, TeamAgent
from rlplat.placement import cluster, room
from rlplat.placement.actors import WEIGHTS_GROUP, CollectorActor, EvaluatorActor, LearnerActor
from rlplat.placement.answers import LOOK_S, fault, in_words, is_loss, is_there, remote
from rlplat.placement.crew import Crew
from rlplat.placement.evaluations import Evaluations
from rlplat.placement.silence import MOST_START_S, Patience, Silence
from rlplat.training.evaluating import Rival, Strength
from rlplat.training.hosts import CollectorState, Report, load_collectors, save_collectors
from rlplat.training.pool import Batch, LearnerLostError

UNKNOWN_VERSION = -1
LEAST_LEARNER_S = 300.0
"""Silence of the learner that is borne whatever was measured. Its first turns have few updates to make, or none; a
whole turn of a large network on the CPU may take minutes."""

_log = logging.getLogger(__name__)


class RayPool:
    """Fulfils `Pool`. `env` and `agent` are built anew in every actor.

    Every actor has its bundle in one placement group: the run has all its room or waits for it, and two runs that
    start together never hold a half each.
    """

    def __init__(
        self, config: RunConfig, env: Environment, agent: Agent, waiting: Callable[[str], None] = lambda _: None
    ) -> None:
        self._config, self._agent, self._waiting = config, agent, waiting
        self._num_learners = config.placement.num_learners
        self._num_collectors = config.placement.resolve_num_actors()
        most_silence_s = config.placement.most_silence_s
        self._patience = defaultdict(
            lambda: Patience(most_silence_s, first_s=MOST_START_S, least_s=LEAST_LEARNER_S),
            start=Patience(MOST_START_S),
        )
        self._crew = Crew(self._new_collector, self._num_collectors, most_silence_s, self._lacks_room)
        self._evaluations = Evaluations(self._new_evaluator, most_silence_s, self._lacks_room)
        self._group: Any = None
        self._learner: Any = None
        self._stack = ExitStack()

    def start(self, checkpoint: Path | None, initial_weights: Arrays | None) -> Report:
        """Start Ray and the actors, from a checkpoint's folder if there is one; again after the loss of the learner."""
        if self._num_learners > 1 and not isinstance(self._agent, TeamAgent):
            raise ConfigError(
                f"placement.num_learners is {self._num_learners}, it must be 1: the learner of agent "
                f"{self._config.agent.id!r} is one process"
            )
        if self._group is None:
            self._connect()
        if self._learner is not None:
            ray.kill(self._learner)  # one that hangs or is out of reach would keep its room
        learner = self._placed(LearnerActor, 0, concurrency_groups={WEIGHTS_GROUP: 1})
        followers = self._bundles[1 : self._num_learners]
        self._learner = learner.remote(self._config, registry.trusted(), self._group, followers)
        count = self._num_collectors
        afresh = [CollectorState(0, None)] * count
        self._crew.begin(self._learner, afresh if checkpoint is None else load_collectors(checkpoint, count))
        report: Report = self._ask("start", checkpoint, initial_weights)
        self._evaluations.forget_after(report.progress.updates)
        return report

    def collect(self, demand: Demand) -> list[Batch]:
        """What is ready; waits a moment for the first batch if the learner wants one, or for all of a round."""
        if demand.amount > 0:
            self._crew.feed(demand)
        return self._crew.take(demand)

    def advance(self, batches: Sequence[Batch], max_updates: int) -> Report:
        """Let the learner take its turn; the collectors go on meanwhile."""
        summaries, arrays = [batch.summary for batch in batches], [batch.arrays for batch in batches]
        try:
            report: Report = self._ask("turn", summaries, max_updates, *arrays)
        except ObjectLostError as error:  # before the turn began
            _log.warning("%d batches went with the machine that held them: %s", len(batches), in_words(error))
            report = self._ask("turn", [], max_updates)
        return report

    def save(self, folder: Path) -> None:
        """Write learner, weights and collectors. Calls under way finish first; what they bring is learned later."""
        asked = self._crew.ask_states()
        self._ask("save", folder.absolute())
        save_collectors(folder, self._crew.states(asked))

    def evaluate(self, step: int, rival: Rival | None) -> None:
        """Let the evaluator begin; one evaluation may be under way, a few further ones wait their turn."""
        _, reference = self._ask("newest_weights", UNKNOWN_VERSION)
        try:
            weights = ray.get(reference)
        except RayError as error:
            raise LearnerLostError(in_words(error)) from error
        self._evaluations.begin(step, weights, rival)

    @property
    def under_evaluation(self) -> list[int]:
        """Steps of the evaluations that were begun and that `evaluations` has not returned."""
        return self._evaluations.steps

    def evaluations(self, *, wait: bool) -> list[tuple[int, Strength]]:
        """Evaluations that ended since the last call; with `wait`, all that were begun."""
        return self._evaluations.take(wait=wait)

    def close(self) -> None:
        """Stop Ray, or leave the cluster; every actor ends."""
        self._stack.close()

    def _connect(self) -> None:
        self._stack.enter_context(cluster.environment())
        self._stack.callback(ray.shutdown)
        is_own = cluster.connect(self._config.placement)
        resources: Any = ray.cluster_resources  # untyped
        there = resources()
        self._bundles = room.bundles(self._config, num_gpus=there.get("GPU", 0))
        if is_own and not room.fits(self._bundles, [there]):
            raise ConfigError(
                f"the run asks for {room.in_words(room.total(self._bundles))}, and this machine has "
                f"{room.in_words(room.total([there]))} to give: lower placement.num_learners, or set placement.device "
                "to cpu"
            )
        self._group = cluster.reserve(self._bundles, self._waiting)

    def _ask(self, method: str, *arguments: Any) -> Any:
        """The learner's answer. Raises LearnerLostError if it dies or says nothing for too long."""
        reference = getattr(self._learner, method).remote(*arguments)
        silence = Silence(self._patience[method])
        while not is_there(reference, LOOK_S):
            if not silence.is_too_long:
                continue
            if method != "start" or not self._lacks_room():
                raise LearnerLostError(f"it has said nothing for {silence.seconds:.0f} s")
            self._waiting("room in place of what the cluster has lost")
            silence.begin()
        try:
            answer = ray.get(reference)
        except RayError as error:
            if not is_loss(error):
                raise fault(error) from error
            lost = error.cause if isinstance(error, RayTaskError) else error
            if isinstance(lost, ObjectLostError):
                raise lost from error
            raise LearnerLostError(in_words(error)) from error
        silence.end()
        return answer

    def _lacks_room(self) -> bool:
        return cluster.has_lost_room(self._group)

    def _new_collector(self, index: int) -> Any:
        return self._placed(CollectorActor, self._num_learners + index).remote(
            self._config, registry.trusted(), index, self._num_collectors
        )

    def _new_evaluator(self) -> Any:
        bundle = self._num_learners + self._num_collectors
        if bundle < len(self._bundles):
            actor = self._placed(EvaluatorActor, bundle)
        else:  # asked for by a checkpoint of a time when evaluations were configured
            actor = remote(EvaluatorActor, num_cpus=0)
        return actor.remote(self._config, registry.trusted())

    def _placed(self, actor: type, bundle: int, **options: Any) -> Any:
        """The actor class, to be created in a bundle of the placement group and to take all of it."""
        resources = self._bundles[bundle]
        strategy: Any = PlacementGroupSchedulingStrategy
        return remote(
            actor,
            num_cpus=resources["CPU"],
            num_gpus=resources.get("GPU", 0),
            scheduling_strategy=strategy(self._group, bundle),
            **options,
        )
