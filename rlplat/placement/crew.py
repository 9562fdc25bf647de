"""The collectors of a run: the calls that they have under way, and who comes in place of those that are lost.

A collector that dies, or says nothing for too long, is replaced by one of the next generation, which plays other games.
What the lost one had under way never comes to the learner.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import ray
from ray.exceptions import RayActorError, RayError, RayTaskError

from rlplat.errors import WorkerError
from rlplat.interfaces import Arrays, Demand
from rlplat.placement.answers import LOOK_S, fault, in_words, is_loss, is_there
from rlplat.placement.silence import MOST_START_S, Patience, Silence
from rlplat.training.hosts import CollectorState
from rlplat.training.pool import Batch

CALLS_PER_COLLECTOR = 2
ROOM_LOOK_S = 10.0
"""From when on it is looked whether a process that does not come up lacks room."""
MOST_LOSSES, LOSSES_OVER_S = 20, 3600.0
"""Losses within an hour, besides five of every collector, after which the run gives up: something is wrong that a
restart does not mend."""

_log = logging.getLogger(__name__)


@dataclass
class _Member:
    """A collector at its place."""

    index: int
    generation: int
    actor: Any
    begun: Any
    """The answer that it is ready; None once that came."""
    silence: Silence
    num_calls: int = 0
    lost_at: float | None = None
    """When the one before it was lost, by the monotonic clock."""
    told: bool = field(default=False)
    """It was said that it waits for room."""


@dataclass(frozen=True)
class _Call:
    """A call of a collector that is under way."""

    member: _Member
    arrays: Any


class Crew:
    """All collectors.

    Args:
        make: creates the actor of a place, by its number.
        count: number of places.
        most_silence_s: upper limit of a silence, see `Patience`.
        lacks_room: tells whether the cluster has lost some of the run's room.
    """

    def __init__(
        self, make: Callable[[int], Any], count: int, most_silence_s: float, lacks_room: Callable[[], bool]
    ) -> None:
        self._make, self._count, self._lacks_room = make, count, lacks_room
        self._patience = Patience(most_silence_s)
        self._members: list[_Member] = []
        self._calls: dict[Any, _Call] = {}
        self._losses: deque[float] = deque(maxlen=MOST_LOSSES + 5 * count)

    def begin(self, learner: Any, states: Sequence[CollectorState]) -> None:
        """Let all collectors play for a learner, from their states; what they do for another one is forgotten.

        Returns at once. Calls that are asked of them wait until they are ready.
        """
        self._learner = learner
        self._calls.clear()
        actors = [member.actor for member in self._members] or [self._make(index) for index in range(self._count)]
        self._members = [self._seat(index, actor, states[index]) for index, actor in enumerate(actors)]

    def feed(self, demand: Demand) -> None:
        """Keep every collector busy; for a synchronous demand begin a round, unless one is under way."""
        if demand.synchronous and self._calls:
            return
        for member in self._members:
            for _ in range((1 if demand.synchronous else CALLS_PER_COLLECTOR) - member.num_calls):
                if member.num_calls == 0 and member.begun is None:
                    member.silence.begin()
                summary, arrays = member.actor.collect.options(num_returns=2).remote(demand)
                self._calls[summary] = _Call(member, arrays)
                member.num_calls += 1

    def take(self, demand: Demand) -> list[Batch]:
        """What is ready; waits a moment for the first batch if the learner wants one, or for all of a round."""
        waiting = list(self._calls)
        enough = len(waiting) if demand.synchronous else 1
        ready: list[Any] = []
        if waiting:
            ready, _ = ray.wait(waiting, num_returns=enough, timeout=LOOK_S if demand.amount > 0 else 0)
        if waiting and len(ready) >= enough and not demand.synchronous:
            ready, _ = ray.wait(waiting, num_returns=len(waiting), timeout=0)
        batches = [] if len(ready) < enough else [batch for batch in map(self._batch, ready) if batch is not None]
        self._look()
        return batches

    def ask_states(self) -> list[tuple[_Member, Any]]:
        """Ask every collector for its state, which it gives after the calls that it has under way."""
        self._look()
        for member in self._members:
            if member.num_calls == 0:
                member.silence.begin()
        return [
            (member, None if member.begun is not None else member.actor.get_state.remote()) for member in self._members
        ]

    def states(self, asked: Sequence[tuple[_Member, Any]]) -> list[CollectorState]:
        """The states that were asked for. Who is not ready, or is lost meanwhile, begins afresh there."""
        return [self._state(member, reference) for member, reference in asked]

    def _seat(self, index: int, actor: Any, state: CollectorState) -> _Member:
        begun = actor.begin.remote(self._learner, state)
        return _Member(index, state.generation, actor, begun, Silence(Patience(MOST_START_S)))

    def _batch(self, reference: Any) -> Batch | None:
        call = self._calls.pop(reference)
        member = call.member
        member.num_calls -= 1
        try:
            summary = ray.get(reference)
        except RayError as error:
            self._failed(member, error)
            return None
        if member.begun is not None:
            self._ready(member)
        member.silence.end()
        return Batch(summary, call.arrays)

    def _state(self, member: _Member, reference: Any) -> CollectorState:
        try:
            while reference is not None and not is_there(reference, LOOK_S):
                if member.silence.is_too_long:
                    self._hung(member)
                    reference = None
            if reference is not None:
                arrays: Arrays = ray.get(reference)
                return CollectorState(member.generation, arrays)
        except RayError as error:
            self._failed(member, error)
        return CollectorState(self._members[member.index].generation, None)

    def _look(self) -> None:
        """See who came up, and who says nothing for too long."""
        for member in tuple(self._members):
            if member.begun is not None and is_there(member.begun):
                try:
                    ray.get(member.begun)
                except RayError as error:
                    self._failed(member, error)
                    continue
                self._ready(member)
            if member.begun is not None:
                self._look_at_start(member)
            elif member.num_calls > 0 and member.silence.is_too_long:
                self._hung(member)

    def _look_at_start(self, member: _Member) -> None:
        late = member.silence.is_too_long
        doubtful = late or (member.silence.seconds > ROOM_LOOK_S and not member.told)
        if doubtful and self._lacks_room():
            if not member.told:
                _log.warning("collector %d waits for room on the cluster, the others go on", member.index)
            member.told = True
            member.silence.begin()
        elif late:
            self._hung(member)

    def _ready(self, member: _Member) -> None:
        member.begun = None
        member.silence = Silence(self._patience)
        if member.lost_at is not None:
            _log.info("collector %d is back after %.1f s", member.index, time.monotonic() - member.lost_at)

    def _failed(self, member: _Member, error: RayError) -> None:
        """A call came back with an error: replace the collector if it died; raise everything else."""
        if not is_loss(error):
            raise fault(error) from error
        if isinstance(error, RayTaskError):
            # It lives, and did not reach the learner. If that is gone, its next turn tells, so nothing is done here.
            _log.warning("collector %d did not reach the learner: %s", member.index, in_words(error))
            self._count_loss("did not reach the learner")
        else:
            self._replace(member, "died" if isinstance(error, RayActorError) else f"was lost ({in_words(error)})")

    def _hung(self, member: _Member) -> None:
        self._replace(member, f"has said nothing for {member.silence.seconds:.0f} s")

    def _replace(self, member: _Member, what: str) -> None:
        if self._members[member.index] is not member:
            return  # another of its calls has said so already
        ray.kill(member.actor)  # one that is out of reach or hangs would keep its room
        now = self._count_loss(what)
        _log.warning("collector %d %s and is replaced; its unfinished games are lost", member.index, what)
        state = CollectorState(member.generation + 1, None)
        successor = self._seat(member.index, self._make(member.index), state)
        successor.lost_at = now
        self._members[member.index] = successor

    def _count_loss(self, what: str) -> float:
        """Return the time; WorkerError if there were too many lately."""
        now = time.monotonic()
        if len(self._losses) == self._losses.maxlen and now - self._losses[0] < LOSSES_OVER_S:
            raise WorkerError(
                f"{len(self._losses) + 1} collectors were lost within an hour, the last one {what}. Look for a lack of "
                "memory (dmesg) or run with --inline to see the fault"
            )
        self._losses.append(now)
        return now
