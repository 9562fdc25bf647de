"""The evaluator of a run, and the evaluations that it was asked for.

It can never harm the training: one that dies or hangs is replaced and its evaluation made again, what it cannot keep
up with is left out, and so is what a program that it should play makes impossible.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import RayError

from rlplat.errors import ProgramError
from rlplat.interfaces import Arrays
from rlplat.placement.answers import LOOK_S, fault, in_words, is_loss, is_there
from rlplat.placement.silence import MOST_START_S, Patience, Silence
from rlplat.training.evaluating import Rival, Strength, give_up

MOST_WAITING = 3
"""Evaluations that wait for the one under way: each holds its weights in shared memory."""
MOST_TRIES = 3
"""Evaluators that one evaluation may cost before it is given up."""

_log = logging.getLogger(__name__)


@dataclass
class _Evaluation:
    step: int
    weights: Any
    """Owned by this process, so that they outlive learner, evaluator and checkpoint."""
    rival: Any
    """The same of the rival, or None."""
    num_tries: int = 0


class Evaluations:
    """One evaluation under way, a few waiting.

    Args:
        make: creates the evaluator.
        most_silence_s: upper limit of a silence, see `Patience`.
        lacks_room: tells whether the cluster has lost some of the run's room.
    """

    def __init__(self, make: Callable[[], Any], most_silence_s: float, lacks_room: Callable[[], bool]) -> None:
        self._make, self._lacks_room = make, lacks_room
        self._patience = Patience(most_silence_s)
        self._evaluator: Any = None
        self._waiting: deque[_Evaluation] = deque()
        self._current: _Evaluation | None = None
        self._answer: Any = None
        self._ready: Any = None
        """The answer that the evaluator is ready; None once that came."""
        self._silence = Silence(self._patience)

    def begin(self, step: int, weights: Arrays, rival: Rival | None) -> None:
        """Evaluate weights of a step as soon as those before are done, unless that step's are under way already."""
        if step in self.steps:
            return
        self._waiting.append(_Evaluation(step, ray.put(weights), None if rival is None else ray.put(rival)))
        if len(self._waiting) > MOST_WAITING:
            left_out = self._waiting.popleft()
            _log.warning(
                "the evaluation of update %d is left out: the evaluator cannot keep up; raise evaluation.every or "
                "lower evaluation.num_games",
                left_out.step,
            )
        self._ask()

    @property
    def steps(self) -> list[int]:
        """Steps of the evaluation under way and of those that wait."""
        asked = [*([] if self._current is None else [self._current]), *self._waiting]
        return [evaluation.step for evaluation in asked]

    def take(self, *, wait: bool) -> list[tuple[int, Strength]]:
        """Evaluations that ended since the last call, with their steps; with `wait`, all that were begun."""
        done: list[tuple[int, Strength]] = []
        while self._current is not None:
            if self._ready is not None and is_there(self._ready):
                self._ready, self._silence = None, Silence(self._patience)
            if is_there(self._answer, LOOK_S if wait else 0):
                done += self._end(self._current)
            elif self._silence.is_too_long:
                if self._lacks_room():
                    if wait:
                        _log.warning("the evaluation of update %d is given up for lack of room", self._current.step)
                        break
                    self._silence.begin()
                else:
                    self._lost(self._current, f"has said nothing for {self._silence.seconds:.0f} s")
            elif not wait:
                break
        return done

    def forget_after(self, step: int) -> None:
        """Drop evaluations of later steps: the run has gone back to `step`."""
        self._waiting = deque(evaluation for evaluation in self._waiting if evaluation.step <= step)
        if self._current is not None and self._current.step > step:
            self._current = None
            self._kill()
        self._ask()

    def _ask(self) -> None:
        if self._current is None and self._waiting:
            if self._evaluator is None:
                self._evaluator = self._make()
                self._ready, self._silence = self._evaluator.__ray_ready__.remote(), Silence(Patience(MOST_START_S))
            self._current = self._waiting.popleft()
            self._current.num_tries += 1
            self._answer = self._evaluator.evaluate.remote(
                self._current.step, self._current.weights, self._current.rival
            )
            if self._ready is None:
                self._silence.begin()

    def _end(self, evaluation: _Evaluation) -> list[tuple[int, Strength]]:
        try:
            done: list[tuple[int, Strength]] = [ray.get(self._answer)]
        except RayError as error:
            if is_loss(error):
                self._lost(evaluation, f"died ({in_words(error)})")
                return []
            problem = fault(error)
            if not isinstance(problem, ProgramError):
                raise problem from error
            give_up(evaluation.step, problem)
            done = []
        self._silence.end()
        self._current = self._answer = None
        self._ask()
        return done

    def _lost(self, evaluation: _Evaluation, what: str) -> None:
        self._current = None
        self._kill()
        if evaluation.num_tries < MOST_TRIES:
            _log.warning("the evaluator %s and is replaced; update %d is evaluated again", what, evaluation.step)
            self._waiting.appendleft(evaluation)
        else:
            _log.warning("the evaluator %s; the evaluation of update %d is given up", what, evaluation.step)
        self._ask()

    def _kill(self) -> None:
        ray.kill(self._evaluator)
        self._evaluator = self._answer = self._ready = None
