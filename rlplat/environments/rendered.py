"""Policies that see any Gymnasium environment as it renders itself, by `AddRenderObservation`."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.wrappers import AddRenderObservation
from numpy.typing import NDArray

from rlplat.environments.preparation import prepare
from rlplat.errors import EnvError

PIXELS, STACK = "render_pixels", "render_stack"
"""Parameters of a task that are not the environment's: side of the picture, and how many pictures a policy sees."""


class _OwnContext(gym.Wrapper[Any, Any, Any, Any]):
    """Renders in the environment's own OpenGL context.

    Gymnasium's environments of MuJoCo make one each, but render, and give back what they made, in whichever is current:
    that of the newest one.
    """

    def render(self) -> Any:
        self._enter()
        return self.env.render()

    def close(self) -> None:
        viewer = self._enter()
        if viewer is not None:
            viewer.con.free()
        self.env.close()

    def _enter(self) -> Any:
        """Make it current, and return who has it; None: there is none, or not yet."""
        viewer = getattr(getattr(self.env.unwrapped, "mujoco_renderer", None), "viewer", None)
        if viewer is not None:
            viewer.make_context_current()
        return viewer


class RenderedEnv(gym.ObservationWrapper[Any, Any, Any]):
    """An environment as a camera sees it; its own observation is for the critic alone, if that is a vector.

    {"policy": {"camera": uint8 [P, P, 3 S]}, "privileged": float32 [K]}: what `render()` returns, averaged over areas
    to `pixels` P, and the newest `stack` S of these behind one another, the newest last.
    """

    def __init__(self, env: gym.Env[Any, Any], *, pixels: int, stack: int = 1) -> None:
        # Some aim their camera when they first render: let all find the same then.
        env.reset(seed=0)
        super().__init__(
            AddRenderObservation(_OwnContext(env), render_only=False, render_key="camera", obs_key="state")
        )
        spaces: Any = self.env.observation_space
        height, width, channels = spaces["camera"].shape
        if height < pixels or width < pixels or channels != 3:
            raise EnvError(f"it renders {height}x{width}x{channels}; {PIXELS} is {pixels}: colours, at least so large")
        self._rows, self._columns = averaging(height, pixels), averaging(width, pixels)
        self._seen: deque[NDArray[np.uint8]] = deque(maxlen=stack)
        camera = gym.spaces.Box(0, 255, (pixels, pixels, 3 * stack), np.uint8)
        groups: dict[str, gym.Space[Any]] = {"policy": gym.spaces.Dict({"camera": camera})}
        state = spaces.spaces.get("state")
        if isinstance(state, gym.spaces.Box) and len(state.shape) == 1:
            groups["privileged"] = gym.spaces.Box(-np.inf, np.inf, state.shape, np.float32)
        self.observation_space = gym.spaces.Dict(groups)
        self.metadata = self.env.metadata | {"frame_stack": stack}

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode, of which the first picture fills the stack."""
        self._seen.clear()
        return super().reset(seed=seed, options=options)

    def observation(self, observation: dict[str, Any]) -> dict[str, Any]:
        """Return the groups of one observation."""
        picture = self._average(observation["camera"])
        self._seen.append(picture)
        while len(self._seen) < (self._seen.maxlen or 1):
            self._seen.append(picture)
        groups: dict[str, Any] = {"policy": {"camera": np.concatenate(self._seen, axis=-1)}}
        if "privileged" in self.observation_space.spaces:  # type: ignore[attr-defined]
            groups["privileged"] = np.asarray(observation["state"], np.float32)
        return groups

    def _average(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        height, width, _ = picture.shape
        lines = self._rows @ picture.reshape(height, -1).astype(np.float32)
        averaged = self._columns @ lines.reshape(len(self._rows), width, 3)
        pixels: NDArray[np.uint8] = np.rint(averaged).astype(np.uint8)
        return pixels


def averaging(length: int, num: int) -> NDArray[np.float32]:
    """Return the weights [num, length] by which as many numbers become means over equal parts of their length."""
    edges = np.arange(num + 1) * (length / num)
    cells = np.arange(length)
    shares = np.minimum(edges[1:, None], cells + 1) - np.maximum(edges[:-1, None], cells)
    weights: NDArray[np.float32] = (shares.clip(0, None) * (num / length)).astype(np.float32)
    return weights


def wrapper(entry_point: str, pixels: Any, stack: Any) -> Callable[[gym.Env[Any, Any]], gym.Env[Any, Any]]:
    """Return what makes such an environment of one with `render_mode="rgb_array"`. Raises EnvError: wrong numbers."""
    for name, value, most in ((PIXELS, pixels, 1024), (STACK, stack, 16)):
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            raise EnvError(f"env.parameters.{name} is {value!r}; it must be a whole number from 1 to {most}")
    prepare(entry_point)
    return lambda env: RenderedEnv(env, pixels=pixels, stack=stack)
