"""The weakest opponent: `random` plays uniformly over the legal actions, or acts uniformly within their bounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rlplat.environments.task import Task
from rlplat.errors import RegistryError
from rlplat.interfaces import Arrays, Continuous, Discrete, Policy

if TYPE_CHECKING:
    from rlplat.environments.resolve import Environment
    from rlplat.search.game import State


class RandomPolicy:
    """Each legal action with equal probability."""

    name = "random"

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def act(self, states: Sequence[State]) -> np.ndarray[Any, Any]:
        """Draw one legal action per state: int64 `[B]`."""
        legal = [state.legal_actions() for state in states]
        places = self._rng.integers([len(actions) for actions in legal])
        return np.array([actions[place] for actions, place in zip(legal, places, strict=True)], dtype=np.int64)


class RandomActions:
    """The same for a task; where actions have no bounds, from the standard normal distribution."""

    name = "random"

    def __init__(self, actions: Discrete | Continuous, seed: int) -> None:
        self._actions, self._rng = actions, np.random.default_rng(seed)

    def act(self, states: Arrays) -> np.ndarray[Any, Any]:
        """Draw an action for each of the observations `[B, ...]`."""
        num_envs = len(next(iter(states.values())))
        if isinstance(self._actions, Discrete):
            allowed = states.get("action_mask", np.ones((num_envs, self._actions.num_actions), np.float32))
            return np.argmax(allowed * self._rng.random(allowed.shape), axis=1)
        low, high = np.array(self._actions.low), np.array(self._actions.high)
        bounded = np.isfinite(low) & np.isfinite(high)
        uniform = self._rng.uniform(np.where(bounded, low, 0.0), np.where(bounded, high, 1.0), (num_envs, len(low)))
        drawn = np.where(bounded, uniform, np.clip(self._rng.standard_normal((num_envs, len(low))), low, high))
        return drawn.reshape(num_envs, *self._actions.shape)


class RandomBaseline:
    """Makes the policy named `random`."""

    usage = "random: uniform over the legal actions, or within their bounds"
    kinds = ("game", "task")

    def __call__(self, argument: str | None, env: Environment, seed: int) -> Policy:
        """Build the policy; it takes no argument."""
        if argument is not None:
            raise RegistryError(f"opponent 'random:{argument}': random takes no argument; write 'random'")
        return RandomActions(env.spec.actions, seed) if isinstance(env, Task) else RandomPolicy(seed)


BASELINE = RandomBaseline()
