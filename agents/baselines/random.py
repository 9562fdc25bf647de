"""The weakest opponent: `random` plays uniformly over the legal actions, or acts uniformly within their bounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rlplat.environments.task import Task
from rlplat.errors import RegistryError
from rlplat.interfaces import Actions, Arrays, Choices, Discrete, Policy

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

    def __init__(self, actions: Actions, seed: int) -> None:
        self._actions, self._rng = actions, np.random.default_rng(seed)

    def act(self, states: Arrays) -> np.ndarray[Any, Any]:
        """Draw an action for each of the observations `[B, ...]`."""
        num_envs = len(next(iter(states.values())))
        if isinstance(self._actions, Discrete):
            allowed = states.get("action_mask", np.ones((num_envs, self._actions.num_actions), np.float32))
            return np.argmax(allowed * self._rng.random(allowed.shape), axis=1)
        if isinstance(self._actions, Choices):
            allowed = allowed_choices(self._actions, states)
            return first_of_largest(self._actions, allowed * self._rng.random(allowed.shape))
        low, high = np.array(self._actions.low), np.array(self._actions.high)
        bounded = np.isfinite(low) & np.isfinite(high)
        uniform = self._rng.uniform(np.where(bounded, low, 0.0), np.where(bounded, high, 1.0), (num_envs, len(low)))
        drawn = np.where(bounded, uniform, np.clip(self._rng.standard_normal((num_envs, len(low))), low, high))
        return drawn.reshape(num_envs, *self._actions.shape)


def allowed_choices(actions: Choices, states: Arrays) -> NDArray[Any]:
    """Return 1 for each number of each element that is allowed, `[B, sum of sizes]`."""
    num_envs, whole = len(next(iter(states.values()))), sum(actions.sizes)
    mask = states.get("action_mask", np.ones((num_envs, whole), np.float32)).reshape(num_envs, -1)
    return np.tile(mask, (1, whole // mask.shape[1]))


def first_of_largest(actions: Choices, values: NDArray[Any]) -> NDArray[Any]:
    """Return actions `[B, ...]`: for each element the first number whose value is the largest."""
    parts = np.split(values, np.cumsum(actions.sizes)[:-1], axis=1)
    return np.stack([part.argmax(axis=1) for part in parts], axis=1).reshape(-1, *actions.shape)


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
