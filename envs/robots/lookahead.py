"""Asks the simulations of a task what would be, and leaves them as they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from envs.robots.decisions import Decisions
from envs.robots.episodes import Episodes
from envs.robots.physics import STAGE, Physics
from envs.robots.task import Array, Task

DIFFERENCE = 1e-4
"""How far each number of states and actions is moved to either side for a derivative: by less, the contact points of
what lies flat jump."""


class Lookahead:
    """Rollouts and derivatives of N simulations, each with its own masses, friction and gains.

    A state [S] is `qpos`, `qvel` and `act` of MuJoCo, one after another.
    """

    def __init__(self, physics: Physics, task: Task, episodes: Episodes, decisions: Decisions) -> None:
        self._physics, self._task, self._episodes, self._decisions = physics, task, episodes, decisions
        batch = physics.batch
        self._parts = [batch.bind(name) for name in ("qpos", "qvel", "act")]
        self._everyone = np.arange(batch.nsim)

    def state(self) -> Array:
        """Return the states [N, S] of now."""
        return np.concatenate(self._parts, axis=1)

    def rollout(self, actions: Array) -> tuple[Array, Array]:
        """Return costs [N, T] and states [N, T + 1, S] of T decisions [N, T, A]; after an end nothing moves."""
        num_decisions = actions.shape[1]
        costs = np.zeros(actions.shape[:2])
        with self._kept():
            states = [self.state()]
            moving = ~self._episodes.over
            for number in range(num_decisions):
                outcome = self._decisions.make(actions[:, number], moving)
                costs[:, number] = -outcome.rewards
                states.append(self.state())
                moving = moving & ~(outcome.terminated | outcome.unstable)
        return costs, np.stack(states, axis=1)

    def linearise(self, states: Array, actions: Array, num_repeats: int) -> tuple[Array, Array]:
        """Return the derivatives [N, S, S] and [N, S, A] of the states after a decision, by those before it and by it.

        Central differences, because not every integrator has derivatives of its own; all simulations at once.
        """
        with self._kept():
            by_state = self._derivatives(states, actions, num_repeats, of_states=True)
            by_action = self._derivatives(states, actions, num_repeats, of_states=False)
        return by_state, by_action

    def _derivatives(self, states: Array, actions: Array, num_repeats: int, *, of_states: bool) -> Array:
        moved = states if of_states else actions
        columns = []
        for number in range(moved.shape[1]):
            low, high = moved.copy(), moved.copy()
            low[:, number] -= DIFFERENCE
            high[:, number] += DIFFERENCE
            if not of_states:  # beyond its bounds an action changes nothing
                low, high = low.clip(-1, 1), high.clip(-1, 1)
            after = [self._after(*((x, actions) if of_states else (states, x)), num_repeats) for x in (low, high)]
            columns.append((after[1] - after[0]) / (high - low)[:, number, None])
        return np.stack(columns, axis=2)

    def _after(self, states: Array, actions: Array, num_repeats: int) -> Array:
        """Return the states [N, S] after a decision that begins at `states` and acts without a delay."""
        batch, at = self._physics.batch, 0
        batch.bind("qacc_warmstart")[:] = 0
        for part in self._parts:
            part[:] = states[:, at : at + part.shape[1]]
            at += part.shape[1]
        self._physics.refresh(self._everyone)
        for _ in range(num_repeats):
            self._task.actuate(actions)
            batch.step(None, self._task.substeps, STAGE)
        return self.state()

    @contextmanager
    def _kept(self) -> Iterator[None]:
        """Put everything back in the end that a decision changes."""
        physics, orders = self._physics.snapshot(), self._episodes.orders.snapshot()
        num_steps = self._episodes.num_steps.copy()
        try:
            yield
        finally:
            self._episodes.num_steps[:] = num_steps
            self._episodes.orders.restore(orders)
            self._physics.restore(physics)
