"""Somebody who does nothing in a task: `zero` acts with the middle of what is allowed, or the first choice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from agents.baselines.random import allowed_choices, first_of_largest
from rlplat.errors import RegistryError
from rlplat.interfaces import Actions, Arrays, Choices, Discrete

if TYPE_CHECKING:
    from rlplat.environments.task import Task


class ZeroPolicy:
    """The middle of each action's range, or what is nearest to 0 where that has no end; of choices the first."""

    name = "zero"

    def __init__(self, actions: Actions) -> None:
        self._actions = actions

    def act(self, states: Arrays) -> np.ndarray[Any, Any]:
        """Return the same action for each of the observations `[B, ...]`; of choices the first that is allowed."""
        num_envs = len(next(iter(states.values())))
        if isinstance(self._actions, Discrete):
            allowed = states.get("action_mask", np.ones((num_envs, self._actions.num_actions), np.float32))
            return np.argmax(allowed, axis=1)
        if isinstance(self._actions, Choices):
            return first_of_largest(self._actions, allowed_choices(self._actions, states))
        low, high = np.array(self._actions.low), np.array(self._actions.high)
        bounded = np.isfinite(low) & np.isfinite(high)
        middle = (np.where(bounded, low, 0.0) + np.where(bounded, high, 0.0)) / 2
        still = np.where(bounded, middle, np.clip(0.0, low, high))
        return np.tile(still, (num_envs, 1)).reshape(num_envs, *self._actions.shape)


class ZeroBaseline:
    """Makes the policy named `zero`."""

    usage = "zero: of a task, the middle of each action's range"
    kinds = ("task",)

    def __call__(self, argument: str | None, env: Task, seed: int) -> ZeroPolicy:
        """Build the policy; it takes no argument."""
        if argument is not None:
            raise RegistryError(f"opponent 'zero:{argument}': zero takes no argument; write 'zero'")
        return ZeroPolicy(env.spec.actions)


BASELINE = ZeroBaseline()
