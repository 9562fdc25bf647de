"""Between Gymnasium's spaces and what agents see: observations as named arrays; one choice, several, or numbers as
actions.
"""

from __future__ import annotations

import math
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from rlplat.errors import EnvError
from rlplat.interfaces import Actions, Arrays, Choices, Continuous, Discrete, EnvSpec, Observed

GROUPS = ("policy", "privileged", "action_mask")
"""Names of groups of observations; a mapping without `policy` is all for the policy."""


def spec_of(name: str, observations: gym.Space[Any], actions: gym.Space[Any], frame_stack: int = 1) -> EnvSpec:
    """Describe the spaces of a single environment. Raises EnvError for a space that no agent here could use."""
    spec = EnvSpec(
        name,
        {part: _observed(name, part, space) for part, space in _leaves(observations)},
        _actions(name, actions),
        frame_stack,
    )
    _check_mask(spec)
    return spec


def read_observations(space: gym.Space[Any], values: Any) -> Arrays:
    """Turn a batch `[N, ...]` of observations of a single environment's `space` into arrays by part.

    Pictures stay bytes, a number of several becomes a row of zeros and a one, all else is float32.
    """
    return {
        part: _read(leaf, _at(values, path)) for (part, leaf), path in zip(_leaves(space), _paths(space), strict=True)
    }


def write_actions(space: gym.Space[Any], actions: NDArray[Any]) -> NDArray[Any]:
    """Turn actions, whole numbers from 0 `[N]` or `[N, ...]`, or numbers within bounds `[N, ...]`, into the space's."""
    if isinstance(space, gym.spaces.Discrete):
        numbers: NDArray[Any] = actions + space.start
        return numbers.astype(space.dtype)
    assert space.shape is not None
    whole = actions.reshape(len(actions), *space.shape)
    return (whole + space.start if isinstance(space, gym.spaces.MultiDiscrete) else whole).astype(space.dtype)


def _paths(space: gym.Space[Any]) -> list[tuple[str, ...]]:
    if not isinstance(space, gym.spaces.Dict):
        return [()]
    return [(name, *rest) for name, inner in space.items() for rest in _paths(inner)]


def _leaves(space: gym.Space[Any]) -> list[tuple[str, gym.Space[Any]]]:
    """Every part with its whole name, in the space's order."""
    grouped = isinstance(space, gym.spaces.Dict) and "policy" in space.keys()  # noqa: SIM118  (no mapping to mypy)
    found = []
    for path in _paths(space):
        leaf = space
        for name in path:
            leaf = leaf[name]  # type: ignore[index]
        group = () if path and (grouped or path[0] in GROUPS) else ("policy",)
        found.append(("/".join((*group, *path)), leaf))
    return found


def _check_mask(spec: EnvSpec) -> None:
    mask, actions = spec.observations.get("action_mask"), spec.actions
    if mask is None or not isinstance(actions, Choices):
        return
    found, whole, one = math.prod(mask.shape), sum(actions.sizes), sum(actions.sizes[: actions.period])
    if found not in (whole, one):
        short = f", or {one}, which repeat" if one < whole else ""
        raise EnvError(
            f"{spec.name}: its action_mask has {found} numbers; it must have {whole}, one for each choice of each "
            f"element of an action{short}"
        )


def _at(values: Any, path: tuple[str, ...]) -> NDArray[Any]:
    for name in path:
        values = values[name]
    return np.asarray(values)


def _observed(env: str, part: str, space: gym.Space[Any]) -> Observed:
    if isinstance(space, gym.spaces.Discrete):
        return Observed((int(space.n),))
    if isinstance(space, gym.spaces.Box | gym.spaces.MultiBinary):
        if space.dtype == np.uint8 and len(space.shape) == 3:
            return Observed(space.shape, "uint8")
        return Observed(space.shape or (1,))
    raise EnvError(
        f"{env}: its observation {part} is {space}; agents read Box, Discrete and MultiBinary, and Dict of these: wrap "
        "the environment by gymnasium.wrappers.FlattenObservation"
    )


def _read(space: gym.Space[Any], values: NDArray[Any]) -> NDArray[Any]:
    if isinstance(space, gym.spaces.Discrete):
        one_hot: NDArray[Any] = np.eye(int(space.n), dtype=np.float32)[values - space.start]
        return one_hot
    if values.dtype == np.uint8 and values.ndim == 4:
        return values.copy()
    return values.reshape(len(values), *(space.shape or (1,))).astype(np.float32)


def _actions(env: str, space: gym.Space[Any]) -> Actions:
    if isinstance(space, gym.spaces.Discrete):
        return Discrete(int(space.n))
    if isinstance(space, gym.spaces.MultiDiscrete):
        return Choices(space.shape, tuple(map(int, space.nvec.ravel())))
    if isinstance(space, gym.spaces.Box) and space.dtype is not None and space.dtype.kind == "f":
        low, high = (tuple(map(float, bound.ravel())) for bound in (space.low, space.high))
        return Continuous(space.shape, low, high)
    raise EnvError(
        f"{env}: its actions are {space}; agents take Discrete, MultiDiscrete, or Box of floating-point numbers"
    )
