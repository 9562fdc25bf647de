"""One simulation of a robot task as a `gymnasium.Env`."""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from envs.robots.vector import Actions, Observations, RobotVectorEnv, pick


class RobotEnv(gym.Env[Observations, Actions]):
    """A batch of one, see `RobotVectorEnv`."""

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"]}  # noqa: RUF012  (Gymnasium's)

    Vector: ClassVar[type[RobotVectorEnv]] = RobotVectorEnv
    """What there is one of."""

    def __init__(self, *, render_mode: str | None = None, **settings: Any) -> None:
        """Take task and settings by name, see `RobotVectorEnv`."""
        self.vector = self.Vector(1, render_mode=render_mode, autoreset_mode=AutoresetMode.DISABLED, **settings)
        self.render_mode = render_mode
        self.metadata = self.metadata | {"render_fps": self.vector.metadata["render_fps"]}
        self.action_space = self.vector.single_action_space
        self.observation_space = self.vector.single_observation_space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observations, dict[str, Any]]:
        """Start an episode; a seed determines all that follows."""
        super().reset(seed=seed)
        self.vector.use_generators([self.np_random])
        observations, infos = self.vector.restart(np.zeros(1, dtype=np.intp))
        return pick(observations, 0), _plain(infos)

    def step(self, action: Actions) -> tuple[Observations, float, bool, bool, dict[str, Any]]:
        """Make one decision. Raises EnvError: see `RobotVectorEnv.step`."""
        observations, rewards, terminated, truncated, infos = self.vector.step(np.asarray(action)[None])
        return pick(observations, 0), float(rewards[0]), bool(terminated[0]), bool(truncated[0]), _plain(infos)

    def render(self) -> NDArray[np.uint8]:  # type: ignore[override]
        """Return a picture uint8[256, 256, 3]."""
        return self.vector.render()[0]


def _plain(infos: dict[str, Any]) -> dict[str, Any]:
    return {name: pick(value, 0) for name, value in infos.items() if not name.startswith("_")}
