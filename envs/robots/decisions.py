"""Makes decisions: the control steps that one action is held for, in all simulations that go on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from envs.robots.episodes import Episodes
from envs.robots.physics import Physics
from envs.robots.settings import RobotSettings
from envs.robots.task import Array, Flags, Task, Terms


@dataclass(frozen=True)
class Outcome:
    """What a decision brought to N simulations; nothing to those that did not move."""

    terms: Terms
    """The reward's terms [N], each added up over the control steps."""
    terminated: Flags
    """Where nothing is left to do [N]."""
    unstable: Flags
    """Where the physics left the finite numbers, so that a control step was taken back [N]."""

    @property
    def rewards(self) -> Array:
        """Return the sums of the terms [N]."""
        return sum(self.terms.values(), np.zeros(len(self.unstable)))


class Decisions:
    """Moves the simulations of a task."""

    def __init__(self, physics: Physics, task: Task, episodes: Episodes, settings: RobotSettings) -> None:
        self._physics, self._task, self._episodes = physics, task, episodes
        self._num_repeats = settings.action_repeat

    def make(self, actions: Array, moving: Flags) -> Outcome:
        """Act in the simulations `moving` [N] by `actions` [N, A], which are delayed as the episodes say."""
        task, episodes = self._task, self._episodes
        terms: Terms = {}
        terminated, unstable = np.zeros((2, len(moving)), dtype=bool)
        active = moving
        for _ in range(self._num_repeats):
            active = active & (episodes.num_steps < task.num_steps)
            ids = active.nonzero()[0]
            if not len(ids):
                break
            applied = episodes.ordered(actions)
            task.actuate(applied)
            failed = self._physics.step(ids, task.substeps)
            episodes.num_steps += active
            active = active & ~failed
            task.note(active.nonzero()[0])
            unstable |= failed
            everywhere = active.all()
            for name, term in task.reward_terms(applied).items():
                counted = term if everywhere else np.where(active, term, 0.0)
                terms[name] = terms[name] + counted if name in terms else counted
            ended = task.terminated() & active
            terminated |= ended
            active = active & ~ended
        return Outcome(terms or self._nothing(actions), terminated, unstable)

    def _nothing(self, actions: Array) -> Terms:
        return {name: np.zeros(len(actions)) for name in self._task.reward_terms(actions)}
